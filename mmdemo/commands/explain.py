"""``python -m mmdemo explain``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.terminal import say, say_json
from mmdemo.types import Change, Counterfactual, Explanation, InputError, View


def explain(
    dataset: Annotated[str, typer.Option(help="twitter2015, twitter2017 (entities) or mnre (a relation).")],
    text: Annotated[str, typer.Option(help="The tweet; for mnre with [E1]…[/E1] and [E2]…[/E2].")],
    model: Annotated[str, typer.Option(help="Which encoders.")] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help="Which fusion.")] = "film",
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    image: Annotated[Path | None, typer.Option(help="The photo: JPEG, PNG, WEBP, GIF or BMP.")] = None,
    target: Annotated[
        int | None, typer.Option(help="A word's index (entities) or a relation's rank, from 0 on.")
    ] = None,
    view: Annotated[list[str] | None, typer.Option(help="Only this view; may be repeated.")] = None,
    other: Annotated[
        list[Path] | None, typer.Option(help="A photo to set the tweet's own against; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with all numbers.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write a PNG and a CSV file for each view, and explanation.json.")
    ] = None,
    dark: Annotated[bool, typer.Option(help="Draw on a dark ground.")] = False,
) -> None:
    """Explain an answer: what the fusion did, which regions and words counted, and what else might have been.

    Without --other, the app's example photos stand in. Example: python -m mmdemo explain --dataset mnre
    --fusion film --image photo.jpg --out why --text "[E1] Lauren Bacall [/E1] in [E2] Key Largo [/E2]"
    """
    from mmdemo.answer import pipeline
    from mmdemo.figures.numbers import explanation_json
    from mmdemo.ui.shell.examples import available
    from mmdemo.ui.shell.view import prediction_json

    cell = pipeline.find_cell(dataset, model, fusion, preset)
    post = pipeline.read_post(text, dataset, image)
    others = list(other) if other else [path for _, path in available()]
    found = pipeline.explain(post, cell, target=target, views=view, others=others)
    imagined = () if view else pipeline.counterfactuals(post, cell, others=others)
    answer = {
        "prediction": prediction_json(found.prediction),
        **explanation_json(found),
        "counterfactuals": [_counterfactual_json(case) for case in imagined],
    }
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


def _counterfactual_json(case: Counterfactual) -> dict[str, Any]:
    return {"name": case.name, "changes": [_change_json(change) for change in case.changes]}


def _change_json(change: Change) -> dict[str, Any]:
    sides = {"before": change.before, "after": change.after}
    return {
        "kind": change.kind,
        **{
            name: None
            if side is None
            else {"label": side.label, "text": getattr(side, "text", None), "score": side.score}
            for name, side in sides.items()
        },
    }


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
