"""``python -m mmdemo compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.terminal import say, say_json


def compare(
    dataset: Annotated[str, typer.Option(help="twitter2015, twitter2017 (entities) or mnre (a relation).")],
    text: Annotated[str, typer.Option(help="The tweet; for mnre with [E1]…[/E1] and [E2]…[/E2].")],
    across: Annotated[
        str, typer.Option(help="fusions (all of --model) or models (all with --fusion).")
    ] = "fusions",
    model: Annotated[str, typer.Option(help="Whose fusions to compare.")] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help="With which fusion to compare models.")] = "film",
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    image: Annotated[Path | None, typer.Option(help="The photo: JPEG, PNG, WEBP, GIF or BMP.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the comparison as one HTML file.")] = None,
) -> None:
    """Compare what all fusions of a model, or all models with a fusion, say of one tweet.

    Example: python -m mmdemo compare --dataset twitter2017 --image photo.jpg --html out.html
    --text "Kevin Durant enters Oracle Arena"
    """
    from mmdemo.answer import compare as comparing
    from mmdemo.answer import pipeline
    from mmdemo.types import InputError
    from mmdemo.ui.compare.agreement import comparison_json
    from mmdemo.ui.compare.page import page_html

    cells = comparing.side_by_side(dataset, across=across, model=model, fusion=fusion, preset=preset)
    ready = [cell for cell in cells if cell.problem is None]
    if not ready:
        raise InputError(cells[0].problem or "no checkpoint is ready")
    found = comparing.compare(pipeline.read_post(text, dataset, image), ready)
    answer = comparison_json(found)
    answer["not_ready"] = {cell.name: cell.problem for cell in cells if cell.problem}
    if html is not None:
        metrics = [pipeline.describe(cell)["metrics"] for cell in ready]
        try:
            html.write_text(page_html(found, metrics), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html} cannot be written: {error.strerror}") from error
    if as_json:
        say_json(answer)
    else:
        say(*lines(answer), *([] if html is None else [f"written to {html}"]))


def lines(answer: dict[str, Any]) -> list[str]:
    """The comparison for a terminal: a line a row, disagreements first, a column an answer."""
    names = [one["checkpoint"] for one in answer["answers"]]
    short = _own_parts(names)
    widths = [max(len(name), 12) for name in short]
    signs = {"all": "=", "some": "~", "types": "≠", "nobody": " "}
    table = [f"{'':2}{'':28}" + "".join(f"  {n:<{w}}" for n, w in zip(short, widths, strict=True))]
    for row in answer["rows"]:
        says = [row["answers"][name] for name in names]
        cells = [f"  {_say(say):<{width}}" for say, width in zip(says, widths, strict=True)]
        table.append(
            f"{signs[row['agreement']]} {row.get('text', row.get('relation'))[:28]:<28}{''.join(cells)}"
        )
    if not answer["rows"]:
        table.append("no entity found")
    table += [f"not ready: {problem}" for problem in answer["not_ready"].values()]
    passes = len({one["encoder_pass"] for one in answer["answers"]})
    table.append(f"{len(names)} answers, encoder passes: {passes}, {answer['total_ms']:.0f} ms")
    return [line.rstrip() for line in table]


def _say(say: dict[str, Any]) -> str:
    """A span's label and score, a relation's score with an arrow where it is the answer, or a dot."""
    if say["score"] is None:
        return "·"
    score = f"{say['score']:.1%}"
    if say["label"] is None:
        return score
    is_relation = say["label"] == "None" or say["label"].startswith("/")
    return f"{score} ←" if is_relation else f"{say['label']:5} {score}"


def _own_parts(names: list[str]) -> list[str]:
    """What tells checkpoints apart: their fusion where the model is one, else their model."""
    parts = [name.split("/") for name in names]
    place = 3 if len({part[2] for part in parts}) == 1 else 2
    return [part[place] for part in parts]
