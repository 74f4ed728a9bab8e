"""Planning the zoo, and building it so that a kill costs nothing that was whole."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest

from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import MODELS, ModelConfig, fusions_of
from mmdemo.types import InputError
from tests import forking
from tests.tiny import write_data
from train.cells.settings import Settings
from train.cells.zoo import _determinants, build_parallel, plan, starts_of
from train.data.source import DataSource

ROOT = Path(__file__).parents[3]


def test_the_plan_is_the_whole_zoo_starts_first():
    wanted = plan("lite")
    assert wanted.groups.keys() == {(d, m) for d in bundled() for m in MODELS}
    assert all(wanted.groups[d, m] == fusions_of(m) for d, m in wanted.groups)
    order = list(wanted.groups)
    assert order.index(("twitter2015", "roberta-resnet50")) < order.index(("mnre", "blip"))


def test_shards_share_the_groups_out():
    shards = [plan("lite", shard=(i, 4)).groups for i in range(1, 5)]
    assert sorted(g for shard in shards for g in shard) == sorted(plan("lite").groups)
    with pytest.raises(InputError, match="--shard 5/4"):
        plan("lite", shard=(5, 4))


def test_a_pattern_takes_a_part_or_is_refused():
    assert plan("lite", "lite/mnre/*/film").groups == {("mnre", m): ("film",) for m in MODELS}
    assert plan("tiny", "*/vilt/native").cells == len(bundled())
    several = plan("lite", "mnre/vilt/native,lite/mnre/vilt/film").groups
    assert several == {("mnre", "vilt"): ("film", "native")}
    with pytest.raises(InputError, match="no cell's name matches"):
        plan("lite", "*/clip-bert/native")


def test_a_parallel_zoo_hands_each_process_its_planned_fusions_alone(tmp_path, monkeypatch):
    commands = []

    def ran(command, **_) -> subprocess.CompletedProcess:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("train.cells.zoo.subprocess.run", ran)
    monkeypatch.setattr(sys, "argv", ["train", "zoo", "--only", "tiny/mnre/vilt/*n", "--jobs", "2"])
    wanted = plan("tiny", "tiny/mnre/vilt/*n")
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")
    source = DataSource(folder=tmp_path)
    build_parallel(Settings(config=config, source=source, out=tmp_path, work=tmp_path), wanted, 2)
    [command] = commands
    only = command[len(command) - command[::-1].index("--only")]  # the last one counts
    assert plan("tiny", only) == wanted and wanted.cells < len(fusions_of("vilt"))


def test_two_processes_never_train_one_outside_trunk(tmp_path, monkeypatch):
    wanted = plan("tiny", ",".join(f"*/twitter2015/{model}/film" for model in ("clip-bert", "blip", "vilt")))
    assert {len(starts_of(group)) for group in wanted.groups} == {2}
    first, made, together = Lock(), Event(), Barrier(2)

    def ran(command, **_) -> subprocess.CompletedProcess:
        if first.acquire(blocking=False):
            time.sleep(0.2)  # long enough for another to start, were it let
            made.set()
        else:
            assert made.is_set()
            together.wait(300)  # the trunk is there: the two others need not wait for each other
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("train.cells.zoo.subprocess.run", ran)
    monkeypatch.setattr(sys, "argv", ["train", "zoo", "--jobs", "3"])
    config = ModelConfig(dataset=find_dataset("twitter2015"), preset="tiny")
    settings = Settings(config=config, source=DataSource(folder=tmp_path), out=tmp_path, work=tmp_path)
    build_parallel(settings, wanted, 3)


def test_a_cell_trained_on_other_original_photos_is_outdated(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")
    source = DataSource(folder=write_data(tmp_path / "data", 4), images=images)
    settings = Settings(config=config, source=source, out=tmp_path, work=tmp_path)
    before = _determinants(settings, None)
    (images / "train1.jpg").write_bytes(b"x")
    assert _determinants(settings, None) != before


#: `python -m train` that kills itself before it notes that its second cell is whole.
KILLED = """
    import os, runpy, signal
    from train.cells import zoo

    stamped, cells = zoo._stamped, []

    def stamp_one(settings, folder, trunk):
        cells.append(folder)
        if len(cells) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return stamped(settings, folder, trunk)

    zoo._stamped = stamp_one
    runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def command(tmp_path) -> list[str]:
    data = write_data(tmp_path / "data", 24)
    (data / "twitter2017").rename(data / "twitter2015")  # whose trunk starts from no other's
    options = {"--data": data, "--out": tmp_path / "out", "--work": tmp_path / "work", "--preset": "tiny"}
    given = [str(word) for pair in options.items() for word in pair]
    small = ["--set", "epochs=1", "--set", "members=1", "--device", "cpu"]
    return [
        forking.python(),
        "-m",
        "train",
        "zoo",
        *given,
        *small,
        "--only",
        "*/twitter2015/roberta-resnet50/*",
    ]


def files_of(out: Path) -> dict[str, tuple[int, bytes]]:
    found = sorted(out.glob("tiny/twitter2015/**/*.safetensors"))
    return {str(f.relative_to(out)): (f.stat().st_mtime_ns, f.read_bytes()) for f in found}


def test_a_killed_zoo_goes_on_and_trains_only_what_is_missing_or_outdated(command, tmp_path):
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    killed = [forking.python(), "-c", textwrap.dedent(KILLED), *command[3:]]
    assert subprocess.run(killed, **quiet, check=False).returncode == -signal.SIGKILL
    cells = [f"tiny/twitter2015/roberta-resnet50/{f}" for f in fusions_of("roberta-resnet50")]
    whole = [c for c in cells if (tmp_path / "out" / c / "metrics.json").exists()]
    assert whole == cells[:2] and len(cells) > 2
    kept = {n: f for n, f in files_of(tmp_path / "out").items() if n.startswith(cells[0])}

    assert subprocess.run(command, **quiet, check=False).returncode == 0
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert sorted(c["cell"] for c in results["cells"]) == sorted(cells)
    after = files_of(tmp_path / "out")
    assert kept.items() <= after.items()  # not even written again

    damaged = tmp_path / "out" / cells[1] / "model.safetensors"
    damaged.write_bytes(b"rot")
    assert subprocess.run(command, **quiet, check=False).returncode == 0
    mended = files_of(tmp_path / "out")
    name = f"{cells[1]}/model.safetensors"
    assert mended[name][1] == after[name][1]
    models = [f"{c}/model.safetensors" for c in cells if c != cells[1]]
    assert {n: mended[n] for n in models} == {n: after[n] for n in models}
