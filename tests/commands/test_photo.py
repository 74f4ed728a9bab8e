"""The command ``photo``: what is read and from where, for a person and as JSON; mistakes in a sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.photo_words import reader
from mmdemo.types import InputError
from tests.photo_words.drawn import Saying, failing, line, sign


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    sign(("PADRES", 20, 20)).save(file)
    return file


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run the command in this process, with sources that say what is asked for here."""
    monkeypatch.setenv("MMDEMO_CACHE", str(tmp_path / "cache"))
    text = Saying([line("PADRES", score=0.987, box=(0.1, 0.2, 0.5, 0.3)), line("★")])
    makers = {
        "ocr": text,
        "objects": Saying([line("suit", "objects", 0.41, by="a network")], "objects"),
        "captioned": failing("captioned", RuntimeError("x")),
    }
    original = reader.PhotoReader.__init__
    monkeypatch.setattr(
        reader.PhotoReader,
        "__init__",
        lambda self, folder=None, sources=None: original(self, folder, sources, makers=makers),
    )

    def run(*arguments: object) -> str:
        result = CliRunner().invoke(app, ["photo", *map(str, arguments)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    run.text = text
    return run


def test_words_with_source_confidence_and_box(call, photo):
    assert call(photo).splitlines() == [
        str(photo),
        "   41.0%  objects    suit",
        "   98.7%  ocr        PADRES  [10 20 50 30]",
        "  left out: 1 too short",
    ]


def test_json_has_all_of_it(call, photo, tmp_path):
    other = tmp_path / "other.png"
    sign(("B", 1, 1)).save(other)
    first, second = json.loads(call(photo, other, "--json"))
    assert first["photo"] == str(photo) and second["photo"] == str(other)
    assert first["words"] == [
        {"source": "objects", "text": "suit", "score": 0.41, "by": "a network"},
        {"source": "ocr", "text": "PADRES", "score": 0.987, "box": [0.1, 0.2, 0.5, 0.3]},
    ]
    assert first["dropped_counts"] == {"too short": 1} and first["dropped"][0]["text"] == "★"
    assert first["notes"] == [] and first["unread"] == []


def test_sources_can_be_chosen_and_a_failure_is_a_note(call, photo):
    lines = call(photo, "--sources", "captioned,ocr").splitlines()
    assert lines[1].endswith("PADRES  [10 20 50 30]")
    assert lines[-1] == "  note: captioned: it failed on this photo (RuntimeError)"


def test_a_photo_is_read_again_where_asked(call, photo):
    for _ in range(2):
        call(photo, "--sources", "ocr")
    assert call.text.asked == 1
    call(photo, "--sources", "ocr", "--again")
    assert call.text.asked == 2


def test_a_terminal_is_not_obeyed(call, photo):
    call.text.words = [line("\x1b]0;gone\x07 \u202eevil")]
    shown = call(photo, "--sources", "ocr")
    assert "\x1b" not in shown and "\u202e" not in shown and "evil" in shown


def test_a_broken_photo_among_others_is_told_and_the_others_are_read(call, photo, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_text("no photo")
    rows = json.loads(call(broken, photo, "--json"))
    assert "is not a readable" in rows[0]["error"] and rows[1]["words"]
    assert "  error: the photo 'broken.jpg' is not a readable" in call(broken, photo)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gone.jpg"], "there is no photo or folder '"),
        (["."], "there is no photo in the folder"),
        (["photo.png", "--sources", "ears"], "unknown source of a photo's words 'ears'"),
        (["photo.png", "--sources", "none"], "no source is switched on"),
        (["broken.jpg"], "'broken.jpg' is not a readable"),
    ],
)
def test_a_mistake_is_a_sentence(call, photo, tmp_path, arguments, says, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.jpg").write_text("no photo")
    place = tmp_path / "empty" if arguments[0] == "." else tmp_path / arguments[0]
    with pytest.raises(InputError, match=says):
        call(place, *arguments[1:])


def test_a_folder_is_read_by_processes_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MMDEMO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, word in enumerate(("Oakland", "Singapore")):
        sign((word, 20, 20), size=(240, 100)).save(folder / f"{number}.png")
    arguments = ["photo", str(folder), "--sources", "ocr", "--processes", "1", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert [row["words"][0]["text"] for row in json.loads(result.stdout)] == ["Oakland", "Singapore"]
    assert "2 photos read, 0 known already, 0 that cannot be opened" in result.stderr


def test_help_teaches():
    shown = CliRunner().invoke(app, ["photo", "--help"]).stdout
    for part in ("ocr", "objects", "captioned", "MMDEMO_CAPTIONER", "rules.toml", "--again", "Examples"):
        assert part in shown
