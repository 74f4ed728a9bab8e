"""Command line: ``python -m mmdemo --help``."""

import sys

import typer

from mmdemo.commands import batch, compare, explain, extract, formats, photo, predict, zoo
from mmdemo.commands.dataset import app as dataset
from mmdemo.commands.review import app as review
from mmdemo.space.command import space
from mmdemo.terminal import log_safely, say
from mmdemo.types import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Entities and relations from a post and its photo. The app: python app.py",
)

app.command(help=predict.HELP)(predict.predict)
app.command(help=extract.HELP)(extract.extract)
app.command(help=batch.HELP)(batch.batch)
app.command(help=explain.HELP)(explain.explain)
app.command()(space)
app.command(help=compare.HELP)(compare.compare)
app.command()(zoo.zoo)
app.command()(formats.formats)
app.command(help=photo.HELP)(photo.photo)
app.add_typer(dataset, name="dataset")
app.add_typer(review, name="review")


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
