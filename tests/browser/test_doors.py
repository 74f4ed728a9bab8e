"""Other sites' pages against the app as it runs on a laptop, in a real browser and by forged headers."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page, expect

from tests.browser import live
from tests.browser.sites import ask, component, other_browser, site
from tests.browser.target import Target, running_target

EDGE = "attack"
CELL = ("roberta-resnet50", "film")
#: Sends each [path, kind of content, body] as any page may, without leave, and waits until all are answered.
SEND = """async ({app, posts}) => {
    const told = [];
    for (const [path, kind, body] of posts) {
        const headers = kind ? {'Content-Type': kind} : {};
        const sent = {method: 'POST', mode: 'no-cors', credentials: 'include', headers};
        sent.body = kind ? body : new Blob([body]);
        told.push(await fetch(app + path, sent).then((reply) => reply.type, () => 'no answer'));
    }
    return told;
}"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_target(tmp_path_factory.mktemp("target")) as found:
        yield found


def part_of_form(name: str, value: str, file: str = "") -> str:
    named = f'; filename="{file}"' if file else ""
    return f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{value}\r\n'


def attacks(target: Target) -> list[list[str]]:
    """[path, kind of content, body] of what may write: decisions, uploads, calls, a painting."""
    form = f"multipart/form-data; boundary={EDGE}"
    painted = {"component_id": str(component(target.url, "paint")), "session_hash": "s"}
    painted |= {"fn_name": "accept_blobs", "type": "composite", "index": "", "id": "evil"}
    fields = "".join(part_of_form(name, value) for name, value in painted.items())
    call = json.dumps({"data": ["twitter2017", *CELL, "Ann met Bob", None, "lite"]})
    return [
        *(
            ["/gradio_api/component_server", "text/plain", json.dumps(target.rejection(k))]
            for k in target.keys
        ),
        ["/gradio_api/component_server", "", json.dumps(target.rejection(target.keys[0]))],
        ["/gradio_api/component_server", form, fields + part_of_form("x", "x", "x.png") + f"--{EDGE}--\r\n"],
        ["/gradio_api/upload", form, part_of_form("files", "x", "evil.png") + f"--{EDGE}--\r\n"],
        ["/gradio_api/call/predict", "text/plain", call],
        ["/gradio_api/call/predict", "", call],
    ]


@pytest.fixture
def untouched(target: Target) -> Iterator[None]:
    """Holds a test to it that nothing was decided and nothing uploaded meanwhile."""
    before = target.decided(), target.uploaded()
    yield
    assert (target.decided(), target.uploaded()) == before


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    """Opens a page of a stranger's site in a fresh browser window."""
    context = browser.new_context()

    def open_it(address: str) -> Page:
        page = context.new_page()
        page.goto(address)
        return page

    yield open_it
    context.close()


# ---------------------------------------------------------------- other sites, in a browser


@pytest.mark.browser
@pytest.mark.parametrize("host", ["127.0.0.2", "localhost"])
def test_a_page_of_another_site_writes_nothing(target, untouched, visit, host):
    with site("<p>evil</p>", "127.0.0.1" if host == "localhost" else host) as evil:
        page = visit(evil.replace("127.0.0.1", host))
        told = page.evaluate(SEND, {"app": target.url, "posts": attacks(target)})
    assert len(told) == len(attacks(target))


@pytest.mark.browser
def test_a_page_on_another_port_of_the_same_host_writes_nothing(target, untouched, visit):
    with site("<p>evil</p>", "127.0.0.1") as evil:
        told = visit(evil).evaluate(SEND, {"app": target.url, "posts": attacks(target)})
    assert len(told) == len(attacks(target))


@pytest.mark.browser
def test_a_form_that_sends_itself_writes_nothing(target, untouched, visit):
    form = (
        f'<form method=post enctype="text/plain" action="{target.url}/gradio_api/component_server">'
        "<textarea name='{sent}'></textarea></form><script>document.forms[0].submit()</script>"
    )
    # A text/plain form sends name=value: the "=" ends up in a string that nobody reads.
    body = json.dumps(target.rejection(target.keys[0]))[:-1] + ', "x": "'
    html = form.replace("{sent}", body.replace("&", "&amp;")).replace("></textarea>", '>"}</textarea>')
    with site(html) as evil:
        page = visit(evil)
        page.wait_for_url(f"{target.url}/**")
        expect(page.locator("body")).to_contain_text("another site")


