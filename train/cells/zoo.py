"""The whole zoo: plan its cells, train what is missing or outdated, in an order that shares trunks.

A *group* is a (dataset, model): its trunk, then one cell a fusion. A group waits for the trunk that it starts
from (`start_of`). Everything resumes: a cell that is whole and was made from the same
settings, data and trunk is left alone.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder
from mmdemo.cells.files import file_hash, write_json
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import MODELS, fusions_of
from mmdemo.models.encoders.table import models_of
from mmdemo.models.fusion.table import buildable
from mmdemo.types import InputError
from train.cells.conditions import code_at_start
from train.cells.row import row_fusions, run_row
from train.cells.run import Trunk, check_posts, run_cells, run_trunk, run_whole
from train.cells.settings import Settings, config_facts, data_hash, row_run, start_facts, words_facts

Group = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Cells by group, in an order in which every start comes before what starts from it."""

    groups: dict[Group, tuple[str, ...]]

    @property
    def cells(self) -> int:
        return sum(len(fusions) for fusions in self.groups.values())


def plan(preset: str, only: str = "*", shard: tuple[int, int] = (1, 1), *, rows: bool = False) -> Plan:
    """All groups whose cells' names (preset/dataset/model/fusion) match ``only``; shard i/n takes every nth.

    With ``rows`` a group trains at once, and each side alone is part of it (`train.cells.row`).

    ``only`` is a pattern, or several with commas between. Fusions that are not part of the zoo's plan are
    taken where a pattern names them in full: ``*/late``.

    Raises:
        InputError: nothing matches, or the shard is not one of 1/n to n/n.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise InputError(f"--shard {number}/{count}: the first number must be from 1 to the second")
    patterns = [p if p.startswith((preset, "*")) else f"{preset}/{p}" for p in only.split(",")]
    spelt_out = {pattern.rpartition("/")[2] for pattern in patterns}
    groups = {}
    for model in models_of(preset):  # in this order every text trunk comes before those that start from it
        for dataset in bundled():
            planned = row_fusions(model) if rows else fusions_of(model)
            offered = [f for f in buildable(model) if f in planned or f in spelt_out]
            names = {f: f"{preset}/{dataset}/{model}/{f}" for f in offered}
            fusions = tuple(f for f, name in names.items() if any(fnmatch(name, p) for p in patterns))
            if fusions:
                groups[dataset, model] = fusions
    if not groups:
        raise InputError(f"--only {only}: no cell's name matches; names are {preset}/dataset/model/fusion")
    mine = list(groups)[number - 1 :: count]
    return Plan(groups={group: groups[group] for group in mine})


def build(settings: Settings, wanted: Plan) -> Iterator[Path]:
    """Train every outdated cell of the plan; yield each cell's folder as it becomes whole."""
    code_at_start()
    with tqdm(total=wanted.cells, desc="zoo", unit="cell", disable=None) as bar:
        for (dataset, model), fusions in wanted.groups.items():
            bar.set_description(f"zoo: {dataset}/{model}")
            for folder in _build_group(settings, dataset, model, fusions):
                bar.update()
                yield folder


def _build_group(settings: Settings, dataset: str, model: str, fusions: Sequence[str]) -> Iterator[Path]:
    config = replace(settings.config, dataset=find_dataset(dataset), model=model, fusion=fusions[0])
    settings = replace(settings, config=config)
    if "row" in settings.book.stages:
        yield from _build_row(settings, fusions)
        return
    if settings.whole:
        for fusion in fusions:
            own = replace(settings, config=replace(config, fusion=fusion))
            folder = cell_folder(own.out, own.config)
            yield folder if _is_current(own, folder, None) else _stamped(own, run_whole(own), None)
        return
    check_posts(settings)
    trunk = trunk_of(settings)
    stale = []
    for fusion in fusions:
        own = replace(settings, config=replace(config, fusion=fusion))
        folder = cell_folder(own.out, own.config)
        if _is_current(own, folder, trunk):
            yield folder
        else:
            stale.append(fusion)
    if stale:
        for folder, fusion in zip(run_cells(settings, trunk, stale), stale, strict=True):
            own = replace(settings, config=replace(config, fusion=fusion))
            yield _stamped(own, folder, trunk)


def _build_row(settings: Settings, fusions: Sequence[str]) -> Iterator[Path]:
    """Train a row at once, after the one that it starts from, unless all of its cells are current."""
    settings = replace(settings, start=_start_of_row(settings))
    cells = [replace(settings, config=replace(settings.config, fusion=fusion)) for fusion in fusions]
    folders = [cell_folder(own.out, own.config) for own in cells]
    if all(_is_current(own, folder, fusions) for own, folder in zip(cells, folders, strict=True)):
        yield from folders
        return
    for own, folder in zip(cells, run_row(settings, fusions), strict=True):
        yield _stamped(own, folder, fusions)


def _start_of_row(settings: Settings) -> Path | None:
    """The training run of the row that a row starts from, trained here if need be; None is the base."""
    config = settings.config
    start = start_of((config.dataset.name, config.model))
    if start is None or start[1] not in models_of(config.preset):
        return None
    dataset, model = start
    own = replace(config, dataset=find_dataset(dataset), model=model, fusion=fusions_of(model)[0])
    before = replace(settings, config=own)
    run = row_run(before)
    if not (run / "best.safetensors").exists():
        for _ in _build_row(before, row_fusions(model)):
            pass
    return run


