"""``python -m mmdemo review``: bring posts in, let a model propose, export; see also `review_reports`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from mmdemo.commands.review_import import import_
from mmdemo.commands.review_reports import Json, Place, QueueName, agreement, freeze, history, list_, report
from mmdemo.datasets.discovery import default_for
from mmdemo.formats.table import FORMATS
from mmdemo.review.names import count_posts
from mmdemo.types import quoted

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Annotation review: from predictions to corrected data. The editor is the app's Review tab.\n\n"
    f"A first session: review import posts.jsonl --queue may --dataset {default_for('entities').name}; "
    "review predict --queue may; python app.py; review export --queue may --format conll --output may.txt",
)

app.command("list")(list_)
app.command()(history)
app.command()(agreement)
app.command()(freeze)


app.command("import")(import_)


@app.command()
def predict(
    queue: QueueName,
    model: Annotated[str, typer.Option(help="Which encoders.")] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help="Whose answers are suggested.")] = "film",
    compare: Annotated[
        str, typer.Option(help="Further fusions, by commas, for the order by disagreement.")
    ] = "",
    flip: Annotated[
        bool, typer.Option(help="Also answer without the photo, for the order by image flip.")
    ] = True,
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    batch: Annotated[int, typer.Option(min=1, max=256, help="Posts in one forward pass.")] = 16,
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Let a cell propose answers for the undecided posts; a run that was cut off goes on where it stopped.

    Example: python -m mmdemo review predict --queue may --fusion film --compare attention,concat
    """
    from mmdemo.answer.preannotation import predict_queue
    from mmdemo.cells.catalogue import find_cell
    from mmdemo.review.store.reviews import open_store

    store = open_store(place)
    scheme = store.progress(queue).queue.scheme
    names = [fusion, *(name.strip() for name in compare.split(",") if name.strip())]
    cell, *others = [find_cell(scheme, model, name, preset) for name in names]
    with tqdm(total=0, unit="post", file=sys.stderr, disable=as_json) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        made = predict_queue(store, queue, cell, others=others, blind=flip, batch=batch, progress=progress)
    report(
        {"suggested": made, "checkpoint": cell.name},
        as_json,
        f"{count_posts(made)} predicted by {cell.name}",
    )


@app.command()
def export(
    queue: QueueName,
    output: Annotated[Path, typer.Option(help="The file to write; for brat a new folder.")],
    format_: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "jsonl",
    photos: Annotated[Path | None, typer.Option(help="Also copy the photos to this folder.")] = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave out what the format cannot hold, instead of refusing.")
    ] = False,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="Also say who decided, when, on which cell's answer.")
    ] = False,
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Write the decided posts. The file is read back and compared before it takes its place.

    Example: python -m mmdemo review export --queue may --format conll --output may.txt --photos photos/
    """
    from mmdemo.review.export import export as write
    from mmdemo.review.store.reviews import open_store

    done = write(open_store(place), queue, output, format_, photos=photos, skip=skip, decisions=decisions)
    lines = [f"{count_posts(done.posts)} written to {done.path}; {done.rejected} rejected ones left out"]
    lines += [f"note: {lacking}" for lacking in done.lacking]
    lines += [f"{quoted(ref)} written without {what}" for ref, what in done.reduced.items()]
    lines += [f"left out {quoted(ref)}: {why}" for ref, why in done.left_out.items()]
    report(asdict(done) | {"path": str(done.path)}, as_json, *lines)
