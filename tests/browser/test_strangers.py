"""What strangers who may ask the app do not get: files of its machine, and other visitors' sessions."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.browser.sites import ask
from tests.browser.target import Target, running_target

CELL = ("roberta-resnet50", "film")
ROUTES = (
    "/",
    "/config",
    "/gradio_api/info",
    "/gradio_api/queue/status",
    "/gradio_api/startup-events",
    "/gradio_api/runs",
    "/monitoring",
    "/manifest.json",
)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_target(tmp_path_factory.mktemp("target")) as found:
        yield found


def session() -> str:
    return f"visitor{time.monotonic_ns()}"


def refused(told: str) -> bool:
    """Whether a press was answered with an error; both are one line of JSON in a stream."""
    lines = told.replace(" ", "")
    assert ('"success":false' in lines) != ('"success":true' in lines.split("process_completed")[-1]), told
    return '"success":false' in lines


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory, target: Target) -> dict[str, str]:
    """Paths that no visitor uploaded: a photo elsewhere, no photo, nothing, and a link to the first."""
    folder = tmp_path_factory.mktemp("secrets")
    Image.effect_noise((64, 64), 90).convert("RGB").save(folder / "photo.png")
    (folder / "notes.txt").write_text("no picture")
    target.uploads.mkdir(exist_ok=True)
    (target.uploads / "link.png").symlink_to(folder / "photo.png")
    named = {name: str(folder / name) for name in ("photo.png", "notes.txt", "missing.png")}
    return named | {"link": str(target.uploads / "link.png"), "folder": str(folder)}


GOOD: dict[str, list[Any]] = {
    "predict": ["twitter2017", *CELL, "Ann met Bob", None, "lite"],
    "compare": ["twitter2017", "fusions", *CELL, "Ann met Bob", None, "lite"],
    "explain": ["twitter2017", *CELL, "Ann met Bob", None, None, "lite"],
}
#: How a payload says that it is a file, or does not: Gradio checks the first form alone, in words of its own.
FORMS = ({}, {"meta": {"_type": "other"}}, {"meta": {}}, {"url": None, "orig_name": "x.png", "size": 1})


@pytest.mark.parametrize("endpoint", GOOD)
def test_no_endpoint_opens_what_was_not_uploaded_or_tells_whether_it_is_there(target, secrets, endpoint):
    at = GOOD[endpoint].index("Ann met Bob") + 1
    said = set()
    for path in secrets.values():
        for form in FORMS:
            values = [*GOOD[endpoint]]
            values[at] = {"path": path, **form}
            said.add(target.endpoint_says(endpoint, values))
    assert len(said) == 1, said
    assert "event: error" in next(iter(said)) and "was not uploaded" in next(iter(said))


@pytest.mark.parametrize("button", ["predict-go", "compare", "explain", "imagine-ask"])
def test_no_tab_opens_what_was_not_uploaded_or_tells_whether_it_is_there(target, secrets, button):
    for path in secrets.values():
        changes = {"predict-photo": {"path": path}, "predict-text": "Ann met Bob"}
        assert refused(target.press(button, changes, session()).text), path
    fine = target.press(button, {"predict-photo": None, "predict-text": "Ann met Bob"}, session()).text
    assert not refused(fine), "with no photo the same press is answered"


def test_the_desk_reads_no_file_that_was_not_uploaded(target, secrets):
    for path in secrets.values():
        for form in (*FORMS, {"meta": {"_type": "gradio.FileData"}}):
            held = {"path": path, **form}
            for files in ({"review-files": [held]}, {"review-descriptions": held}):
                answer = target.press("review-add", {**files, 1: "Ann"}, session()).text
                assert refused(answer), (path, form, files)


def test_no_route_names_another_visitor_s_session_or_shows_what_it_holds(target):
    """Whoever knows a session's hash has that session: its visitor draws it, and it is told to nobody."""
    text, secret = "Zyxwvut met Ann", session()
    assert "Zyxwvut" in target.press("explain", {"predict-text": text}, secret).text
    for path in ROUTES:
        told = ask(target.url + path).text
        assert secret not in told and "Zyxwvut" not in told, path
    for guess in ("s", secret[:-1], secret.upper()):
        assert "Zyxwvut" not in target.press("explain", {"predict-text": "Ann"}, guess).text
