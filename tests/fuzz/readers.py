"""Coverage-guided fuzzing of every reader of untrusted files. Not a test: it runs until it is stopped.

    pip install atheris
    python -m tests.fuzz.readers conll | mnre | jsonl | rows | csv | image | card [-max_total_time=60]

A reader may give posts or raise `InputError` with one line; anything else that it raises is a finding, which
atheris writes to a crash file and can be replayed by naming that file.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mmdemo"]):
    from mmdemo.batch.rows import chunks_of, read_chunk
    from mmdemo.checkpoint import load_card
    from mmdemo.data.formats import read_conll, read_mnre
    from mmdemo.data.image import open_image
    from mmdemo.data.jsonl import read_jsonl
    from mmdemo.types import InputError

FOLDER = Path(tempfile.mkdtemp(prefix="mmdemo-fuzz-"))


def read_rows(file: Path) -> None:
    for chunk in chunks_of(file, 3):
        assert len(read_chunk(file, chunk)) == chunk.count


def read_card(file: Path) -> None:
    load_card(file.parent)


#: What is fuzzed -> the name of the file that it reads, and how.
READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "conll": ("posts.txt", read_conll),
    "mnre": ("posts.txt", read_mnre),
    "jsonl": ("posts.jsonl", read_jsonl),
    "rows": ("posts.jsonl", read_rows),
    "csv": ("posts.csv", read_rows),
    "image": ("photo.png", open_image),
    "card": ("config.json", read_card),
}


def target(name: str) -> Callable[[bytes], None]:
    """One run of a reader on some bytes."""
    file, read = FOLDER / READERS[name][0], READERS[name][1]

    def run(data: bytes) -> None:
        file.write_bytes(data)
        try:
            read(file)
        except InputError as error:
            assert "\n" not in str(error), "an error is one line"

    return run


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"name what to fuzz: {', '.join(READERS)}")
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target(sys.argv[1]))
    atheris.Fuzz()
