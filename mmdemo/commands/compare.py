"""``python -m mmdemo compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.commands.options import (
    FUSION,
    MODEL,
    AsJson,
    DatasetName,
    Description,
    Photo,
    Preset,
    Text,
    described,
    example,
    told,
)
from mmdemo.terminal import say, say_json

HELP = told(
    "Compare what all fusions of a model, or all models with a fusion, say of one post.",
    example("compare", "entities", "--image", "photo.jpg", "--html", "out.html"),
)


def compare(
    dataset: DatasetName,
    text: Text,
    across: Annotated[
        str, typer.Option(help="fusions (all of --model) or models (all with --fusion).")
    ] = "fusions",
    model: Annotated[str, typer.Option(help="Whose fusions to compare.")] = MODEL,
    fusion: Annotated[str, typer.Option(help="With which fusion to compare models.")] = FUSION,
    preset: Preset = "lite",
    image: Photo = None,
    description: Description = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write the comparison as one HTML file.")] = None,
) -> None:
    """Compare, and print a table or write a page."""
    from mmdemo.answer import compare as comparing
    from mmdemo.answer.comparison_json import comparison_json
    from mmdemo.answer.photo_words import words_for
    from mmdemo.cells.catalogue import describe
    from mmdemo.posts.question import read_post
    from mmdemo.types import InputError

    cells = comparing.side_by_side(dataset, across=across, model=model, fusion=fusion, preset=preset)
    ready = [cell for cell in cells if cell.problem is None]
    if not ready:
        raise InputError(cells[0].problem or "no checkpoint is ready")
    words = words_for(ready, image, described(description))
    question = read_post(text, ready[0].dataset, image, words)
    found = comparing.compare(question, ready)
    answer = comparison_json(found)
    answer["not_ready"] = {cell.name: cell.problem for cell in cells if cell.problem}
    if html is not None:
        from mmdemo.ui.compare.page import page_html

        metrics = [describe(cell)["metrics"] for cell in ready]
        try:
            html.write_text(page_html(found, ready[0].dataset, metrics), encoding="utf-8")
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
        said = [_say(say, is_relation="relation" in row) for say in says]
        cells = [f"  {text:<{width}}" for text, width in zip(said, widths, strict=True)]
        table.append(
            f"{signs[row['agreement']]} {row.get('text', row.get('relation'))[:28]:<28}{''.join(cells)}"
        )
    if not answer["rows"]:
        table.append("no entity found")
    table += [f"not ready: {problem}" for problem in answer["not_ready"].values()]
    passes = len({one["encoder_pass"] for one in answer["answers"]})
    table.append(f"{len(names)} answers, encoder passes: {passes}, {answer['total_ms']:.0f} ms")
    return [line.rstrip() for line in table]


def _say(say: dict[str, Any], *, is_relation: bool) -> str:
    """A span's label and score, a relation's score with an arrow where it is the answer, or a dot."""
    if say["score"] is None:
        return "·"
    score = f"{say['score']:.1%}"
    if say["label"] is None:
        return score
    return f"{score} ←" if is_relation else f"{say['label']:5} {score}"


def _own_parts(names: list[str]) -> list[str]:
    """What tells checkpoints apart: their fusion where the model is one, else their model."""
    from mmdemo.cells.name import CellName

    parts = [CellName.parse(name) for name in names]
    one_model = len({part.model for part in parts}) == 1
    return [part.fusion if one_model else part.model for part in parts]
