"""The running app as an MCP server, asked by the protocol's own client over streamable HTTP."""

import asyncio
import base64
import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from PIL import Image

from mmdemo.types import InputError
from mmdemo.ui.shell import mcp_tools, server
from tests.browser.live import fusions_ready

mcp = pytest.importorskip("mcp", reason="mcp is not installed (pip install 'gradio[mcp]')")
http = pytest.importorskip("mcp.client.streamable_http")

TWEET = "Kevin Durant enters Oracle Arena"
ASKED = {"dataset": "twitter2017", "text": TWEET}


def session(url: str, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """One session over HTTP: the tools that it lists, and the result of each call."""

    async def talk() -> tuple[list[Any], list[Any]]:
        async with http.streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, _):
            async with mcp.ClientSession(read, write) as client:
                await client.initialize()
                listed = await client.list_tools()
                return listed.tools, [await client.call_tool(*call) for call in calls]

    with ThreadPoolExecutor(1) as pool:  # playwright keeps an event loop running in this thread
        return pool.submit(asyncio.run, talk()).result()


def data_url(size: tuple[int, int] = (80, 60)) -> str:
    file = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def test_the_tools_say_what_they_do_and_what_they_take(app_url):
    tools, _ = session(app_url)
    assert [tool.name for tool in tools] == ["predict", "compare", "explain", "review_export", "extract"]
    for tool in tools:
        assert len(tool.description) > 80 and "Returns:" in tool.description
        fields = tool.inputSchema["properties"]
        assert all(field["description"] for field in fields.values()), tool.name
        assert "profile" not in fields, "who has signed in is not the caller's to say"
    assert tools[0].inputSchema["required"] == ["dataset", "text"]
    assert "native" in tools[0].inputSchema["properties"]["fusion"]["enum"]


def test_a_tweet_gives_entities_as_json_with_and_without_its_photo(app_url):
    photo = {"photo": data_url()}
    _, (bare, seen, row) = session(
        app_url, ("predict", ASKED), ("predict", ASKED | photo), ("compare", ASKED)
    )
    answer = json.loads(bare.content[0].text)
    assert not bare.isError and not answer["image_used"]
    assert {"Kevin Durant": "PER"}.items() <= {e["text"]: e["label"] for e in answer["entities"]}.items()
    assert json.loads(seen.content[0].text)["image_used"]
    assert len(json.loads(row.content[0].text)["answers"]) == len(fusions_ready("twitter2017"))


def test_a_photo_can_be_described_in_words(app_url):
    words = [{"source": "ocr", "text": "PADRES", "score": 0.5}]
    _, (told, read) = session(
        app_url,
        ("predict", ASKED | {"description": "A player."}),
        ("compare", ASKED | {"photo_words": words}),
    )
    assert json.loads(told.content[0].text)["photo_words"][0]["text"] == "A player."
    assert json.loads(read.content[0].text)["photo_words"][0]["text"] == "PADRES"


def test_a_mistake_is_told_in_words(app_url):
    calls = [
        ("predict", ASKED | {"dataset": "mnre"}),
        ("predict", ASKED | {"photo": "data:image/png;base64,AAAA"}),
        ("review_export", {"queue": "no such", "reviewer": "Ann"}),
        ("review_export", {"queue": "no such", "reviewer": ""}),
    ]
    _, results = session(app_url, *calls)
    for result, words in zip(results, ("[E1]", "photo", "queue", "name"), strict=True):
        told = result.content[0].text
        assert result.isError and words in told, told
        assert "Traceback" not in told and sys.prefix not in told and "/tmp" not in told


@pytest.mark.parametrize(
    "photo",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    ],
)
def test_no_file_of_the_server_can_be_named_as_photo(app_url, photo):
    _, [result] = session(app_url, ("predict", ASKED | {"photo": photo}))
    told = result.content[0].text
    assert result.isError and ("Invalid file data format" in told or "not of type 'string'" in told), told


def test_no_neighbour_of_the_server_is_asked_for_a_photo(app_url):
    asked = []

    class Neighbour(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Neighbour) as neighbour:
        Thread(target=neighbour.serve_forever).start()
        url = f"http://127.0.0.1:{neighbour.server_port}/photo.jpg"
        _, [result] = session(app_url, ("predict", ASKED | {"photo": url}))
        neighbour.shutdown()
    assert result.isError and asked == []


def test_without_the_package_the_option_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(mcp_tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="gradio\\[mcp\\]"):
        mcp_tools.check_installed()
    monkeypatch.setattr(sys, "argv", ["app.py", "--mcp"])
    with pytest.raises(SystemExit, match="2"):
        server.read_options("")
    assert capsys.readouterr().err == "error: MCP needs one package more: pip install 'gradio[mcp]'\n"
