"""Who may ask: the policy by headers alone, and the middleware around an app that lets everybody in."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mmdemo.types import InputError
from mmdemo.ui.serve import doors
from mmdemo.ui.serve.doors import policy_of

HOME = {"host": "127.0.0.1:7860"}
PROXY = {"MMDEMO_HOSTS": "demo.example.org, other.example.org:8443"}
SPACE = {"SPACE_ID": "you/mmdemo", "SPACE_HOST": "you-mmdemo.hf.space,demo.example.org"}


def problem(environ, method="POST", path="/gradio_api/queue/join", kind="http", root="", **headers):
    """Why the request is refused; in headers' names ``_`` stands for ``-``."""
    sent = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    scope = {"type": kind, "method": method, "path": path, "root_path": root, "headers": sent}
    return policy_of(environ).problem(scope)


@pytest.mark.parametrize(
    "host",
    ["localhost:7860", "LOCALHOST.", "127.0.0.1", "192.168.1.5:80", "[::1]:7860", "[fe80::1]", "0.0.0.0:1"],
)
def test_this_machine_and_any_address_are_answered(host):
    assert problem({}, host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:7860",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost:7860/x",
        "localhost, evil.example",
        "127.1",
        "",
        "ロ",
    ],
)
def test_a_name_that_is_not_this_server_s_is_not_answered(host):
    refused = problem({}, "GET", "/", host=host.encode().decode("latin-1"))
    assert refused and refused.endswith(".") and "\n" not in refused


def test_a_refused_name_is_told_how_it_can_be_allowed():
    assert "MMDEMO_HOSTS=evil.example " in problem({}, host="evil.example:7860")
    assert problem({"MMDEMO_HOSTS": "evil.example"}, host="evil.example:7860") is None


def test_no_host_and_two_hosts_are_refused():
    policy = policy_of({})
    for hosts in ([], ["localhost", "evil.example"]):
        headers = [(b"host", host.encode()) for host in hosts]
        assert policy.problem({"type": "http", "method": "GET", "path": "/", "headers": headers})


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        (PROXY, "demo.example.org"),
        (PROXY, "Other.Example.org:9"),
        (SPACE, "you-mmdemo.hf.space"),
        (SPACE, "demo.example.org"),
        ({"GRADIO_SERVER_NAME": "box.lan"}, "box.lan:7860"),
    ],
)
def test_names_that_were_given_are_answered(environ, host):
    assert problem(environ, host=host) is None


@pytest.mark.parametrize("entry", ["https://demo.example.org", "*.example.org", "a b", "x/", "x:123456"])
def test_what_is_no_host_name_is_a_sentence(entry):
    with pytest.raises(InputError, match="MMDEMO_HOSTS takes host names"):
        policy_of({"MMDEMO_HOSTS": f"fine.example.org,{entry}"})


@pytest.mark.parametrize(
    ("environ", "host", "origin"),
    [
        ({}, "127.0.0.1:7860", "http://127.0.0.1:7860"),
        ({}, "[::1]:7860", "http://[::1]:7860"),
        (PROXY, "demo.example.org", "https://demo.example.org"),  # TLS ends at the proxy
        (PROXY, "demo.example.org:443", "https://demo.example.org"),
        (PROXY, "127.0.0.1:7860", "https://demo.example.org"),  # the proxy changes Host
        (PROXY, "127.0.0.1:7860", "https://other.example.org:8443"),
        (SPACE, "you-mmdemo.hf.space", "https://you-mmdemo.hf.space"),
    ],
)
def test_the_page_itself_may_ask(environ, host, origin):
    assert problem(environ, host=host, origin=origin, sec_fetch_site="same-origin") is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:7861",
        "http://localhost:7860",
        "http://127.0.0.1:7860.evil.example",
        "http://127.0.0.1:7860@evil.example",
        "http://evil.example/127.0.0.1:7860",
        "chrome-extension://127.0.0.1:7860",
        "null",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_other_origin_may_ask_whatever_the_method(method, origin):
    assert problem({}, method, **HOME, origin=origin)
    assert problem({}, kind="websocket", **HOME, origin=origin)


