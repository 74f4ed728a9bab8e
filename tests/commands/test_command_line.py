"""``python -m mmdemo``: JSON for programs, lines for people, one sentence and exit code 2 for mistakes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdemo.__main__ import app, main
from mmdemo.types import InputError
from tests import forking

ROOT = Path(__file__).resolve().parents[2]
TWEET = "Kevin Durant enters Oracle Arena"
MARKED = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]"


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def call(tiny_zoo, monkeypatch):
    """Run the command in this process; an `InputError` comes out as such, for `main` to print."""
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))

    def run(dataset: str, text: str, *options: str) -> str:
        arguments = ["predict", "--dataset", dataset, "--text", text, "--preset", "tiny", *options]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def process(
    python: Sequence[str], tiny_zoo: Path, *arguments: str | bytes
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*python, "-m", "mmdemo", "predict", *arguments],
        cwd=ROOT,
        env=os.environ | {"MMDEMO_CHECKPOINTS": str(tiny_zoo)},
        capture_output=True,
        text=True,
        timeout=600,
    )


# ---------------------------------------------------------------- as a whole process


def test_an_answer_on_standard_output(tiny_zoo, photo):
    fresh = [sys.executable, "-W", "error"]
    asked = ["--preset", "tiny", "--dataset", "mnre", "--text", MARKED, "--image", str(photo), "--json"]
    done = process(fresh, tiny_zoo, *asked)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["image_used"] is True


def test_a_mistake_is_one_line_and_exit_code_2(tiny_zoo):
    """Bytes that are not UTF-8: what a terminal in another encoding sends."""
    asked = ["--preset", "tiny", "--dataset", "mnre", "--text", b"[E1]\xff[/E1] [E2]b[/E2]", "--json"]
    done = process([forking.python()], tiny_zoo, *asked)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and "not UTF-8" in line


# ---------------------------------------------------------------- in this process


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "tiny", "--dataset", "mnre", "--text", TWEET], "missing: mark the head"),
        (["--dataset", "twitter2017", "--text", TWEET], "there is no checkpoint lite/twitter2017"),
    ],
    ids=["marks", "checkpoint"],
)
def test_main_says_the_sentence(tiny_zoo, monkeypatch, capsys, arguments, sentence):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    monkeypatch.setattr(sys, "argv", ["mmdemo", "predict", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("error: ") and output.err.count("\n") == 1
    assert sentence in output.err


def test_json_of_entities(call, photo):
    answer = json.loads(call("twitter2017", TWEET, "--image", str(photo), "--json"))
    assert {"entities", "image_used", "checkpoint", "warnings"} <= answer.keys()
    assert "relations" not in answer
    assert answer["image_used"] is True and answer["warnings"] == []
    assert answer["checkpoint"] == "tiny/twitter2017/roberta-resnet50/film"
    assert answer["entities"]
    for entity in answer["entities"]:
        assert {"text", "label", "start", "end", "score"} <= entity.keys()
        assert entity["text"] == " ".join(TWEET.split()[entity["start"] : entity["end"]])
        assert entity["label"] in ("PER", "LOC", "ORG", "MISC") and 0 <= entity["score"] <= 1


def test_json_of_relations(call):
    answer = json.loads(call("mnre", MARKED, "--fusion", "concat", "--json"))
    assert {"relations", "head", "tail", "image_used", "checkpoint", "warnings"} <= answer.keys()
    assert "entities" not in answer
    assert answer["image_used"] is False and len(answer["warnings"]) == 1
    assert [set(r) for r in answer["relations"]] == [{"label", "score", "head", "tail"}] * 5
    assert (answer["head"]["text"], answer["tail"]["text"]) == ("Kevin Durant", "Oracle Arena")
    assert [answer["head"]["start"], answer["head"]["end"]] == [0, 2]
    assert [answer["tail"]["start"], answer["tail"]["end"]] == [3, 5]


def test_json_keeps_letters_as_they_are(call):
    assert "Köln" in call("mnre", "[E1] Köln [/E1] [E2] 東京 [/E2]", "--json")


def test_lines_for_people(call, photo):
    lines = call("mnre", MARKED, "--image", str(photo)).splitlines()
    assert len(lines) == 6 and lines[-1] == "by tiny/mnre/roberta-resnet50/film, with the photo"
    assert all("%" in line for line in lines[:5])
    lines = call("twitter2017", "🏀").splitlines()
    assert lines[-1].endswith("without a photo")
    assert sum(line.startswith("note: ") for line in lines) == 2


HOSTILE = "<script>alert(1)</script> \u202egnp.exe \x1b]0;x\a"


def test_a_description_comes_back_and_is_told(call, photo):
    options = ("--description", "A player.", "--description", HOSTILE)
    printed = call("twitter2017", TWEET, *options, "--json")
    assert "\u202e" not in printed and "\x1b" not in printed, "a terminal would obey them"
    answer = json.loads(printed)
    assert [(one["source"], one["text"]) for one in answer["photo_words"]] == [
        ("described", "A player."),
        ("described", HOSTILE),
    ]
    assert answer["photo_words_used"] is False
    last = call("twitter2017", TWEET, *options, "--image", str(photo)).splitlines()[-1]
    assert last.endswith("film, with the photo; it does not read the words of photos")


def test_compare_and_explain_take_a_description(tiny_zoo, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    page, said = tmp_path / "x.html", ["--description", HOSTILE]
    asked = ["--dataset", "twitter2017", "--text", TWEET, "--preset", "tiny", *said, "--json"]
    done = CliRunner().invoke(app, ["compare", *asked, "--html", str(page)], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert [one["text"] for one in told["photo_words"]] == [HOSTILE]
    assert all(one["photo_words"] == told["photo_words"] for one in told["answers"])
    html = page.read_text(encoding="utf-8")
    assert "<script>alert" not in html and "&#60;script&#62;alert" in html and "\u202e" not in html
    done = CliRunner().invoke(app, ["explain", *asked, "--view", "tokens"], catch_exceptions=False)
    assert json.loads(done.stdout)["prediction"]["photo_words"] == told["photo_words"]


def test_review_import_takes_a_file_of_descriptions(tmp_path):
    (tmp_path / "posts.txt").write_text("IMGID:7\nAnn\tB-PER\nsings\tO\n\nIMGID:8\nHi\tO\n")
    lines = [{"image_id": "7.jpg", "blip2": "a stage", "owl": "x" * 3_000}, {"image_id": "9", "blip2": "-"}]
    (tmp_path / "photos.jsonl").write_text("\n".join(map(json.dumps, lines)))
    place = ["--queue", "may", "--store", str(tmp_path / "reviews.sqlite3")]
    command = ["import", str(tmp_path / "posts.txt"), "--dataset", "twitter2017"]
    command += ["--descriptions", str(tmp_path / "photos.jsonl"), "--answers", "accept"]
    done = CliRunner().invoke(app, ["review", *command, *place], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    out = ["--format", "jsonl", "--output", str(tmp_path / "out.jsonl")]
    CliRunner().invoke(app, ["review", "export", *out, *place], catch_exceptions=False)
    one, two = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert [(w["by"], len(w["text"])) for w in one["photo_words"]] == [("blip2", 7), ("owl", 2_000)]
    assert "photo_words" not in two
    out = ["--format", "conll", "--output", str(tmp_path / "out.txt")]
    done = CliRunner().invoke(app, ["review", "export", *out, *place], catch_exceptions=False)
    assert "note: CoNLL does not hold the words of photos: 1 post written without" in done.stdout


@pytest.mark.parametrize(
    ("dataset", "text", "options", "sentence"),
    [
        ("twitter2017", "", [], "the text is empty"),
        ("twitter2017", MARKED, [], "marks ask for a relation"),
        ("twitter2019", TWEET, [], "unknown dataset 'twitter2019'"),
        ("twitter2017", TWEET, ["--fusion", "magic"], "fusion 'magic'"),
        ("twitter2017", TWEET, ["--model", "gpt"], "model 'gpt'"),
        ("twitter2017", TWEET, ["--preset", "huge"], "unknown preset 'huge'"),
        ("twitter2017", TWEET, ["--image", "/no/such/photo.jpg"], "'photo.jpg' does not exist"),
        ("twitter2017", TWEET, ["--image", str(ROOT)], "does not exist"),
        ("twitter2017", TWEET, ["--description", "a" * 3_000], "a description of more than 2,000 characters"),
        ("twitter2017", TWEET, ["--image", str(ROOT / "LICENSE")], "is not a readable"),
    ],
)
def test_mistakes_are_input_errors(call, dataset, text, options, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        call(dataset, text, *options)
    assert "\n" not in str(caught.value)


def test_a_queue_is_found_by_its_name_however_it_is_typed(tmp_path):
    file, typed = tmp_path / "posts.txt", "Cafe\u0301"
    file.write_text("IMGID:7\nAnn\tB-PER\nLee\tI-PER\nsings\tO\n")
    place = ["--queue", typed, "--store", str(tmp_path / "reviews.sqlite3")]
    asked = (["import", str(file), "--dataset", "twitter2017"], ["import", str(file)], ["list"])
    for command in asked:
        result = CliRunner().invoke(app, ["review", *command, *place], catch_exceptions=False)
        assert result.exit_code == 0 and result.stdout


def test_help_has_an_example():
    result = CliRunner().invoke(app, ["predict", "--help"])
    assert result.exit_code == 0 and "python -m mmdemo predict" in result.stdout
