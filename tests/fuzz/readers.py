"""Coverage-guided fuzzing of every reader of untrusted input. Not a test: it runs until it is stopped.

    pip install atheris
    python -m tests.fuzz.readers all -max_total_time=60
    python -m tests.fuzz.readers conll CRASH_FILE

A reader may give something or raise `InputError` with one line; anything else that it raises is a finding,
which atheris writes to a crash file and replays when that is named. ``all`` takes one reader after another.
"""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import atheris
import torch
from PIL import Image
from safetensors.torch import save

with atheris.instrument_imports(include=["mmdemo"]):
    from mmdemo.batch.rows import chunks_of, read_chunk
    from mmdemo.cells.card import load_card
    from mmdemo.cells.files import read_tensors
    from mmdemo.datasets.discovery import BUNDLED, default_for
    from mmdemo.datasets.schema import Task
    from mmdemo.datasets.toml_file import read_toml
    from mmdemo.formats.descriptions import read_descriptions
    from mmdemo.formats.table import SOURCES
    from mmdemo.photo.opening import open_image
    from mmdemo.posts.question import read_post
    from mmdemo.types import InputError
from mmdemo.cells.locate import SHIPPED

Read = Callable[[Path], object]
FOLDER = Path(tempfile.mkdtemp(prefix="mmdemo-fuzz-"))


def read_rows(file: Path) -> None:
    for chunk in chunks_of(file, 3):
        assert len(read_chunk(file, chunk)) == chunk.count


def read_card(file: Path) -> None:
    (file.parent / "metrics.json").write_text('{"cell": "lite/mnre/vilt/film"}')
    load_card(file.parent)


def read_text(task: Task, file: Path) -> None:
    read_post(file.read_bytes().decode("utf-8", "surrogateescape"), default_for(task))


def read_brat(file: Path) -> None:
    file.with_suffix(".txt").write_text("Ann met Bob\n")
    SOURCES["brat"].read(file.parent, default_for("relations"))


def read_as(source: str, task: Task = "relations") -> Read:
    """A reader of files of a format, with a dataset's labels."""
    return lambda file: SOURCES[source].read(file, default_for(task))


def png() -> bytes:
    file = io.BytesIO()
    Image.new("P", (9, 7), 3).save(file, "PNG")
    return file.getvalue()


SAID = {
    "description": "A sign.",
    "alt_text": ["A wall."],
    "photo_words": [{"source": "ocr", "text": "PADRES", "score": 0.5, "box": [0, 0, 0.5, 1], "by": "x"}],
}
POST = {"text": "Ann met Bob", "tokens": ["Ann", "met", "Bob"], "id": "1", "image": "", **SAID}
TASK = {
    "data": {**POST, "own_text": "Ann met Bob", "image_id": "x.jpg"},
    "annotations": [
        {
            "result": [
                {"id": "a", "type": "labels", "value": {"start": 0, "end": 3, "labels": ["PER"]}},
                {"id": "b", "type": "labels", "value": {"start": 8, "end": 11, "labels": ["PER"]}},
                {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["/per/per/peer"]},
            ]
        }
    ],
}
DOC = {
    "text": "Ann met",
    "ents": [{"start": 0, "end": 3, "label": "PER"}],
    "tokens": [{"start": 0, "end": 3}, {"start": 4, "end": 7}],
}
SPANS = {
    "text": "Ann met Bob",
    "entities": [
        {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3},
        {"id": 2, "label": "PER", "start_offset": 8, "end_offset": 11},
    ],
    "relations": [{"id": 1, "from_id": 1, "to_id": 2, "type": "/per/per/peer"}],
}
SENTENCES = {
    "doc_key": "1",
    "sentences": [["Ann", "met", "Bob"]],
    "ner": [[[0, 0, "PER"], [2, 2, "PER"]]],
    "relations": [[[0, 0, 2, 2, "/per/per/peer"]]],
}
RECORD = BUNDLED / f"{default_for('relations').name}.toml"
PAIR = {
    "token": ["Ann", "met", "Bob"],
    "h": {"name": "Ann", "pos": [0, 1]},
    "t": {"name": "Bob", "pos": [2, 3]},
    "img_id": "x.jpg",
    "relation": "/per/per/peer",
}

