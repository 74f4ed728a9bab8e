"""Reading ahead: several processes, one folder of readings, and a clean stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mmdemo.photo_words import ahead
from mmdemo.photo_words.ahead import Ahead, Outcome, photos_in, read_ahead
from mmdemo.photo_words.reader import PhotoReader
from mmdemo.types import InputError
from tests.photo_words.drawn import sign

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, word in enumerate(("Oakland", "Singapore", "Brighton")):
        sign((word, 20, 20), size=(240, 100)).save(folder / "more" / f"{number}.png")
    (folder / "broken.jpg").write_text("no photo")
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_photos_of_a_folder_are_read_once_and_broken_ones_counted(photos, tmp_path):
    files = list(photos_in(photos))
    assert [file.name for file in files] == ["broken.jpg", "0.png", "1.png", "2.png"]
    done = read_ahead(iter(files), tmp_path / "kept", ("ocr",), processes=2, show=False)
    assert (done.read, done.kept, done.broken) == (3, 0, 1)
    assert "broken.jpg" in done.problems[0] and "is not a readable" in done.problems[0]
    known = PhotoReader(tmp_path / "kept", ("ocr",)).kept(files[2])
    assert known is not None and [words.text for words in known.words] == ["Singapore"]
    again = read_ahead(files, tmp_path / "kept", ("ocr",), processes=1, show=False)
    assert (again.read, again.kept, again.broken) == (0, 3, 1)


def test_a_count_names_the_first_and_counts_all():
    done = Ahead()
    for number in range(50):
        done.add(Outcome(problem=f"photo {number}"))
        done.add(Outcome(notes=("captioned: too slow",)))
        done.add(Outcome(was_kept=True))
    assert (done.read, done.kept, done.broken) == (50, 50, 50)
    assert len(done.problems) == ahead.NAMED and done.notes == {"captioned: too slow": 50}


def test_photos_are_taken_as_they_are_needed():
    """Memory stays flat: of a million names few are looked at before the first is read."""
    from concurrent.futures import Future

    taken = []

    class AtOnce:
        def submit(self, call, photo, again):
            future: Future[Outcome] = Future()
            future.set_result(Outcome(was_kept=True))
            return future

    def names():
        for number in range(1000):
            taken.append(number)
            yield Path(str(number))

    outcomes = ahead._outcomes(AtOnce(), names(), 8, False)  # type: ignore[arg-type]
    next(outcomes)
    assert len(taken) <= 16
    assert sum(1 for _ in outcomes) == 999 and len(taken) == 1000


def test_a_process_that_dies_is_told(photos, tmp_path, monkeypatch):
    """As where memory ran out: the pool's processes end before they have answered."""
    from concurrent.futures.process import BrokenProcessPool

    def dying(*arguments):
        yield Outcome()
        raise BrokenProcessPool("a child terminated abruptly")

    monkeypatch.setattr(ahead, "_outcomes", dying)
    with pytest.raises(InputError, match="died after 1 photos.*what was read is kept: run it again"):
        read_ahead(list(photos_in(photos)), tmp_path / "kept", ("ocr",), processes=1, show=False)


@pytest.fixture
def heard() -> Iterator[None]:
    """What is started hears Ctrl-C, where a shell's ``&`` has made the tests deaf to it, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs a terminal's signals")
@pytest.mark.parametrize("begun", [False, True], ids=["while they begin", "while they read"])
def test_a_stop_from_the_terminal_leaves_no_process(tmp_path, heard, begun):
    """Ctrl-C reaches the command and its processes alike: all end, and what was read is kept."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(200):
        sign((f"Oakland {number}", 20, 20), size=(400, 200)).save(folder / f"{number:03}.png")
    job = subprocess.Popen(
        [sys.executable, "-m", "mmdemo", "photo", str(folder), "--sources", "ocr", "--processes", "2"],
        cwd=ROOT,
        env=os.environ | {"MMDEMO_CACHE": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    kept = tmp_path / "cache" / "photo_words"
    deadline = time.monotonic() + 600  # three processes import before the first photo is read
    while not (any(kept.glob("*.json")) if begun else len(of_group(job.pid)) > 2):
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(job.pid, signal.SIGINT)
    try:
        _, said = job.communicate(timeout=60)
    finally:
        job.kill()
    assert job.returncode != 0 and "Traceback" not in said
    assert begun <= len(list(kept.glob("*.json"))) < 200
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (left := of_group(job.pid)):
        time.sleep(0.1)
    assert left == []


def of_group(leader: int) -> list[str]:
    """The processes of a group that still run; one that ended may wait for somebody to notice."""
    found = []
    for process in psutil.process_iter(["status", "cmdline"]):
        with suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == leader and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.info["cmdline"] or ()))
    return found
