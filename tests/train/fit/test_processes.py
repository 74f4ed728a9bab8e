"""One cell trained by two processes at once, as docs/training.md tells."""

import json
import subprocess
import sys
from pathlib import Path

from mmdemo.cells.locate import list_cells
from mmdemo.cells.zoo import Zoo
from tests.tiny import write_data

ROOT = Path(__file__).resolve().parents[3]
FROZEN = ("text_lr", "embedding_lr", "image_lr", "fusion_lr")


def test_two_processes_share_the_steps_and_stop_together(tmp_path):
    """The head hardly moves, so the second epoch is no better: both must stop, or one waits for ever."""
    data, out = write_data(tmp_path / "data", 48), tmp_path / "out"
    changes = {"epochs": 4, "patience": 1, "batch_size": 8, "head_lr": 1e-12} | dict.fromkeys(FROZEN, 0.0)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "train", "run", "--set", "preset=tiny", "--dataset", "twitter2017"]
    command += ["--set", "device=cpu"]
    command += ["--model", "vilt", "--fusion", "native"]  # leaves most of the fusion's parameters unused
    command += ["--set", "end_to_end=true", "--data", str(data), "--out", str(out), "--work", str(out)]
    for name, value in changes.items():
        command += ["--set", f"whole.{name}={value}"]
    ran = subprocess.run(command, cwd=ROOT, timeout=900)
    assert ran.returncode == 0
    [cell] = [cell for cell in list_cells(out, "tiny") if cell.problem is None]
    Zoo(out).load(cell)
    [metrics] = out.rglob("metrics.json")  # written after the training's memory is freed
    assert json.loads(metrics.read_text(encoding="utf-8"))["splits"].keys() == {"valid", "test"}
    [log] = out.rglob("log.jsonl")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert sum("validation" in line for line in lines) == 2
    assert sum("loss" in line for line in lines) == 2 * (48 // 8 // 2)
