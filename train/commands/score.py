"""Commands that measure cells, from ``evaluate`` to ``triples``, and the tables of ``results``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmdemo.terminal import say, say_json
from mmdemo.types import InputError
from train.commands.options import Data, Device, Images, Pairs, Work
from train.data.source import DataSource

if TYPE_CHECKING:
    from mmdemo.cells.card import Card


def evaluate(
    checkpoint: Annotated[Path, typer.Option(help="A cell's folder, preset/dataset/model/fusion.")],
    data: Data,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    images: Images = None,
    pairs: Pairs = None,
    work: Annotated[Path, typer.Option(help="Where cached photo features lie.")] = Path("runs"),
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Score a checkpoint: token-level and entity-level, or relations with and without None; per class too.

    Example: python -m train evaluate --checkpoint checkpoints/lite/NAME/roberta-resnet50/film
    --data ../shared/data --split test --json
    """
    from mmdemo.cells.card import load_card
    from mmdemo.cells.conditions import Conditions
    from train.fit.loop import choose_accelerator
    from train.score.evaluate import evaluate as score
    from train.score.report import render

    card = load_card(checkpoint)
    source, conditions = _source_of(card, data, images, pairs), Conditions.of(card.metrics)
    accelerator = choose_accelerator(device)
    scores = score(checkpoint, source, split, cache=work / "regions", device=accelerator.device)
    scores["photos"] = source.note_of(card.config.dataset)
    scores["conditions"], scores["marks"] = conditions.json(), list(conditions.marks)
    say_json(scores) if as_json else say(*render(scores).split("\n"))


def _source_of(card: "Card", data: Path, images: Path | None, pairs: Path | None) -> DataSource:
    """The posts as a cell's card says that they were split, and its photos' words from where they were."""
    from mmdemo.cells.conditions import Conditions
    from train.cells.settings import sources_stated

    stated = Conditions.of(card.metrics).photo_sources
    return DataSource(
        folder=data,
        images=images,
        pairs=pairs,
        scheme=card.training.get("split_scheme", "official"),
        photo_sources=sources_stated(stated) if card.config.photo_words else None,
    )


def rescore(
    data: Data,
    cells: Annotated[
        str, typer.Option(help="Which, as preset/dataset/model/fusion with * for any; several by comma.")
    ] = "*",
    root: Annotated[Path, typer.Option(help="Cells whose metrics.json gets its figures.")] = Path("runs"),
    work: Work = Path("runs"),
    images: Images = None,
    pairs: Pairs = None,
) -> None:
    """Score stored cells again, on validation and on test under each photo condition, and keep their answers.

    For cells whose base or trunk was stored in other bits since: the figures are of what is there.
    Calibration and photo effect belong to the former answers and are taken out: run calibrate, photo_effect
    and (for relations) triples next. Stopped, it goes on: a cell that --work has answers of is left alone.

    Example: python -m train rescore --data ../shared/data --root checkpoints --work rescored
    """
    from train.score.stored import rescore as score_again

    for name in score_again(root, cells.split(","), lambda card: _source_of(card, data, images, pairs), work):
        say(f"{name}{_marks(root / name)}")


def calibrate(
    data: Data,
    root: Annotated[Path, typer.Option(help="Cells whose metrics.json gets its calibration.")] = Path("runs"),
    work: Work = Path("runs"),
    images: Images = None,
    pairs: Pairs = None,
    preset: Annotated[str, typer.Option(help="lite, full or tiny.")] = "lite",
) -> None:
    """Fit each cell's confidences on validation and measure them on test (ECE, Brier), before and after.

    Reads the answers that training kept in --work; no model runs.

    Example: python -m train calibrate --data ../shared/data --root runs --work runs
    """
    from train.score.calibrate import calibrate_all

    found = calibrate_all(root, work, DataSource(folder=data, images=images, pairs=pairs), preset)
    if not found:
        raise _without_answers(root, work)
    for cell, (before, after) in found.items():
        say(f"{cell}: test ECE {before:.3f} before, {after:.3f} after{_marks(root / cell)}")


def _marks(folder: Path) -> str:
    """What must stand behind a figure of a cell."""
    from mmdemo.cells.card import read_metrics
    from mmdemo.cells.conditions import marks_text

    marks = marks_text(read_metrics(folder))
    return f" ({marks})" if marks else ""