@pytest.mark.parametrize("origin", ["https://demo.example.org:8443", "https://other.example.org"])
def test_a_named_host_speaks_from_its_own_port_alone(origin):
    assert problem(PROXY, **HOME, origin=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "new-kind", "none, cross-site"])
@pytest.mark.parametrize("path", ["/config", "/gradio_api/info", "/gradio_api/file=/x", "/logout", "/"])
def test_what_a_browser_calls_another_site_s_is_refused_without_an_origin_too(path, site):
    assert problem({}, "GET", path, **HOME, sec_fetch_site=site, sec_fetch_mode="no-cors")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_elsewhere_opens_the_page_and_nothing_else(site):
    follow = {**HOME, "sec_fetch_site": site, "sec_fetch_mode": "navigate"}
    assert problem({}, "GET", "/", **follow) is None
    assert problem({}, "GET", "/demo/", root="/demo", **follow) is None
    assert problem({}, "POST", "/", **follow)
    assert problem({}, kind="websocket", path="/", **follow)
    for path in ("/config", "/gradio_api/mcp/", "/gradio_api/file=/x", "/logout", "/login/callback"):
        assert problem({}, "GET", path, **follow)


def test_the_hub_may_send_a_browser_back_to_where_signing_in_goes_on():
    follow = {"host": "you-mmdemo.hf.space", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    for path in ("/", "/login/callback", "/login/huggingface"):
        assert problem(SPACE, "GET", path, **follow) is None
    assert problem(SPACE, "GET", "/logout", **follow)


# ---------------------------------------------------------------- the middleware


def client(environ, host="127.0.0.1:7860"):
    """An app that lets every origin in, sets a cookie for all sites, and counts who came in."""

    async def answer(request: Request) -> PlainTextResponse:
        request.app.state.seen += 1
        response = PlainTextResponse("in")
        response.set_cookie("session", "x", samesite="none", secure=True, httponly=True)
        response.set_cookie("kept", "samesite=none", samesite="strict")
        return response

    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    routes = [
        Route("/{path:path}", answer, methods=["GET", "POST"]),
        WebSocketRoute("/{path:path}", greet),
    ]
    everybody = Middleware(CORSMiddleware, allow_origin_regex=".*", allow_credentials=True)
    app = Starlette(routes=routes, middleware=[everybody], lifespan=doors.closed(policy_of(environ)))
    app.state.seen = 0
    return TestClient(app, base_url=f"http://{host}")


def test_others_get_no_leave_and_the_app_never_sees_them():
    with client({}) as app:
        for method in ("GET", "POST", "OPTIONS"):
            asks = {"origin": "http://evil.example", "access-control-request-method": "POST"}
            reply = app.request(method, "/config", headers=asks)
            assert reply.status_code == 403 and "another site" in reply.text
            assert not [name for name in reply.headers if name.startswith("access-control-")]
            assert reply.headers["x-content-type-options"] == "nosniff"
        assert app.app.state.seen == 0
        own = app.get("/config", headers={"origin": "http://127.0.0.1:7860"})
        assert own.text == "in" and not [n for n in own.headers if n.startswith("access-control-")]


def test_a_socket_from_another_site_is_closed():
    with client({}) as app:
        with app.websocket_connect("ws://127.0.0.1:7860/x"):
            pass
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            app.websocket_connect("ws://127.0.0.1:7860/x", headers={"origin": "http://evil.example"}),
        ):
            pass
        assert refused.value.code == 1008


def test_the_login_s_cookie_goes_to_frames_of_other_sites_on_a_space_alone():
    with client({}) as app:
        session, kept = app.get("/").headers.get_list("set-cookie")
        assert "samesite=lax" in session.lower() and "secure" in session.lower()
        assert kept.lower().startswith('kept="samesite=none"') or kept.startswith("kept=samesite=none")
    with client(SPACE, "you-mmdemo.hf.space") as app:
        assert "samesite=none" in app.get("/").headers.get_list("set-cookie")[0].lower()
