"""The batch job: what predict says for each post, a line for each, and on after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.answer import predict as answering
from mmdemo.answer.answer_json import prediction_json
from mmdemo.batch import answers as answers_module
from mmdemo.batch.job import Job, answer_chunk, one_process, run
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.posts.question import read_post
from mmdemo.types import InputError

ROOT = Path(__file__).resolve().parents[2]
WORDS = "Kevin Durant enters Oracle Arena in Oakland tonight and Ann waves back".split()


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


@pytest.fixture
def folder(tmp_path) -> Path:
    """11 posts of many lengths; every third has a photo, the sixth a broken one, the last no text."""
    (tmp_path / "in" / "photos").mkdir(parents=True)
    rng = np.random.default_rng(3)
    lines = []
    for i in range(11):
        record = {"id": f"p{i}", "text": " ".join(WORDS[: 1 + (7 * i) % 11])}
        if i % 3 == 0:
            record["image"] = f"photos/{i}.png"
            noise = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "in" / record["image"])
        lines.append(record)
    (tmp_path / "in" / "photos" / "6.png").write_bytes(b"broken")
    lines[10]["text"] = "  "
    (tmp_path / "in" / "posts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def job(folder: Path, dataset: str = "twitter2017", fusion: str = "film") -> Job:
    cell = catalogue.find_cell(dataset, "roberta-resnet50", fusion, "tiny")
    return Job(
        cell=cell, posts=folder / "in" / "posts.jsonl", images=folder / "in", output=folder / "out.jsonl"
    )


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_line_is_what_predict_says(folder, monkeypatch):
    monkeypatch.setattr(answers_module, "BATCH", 3)
    wanted = job(folder)
    report = run(wanted, one_process, chunk=5)
    assert (report.answered, report.found, report.errors) == (11, 0, 2)
    lines = lines_of(wanted.output)
    assert [line.pop("id") for line in lines] == [f"p{i}" for i in range(11)]
    assert (
        lines[6]["error"]
        == "the photo '6.png' is not a readable JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, HEIF file"
    )
    assert lines[10] == {"error": "the text is empty; type or paste a tweet", "checkpoint": wanted.cell.name}
    posts = [json.loads(line) for line in wanted.posts.read_text().splitlines()]
    for line, post in zip(lines, posts, strict=True):
        if "error" in line:
            continue
        image = folder / "in" / post["image"] if "image" in post else None
        read = read_post(post["text"], find_dataset("twitter2017"), image)
        alone = prediction_json(answering.predict(read, wanted.cell))
        scores = [entity.pop("score") for entity in line["entities"]]
        assert scores == pytest.approx([e.pop("score") for e in alone["entities"]], abs=1e-5)
        assert line == alone


def test_answers_say_what_rows_said_of_their_photos(folder):
    wanted = job(folder)
    lines = [
        {"id": "a", "text": "Ann met Bob", "description": "<b>A sign.</b>\u202e"},
        {"id": "b", "text": "Ann met Bob", "alt_text": "x" * 3_000},
        {"id": "c", "text": "Ann met Bob", "alt_text": 3},
    ]
    wanted.posts.write_text("\n".join(map(json.dumps, lines)))
    assert run(wanted, one_process).errors == 1
    one, two, three = lines_of(wanted.output)
    assert [words["text"] for words in one["photo_words"]] == ["<b>A sign.</b>\u202e"]
    assert one["photo_words_used"] is False
    assert "cut short" in two["warnings"][-1] and len(two["photo_words"][0]["text"]) == 2_000
    assert three["error"] == "row 3, 'alt_text', has 3 where text should be"


def test_a_job_goes_on_where_it_was_cut_off(folder):
    wanted = job(folder)
    run(wanted, one_process, chunk=4)
    whole = wanted.output.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in (0, 3, ends[0], ends[3] - 1, ends[3], ends[3] + 5, ends[6], len(whole) - 1, len(whole)):
        wanted.output.write_bytes(whole[:cut])
        report = run(wanted, one_process, chunk=4)
        assert wanted.output.read_bytes() == whole, f"cut at byte {cut}"
        assert report.found == (sum(end <= cut for end in ends) // 4 * 4 if cut < len(whole) else 11)
        assert (report.answered, report.errors) == (11 - report.found, 2)


@pytest.mark.parametrize(
    "content",
    [
        '{"id": "p0", "entities": [], "checkpoint": "lite/mnre/blip/film"}\n',
        '{"id": "other", "error": "x"}\n',
        '{"id": "p0", "error": "x", "checkpoint": "lite/mnre/blip/film"}\n',
        "a diary\n",
        "a diary without its last newline",
        '["id"]\n',
        '{"id": "p0", "error": "x"}\n' * 12,
    ],
)
def test_an_output_of_something_else_is_left_alone(folder, content):
    wanted = job(folder)
    wanted.output.write_text(content)
    with pytest.raises(InputError, match="holds something else"):
        run(wanted, one_process, chunk=4)
    assert wanted.output.read_text() == content
    assert run(wanted, one_process, anew=True).answered == 11
    assert len(lines_of(wanted.output)) == 11


def test_two_jobs_never_write_one_output(folder):
    wanted = job(folder)

    def second(asked: Job, chunks):
        for anew in (False, True):
            with pytest.raises(InputError, match="another job is writing"):
                run(asked, one_process, anew=anew)
        return one_process(asked, chunks)

    assert run(wanted, second).answered == 11
    assert [line["id"] for line in lines_of(wanted.output)] == [f"p{i}" for i in range(11)]


def test_more_answers_than_posts_are_refused(folder):
    wanted = job(folder)
    run(wanted, one_process)
    with wanted.output.open("a") as stream:
        stream.write('{"id": "p11", "error": "x"}\n')
    with pytest.raises(InputError, match="more answers than"):
        run(wanted, one_process)


def test_an_output_that_is_the_input_is_refused(folder):
    wanted = job(folder)
    with pytest.raises(InputError, match="overwrite the input"):
        run(Job(cell=wanted.cell, posts=wanted.posts, images=wanted.images, output=wanted.posts), one_process)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_gets_one_sentence(folder):
    wanted = job(folder)
    full = Job(cell=wanted.cell, posts=wanted.posts, images=wanted.images, output=Path("/dev/full"))
    with pytest.raises(InputError, match="/dev/full cannot be written: No space left"):
        run(full, one_process, anew=True)


def test_photos_stay_in_their_folder(folder):
    secret = folder / "secret.png"
    Image.new("RGB", (8, 8)).save(secret)
    (folder / "in" / "link.png").symlink_to(secret)
    (folder / "in" / "loop.png").symlink_to(folder / "in" / "loop.png")
    names = [
        "../secret.png",
        str(secret),
        "link.png",
        "photos/../../secret.png",
        "a\0b.png",
        "loop.png",
        "photos",
    ]
    inside = str(folder / "in" / "photos" / "0.png")
    posts = [{"text": "Ann", "image": name} for name in [*names, inside]]
    wanted = job(folder)
    wanted.posts.write_text("".join(json.dumps(p) + "\n" for p in posts))
    run(wanted, one_process)
    *bad, good = lines_of(wanted.output)
    assert all("lies outside the folder" in line["error"] for line in bad[:4])
    assert all("does not exist" in line["error"] for line in bad[4:])
    assert good["image_used"] is True


def test_relations_and_their_bad_marks(folder):
    wanted = job(folder, "mnre", "concat")
    texts = ["[E1] Ann [/E1] met [E2] Bob [/E2]", "no marks", "[E2] Bob [/E2] and then [E1] Ann [/E1]"]
    wanted.posts.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    assert run(wanted, one_process).errors == 1
    first, second, third = lines_of(wanted.output)
    assert (first["head"]["text"], third["tail"]["text"]) == ("Ann", "Bob")
    assert "mark the head" in second["error"] and second["id"] == 2


def test_hostile_text_and_ids_come_back_as_data(folder):
    wanted = job(folder)
    texts = ["</script>{{7*7}}${1}", "A" + "\u0301" * 5000, "x " * 30_000, "x" * 300_000, "\ud83d half"]
    wanted.posts.write_text("".join(json.dumps({"id": t[:20], "text": t}) + "\n" for t in texts))
    run(wanted, one_process)
    lines = lines_of(wanted.output)
    assert lines[0]["id"] == texts[0] and "entities" in lines[1] and "entities" in lines[2]
    assert "at most 200,000" in lines[3]["error"] and "unprintable" in lines[4]["error"]


def test_a_chunk_is_the_same_wherever_it_is_answered(folder):
    from mmdemo.batch.rows import chunks_of

    wanted = job(folder)
    run(wanted, one_process, chunk=4)
    last = chunks_of(wanted.posts, 4)[-1]
    assert answer_chunk(wanted, last) == wanted.output.read_text(encoding="utf-8").splitlines()[8:]


def test_memory_holds_a_batch_of_photos_not_a_chunk(folder, monkeypatch):
    """Photos that are open at once, counted where they are opened and where the model takes them."""
    monkeypatch.setattr(answers_module, "BATCH", 2)
    opened, most = 0, 0
    read, predict = answers_module.open_image, answering.predict_many

    def count(photo):
        nonlocal opened, most
        opened, most = opened + 1, max(most, opened + 1)
        return read(photo)

    def forget(posts, cell):
        nonlocal opened
        opened = 0
        return predict(posts, cell)

    monkeypatch.setattr(answers_module, "open_image", count)
    monkeypatch.setattr(answers_module, "predict_many", forget)
    wanted = job(folder)
    wanted.posts.write_text('{"text": "Ann", "image": "photos/0.png"}\n' * 20)
    run(wanted, one_process)
    assert most == 2


# ---------------------------------------------------------------- the command


def test_the_command(folder):
    arguments = ["batch", "--dataset", "twitter2017", "--preset", "tiny", "--input"]
    arguments += [str(folder / "in" / "posts.jsonl"), "--output", str(folder / "out.jsonl")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and "11 posts answered; 2 with an error" in result.stderr
    assert result.stdout == "" and len(lines_of(folder / "out.jsonl")) == 11
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "0 posts answered, 11 were there; 2 with an error" in result.stderr
    with pytest.raises(InputError, match="unknown engine 'spark'"):
        CliRunner().invoke(app, [*arguments, "--engine", "spark"], catch_exceptions=False)


def test_an_input_that_changed_since_is_told(folder, caplog):
    wanted = job(folder)
    run(wanted, one_process)
    run(wanted, one_process)
    assert caplog.text == ""
    os.utime(wanted.posts, ns=(2**62, 2**62))
    run(wanted, one_process)
    assert "posts.jsonl has changed since out.jsonl was written" in caplog.text
    caplog.clear()
    run(wanted, one_process, anew=True)
    assert caplog.text == ""


def test_a_killed_process_loses_nothing(folder, tiny_zoo):
    """SIGKILL in the middle, then the same command again."""
    wanted = job(folder)
    wanted.posts.write_text("".join(json.dumps({"text": WORDS[i % 11]}) + "\n" for i in range(4000)))
    command = [sys.executable, "-m", "mmdemo", "batch", "--dataset", "twitter2017", "--preset", "tiny"]
    command += ["--input", str(wanted.posts), "--output", str(wanted.output)]
    environment = os.environ | {"MMDEMO_CHECKPOINTS": str(tiny_zoo)}
    first = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (wanted.output.exists() and b"\n" in wanted.output.read_bytes()):  # a whole answer
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = wanted.output.read_bytes().count(b"\n")
    assert 0 < before < 4000
    report = run(wanted, one_process)
    assert 0 < report.found <= before and report.found + report.answered == 4000
    assert [line["id"] for line in lines_of(wanted.output)] == list(range(1, 4001))
