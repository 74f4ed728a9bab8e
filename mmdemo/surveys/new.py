"""A ``dataset.toml`` for a folder of labelled files, and splits for it where it has none."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmdemo.datasets.records import record_of
from mmdemo.datasets.schema import SPLITS, Dataset, Files, Split
from mmdemo.datasets.toml_file import FILE, read_toml, write_toml
from mmdemo.formats.table import FORMATS
from mmdemo.photo.lookup import photo_name
from mmdemo.surveys.draft import draft
from mmdemo.surveys.splits import SHARES, split_rows
from mmdemo.surveys.survey import FoundFile, Survey, survey
from mmdemo.types import InputError, Question

#: The folder of splits that are made here.
MADE = "splits"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written, and what was found on the way. ``made_splits``: files written beside the record."""

    dataset: Dataset
    survey: Survey
    path: Path
    made_splits: tuple[str, ...]
    notes: tuple[str, ...]


def new_dataset(
    folder: Path,
    *,
    name: str = "",
    title: str = "",
    force: bool = False,
    merge_case: bool = False,
) -> Made:
    """Look at a folder's labelled files and write its ``dataset.toml``.

    Where the files are no splits by their names, or several files make one, splits are written as JSON lines
    below `MADE`; the files themselves stay as they are.

    Args:
        force: replace a record and splits that are there.

    Raises:
        InputError: there is a record already, nothing labelled, labels that differ by case only (and not
            ``merge_case``), or the folder cannot be written to.
    """
    folder = Path(folder)
    if (folder / FILE).exists() and not force:
        raise InputError(f"{folder / FILE} exists already; edit it, or say --force to write it new")
    found = survey(folder)
    found = replace(found, files=tuple(f for f in found.files if not f.path.startswith(f"{MADE}/")))
    if not found.files:
        raise InputError(f"{folder} holds no labelled posts but the splits made here before")
    files, made = _files(found)
    drafted = draft(found, files, name=name, title=title, merge_case=merge_case)
    dataset = drafted.dataset
    counts = {"entities": found.entity_counts, "relations": found.relation_counts}
    if made:
        _write_splits(folder, made, dataset, force)
    text = write_toml(dataset, counts)
    _put(folder / FILE, text)
    if record_of(read_toml(folder)) != record_of(dataset):
        raise InputError(f"{folder / FILE} does not read back as it was written")
    names = tuple(files.of(split) for split in made)
    return Made(dataset=dataset, survey=found, path=folder / FILE, made_splits=names, notes=drafted.notes)


def _files(found: Survey) -> tuple[Files, dict[Split, list[Question]]]:
    """Where the splits lie, and the rows of those that must be written."""
    by_split: dict[Split, list[FoundFile]] = {split: [] for split in SPLITS}
    for file in found.files:
        if file.split:
            by_split[file.split].append(file)
    formats = {file.format for file in found.files}
    if len(formats) == 1 and all(len(files) == 1 for files in by_split.values()):
        paths = {split: files[0].path for split, files in by_split.items()}
        return _named_files(formats.pop(), paths, found), {}
    rows = {
        split: [row for file in files for row in _named(file, found)] for split, files in by_split.items()
    }
    loose = [row for file in found.files if file.split is None for row in _named(file, found)]
    paths = {split: f"{MADE}/{split}.jsonl" for split in SPLITS}
    return _named_files("jsonl", paths, found), _whole(rows, loose)


def _named_files(kind: str, paths: Mapping[Split, str], found: Survey) -> Files:
    """Where the splits lie, with the photos and the words of them that were found beside."""
    return Files(
        format=kind,
        train=paths["train"],
        valid=paths["valid"],
        test=paths["test"],
        photos=found.photos,
        descriptions=found.descriptions,
    )


def _whole(rows: dict[Split, list[Question]], loose: list[Question]) -> dict[Split, list[Question]]:
    """All three splits: what names a split stays there; the lacking ones are taken from the rest."""
    lacking = [split for split in SPLITS if not rows[split]]
    pool = loose + ([] if "train" in lacking else rows["train"])
    if not pool:
        pool, lacking = [row for split in SPLITS for row in rows[split]], list(SPLITS)
        rows = {split: [] for split in SPLITS}
    wanted: list[Split] = [split for split in SPLITS if split in lacking or split == "train"]
    total = sum(SHARES[split] for split in wanted)
    dealt = split_rows(pool, {split: SHARES[split] / total for split in wanted})
    return {split: dealt[split] if split in wanted else rows[split] for split in SPLITS}


def _named(file: FoundFile, found: Survey) -> list[Question]:
    """A file's rows, each with an id of its own and its photo by name, as they go into another file."""
    rows = list[Question]()
    for number, row in enumerate(file.rows, 1):
        ref = row.post.id or f"{Path(file.path).stem}:{number}"
        ref = ref if len(found.files) == 1 else f"{file.path}#{ref}"
        post = replace(row.post, id=ref, image=None, image_id=row.post.image_id or photo_name(row.post))
        rows.append(replace(row, post=post))
    return rows


def _write_splits(
    folder: Path, made: Mapping[Split, Sequence[Question]], dataset: Dataset, force: bool
) -> None:
    there = [split for split in made if (folder / dataset.files.of(split)).exists()]
    if there and not force:
        raise InputError(f"{folder / MADE} has splits already; say --force to write them new")
    try:
        (folder / MADE).mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder / MADE} cannot be made: {error.strerror or error}") from error
    for split, rows in made.items():
        FORMATS["jsonl"].write(folder / dataset.files.of(split), rows, dataset)


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".dataset-", delete=False
        ) as draft_file:
            draft_file.write(text)
        Path(draft_file.name).chmod(0o644)
        os.replace(draft_file.name, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
