"""The conditions of a run as its cells' cards state them (`mmdemo.cells.conditions`)."""

import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from accelerate import Accelerator

from mmdemo.cells.commits import CodeState, code_state
from mmdemo.cells.conditions import Conditions
from mmdemo.types import Question
from train.cells.settings import FROM_FILES, Settings
from train.data.questions import count_posts

CPU_INFO = Path("/proc/cpuinfo")


@cache
def code_at_start() -> CodeState:
    """The code as it was when this process first asked: a commit in the middle of a run made none of it."""
    return code_state()


def conditions_of(
    settings: Settings, seed: int, train: Sequence[Question], accelerator: Accelerator
) -> Conditions:
    """What a cell's figures depend on; how many posts were scored, their splits say."""
    code = code_at_start()
    return Conditions(
        limit=settings.limit or 0,
        splits=settings.source.scheme,
        cleaning=settings.config.clean_text,
        seed=seed,
        recipe=settings.book.name,
        commit=code.commit,
        tree=code.tree,
        commit_exists=True if code.commit else None,
        torch=torch.__version__,
        hardware=hardware(accelerator.device, accelerator.num_processes),
        precision={"no": "float32"}.get(accelerator.mixed_precision, accelerator.mixed_precision),
        training_posts=count_posts(train),
        photo_sources=words_from(settings),
    )


def words_from(settings: Settings) -> str | None:
    """Where the photos' words are from, by commas; None for a model that reads none."""
    if not settings.config.photo_words:
        return None
    sources = settings.source.photo_sources
    return FROM_FILES if sources is None else ",".join(sources)


def hardware(device: torch.device, processes: int = 1) -> str:
    """The device's name, and how many of it (processes) or of its threads were used."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        return f"{processes} x {name}"
    name = _processor() if device.type == "cpu" else f"{device.type}, {_processor()}"
    return f"{name}, {processes * torch.get_num_threads()} threads"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
