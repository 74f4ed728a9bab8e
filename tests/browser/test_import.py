"""Files of other tools into a queue, in a real browser: dropped, previewed, mapped, imported."""

import base64
import io
import json
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from mmdemo.datasets.discovery import find_dataset
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser

TWEETS = find_dataset("twitter2017")
TEXT = "Ola Brand <b>sails</b> to Vik"
#: Drops files, given as [name, base64], on an upload field.
DROP = """async ([selector, files]) => {
  const transfer = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  const place = document.querySelector(`${selector} button, ${selector} [role=button]`);
  for (const kind of ["dragenter", "dragover", "drop"])
    place.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
}"""


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "JPEG")
    return file.getvalue()


def project() -> bytes:
    """A Label Studio project: a text, its photo, two annotators who differ, a label of another name."""

    def said(who: int, label: str) -> dict:
        value = {"start": 0, "end": 9, "text": "Ola Brand", "labels": [label]}
        place = {"id": "a", "type": "labels", "value": {**value}}
        return {"completed_by": who, "result": [place]}

    data = {"text": TEXT, "image": "/data/upload/1/3fa2c1d0-boat.jpg"}
    tasks = [{"id": 7, "data": data, "annotations": [said(1, "PERSON"), said(2, "vessel")]}]
    return json.dumps(tasks).encode()


def windows_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, text in {"in\\a.txt": "Ola left Vik\r\n", "in\\a.ann": "T1\tPER 0 3\tOla\r\n"}.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # as Windows writes it
            whole.writestr(entry, text)
    return file.getvalue()


def drop(desk: Desk, tool: Locator, **files: bytes) -> None:
    clear = tool.locator("#review-files").get_by_role("button", name="Clear")
    if clear.is_visible():
        clear.click()
    given = [[name, base64.b64encode(data).decode()] for name, data in files.items()]
    with desk.page.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
        desk.page.evaluate(DROP, ["#review-files", given])
    expect(
        tool.locator("#review-files").get_by_text(next(iter(files)).split(".")[0], exact=True)
    ).to_be_visible()


def test_files_of_other_tools_are_previewed_mapped_and_imported(page, app_url, tmp_path):
    desk = Desk(page)
    desk.open()
    tool = desk.tool("Add posts")
    drop(desk, tool, **{"project.json": project(), "boat.jpg": photo()})
    tool.get_by_label("Queue", exact=True).fill("ls")
    tool.get_by_label("Two blind reviews").check()
    tool.get_by_role("button", name="Preview").click()
    desk.name("Ann")
    look = tool.locator(".rv-look")
    expect(look).to_contain_text("1 posts, 1 with answers")
    expect(look).to_contain_text("Photos: 1 found, 0 not found")
    expect(look.get_by_role("row", name="vessel")).to_contain_text("not known")
    expect(look.get_by_role("row", name="PERSON")).to_contain_text("PER")
    expect(look).to_contain_text(TEXT)
    tool.get_by_label("Other names for labels").fill("vessel=MISC")
    tool.get_by_role("button", name="Preview").click()
    expect(look.get_by_role("row", name="vessel")).to_contain_text("MISC")
    tool.get_by_role("button", name="Add posts").click()
    assert "1 post added" in desk.answer(tool, "added to “ls”")
    tool.get_by_label("Two blind reviews").uncheck()
    tool.get_by_label("Other names for labels").fill("")
    for name, data in {
        "brat.zip": windows_zip(),
        "excel.csv": "ID;Text\r\n1;Zoë fährt\r\n".encode("utf-16"),
    }.items():
        drop(desk, tool, **{name: data})
        queue = name.split(".")[0]
        tool.get_by_label("Queue", exact=True).fill(queue)
        tool.get_by_role("button", name="Add posts").click()
        assert "1 post added" in desk.answer(tool, f"added to “{queue}”")
