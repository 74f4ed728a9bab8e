"""What the server remembers of each visitor between two requests, and for how long."""

import re
from collections.abc import Callable
from typing import Any

from gradio.state_holder import StateHolder

#: Visitors that are remembered, 0.4 MB each and more with an explanation. Whoever was forgotten presses
#: Compare or Explain again; reviews are not kept here.
SESSIONS = 512

#: Where a plain HTTP call waits for its answer; it ends with the event's name.
CALL = re.compile(r"/call/(?:v2/)?[^/]+/(\w+)/?$")


class ForgetCalls:
    """ASGI middleware: a call's own session ends with its answer.

    A call that names no session gets one with its event's name, which nobody can ask for again. Gradio would
    keep it, and a few hundred calls would push every visitor out.
    """

    def __init__(self, app: Any, holder: Callable[[], StateHolder]) -> None:
        self.app, self.holder = app, holder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] == "GET":
                if call := CALL.search(scope["path"]):
                    self._forget(call[1])

    def _forget(self, session: str) -> None:
        holder = self.holder()
        with holder.lock:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)
