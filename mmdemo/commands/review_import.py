"""``python -m mmdemo review import``: posts of any known format into a queue, with a preview."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from tqdm import tqdm

from mmdemo.commands.review_reports import Json, Place, QueueName, report
from mmdemo.datasets.discovery import bundled, reviewed_as
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.table import SOURCES
from mmdemo.review.names import check_name, count_posts
from mmdemo.types import InputError, quoted

Choice = TypeVar("Choice", bound=str)

#: Posts from which on a bar shows how far the import is.
WATCHED = 2_000


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
        Path | None, typer.Option(help="Folder or zip of photos, or of a public archive; named by photo id.")
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
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="OLD=NEW: another name for a label of the file; OLD= leaves it out."),
    ] = None,
    bad_rows: Annotated[
        str, typer.Option(help="Damaged rows: skip them and take the others, or stop and take none.")
    ] = "skip",
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would come in; nothing is stored.")
    ] = False,
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Add posts to a queue, or take corrections of an export in; either can be repeated.

    A file, an archive or a folder of any format that is known. Example: python -m mmdemo review import
    train.txt --queue may --dataset NAME --images photos/ --preview
    """
    from mmdemo.formats.given.photos import Photos
    from mmdemo.formats.shared.labels import read_names
    from mmdemo.review import importing
    from mmdemo.review.store.intake import USES
    from mmdemo.review.store.reviews import open_store

    wish = importing.Wish(
        source=source,
        names=read_names(maps or ()),
        bad_rows=_one_of(bad_rows, importing.BAD_ROWS, "use of damaged rows"),
        use=_one_of(answers, USES, "use of answers"),
    )
    store, queue = open_store(place), check_name(queue, "queue")
    known = {found.name: found for found in store.queues()}.get(queue)
    if dataset is None and known is None:
        raise InputError(f"the queue {quoted(queue)} is new; say its label scheme by --dataset")
    scheme = known.scheme if known and not dataset else reviewed_as(_dataset(dataset or ""))
    photos = Photos(
        folder=images, pairs=pairs, split=split, trusted=(store.photos,), descriptions=descriptions
    )
    if preview:
        seen = importing.preview(path, scheme, photos, wish)
        return report(importing.look_row(seen), as_json, *importing.look_lines(seen))
    if corrections:
        done = importing.correct(store, queue, path, scheme, photos, wish, reviewer)
        return _say_changed(len(done.keys), list(done.kept.values()), as_json)
    double = known.double if known and not double else double

    def watch(items: Iterable[importing.Row], total: int) -> Iterable[importing.Row]:
        quiet = as_json or total < WATCHED
        return tqdm(items, total=total, unit="post", file=sys.stderr, disable=quiet)

    added = importing.bring(
        store, queue, path, scheme, photos, wish, double=double, reviewer=reviewer, watch=watch
    )
    lines = [
        f"{count_posts(added.added)} added, {added.known} there already",
        *(f"note: {w}" for w in added.warnings),
    ]
    report(asdict(added), as_json, *lines)


def _dataset(name: str) -> Dataset:
    """The dataset of a name. PyTorch takes seconds: it is loaded only where no bundled one is called so."""
    known = bundled()
    if name in known:
        return known[name]
    from mmdemo.cells.catalogue import dataset_named

    return dataset_named(name)


def _one_of(value: str, known: tuple[Choice, ...], what: str) -> Choice:
    for one in known:
        if one == value:
            return one
    raise InputError(f"unknown {what} {quoted(value)}; known: {', '.join(known)}")


def _say_changed(changed: int, kept: list[str], as_json: bool) -> None:
    lines = [f"{count_posts(changed)} changed", *(f"kept: {why}" for why in kept)]
    report({"changed": changed, "kept": kept}, as_json, *lines)
