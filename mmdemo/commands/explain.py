"""``python -m mmdemo explain``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.commands.options import (
    FUSION,
    MODEL,
    CellText,
    DatasetOrCell,
    Description,
    Fusion,
    Model,
    Photo,
    Preset,
    Text,
    cell_of,
    described,
    example,
    told,
)
from mmdemo.terminal import say, say_json
from mmdemo.types import Counterfactual, Explanation, InputError, View

HELP = told(
    "Explain an answer: what the fusion did, which regions and words counted, and what else might have been.",
    "Without --other, the photos of the app's examples stand in.",
    example("explain", "relations", "--image", "photo.jpg", "--out", "why"),
)


def explain(
    text: Text,
    dataset: DatasetOrCell = None,
    model: Model = MODEL,
    fusion: Fusion = FUSION,
    preset: Preset = "lite",
    cell: CellText = None,
    image: Photo = None,
    description: Description = None,
    target: Annotated[
        int | None, typer.Option(help="A word's index (entities) or a relation's rank, from 0 on.")
    ] = None,
    view: Annotated[list[str] | None, typer.Option(help="Only this view; may be repeated.")] = None,
    other: Annotated[
        list[Path] | None, typer.Option(help="A photo to set the post's own against; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with all numbers.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write a PNG and a CSV file for each view, and explanation.json.")
    ] = None,
    dark: Annotated[bool, typer.Option(help="Draw on a dark ground.")] = False,
) -> None:
    """Explain, and print or write the views."""
    from mmdemo.answer import explain as explaining
    from mmdemo.answer.answer_json import explained_json
    from mmdemo.answer.imagine import counterfactuals
    from mmdemo.answer.photo_words import words_for
    from mmdemo.datasets.examples import example_photos
    from mmdemo.posts.question import read_post

    chosen = cell_of(dataset, model, fusion, preset, cell)
    words = words_for([chosen], image, described(description))
    question = read_post(text, chosen.dataset, image, words)
    others = list(other) if other else list(example_photos())
    found = explaining.explain(question, chosen, target=target, views=view, others=others)
    imagined = () if view else counterfactuals(question, chosen, others=others)
    answer = explained_json(found, imagined)
    if out is not None:
        _write(out, found, answer, dark)
    if as_json:
        say_json(answer)
    else:
        say(*_lines(found, imagined, out))


def _write(out: Path, found: Explanation, answer: dict[str, Any], dark: bool) -> None:
    from mmdemo.figures.draw import draw, png
    from mmdemo.figures.numbers import view_csv

    photo = found.prediction.post.image
    try:
        out.mkdir(parents=True, exist_ok=True)
        for view in found.views:
            below = photo if view.kind == "photo-map" and not isinstance(photo, str | Path) else None
            (out / f"{view.name}.png").write_bytes(png(draw(view, photo=below, dark=dark, note=True)))
            (out / f"{view.name}.csv").write_text(view_csv(view), encoding="utf-8")
        text = json.dumps(answer, ensure_ascii=False, indent=2)
        (out / "explanation.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error


def _lines(found: Explanation, imagined: tuple[Counterfactual, ...], out: Path | None) -> list[str]:
    lines = [f"why {found.target}, by {found.prediction.checkpoint}"]
    for view in found.views:
        lines += ["", f"{view.title} [{view.name}]", *_strongest(view), f"  {view.note}"]
    if imagined:
        lines += ["", "Imagined otherwise"]
        lines += [f"  {case.name}: {_differences(case)}" for case in imagined]
    lines += ["", *(f"no {name}: {reason}" for name, reason in found.absent.items())]
    return lines if out is None else [*lines, f"written to {out}"]


def _strongest(view: View, most: int = 3) -> list[str]:
    """The strongest values of a view with one row; others are pictures rather than lines."""
    if view.kind not in ("strip", "photo-map") or len(view.values) != 1:
        return []
    row = view.values[0]
    order = sorted(range(len(row)), key=lambda i: -abs(row[i]))[:most]
    return [f"  {row[i]:+.3g}  {view.axes[1][i]}" for i in order]


def _differences(case: Counterfactual) -> str:
    real = [change for change in case.changes if change.kind != "kept"]
    if not real:
        return "the same answer"
    return "; ".join(
        f"{change.kind} {' → '.join(_name(side) for side in (change.before, change.after) if side)}"
        for change in real
    )


def _name(side: Any) -> str:
    text = getattr(side, "text", "")
    return f'{side.label} "{text}"' if text else str(side.label)
