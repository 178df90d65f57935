"""The world of ../example.wit in Python; componentize-py makes the package wit_world from it."""

import os
import random
import socket
import time

import wit_world
from componentize_py_types import Err
from wit_world import OrderLine, Page, Receipt, Surroundings
from wit_world.imports import host_api
from wit_world.imports.host_api import LogLevel, Request


class WitWorld(wit_world.WitWorld):
    """Each method is one exported function. `raise Err(…)` gives the error arm of a result."""

    def greet(self, name: str) -> str:
        greeting = f"Hello, {name or 'whoever you are'}!"
        host_api.log(LogLevel.INFO, greeting)
        return greeting

    def add(self, a: int, b: int) -> int:
        total = a + b
        if not -(2**31) <= total < 2**31:
            raise Err("the sum does not fit in 32 bits")
        return total

    def total(self, lines: list[OrderLine]) -> Receipt:
        return Receipt(
            items=[line.item for line in lines],
            amount=sum(line.amount for line in lines),
            price=sum(line.price * line.amount for line in lines),
        )

    def remember(self, key: str, text: str) -> str | None:
        try:
            before = host_api.kv_get(key).decode()
        except Err:
            before = None
        host_api.kv_set(key, text.encode())
        return before

    def fetch(self, url: str) -> Page:
        answer = host_api.http_request(Request(method="GET", url=url, headers=[], body=None, timeout_ms=None))
        return Page(status=answer.status, body=answer.body.decode(errors="replace"))

    def look_around(self) -> Surroundings:
        print("looking around")
        return Surroundings(
            variables=list(os.environ),
            files=files(),
            connected=connected(),
            clock=int(time.time() * 1000),
            random=random.SystemRandom().getrandbits(64),
        )

    def spin(self) -> None:
        while True:
            pass

    def crash(self) -> None:
        raise RuntimeError("crash")


def files() -> list[str]:
    try:
        return os.listdir("/")
    except OSError:
        return []


def connected() -> bool:
    try:
        with socket.socket() as tried:
            tried.connect(("127.0.0.1", 80))
        return True
    except OSError:
        return False
