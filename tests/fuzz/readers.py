"""Coverage-guided fuzzing of every reader of untrusted input. Not a test: it runs until it is stopped.

    pip install atheris
    python -m tests.fuzz.readers all -max_total_time=60
    python -m tests.fuzz.readers conll CRASH_FILE

A reader may give something or raise `InputError` with one line; anything else that it raises is a finding,
which atheris writes to a crash file and replays when that is named. So are 10 seconds or 2 GB for one file.
``all`` takes one reader after another: every format that is listed, archives, and whole imports.
"""

import io
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from shutil import rmtree

import atheris
from PIL import Image

with atheris.instrument_imports(include=["mmdemo"]):
    from mmdemo.batch.rows import chunks_of, read_chunk
    from mmdemo.datasets.discovery import BUNDLED, default_for
    from mmdemo.datasets.schema import Task
    from mmdemo.datasets.toml_file import read_toml
    from mmdemo.formats.descriptions import read_descriptions
    from mmdemo.formats.given.photos import Photos
    from mmdemo.formats.shared.left_out import LeftOut
    from mmdemo.formats.table import SOURCES
    from mmdemo.photo.opening import open_image
    from mmdemo.posts.question import read_post
    from mmdemo.review.importing import Wish, bring, preview
    from mmdemo.review.store.reviews import Store
    from mmdemo.types import InputError
from tests.fuzz import examples
from tests.fuzz.examples import as_json

