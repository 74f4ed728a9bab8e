"""A plain HTTP call leaves no session behind; a visitor's stays."""

import threading
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from mmdemo.ui.shell.sessions import ForgetCalls

EVENT, VISITOR = "0a1b2c", "visitor"


class Server:
    """An app behind ForgetCalls, with the sessions of a call and of a visitor."""

    def __init__(self) -> None:
        self.holder = SimpleNamespace(
            session_data=dict.fromkeys((EVENT, VISITOR)),
            time_last_used=dict.fromkeys((EVENT, VISITOR)),
            lock=threading.Lock(),
        )
        routes = [
            Route("/{path:path}", self.answer, methods=["GET", "POST"]),
            WebSocketRoute("/{path:path}", self.greet),
        ]
        self.client = TestClient(ForgetCalls(Starlette(routes=routes), lambda: self.holder))

    async def answer(self, _: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{len(self.holder.session_data)} sessions")

    async def greet(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    def left(self) -> set[str]:
        assert self.holder.session_data.keys() == self.holder.time_last_used.keys()
        return set(self.holder.session_data)


@pytest.mark.parametrize("path", ["/gradio_api/call/predict/0a1b2c", "/gradio_api/call/v2/predict/0a1b2c"])
def test_a_call_is_forgotten_with_its_answer(path):
    server = Server()
    assert server.client.get(path).text == "2 sessions"  # it is needed until the answer is out
    assert server.left() == {VISITOR}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/call/predict"),
        ("GET", "/gradio_api/queue/data"),
        ("GET", "/gradio_api/heartbeat/0a1b2c"),
    ],
)
def test_nothing_else_is(method, path):
    server = Server()
    assert server.client.request(method, path).status_code == 200
    assert server.left() == {EVENT, VISITOR}


def test_what_is_no_request_passes():
    server = Server()
    with server.client as client, client.websocket_connect("/gradio_api/call/predict/0a1b2c"):
        pass  # entering the client runs the app's start and stop, which have no method either
    assert server.left() == {EVENT, VISITOR}
