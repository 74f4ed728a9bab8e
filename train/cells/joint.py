"""Train one trunk with the rows of several datasets (`train.fit.rows.joint`); leave all of their cells."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from os.path import normpath
from pathlib import Path

from mmdemo.cells.card import joint_trunk
from mmdemo.cells.checkpoint import cell_folder
from mmdemo.types import InputError
from train.cells.conditions import code_at_start, conditions_of
from train.cells.row import check_row, save_row, store_best
from train.cells.run import ensure_base, material_of, trunk_config
from train.cells.settings import Settings, joint_folder, training_record
from train.fit.loop import choose_accelerator
from train.fit.rows.joint import JointRows, mixed_batches, train_jointly, validate_jointly
from train.fit.rows.model import RowModel
from train.fit.rows.stage import RowData, fresh_row
from train.fit.starts import best_of, part_of


def run_rows(runs: Sequence[Settings], fusions: Sequence[str]) -> Iterator[Path]:
    """Train, save and score the rows of several datasets on one trunk; yield each cell's folder.

    ``runs`` differ in their datasets and teachers alone. The first one's recipe decides rates and epochs, and
    its start is the encoders'. It resumes as `train.cells.row.run_row`.

    Raises:
        InputError: as `run_row`; or two datasets are the same, or the model is one whose photos are aligned.
    """
    code_at_start()
    first = runs[0]
    names = tuple(run.config.dataset.name for run in runs)
    if len(set(names)) < len(names):
        raise InputError(f"--dataset {','.join(names)}: name each dataset once")
    if first.config.row.aligned:
        raise InputError(f"{first.config.model}: rows that are trained together have no aligned photo side")
    for run in runs:
        check_row(run, fusions)
    accelerator = choose_accelerator(first.device)
    with accelerator.main_process_first():
        ensure_base(first)
    recipe, root = first.recipe("row"), first.out
    stage = joint_folder(runs, fusions)
    data: dict[str, RowData] = {}
    rows: dict[str, RowModel] = {}
    for name, run in zip(names, runs, strict=True):
        own = run.recipe("row")
        material = material_of(run, own)
        beside = next(iter(rows.values()), None)
        rows[name] = fresh_row(run.config, fusions, own, root, first.start, beside=beside)
        data[name] = RowData(material, rows[name], own, root, run.cache, accelerator)
    model = JointRows(rows)
    train_jointly(data, model, recipe, stage, accelerator)
    if accelerator.is_main_process:
        best, place = best_of(stage), joint_trunk(first.config.model)
        trunk = Path(normpath(cell_folder(root, first.config) / place))
        config = trunk_config(first.config)
        bits = store_best(
            config,
            best,
            root,
            trunk,
            model,
            lambda _: validate_jointly(data, model),
            mixed_batches(data, recipe.seed, 0),
        )
        for name, run in zip(names, runs, strict=True):
            own = run.recipe("row")
            conditions = conditions_of(run, own.seed, data[name].material.train, accelerator)
            conditions = replace(conditions, trained_with=tuple(fusions), datasets=names)
            parts = {fusion: part_of(best, f"{name}/{fusion}") for fusion in fusions}
            training = training_record(run, {"row": asdict(own)}, conditions)
            yield from save_row(run, parts, (place,), training, bits)
    accelerator.wait_for_everyone()
