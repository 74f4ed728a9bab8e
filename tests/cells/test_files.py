"""A checkpoint's files on a full disk, half copied, or read by others: what was there stays."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmdemo.cells import files
from mmdemo.cells import pretrained_base as base
from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder, load_model, save_cell
from mmdemo.cells.files import file_hash, read_json, save_tensors, write_json
from mmdemo.cells.pretrained_base import copy_base, is_whole_or_copy
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from mmdemo.types import InputError

ROOT = Path(__file__).resolve().parents[2]
#: A process whose disk takes no file over 1 kB: safetensors writes by itself, so nothing can stand in for it.
FULL = """
    import resource, sys, torch
    from pathlib import Path
    from mmdemo.cells.files import save_tensors
    from mmdemo.types import InputError
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        save_tensors(Path(sys.argv[1]), {"a": torch.ones(5000)}, 16, {})
    except InputError as error:
        print(error)
"""


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()}


def test_files_have_the_umask_s_mode(tmp_path):
    before = os.umask(0o027)
    try:
        save_tensors(tmp_path / "a.safetensors", {"a": torch.ones(3)}, 16, {})
        write_json(tmp_path / "a.json", {})
    finally:
        os.umask(before)
    assert modes(tmp_path) == {0o640}


def test_a_full_disk_keeps_the_tensors_that_were_there(tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"older")
    code = "\n".join(line.removeprefix("    ") for line in FULL.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{file} cannot be written: File too large; what was there is kept")
    assert file.read_bytes() == b"older" and os.listdir(tmp_path) == ["a.safetensors"]


@pytest.mark.parametrize("fails", ["config.json", "metrics.json"])
def test_a_disk_that_fills_within_a_cell_keeps_the_older_cell_whole(tiny_zoo, tmp_path, monkeypatch, fails):
    config = ModelConfig(dataset=find_dataset("twitter2017"), fusion="film", preset="tiny")
    root = tmp_path / "zoo"
    shutil.copytree(tiny_zoo, root)
    folder = cell_folder(root, config)
    card = load_card(folder)
    write = Path.write_text

    def full(path: Path, *arguments, **options) -> int:
        if fails in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    trunks = [name for name in card.files if name != "model.safetensors"]
    with pytest.raises(InputError, match="No space left on device; what was there is kept"):
        save_cell(folder, build_model(config), config, trunks=trunks, training={}, metrics={})
    monkeypatch.undo()
    assert load_card(folder) == card
    load_model(root, folder, card)
    assert not list(folder.glob(".*"))


# ---------------------------------------------------------------- the base


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in base.BASE_FILES:
        (folder / name).write_bytes(name.encode() * 1000)
    write_json(folder / "base.json", {"files": {n: file_hash(folder / n) for n in base.BASE_FILES}})
    return folder


def test_a_base_copy_that_a_full_disk_cuts_off_leaves_nothing(source, tmp_path, monkeypatch):
    target, copy = tmp_path / "out" / "base", shutil.copyfile

    def full(one: Path, two: Path) -> None:
        copy(one, two)
        if one.name == "image.safetensors":
            two.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(InputError, match="cannot be copied to .*: No space left on device"):
        copy_base(source, target)
    assert os.listdir(target.parent) == []
    monkeypatch.undo()
    copy_base(source, target)
    assert is_whole_or_copy(target, source)


def test_a_copy_takes_the_names_of_objects_where_there_are_any(source, tmp_path):
    """A base that was built before they were shipped has none, and still is one."""
    copy_base(source, tmp_path / "old")
    assert is_whole_or_copy(tmp_path / "old", source) and not (tmp_path / "old" / "objects.txt").exists()
    for name in base.OBJECT_FILES:
        (source / name).write_bytes(name.encode())
    stated = {n: file_hash(source / n) for n in (*base.BASE_FILES, *base.OBJECT_FILES)}
    write_json(source / "base.json", {"files": stated})
    copy_base(source, tmp_path / "new")
    assert [(tmp_path / "new" / n).read_bytes() for n in base.OBJECT_FILES] == [
        n.encode() for n in base.OBJECT_FILES
    ]
    assert is_whole_or_copy(tmp_path / "old", source)
    (tmp_path / "old" / "image.safetensors").write_bytes(b"half")
    assert not is_whole_or_copy(tmp_path / "old", source)


def test_half_a_copy_of_before_is_told_and_replaced(source, tmp_path):
    target = tmp_path / "base"
    shutil.copytree(source, target)
    (target / "image.safetensors").write_bytes(b"half")
    assert not is_whole_or_copy(target, source)
    copy_base(source, target)
    assert is_whole_or_copy(target, source) and read_json(target / "base.json") == read_json(
        source / "base.json"
    )


def test_a_damaged_base_of_another_kind_is_not_replaced(source, tmp_path):
    target = tmp_path / "base"
    shutil.copytree(source, target)
    write_json(target / "base.json", {"files": {"text.safetensors": "0"}})
    with pytest.raises(InputError, match=r"text.safetensors is damaged"):
        is_whole_or_copy(target, source)


def test_a_source_that_is_damaged_is_not_copied(source, tmp_path):
    (source / "tokenizer.json").write_bytes(b"x")
    with pytest.raises(InputError, match=r"tokenizer.json is damaged"):
        copy_base(source, tmp_path / "out" / "base")
    assert os.listdir(tmp_path / "out") == []


def test_the_cause_is_named_whoever_writes():
    error = files.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert files._cause(error) == "No space left on device"
