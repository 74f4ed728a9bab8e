"""``dataset.toml``: a dataset's record as a file that a person reads and edits.

Labels are tables, ``[entities.band]`` and ``[relations."part of"]``, in the order of the models' outputs;
``[map]`` renames labels of the files; ``[words]`` says ``hashtags = "keep"`` or ``"split"``, and likewise
``clitics``.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from mmdemo.datasets.records import RecordReader, record_of
from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.types import InputError, quoted

FILE = "dataset.toml"
WAYS = {"keep": False, "split": True}
LARGEST = 2_000_000  # bytes; a record with 500 long guidelines has a tenth


def read_toml(path: Path) -> Dataset:
    """The dataset of a ``dataset.toml``, or of the one in a folder.

    Raises:
        InputError: no such file, not TOML, a key that is missing, unknown or wrong, or two labels that are
            given by the same letter; the message names the line and the key.
    """
    path = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST:,} bytes; that is no dataset's record")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # its message names the line
        raise InputError(f"{path} is not TOML: {error}") from error
    reader = _TomlReader(path, text)
    dataset = reader.dataset(_listed(stated))
    reader.check_keys("entities", dataset.entities)
    reader.check_keys("relations", dataset.relations)
    return dataset


def _listed(stated: dict[str, Any]) -> dict[str, Any]:
    """TOML's tables as the record's lists; what is of another type is left for the reader to name."""
    values = dict(stated)
    for key in ("entities", "relations"):
        if isinstance(values.get(key), Mapping):
            values[key] = [
                {"label": label, **row} if isinstance(row, Mapping) else row
                for label, row in values[key].items()
            ]
    none = values.get("none")
    if isinstance(none, Mapping):
        values["none"] = none.get("label")
    if "map" in values:
        values["label_map"] = values.pop("map")
    words = values.get("words")
    if isinstance(words, Mapping):
        values["words"] = {
            f"split_{key}": WAYS.get(way, way) if isinstance(way, str) else way for key, way in words.items()
        }
    return values


class _TomlReader(RecordReader):
    """Names the line of a key in its errors."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(str(path))
        self.lines = text.splitlines()

    def fail(self, key: str, problem: str) -> InputError:
        number = self._line(key)
        return InputError(f"{self.where}{f' line {number}' if number else ''}: {key} {problem}")

    def check_keys(self, kind: str, labels: Sequence[EntityType | RelationType]) -> None:
        """A letter gives one label. What checkpoints and queues hold already is left as it is."""
        owners: dict[str, str] = {}
        for row in labels:
            owner = owners.setdefault(row.key.casefold(), row.label) if row.key else row.label
            if owner != row.label:
                raise self.fail(
                    f"{kind}.{row.label}.key",
                    f"is {quoted(row.key)}, which is the key of {quoted(owner)} too",
                )

    def _line(self, key: str) -> int | None:
        """The line of the last part of a dotted key that is in the file, below that of the part before."""
        found, start = None, 0
        for part in key.strip("'").replace("split_", "").split("."):
            pattern = re.compile(
                rf"""^\s*(?:["']?{re.escape(part)}["']?\s*=|\[+(?:.*\.)?\s*["']?{re.escape(part)}["']?\s*\]+)"""
            )
            here = next((i for i in range(start, len(self.lines)) if pattern.match(self.lines[i])), None)
            if here is None:
                continue
            found = start = here + 1
        return found


def write_toml(dataset: Dataset, counts: Mapping[str, Mapping[str, int]] | None = None) -> str:
    """The text of a ``dataset.toml`` that `read_toml` reads back equal.

    ``counts`` says how often each label is in the files, ``entities`` and ``relations`` apart, as a comment
    beside it.
    """
    values = record_of(dataset)
    document = tomlkit.document()
    for key in ("name", "title", "language", "tasks", "default", "borrow", "start", "source"):
        if key in values:
            document.add(key, values.pop(key))
    names = {flag: way for way, flag in WAYS.items()}
    if words := values.pop("words", None):
        document.add("words", tomlkit.item({k.removeprefix("split_"): names[v] for k, v in words.items()}))
    if files := values.pop("files", None):
        document.add("files", tomlkit.item(files))
    for kind in ("entities", "relations"):
        rows = values.pop(kind, [])
        if not rows:
            continue
        table = tomlkit.table(is_super_table=True)
        for row in rows:
            own = tomlkit.table()
            for key, value in row.items():
                if key != "label":
                    own.add(key, value)
            if counts and row["label"] in counts[kind]:
                own.comment(f"{counts[kind][row['label']]:,} in the files")
            table.add(row["label"], own)
        document.add(kind, table)
    if "none" in values:
        document.add("none", tomlkit.item({"label": values.pop("none")}))
    if "label_map" in values:
        document.add("map", tomlkit.item(dict(values.pop("label_map"))))
    for kind in ("examples", "published"):
        rows = values.pop(kind, [])
        if rows:
            array = tomlkit.aot()
            for row in rows:
                array.append(tomlkit.item(row))
            document.add(kind, array)
    return tomlkit.dumps(document)
