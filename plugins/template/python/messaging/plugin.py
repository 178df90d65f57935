"""A connector: exports post-message and poll-events. componentize-py makes the package wit_world from wit/."""

import wit_world
from componentize_py_types import Err
from wit_world.imports import host_api
from wit_world.imports.host_api import HttpError_Denied, HttpError_Network, Request, Response
from wit_world.imports.messaging_types import Message, User

URL = "https://chat.example.com/messages"


class WitWorld(wit_world.WitWorld):
    """Each method is one exported function. `raise Err(…)` gives the error arm of a result."""

    def post_message(self, channel_id: str, content: str) -> str:
        """Sends text to somebody; returns the id the chat gave it. An error that begins with `refused:` is not tried again."""
        answer = ask("POST", URL, f"{channel_id}\n{content}".encode())
        text = answer.body.decode()
        if answer.status == 403:
            raise Err(f"refused: {text}")
        if answer.status != 200:
            raise Err(f"the chat answered {answer.status}")
        return text

    def poll_events(self) -> list[Message]:
        """The messages that came since the last call. This chat gives one a line: id, sender and text, with tabs between them."""
        try:
            last = host_api.kv_get("last").decode()
        except Err:
            last = "0"
        try:
            answer = ask("GET", f"{URL}?after={last}", None)
        except Err as failure:
            print(failure.value)
            return []
        messages = []
        for line in answer.body.decode().splitlines() if answer.status == 200 else []:
            id, sender, text = line.split("\t", 2)
            messages.append(Message(id=id, sender=User(id=sender, display_name=sender), text=text, metadata=None))
        if messages:
            host_api.kv_set("last", messages[-1].id.encode())
        return messages


def ask(method: str, url: str, body: bytes | None) -> Response:
    # px puts the secret in on its way out: the plugin never sees it.
    headers = [("authorization", "Bearer {{secret:CHAT_TOKEN}}")]
    try:
        return host_api.http_request(Request(method=method, url=url, headers=headers, body=body, timeout_ms=None))
    except Err as failure:
        error = failure.value
        why = error.value if isinstance(error, HttpError_Denied | HttpError_Network) else type(error).__name__
        raise Err(why) from failure
