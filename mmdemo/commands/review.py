"""``python -m mmdemo review``: bring posts in, let a model propose, export; see also `review_reports`."""

import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from mmdemo.commands.review_reports import Json, Place, QueueName, agreement, freeze, history, list_, report
from mmdemo.datasets.discovery import bundled, default_for, reviewed_as
from mmdemo.formats.table import FORMATS, SOURCES
from mmdemo.review.names import check_name, count_posts
from mmdemo.types import InputError, quoted

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


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A file, or a folder (photos with .txt beside them, brat).")],
    queue: QueueName,
    dataset: Annotated[
        str | None,
        typer.Option(help=f"Labels of a new queue: {', '.join(bundled())}, or a folder with a dataset.toml."),
    ] = None,
    source: Annotated[
        str,
        typer.Option("--format", help=f"{', '.join(SOURCES)}; or auto."),
    ] = "auto",
    images: Annotated[
        Path | None, typer.Option(help="Folder of photos, or of a public archive; named by photo id.")
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="csv of stand-in photos (shared data).")] = None,
    split: Annotated[str, typer.Option(help="Which split's photos to look in.")] = "train",
    descriptions: Annotated[
        Path | None,
        typer.Option(help="JSON lines of what the photos show: image_id, and one or several descriptions."),
    ] = None,
    answers: Annotated[
        str, typer.Option(help="Answers in the file: suggest them, ignore them, or accept them as decided.")
    ] = "suggest",
    double: Annotated[bool, typer.Option("--double", help="A new queue: two blind reviews a post.")] = False,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="The file is a corrected export: decide its posts by id.")
    ] = False,
    reviewer: Annotated[str, typer.Option(help="Whose decisions these then are.")] = "import",
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Add posts to a queue, or take corrections of an export in; either can be repeated.

    Example: python -m mmdemo review import train.txt --queue may --dataset NAME --images photos/
    """
    from mmdemo.cells.catalogue import dataset_named
    from mmdemo.formats.format import cut_notes
    from mmdemo.formats.photos import Photos, Sought
    from mmdemo.formats.reading import read_posts
    from mmdemo.review.export import apply_corrections
    from mmdemo.review.store.intake import USES
    from mmdemo.review.store.reviews import open_store

    use = next((known for known in USES if known == answers), None)
    if use is None:
        raise InputError(f"unknown use of answers {quoted(answers)}; known: {', '.join(USES)}")
    store, queue = open_store(place), check_name(queue, "queue")
    known = {found.name: found for found in store.queues()}.get(queue)
    if dataset is None and known is None:
        raise InputError(f"the queue {quoted(queue)} is new; say its label scheme by --dataset")
    scheme = known.scheme if known and not dataset else reviewed_as(dataset_named(dataset or ""))
    photos = Photos(
        folder=images, pairs=pairs, split=split, trusted=(store.photos,), descriptions=descriptions
    )
    cut, sought = Counter[str](), Sought()
    items = read_posts(path, source, scheme, photos, shortened=cut, sought=sought)
    if corrections:
        done = apply_corrections(store, queue, items, reviewer)
        return _say_changed(len(done.keys), list(done.kept.values()), as_json)
    store.make_queue(queue, scheme, double=known.double if known and not double else double)
    added = store.add(queue, items, use=use, reviewer=reviewer)
    added = replace(added, warnings=(*added.warnings, *cut_notes(cut), *sought.notes()))
    lines = [
        f"{count_posts(added.added)} added, {added.known} there already",
        *(f"note: {w}" for w in added.warnings),
    ]
    report(asdict(added), as_json, *lines)


def _say_changed(changed: int, kept: list[str], as_json: bool) -> None:
    lines = [f"{count_posts(changed)} changed", *(f"kept: {why}" for why in kept)]
    report({"changed": changed, "kept": kept}, as_json, *lines)


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