@pytest.mark.browser
def test_a_page_of_another_site_reads_nothing(target, visit):
    """Not by fetch, and no size or shape of a picture, script or frame either."""
    look = """async (app) => {
        const loaded = (tag, more) => new Promise((done) => {
            const part = Object.assign(document.createElement(tag), more);
            part.onload = () => done(true);
            part.onerror = () => done(false);
            document.body.append(part);
        });
        const read = (path) => fetch(app + path, {credentials: 'include'}).then(() => true, () => false);
        return [
            await read('/config'), await read('/gradio_api/info'), await read('/gradio_api/queue/status'),
            await loaded('script', {src: app + '/static/x.js'}),
            await loaded('img', {src: app + '/favicon.ico'}),
            await loaded('link', {rel: 'stylesheet', href: app + '/theme.css'}),
        ];
    }"""
    with site("<p>evil</p>") as evil:
        assert visit(evil).evaluate(look, target.url) == [False] * 6
    for path in ("/favicon.ico", "/theme.css", "/config"):
        assert ask(target.url + path).status == 200, "what the test asks for is there"


@pytest.mark.browser
def test_a_name_that_was_pointed_here_is_not_answered(target, untouched, browser):
    """DNS rebinding: a stranger's name that now leads to this machine is one origin with their page."""
    name = f"evil.example:{urlsplit(target.url).port}"
    with other_browser(browser, "--host-resolver-rules=MAP evil.example 127.0.0.1") as rebound:
        page = rebound.new_page()
        page.goto(f"http://{name}/")
        expect(page.locator("body")).to_contain_text("MMDEMO_HOSTS=evil.example")
        page.evaluate(SEND, {"app": "", "posts": attacks(target)})
        assert page.evaluate("fetch('/config').then((reply) => reply.status)") == 403


@pytest.mark.browser
def test_a_link_on_another_site_opens_the_page_and_it_works(target, visit):
    with site(f'<a href="{target.url}/?text=Kevin+Durant">the demo</a>') as elsewhere:
        page = visit(elsewhere)
        page.get_by_text("the demo").click()
        page.locator("#predict-go").wait_for()
        page.wait_for_function("window.mmdemo !== undefined")
        live.write(page, live.TWEET)
        live.predict(page)
        expect(page.locator("#predict-result")).to_contain_text("Kevin Durant")


# ---------------------------------------------------------------- without a browser


ROUTES = ("/", "/config", "/gradio_api/info", "/gradio_api/queue/status", "/theme.css", "/gradio_api/mcp/")


@pytest.mark.parametrize("path", [*ROUTES, "/gradio_api/file=/etc/passwd", "/gradio_api/heartbeat/s"])
def test_every_route_refuses_other_names_and_other_origins(target, path):
    url = target.url + path
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors"},
        {"Host": "lan.example", "Origin": "http://evil.example"},
    ):
        for method in ("GET", "POST", "OPTIONS"):
            asks = {"Access_Control_Request_Method": "POST"} if method == "OPTIONS" else {}
            reply = ask(url, b"{}" if method == "POST" else None, method, **headers, **asks)
            assert reply.status == 403, (headers, method)
            assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_programs_and_the_page_s_own_origin_are_answered(target):
    assert ask(f"{target.url}/config").status == 200
    own = ask(f"{target.url}/config", Origin=target.url, Sec_Fetch_Site="same-origin")
    assert own.status == 200 and "access-control-allow-origin" not in own.headers
    client = Client(target.url, verbose=False)
    told = client.predict(dataset="twitter2017", text="Kevin Durant", api_name="/predict")
    assert told["entities"][0]["text"] == "Kevin Durant"
    client.close()


def test_what_is_refused_to_others_would_have_been_written(target):
    """The attacks above are sound: a program that sends the same bytes writes with them."""
    decided = target.decided()
    sent = {
        path: ask(target.url + path, body.encode(), Content_Type=kind)
        for path, kind, body in attacks(target)
        if kind
    }
    assert {path: reply.status for path, reply in sent.items() if "call" not in path} == dict.fromkeys(
        ("/gradio_api/component_server", "/gradio_api/upload"), 200
    )
    assert target.decided() == decided + len(target.keys) and target.uploaded() == ["evil.png"]
