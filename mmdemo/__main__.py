"""Command line: ``python -m mmdemo --help``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.batch.command import batch
from mmdemo.commands.compare import compare
from mmdemo.commands.explain import explain
from mmdemo.commands.review import app as review
from mmdemo.commands.zoo import zoo
from mmdemo.space.command import space
from mmdemo.terminal import log_safely, say, say_json
from mmdemo.types import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Entities and relations from a tweet and its photo. The app: python app.py",
)


@app.command()
def predict(
    dataset: Annotated[str, typer.Option(help="twitter2015, twitter2017 (entities) or mnre (a relation).")],
    text: Annotated[str, typer.Option(help="The tweet; for mnre with [E1]…[/E1] and [E2]…[/E2].")],
    model: Annotated[str, typer.Option(help="Which encoders.")] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help="How both are fused; `mmdemo zoo` lists all.")] = "film",
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    image: Annotated[Path | None, typer.Option(help="The photo: JPEG, PNG, WEBP, GIF or BMP.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict the entities of a tweet, or the relation of its marked pair.

    Example: python -m mmdemo predict --dataset mnre --fusion film --image photo.jpg
    --text "[E1] Lauren Bacall [/E1] on the set of [E2] Key Largo [/E2]"
    """
    from mmdemo.answer import pipeline
    from mmdemo.ui.shell.view import prediction_json

    cell = pipeline.find_cell(dataset, model, fusion, preset)
    answer = prediction_json(pipeline.predict(pipeline.read_post(text, dataset, image), cell))
    say_json(answer) if as_json else say(*_lines(answer))


app.command()(batch)
app.command()(explain)
app.command()(space)
app.command()(compare)
app.command()(zoo)
app.add_typer(review, name="review")


def _lines(answer: dict) -> list[str]:
    lines = [f"{e['score']:6.1%}  {e['label']:5} {e['text']}" for e in answer.get("entities", [])]
    lines += [f"{r['score']:6.1%}  {r['label']}" for r in answer.get("relations", [])]
    lines = lines or ["no entity found"]
    lines += [f"note: {warning}" for warning in answer["warnings"]]
    photo = "with the photo" if answer["image_used"] else "without a photo"
    return [*lines, f"by {answer['checkpoint']}, {photo}"]


def main() -> None:
    """Run the command line; a person's mistake is one sentence and exit code 2."""
    log_safely()
    try:
        app()
    except InputError as error:
        say(f"error: {error}", error=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
