"""``python -m mmdemo dataset``: make a dataset of one's own, look it over, list what there is."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.records import record_of
from mmdemo.datasets.schema import Dataset
from mmdemo.datasets.toml_file import FILE, read_toml, write_toml

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Datasets: any texts with entities, relations or both, with labels of any names.\n\n"
    "A first session: dataset new FOLDER; dataset check FOLDER; then python -m train --help",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def new(
    folder: Annotated[
        Path,
        typer.Argument(help="A folder of labelled files, perhaps with photos and a file of what they show."),
    ],
    name: Annotated[str, typer.Option(help="The dataset's name; the folder's if not said.")] = "",
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    force: Annotated[bool, typer.Option("--force", help=f"Replace a {FILE} that is there.")] = False,
    merge_case: Annotated[
        bool, typer.Option("--merge-case", help="Labels that differ by letter case only are one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a folder's dataset.toml: which labels its files have, where its splits and photos are.

    Example: python -m mmdemo dataset new data/music
    """
    from mmdemo.surveys.new import new_dataset  # here, as below: formats take a moment

    made = new_dataset(folder, name=name, title=title, force=force, merge_case=merge_case)
    if as_json:
        return _print_json(
            {
                "path": str(made.path),
                "dataset": record_of(made.dataset),
                "files": [
                    {"path": f.path, "format": f.format, "split": f.split, "posts": len(f.rows)}
                    for f in made.survey.files
                ],
                "entities": made.survey.entity_counts,
                "relations": made.survey.relation_counts,
                "unread": made.survey.unread,
                "left_out": made.survey.left_out,
                "made_splits": made.made_splits,
                "notes": made.notes,
            }
        )
    dataset = made.dataset
    for file in made.survey.files:
        print(f"{file.path}: {len(file.rows):,} posts, {file.format}, {file.split or 'no split in its name'}")
    for path, why in made.survey.unread.items():
        print(f"not read: {path}: {why}")
    for what, count in made.survey.left_out.items():
        print(f"left out: {count:,} × {what}")
    for note in made.notes:
        print(f"note: {note}")
    if made.made_splits:
        print(f"splits made, alike in labels, no text in two: {', '.join(made.made_splits)}")
    print(f"photos: {', '.join(dataset.files.photos) or 'none, text only'}")
    if dataset.files.descriptions:
        print(f"words of photos: {dataset.files.descriptions}")
    print(_labels("entities", dataset.entity_labels, made.survey.entity_counts))
    print(_labels("relations", dataset.relation_labels[1:], made.survey.relation_counts))
    print(f"{made.path} written: yours to edit. Next: python -m mmdemo dataset check {folder}")


def _labels(kind: str, labels: tuple[str, ...], counts: dict[str, int]) -> str:
    return f"{len(labels)} {kind}: {', '.join(f'{label} ({counts[label]:,})' for label in labels) or '-'}"


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help=f"A data folder with a {FILE}.")],
    name: Annotated[str, typer.Option(help="Or of this dataset that comes with the program.")] = "",
    as_json: Json = False,
) -> None:
    """Count what a dataset's splits hold, and what in them a model cannot learn or a person should look at.

    Example: python -m mmdemo dataset check data/music
    """
    from mmdemo.surveys.check import check

    dataset = find_dataset(name) if name else read_toml(folder)
    report = check(folder if folder.is_dir() else folder.parent, dataset)
    if as_json:
        return _print_json(asdict(report))
    print(f"{dataset.title}: {', '.join(dataset.tasks)}")
    for line in _report_lines(report):
        print(line)


def _report_lines(report: Any) -> Iterator[str]:
    for split, found in report.splits.items():
        yield f"{split}: {found.posts:,} posts, {found.words:,} words"
        for kind, counts in (("entities", found.entities), ("relations", found.relations)):
            if counts:
                named = ", ".join(f"{label} {count:,}" for label, count in counts.items())
                yield f"  {sum(counts.values()):,} {kind}: {named}"
        facts = {
            "pairs of entities share words": found.overlapping,
            "of these are nested": found.nested,
            "entities stand inside or across longer ones, which models cannot express": found.unlearnt,
            "pairs have several relations, of which models learn one": found.twice,
            "relations join a span that is no entity": found.unlabelled,
            "relations join labels that the record does not let them join": found.misfits,
            "posts have no photo": found.without_photo,
            **{f"left out: {what}": count for what, count in found.left_out.items()},
        }
        if found.described:
            named = ", ".join(f"{name} {count:,}" for name, count in found.described.items())
            yield f"  posts with words of their photo: {named}"
        yield from (f"  {count:,} {what}" for what, count in facts.items() if count)
    yield from (f"{count:,} texts are in both {names}" for names, count in report.shared_texts.items())
    if report.seen_once:
        yield f"labels seen once: {', '.join(report.seen_once)}"
    if report.unseen:
        yield f"labels never seen: {', '.join(report.unseen)}"
    yield from (f"not read: {problem}" for problem in report.problems)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the datasets that come with the program.

    Example: python -m mmdemo dataset list
    """
    if as_json:
        return _print_json([record_of(dataset) for dataset in bundled().values()])
    for dataset in bundled().values():
        print(_line(dataset))


def _line(dataset: Dataset) -> str:
    counts = f"{len(dataset.entities)} entity labels, {len(dataset.relations)} relations"
    return f"{dataset.name}: {dataset.title}; finds {' and '.join(dataset.tasks)}; {counts}"


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A dataset's name, or a folder with a dataset.toml.")],
    as_json: Json = False,
) -> None:
    """Print a dataset's record.

    Example: python -m mmdemo dataset show data/music
    """
    dataset = find_dataset(name)
    if as_json:
        return _print_json(record_of(dataset))
    print(write_toml(dataset), end="")