def triples(
    data: Data,
    cells: Annotated[
        str, typer.Option(help="Of the relations' cells, those whose names have this: blip, film.")
    ] = "",
    entities: Annotated[
        str | None, typer.Option(help="The cell that finds the entities; else the best on validation.")
    ] = None,
    preset: Annotated[str, typer.Option(help="base, lite, full or tiny.")] = "lite",
    limit: Annotated[int | None, typer.Option(help="The first sentences of each split alone.")] = None,
) -> None:
    """Fit how sure a relation is together with its two entities, on validation; measure it on test.

    The entity cell reads each sentence of the relations' dataset as a visitor's post, from the text alone. A
    cell with both tasks finds its own entities. What is found is written to the metrics.json of the
    relations' cells, among the checkpoints in use (MMDEMO_CHECKPOINTS names others).

    Example: python -m train triples --data ../shared/data --cells roberta-resnet50/bimodal
    """
    from train.score.triples import calibrate_cells

    found = calibrate_cells(data, preset, cells, entities, limit)
    for cell, stated in found:
        before, after = stated["before"]["ece"], stated["after"]["ece"]
        say(
            f"{cell.name} with {stated['entities_by']}: test ECE of triples {before:.3f} as a product, "
            f"{after:.3f} calibrated{_marks(cell.folder)}"
        )


def elsewhere(
    data: Data,
    root: Annotated[Path, typer.Option(help="Cells whose metrics.json gets the figures.")] = Path("runs"),
    work: Work = Path("runs"),
    images: Images = None,
    pairs: Pairs = None,
) -> None:
    """Score the chosen entity cells out of domain: on others' test posts, in lower case, with other handles.

    Types of two datasets are paired by what their records call them in common ("like" in dataset.toml). Of
    each dataset and preset the cell that validation chooses is measured.

    Example: python -m train elsewhere --data ../shared/data --root checkpoints --work runs
    """
    from mmdemo.datasets.discovery import bundled
    from train.publish.results import chosen_cells
    from train.score.elsewhere import measure_elsewhere

    tagged = [dataset for dataset in bundled().values() if dataset.has_entities]
    cells = [root / cell.name for cell in chosen_cells(root).values() if cell.task == "entities"]
    if not cells:
        raise InputError(f"no cell in {root} finds entities")
    for folder in cells:
        others = [dataset for dataset in tagged if dataset.name != folder.parents[1].name]
        found = measure_elsewhere(
            root, folder, others, lambda card: _source_of(card, data, images, pairs), work
        )
        for name, figures in found.items():
            told = ", ".join(f"{written} {100 * f1:.2f}" for written, f1 in figures.items())
            say(f"{folder.relative_to(root)} on {name}: {told}{_marks(folder)}")


def _without_answers(root: Path, work: Path) -> InputError:
    return InputError(f"no cell of {root} has its answers in {work / 'answers'}, where training keeps them")


def photo_effect(
    data: Data,
    root: Annotated[Path, typer.Option(help="Cells whose metrics.json gets its photo effect.")] = Path(
        "runs"
    ),
    work: Work = Path("runs"),
    images: Images = None,
    pairs: Pairs = None,
    preset: Annotated[str, typer.Option(help="lite, full or tiny.")] = "lite",
) -> None:
    """Measure what the photo changes on test, with intervals (paired bootstrap over posts) and by slices.

    Also what each fusion of a row brings beside its text-only cell (Holm's p-values), and how often two
    differ.
    Reads the answers that training kept in --work; no model runs.

    Example: python -m train photo_effect --data ../shared/data --root runs --work runs
    """
    from train.score.photo_effect import measure_all
    from train.score.row_effect import measure_rows

    source = DataSource(folder=data, images=images, pairs=pairs)
    found = measure_all(root, work, source, preset)
    if not found:
        raise _without_answers(root, work)
    measure_rows(root, work, source, preset)
    for cell, stated in found.items():
        none = stated["against"]["none"]
        low, high = 100 * none["low"], 100 * none["high"]
        change = f"{100 * none['change']:+.2f} points with photos, interval {low:+.2f} to {high:+.2f}"
        say(f"{cell}: {change}{_marks(root / cell)}")


def results(
    root: Annotated[Path, typer.Option(help="Checkpoints to read.")] = Path("checkpoints"),
    page: Annotated[
        list[Path] | None,
        typer.Option(
            "--page",
            "--readme",
            help="Page whose tables are replaced, between its marks; several by repeating. [default: "
            "docs/results.md and README.md]",
        ),
    ] = None,
) -> None:
    """Write the tables of docs/results.md and README from the checkpoints' metrics.json.

    Before that it asks git whether this repository has the commits that the cells name, and notes it there.

    Example: python -m train results
    """
    from train.publish.results import PAGES, note_commits, write_results

    say(note_commits(root), error=True)
    say(*write_results(root, page or PAGES).splitlines())
