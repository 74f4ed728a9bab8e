"""Commands that measure: ``evaluate``, ``calibrate``, ``photo_effect``, and the tables of ``results``."""

from pathlib import Path
from typing import Annotated

import typer

from mmdemo.terminal import say, say_json
from mmdemo.types import InputError
from train.commands.options import Data, Device, Images, Pairs, Work
from train.data.source import DataSource


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
    from train.cells.settings import sources_stated
    from train.fit.loop import choose_accelerator
    from train.score.evaluate import evaluate as score
    from train.score.report import render

    card = load_card(checkpoint)
    scheme = card.training.get("split_scheme", "official")
    conditions = Conditions.of(card.metrics)
    words = sources_stated(conditions.photo_sources) if card.config.photo_words else None
    source = DataSource(folder=data, images=images, pairs=pairs, scheme=scheme, photo_sources=words)
    accelerator = choose_accelerator(device)
    scores = score(checkpoint, source, split, cache=work / "regions", device=accelerator.device)
    scores["photos"] = source.note_of(card.config.dataset)
    scores["conditions"], scores["marks"] = conditions.json(), list(conditions.marks)
    say_json(scores) if as_json else say(*render(scores).split("\n"))


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