#: What is fuzzed -> the name of the file that it reads, how, and one that it can read, to start from.
READERS: dict[str, tuple[str, Read, bytes]] = {
    "text": (
        "tweet.txt",
        partial(read_text, "entities"),
        b"RT @ann: Ann met Bob \xf0\x9f\x91\x8b #x https://t.co/x",
    ),
    "marks": ("tweet.txt", partial(read_text, "relations"), b"[E1] Ann [/E1] met [E2] Bob [/E2]"),
    "conll": ("posts.txt", read_as("conll", "entities"), b"IMGID:1\nAnn\tB-PER\nLee\tI-PER\nsings\tO\n\n"),
    "mnre": ("posts.txt", read_as("mnre"), repr(PAIR).encode()),
    "jsonl": ("posts.jsonl", read_as("jsonl"), json.dumps(POST).encode()),
    "doccano": ("posts.jsonl", read_as("doccano"), json.dumps(SPANS).encode()),
    "dygie": ("posts.jsonl", read_as("dygie"), json.dumps(SENTENCES).encode()),
    "dataset": ("dataset.toml", read_toml, RECORD.read_bytes()),
    "rows": ("posts.jsonl", read_rows, json.dumps(POST).encode()),
    "csv": ("posts.csv", read_rows, b'id,text,image,alt_text\n1,"Ann, met",,A sign.\n'),
    "descriptions": (
        "photos.jsonl",
        read_descriptions,
        json.dumps({"image_id": "7.jpg", "blip2": "a sign", "faces": 2, **SAID}).encode(),
    ),
    "image": ("photo.png", open_image, png()),
    "card": ("config.json", read_card, (SHIPPED / "lite/mnre/vilt/film/config.json").read_bytes()),
    "tensors": ("x.safetensors", read_tensors, save({"w": torch.ones(2)}, {"bits": "16"})),
    "label-studio": ("posts.json", read_as("label-studio"), json.dumps([TASK]).encode()),
    "spacy": ("posts.jsonl", read_as("spacy"), json.dumps(DOC).encode()),
    "review-csv": (
        "posts.csv",
        read_as("csv"),
        b"text,image,id,alt\n[E1]Ann[/E1] met [E2]Bob[/E2],,1,A sign.\n",
    ),
    "brat": (
        "post.ann",
        read_brat,
        b"T1\tPER 0 3\tAnn\nT2\tPER 8 11\tBob\nR1\tper-per-peer Arg1:T1 Arg2:T2\n",
    ),
}


def target(name: str) -> Callable[[bytes], None]:
    """One run of a reader on some bytes; its own example must be readable."""
    called, read, example = READERS[name]
    file = FOLDER / name / called
    file.parent.mkdir()
    file.write_bytes(example)
    read(file)

    def run(data: bytes) -> None:
        file.write_bytes(data)
        try:
            read(file)
        except InputError as error:
            assert "\n" not in str(error), "an error is one line"

    return run


def seeds(name: str) -> Path:
    """A folder with what the reader can read."""
    folder = FOLDER / f"{name}-seeds"
    folder.mkdir()
    (folder / "first").write_bytes(READERS[name][2])
    return folder


def main(name: str, options: list[str]) -> int:
    if name == "all":
        commands = [[sys.executable, "-m", "tests.fuzz.readers", each, *options] for each in READERS]
        failed = [command[3] for command in commands if subprocess.run(command).returncode]
        print("findings in:", ", ".join(failed) or "none")
        return len(failed)
    if name not in READERS:
        sys.exit(f"name what to fuzz: all, {', '.join(READERS)}")
    run = target(name)
    replay = any(not option.startswith("-") for option in options)
    atheris.Setup([name, *options, *([] if replay else [str(seeds(name))])], run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
