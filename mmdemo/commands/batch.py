"""``python -m mmdemo batch``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmdemo.commands.options import (
    FUSION,
    MODEL,
    CellText,
    DatasetOrCell,
    Fusion,
    Model,
    Preset,
    cell_of,
    told,
)
from mmdemo.datasets.discovery import default_for
from mmdemo.formats.table import SOURCES
from mmdemo.terminal import say
from mmdemo.types import InputError, quoted

if TYPE_CHECKING:
    from mmdemo.batch.job import Engine

ENGINES = ("local", "ray")


HELP = told(
    "Answer every post of a file: a line for each, in order, with its id and what predict --json prints.",
    "What a row says of its photo, as description, alt_text or photo_words, comes back in the answer.",
    'A post that cannot be answered becomes a line with "error". Run again, a job goes on where it was cut '
    "off: it keeps the lines that are there, errors too, by id. Give posts ids, and use --anew when posts "
    "change.",
    f"Example: python -m mmdemo batch --dataset {default_for('entities').name} --input posts.jsonl --output "
    "answers.jsonl",
)


def batch(
    posts: Annotated[
        Path,
        typer.Option(
            "--input",
            help=".jsonl, .csv or .parquet with text, and perhaps id, image and description or alt_text; or "
            "a file, archive or folder of any other format that reviews take.",
        ),
    ],
    output: Annotated[Path, typer.Option(help="JSON lines; a job that was cut off goes on there.")],
    dataset: DatasetOrCell = None,
    model: Model = MODEL,
    fusion: Fusion = FUSION,
    preset: Preset = "lite",
    cell: CellText = None,
    source: Annotated[str, typer.Option("--format", help=f"{', '.join(SOURCES)}; or auto.")] = "auto",
    images: Annotated[
        Path | None,
        typer.Option(help="Folder or zip that image paths start from and stay in; the input's if not said."),
    ] = None,
    engine: Annotated[str, typer.Option(help="local, or ray (mmdemo/batch/requirements.txt).")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Ray: processes that each hold a model.")] = 2,
    anew: Annotated[bool, typer.Option("--anew", help="Replace the output instead of going on.")] = False,
    extract: Annotated[
        bool, typer.Option("--extract", help="Entities and the relations between them, as extract has them.")
    ] = False,
    entities: Annotated[
        str | None, typer.Option(help="With --extract: who finds entities; the best if not said.")
    ] = None,
    relations: Annotated[
        str | None, typer.Option(help="With --extract: who tells relations; the best if not said.")
    ] = None,
    triples: Annotated[
        list[Path] | None,
        typer.Option(help="With --extract: all triples in one .csv, .parquet, .graphml or .jsonld."),
    ] = None,
) -> None:
    """Answer a file of posts into a file of JSON lines."""
    from mmdemo.batch.given import rows_of
    from mmdemo.batch.job import Job, run

    if engine not in ENGINES:
        raise InputError(f"unknown engine {quoted(engine)}; known: {', '.join(ENGINES)}")
    if extract:
        from mmdemo.answer.extraction.defaults import cell_pair
        from mmdemo.answer.extraction.triples import check_ending

        for table in triples or []:
            check_ending(table)
        if dataset is not None or cell is not None:
            raise InputError("--extract takes --entities and --relations in place of --dataset and --cell")
        pair = cell_pair(entities, relations, preset)
        chosen, related = pair.entities, pair.relations
    elif entities or relations or triples:
        raise InputError("--entities, --relations and --triples belong to --extract")
    else:
        chosen, related = cell_of(dataset, model, fusion, preset, cell), None
    pairs = not extract and not chosen.dataset.has_entities
    with rows_of(posts, output, chosen.dataset, images, source, pairs=pairs) as rows:
        for note in rows.notes:
            say(f"note: {note}", error=True)
        job = Job(
            cell=chosen,
            relations=related,
            extract=extract,
            posts=rows.posts.absolute(),
            images=rows.images.absolute(),
            output=output.absolute(),
        )
        report = run(job, _engine(engine, workers), anew=anew)
    for table in triples or []:
        from mmdemo.answer.extraction.triples import write_triples
        from mmdemo.batch.job import triples_in

        write_triples(table, triples_in(job.output))
    earlier = f", {report.found} were there" if report.found else ""
    say(f"{report.answered} posts answered{earlier}; {report.errors} with an error", error=True)


def _engine(name: str, workers: int) -> "Engine":
    """What answers the chunks: this process, or many."""
    if name == "ray":
        from mmdemo.batch.ray_engine import ray_engine

        return ray_engine(workers)
    from mmdemo.batch.job import one_process

    return one_process