def trunk_of(settings: Settings) -> Trunk:
    """The group's trunk, trained if need be, after the one that it starts from."""
    config = settings.config
    start = start_of((config.dataset.name, config.model))
    if start is None:
        return run_trunk(settings)
    dataset, model = start
    before = replace(
        settings,
        config=replace(config, dataset=find_dataset(dataset), model=model, fusion=fusions_of(model)[0]),
    )
    run = trunk_of(before).run
    return run_trunk(replace(settings, start=run), text_run=run)


def _determinants(settings: Settings, under: Trunk | Sequence[str] | None) -> str:
    """A hash of all that decides what a cell becomes: configuration, recipe, data, photos, and what it
    stands on: a trunk, or the row of these fusions.
    """
    stage = "cell" if isinstance(under, Trunk) else "whole" if under is None else "row"
    facts: dict[str, Any] = {
        "config": config_facts(settings.config),
        "recipe": settings.recipe(stage).facts,
        "data": data_hash(settings.source, settings.config.dataset),
        "photos": settings.source.photo_facts(settings.config.dataset),
        "limit": settings.limit,
        **words_facts(settings),
        **settings.origin_facts,
    }
    if isinstance(under, Trunk):
        facts["trunks"] = [file_hash((under.folder / "fusion" / place).resolve()) for place in under.places]
    elif under is not None:
        facts |= {"row": list(under), "start": start_facts(settings.start).get("sha256", "")}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _is_current(settings: Settings, folder: Path, under: Trunk | Sequence[str] | None) -> bool:
    try:
        card = load_card(folder)
        whole = all(file_hash(folder / name) == digest for name, digest in card.files.items())
    except InputError:
        return False
    scored = "splits" in card.metrics
    return whole and scored and card.training.get("determinants") == _determinants(settings, under)


def _stamped(settings: Settings, folder: Path, under: Trunk | Sequence[str] | None) -> Path:
    """Note in config.json what the finished cell was made from."""
    file = folder / "config.json"
    stated = json.loads(file.read_text(encoding="utf-8"))
    stated["training"]["determinants"] = _determinants(settings, under)
    write_json(file, stated)
    return folder


# ---------------------------------------------------------------- several processes


def build_parallel(settings: Settings, wanted: Plan, jobs: int) -> None:
    """Build groups in ``jobs`` processes, each with its share of the cores; starts come first.

    Raises:
        InputError: a group failed; its log's last line is in the message.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    waiting, running, done = list(wanted.groups), dict[Future[None], Group](), set[Group]()
    with ThreadPoolExecutor(jobs) as pool, tqdm(total=wanted.cells, desc="zoo", unit="cell") as bar:
        while waiting or running:
            for group in list(waiting):
                if len(running) < jobs and _ready(group, done, running.values(), wanted):
                    waiting.remove(group)
                    running[pool.submit(_run_group, settings, group, wanted.groups[group], threads)] = group
            finished, _ = wait(running, return_when=FIRST_COMPLETED, timeout=60)
            for future in finished:
                future.result()
                group = running.pop(future)
                done |= {group, *starts_of(group)}
                bar.update(len(wanted.groups[group]))
            bar.set_postfix_str(", ".join("/".join(g) for g in running.values()))


def _ready(group: Group, done: set[Group], running: Iterable[Group], wanted: Plan) -> bool:
    """Whether the trunks that a group stands on are made, or outside the plan and in nobody's making."""
    above = starts_of(group)
    inside = {start for start in above if start in wanted.groups}
    others = {start for other in running for start in starts_of(other)}
    return inside <= done and not (above - inside - done) & others


def start_of(group: Group) -> Group | None:
    """The group whose trunk a group's own starts from: another model's of the same dataset, or
    the same model's of the dataset that the record names. None is the base.
    """
    dataset, model = group
    if before := MODELS[model].starts_from:
        return dataset, before
    start = find_dataset(dataset).start
    return (start, model) if start else None


def starts_of(group: Group) -> set[Group]:
    """The groups whose trunks a group's own comes from."""
    start = start_of(group)
    return {start, *starts_of(start)} if start else set()


def _run_group(settings: Settings, group: Group, fusions: Sequence[str], threads: int) -> None:
    dataset, model = group
    log = settings.work / "logs" / f"{dataset}-{model}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    names = ",".join(f"{settings.config.preset}/{dataset}/{model}/{fusion}" for fusion in fusions)
    # An option's last value counts. This process has taken its shard already.
    own = ["--only", names, "--jobs", "1", "--shard", "1/1"]
    command = [sys.executable, "-m", "train", *sys.argv[1:], *own]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    with log.open("a") as stream:
        stream.write(f"{time.strftime('%F %T')} {' '.join(command)}\n")
        stream.flush()
        code = subprocess.run(command, stdout=stream, stderr=stream, env=environment).returncode
    if code:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise InputError(f"{dataset}/{model} failed (see {log}): {' '.join(last)}")
