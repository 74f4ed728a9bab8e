"""The app as a Space runs it: in a frame of huggingface.co behind TLS, with logins, and with strangers."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import live
from tests.browser.sites import ask, component, other_browser, site, tls_before
from tests.browser.target import JSON, Target, running_target

signing = pytest.importorskip("itsdangerous", reason="logins are not installed (pip install 'gradio[oauth]')")
pytest.importorskip("authlib", reason="logins are not installed (pip install 'gradio[oauth]')")

HOST, SECRET = "you-mmdemo.hf.space", "the client's secret"
SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "you/mmdemo",
    "SPACE_HOST": HOST,
    "OAUTH_CLIENT_ID": "id",
    "OAUTH_CLIENT_SECRET": SECRET,
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
}
FRAME = f'<iframe src="https://{HOST}/?__theme=light" width=1200 height=780></iframe>'
READS = ("review_list", "review_photo", "review_open", "review_next", "review_save", "review_undo")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_target(tmp_path_factory.mktemp("space"), **SPACE) as found:
        yield found


def cookie(name: str) -> str:
    """The session cookie that signing in leaves, made with the Space's own secret as Gradio does."""
    user = {"name": name, "preferred_username": name, "profile": "", "picture": ""}
    session = base64.b64encode(json.dumps({"oauth_info": {"userinfo": user}}).encode())
    signer = signing.TimestampSigner(hashlib.sha256(f"{SECRET}-v4".encode()).hexdigest())
    return f"session={signer.sign(session).decode()}"


def desk(target: Target, call: str, **headers: str) -> tuple[int, Any]:
    """What one call of the desk answers about the first post."""
    sent = target.rejection(target.keys[0]) | {"fn_name": call}
    reply = ask(f"{target.url}/gradio_api/component_server", json.dumps(sent).encode(), **JSON, **headers)
    return reply.status, json.loads(reply.text) if reply.status == 200 else reply.text


@pytest.mark.browser
def test_the_page_works_in_a_frame_of_the_hub(target, browser: Browser, tmp_path: Path):
    with (
        site(FRAME, "127.0.0.1") as parent,
        tls_before(urlsplit(parent).port, tmp_path) as outside,
        tls_before(urlsplit(target.url).port, tmp_path) as inside,
    ):
        rules = f"MAP huggingface.co 127.0.0.1:{outside}, MAP {HOST} 127.0.0.1:{inside}"
        with other_browser(browser, f"--host-resolver-rules={rules}") as hub:
            page = hub.new_context(ignore_https_errors=True).new_page()
            page.goto("https://huggingface.co/spaces/you/mmdemo")
            frame = page.frame_locator("iframe")
            frame.get_by_role("tab", name="Predict", exact=True).click()
            frame.locator("#predict-go").wait_for()
            frame.locator("#predict-text textarea").fill(live.TWEET)
            frame.locator("#predict-go").click()
            expect(frame.locator("#predict-result")).to_contain_text("Kevin Durant")
            read = "(url) => fetch(url, {credentials: 'include'}).then(() => 'read', () => 'refused')"
            told = page.evaluate(read, f"https://{HOST}/config")
            assert told == "refused", "the Hub's page frames it and reads nothing"


def test_who_has_signed_in_cannot_be_made_to_write_by_another_site(target):
    ann = {"Cookie": cookie("ann"), "Host": HOST}
    for other in ("https://evil.example", "https://evil.hf.space", "https://huggingface.co", "null"):
        for call in ("review_save", "review_list"):
            status, told = desk(target, call, **ann, Origin=other, Sec_Fetch_Site="cross-site")
            assert status == 403 and "another site" in told
            assert desk(target, call, **ann, Origin=other)[0] == 403
    assert target.decided() == 0
    assert desk(target, "review_list", **ann, Origin=f"https://{HOST}")[1]["ok"]


def test_strangers_read_export_and_decide_nothing_whatever_name_they_send(target):
    for call in READS:
        status, told = desk(target, call, Host=HOST)
        assert status == 200 and not told["ok"] and told["problem"].startswith("Sign in"), call
    start = desk(target, "review_start", Host=HOST)[1]
    assert start["closed"] and start["queue"] is None and start["facets"]["queues"] == []
    told = target.endpoint_says("review_export", ["may", "Ann", "jsonl", False, False], Host=HOST)
    assert "event: error" in told and "sign in" in told
    for button in ("review-agreement", "review-export", "review-add", "review-predict", "review-examples"):
        press = target.press(button, {0: "may", 1: "Ann"}, f"stranger{button}", Host=HOST)
        assert "ign in" in press.text and "Ann sings" not in press.text, button
    assert target.decided() == 0


@pytest.mark.parametrize("forged", [{"username": "ann"}, {"name": "ann", "preferred_username": "ann"}, "ann"])
def test_a_login_cannot_be_sent_as_a_value_or_signed_with_another_secret(target, forged):
    values = ["may", "Ann", "jsonl", False, False, forged]
    assert "event: complete" not in target.endpoint_says("review_export", values, Host=HOST)
    signer = signing.TimestampSigner(hashlib.sha256(b"-v4").hexdigest())
    session = base64.b64encode(json.dumps({"oauth_info": {"userinfo": forged}}).encode())
    for value in (signer.sign(session).decode(), session.decode()):
        assert not desk(target, "review_list", Host=HOST, Cookie=f"session={value}")[1]["ok"]


def test_who_has_signed_in_reads_and_exports(target):
    ann = {"Cookie": cookie("ann"), "Host": HOST}
    assert desk(target, "review_list", **ann)[1]["rows"]
    press = target.press("review-agreement", {0: "may", 1: ""}, "ann", **ann)
    assert "No post of this queue has two reviews yet" in press.text
    assert component(target.url, "review-editor", **ann)