Read = Callable[[Path], object]
FOLDER = Path(tempfile.mkdtemp(prefix="mmdemo-fuzz-"))
CELLS = Path(__file__).parents[2] / "checkpoints"
_NUMBERS = count()
#: libFuzzer's own bounds for one file.
BOUNDS = ["-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=1024"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is fuzzed: how a file is read, what it is called, and contents that it can read."""

    read: Read
    called: str
    examples: list[bytes]


@contextmanager
def in_one_line() -> Iterator[None]:
    """Let a file be refused by a sentence, and by nothing else."""
    try:
        yield
    except InputError as error:
        assert "\n" not in str(error), "an error is one line"


def read_rows(file: Path) -> None:
    for chunk in chunks_of(file, 3):
        assert len(read_chunk(file, chunk)) == chunk.count


def read_card(file: Path) -> None:
    with atheris.instrument_imports(include=["mmdemo"]):  # here: PyTorch takes seconds, which others need not
        from mmdemo.cells.card import load_card

    (file.parent / "metrics.json").write_text('{"cell": "lite/mnre/vilt/film"}')
    load_card(file.parent)


def read_weights(file: Path) -> None:
    with atheris.instrument_imports(include=["mmdemo"]):
        from mmdemo.cells.files import read_tensors

    read_tensors(file)


def tensors() -> bytes:
    """A file as safetensors lays it out: the length of its head, the head, the numbers."""
    head = as_json(
        {"__metadata__": {"bits": "16"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    )
    return struct.pack("<Q", len(head)) + head + struct.pack("<2f", 1, 1)


def read_text(task: Task, file: Path) -> None:
    read_post(file.read_bytes().decode("utf-8", "surrogateescape"), default_for(task))


def read_format(name: str, file: Path) -> None:
    """Strictly, with a dataset's labels; and as an import reads, with any."""
    if not SOURCES[name].suffix:
        file.with_suffix(".txt").touch()
        if name == "brat":
            file.with_suffix(".txt").write_text("Ann met Bob\n")
        file = file.parent
    for _ in SOURCES[name].rows(file, None, LeftOut(strict=False, skip=True, guess=True)):
        pass
    with in_one_line():
        SOURCES[name].read(file, examples.SCHEME)


def apart(file: Path) -> Path:
    """The file that a first line names, with the rest as its content, in a folder of its own."""
    name, _, content = file.read_bytes().partition(b"\n")
    folder = file.parent / "in"
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    called = name.decode("utf-8", "replace").replace("/", "_").replace("\0", "_")[:80]
    place = folder / (f"x{called}" if called in ("", ".", "..") else called)
    place.write_bytes(content)
    return place


def look_at(file: Path) -> None:
    preview(file, examples.SCHEME, Photos(), Wish())


def look_at_named(file: Path) -> None:
    place = apart(file)
    for given in (place, place.parent):
        with in_one_line():
            look_at(given)


def bring_named(file: Path) -> None:
    """Whole imports: what is told comes in, or nothing does."""
    place, store = apart(file), _store()
    for wish in (Wish(), Wish(bad_rows="stop")):
        queue = f"q{next(_NUMBERS)}"
        try:
            added = bring(store, queue, place, examples.SCHEME, Photos(), wish)
        except InputError as error:
            assert "\n" not in str(error), "an error is one line"
            assert queue not in {one.name for one in store.queues()}, "what is refused stores nothing"
        else:
            assert added.added == store.progress(queue).posts


@lru_cache(maxsize=1)
def _store() -> Store:
    return Store(f"sqlite:///{FOLDER}/reviews.sqlite3", FOLDER / "photos")


def png() -> bytes:
    file = io.BytesIO()
    Image.new("P", (9, 7), 3).save(file, "PNG")
    return file.getvalue()


def targets() -> dict[str, Target]:
    """All that is fuzzed, by name."""
    record = (BUNDLED / f"{default_for('relations').name}.toml").read_bytes()
    card = (CELLS / "lite/mnre/vilt/film/config.json").read_bytes()
    files = examples.everything()
    named = [f"{name}\n".encode() + data for name, data in files]
    post = {"text": "Ann met Bob", "tokens": ["Ann", "met", "Bob"], "id": "1", "image": "", **examples.SAID}
    tweet = b"RT @ann: Ann met Bob \xf0\x9f\x91\x8b #x https://t.co/x"
    said = {"image_id": "7.jpg", "blip2": "a sign", "faces": 2, **examples.SAID}
    table = b'id,text,image,alt_text\n1,"Ann, met",,A sign.\n'
    made = {
        "text": ("tweet.txt", partial(read_text, "entities"), [tweet]),
        "marks": ("tweet.txt", partial(read_text, "relations"), [b"[E1] Ann [/E1] met [E2] Bob [/E2]"]),
        "dataset": ("dataset.toml", read_toml, [record]),
        "rows": ("posts.jsonl", read_rows, [as_json(post)]),
        "table": ("posts.csv", read_rows, [table]),
        "descriptions": ("photos.jsonl", read_descriptions, [as_json(said)]),
        "image": ("photo.png", open_image, [png()]),
        "card": ("config.json", read_card, [card]),
        "tensors": ("x.safetensors", read_weights, [tensors()]),
        "zip": ("given.zip", look_at, [examples.zipped(files), examples.zipped(files, packed=False)]),
        "tar": ("given.tar", look_at, [examples.taped(files, "w")]),
        "tar.gz": ("given.tar.gz", look_at, [examples.taped(files, "w:gz")]),
        "tar.xz": ("given.tar.xz", look_at, [examples.taped(files[:3], "w:xz")]),
        "preview": ("given", look_at_named, named),
        "import": ("given", bring_named, named),
    }
    for name, found in SOURCES.items():
        of_it = examples.of_format(found)
        made[name] = (of_it[0][0], partial(read_format, name), [data for _, data in of_it])
    return {
        name: Target(called=called, read=read, examples=contents)
        for name, (called, read, contents) in made.items()
    }


def run_of(name: str, target: Target) -> Callable[[bytes], None]:
    """One run of a reader on some bytes; its first example must be readable."""
    file = FOLDER / name / target.called
    file.parent.mkdir()
    file.write_bytes(target.examples[0])
    target.read(file)

    def run(data: bytes) -> None:
        file.write_bytes(data)
        with in_one_line():
            target.read(file)

    return run


def seeds(name: str, target: Target) -> Path:
    """A folder with what the reader can read."""
    folder = FOLDER / f"{name}-seeds"
    folder.mkdir()
    for number, data in enumerate(target.examples):
        (folder / str(number)).write_bytes(data)
    return folder


def main(name: str, options: list[str]) -> int:
    known = targets()
    if name == "all":
        commands = [[sys.executable, "-m", "tests.fuzz.readers", each, *options] for each in known]
        failed = [command[3] for command in commands if subprocess.run(command).returncode]
        print("findings in:", ", ".join(failed) or "none")
        return len(failed)
    if name not in known:
        sys.exit(f"name what to fuzz: all, {', '.join(known)}")
    run = run_of(name, known[name])
    replay = any(not option.startswith("-") for option in options)
    atheris.Setup([name, *BOUNDS, *options, *([] if replay else [str(seeds(name, known[name]))])], run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
