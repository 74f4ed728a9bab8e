"""A plain HTTP call leaves no session behind; a visitor's stays."""

import asyncio
from types import SimpleNamespace

import pytest

from mmdemo.ui.sessions import ForgetCalls

EVENT, VISITOR = "0a1b2c", "visitor"


class Holder(SimpleNamespace):
    def __init__(self) -> None:
        names = (EVENT, VISITOR)
        super().__init__(session_data=dict.fromkeys(names), time_last_used=dict.fromkeys(names))
        self.lock = self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def left_after(method: str, path: str, kind: str = "http") -> set[str]:
    holder = Holder()

    async def app(*_: object) -> None:
        assert EVENT in holder.session_data  # it is needed until the answer is out

    scope = {"type": kind, "method": method, "path": path}
    asyncio.run(ForgetCalls(app, lambda: holder)(scope, None, None))
    assert holder.session_data.keys() == holder.time_last_used.keys()
    return set(holder.session_data)


@pytest.mark.parametrize("path", ["/gradio_api/call/predict/0a1b2c", "/gradio_api/call/v2/predict/0a1b2c"])
def test_a_call_is_forgotten_with_its_answer(path):
    assert left_after("GET", path) == {VISITOR}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/call/predict"),
        ("GET", "/gradio_api/queue/data"),
        ("GET", "/gradio_api/heartbeat/0a1b2c"),
    ],
)
def test_nothing_else_is(method, path):
    assert left_after(method, path) == {EVENT, VISITOR}
    assert left_after(method, path, kind="websocket") == {EVENT, VISITOR}
