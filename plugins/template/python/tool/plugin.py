"""Exports what wit/world.wit says. componentize-py makes the package wit_world from it."""

import wit_world
from componentize_py_types import Err
from wit_world.imports import host_api
from wit_world.imports.host_api import HttpError_Denied, HttpError_Network, Request


class WitWorld(wit_world.WitWorld):
    """Each method is one exported function. `raise Err(…)` gives the error arm of a result."""

    def greet(self, name: str) -> str:
        # The plugin's own store: encrypted on disk, read by nobody else.
        key = f"count:{name}"
        try:
            count = int(host_api.kv_get(key)) + 1
        except Err:
            count = 1
        host_api.kv_set(key, str(count).encode())
        print(f"greeted {name}")
        return f"Hello, {name}! Greeting number {count}."

    def zen(self) -> str:
        url = "https://api.github.com/zen"
        try:
            answer = host_api.http_request(Request(method="GET", url=url, headers=[], body=None, timeout_ms=None))
        except Err as failure:
            raise Err(reason(failure.value)) from failure
        if answer.status != 200:
            raise Err(f"GitHub answered {answer.status}")
        return answer.body.decode()


def reason(error: object) -> str:
    if isinstance(error, HttpError_Denied | HttpError_Network):
        return error.value
    return type(error).__name__
