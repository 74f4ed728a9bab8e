"""Command line of training: ``python -m train --help``."""

import sys

import typer

from mmdemo.terminal import log_safely, say
from mmdemo.types import InputError
from train.commands import base, exploring, run, score, zoo
from train.commands.diff import diff
from train.publish.push import push

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Check data, train cells of the zoo, and score them. Each command's --help has an example.",
)
app.command()(run.prepare)
app.command()(run.recipes)
app.command()(run.run)
app.command()(run.row)
app.command()(score.evaluate)
app.command()(score.rescore)
app.command()(score.results)
app.command()(diff)
app.command()(base.base)
app.command()(base.sizes)
app.command()(push)
app.command()(zoo.zoo)
app.command()(score.calibrate)
app.command("photo_effect")(score.photo_effect)
app.command()(score.elsewhere)
app.command()(score.triples)
app.command()(zoo.seeds)
app.command("simulate_review")(zoo.simulate_review)
app.command()(exploring.analyse)
app.command()(exploring.tune)


def main() -> None:
    """Run the command line; a person's mistake is one sentence and exit code 2."""
    log_safely()
    try:
        app()
    except InputError as error:
        sys.exit(_fail(error))


def _fail(error: InputError) -> int:
    """Say the sentence on standard error; the exit code of bad input."""
    say(f"error: {error}", error=True)
    return 2


if __name__ == "__main__":
    main()
