"""``python -m mmdemo photo``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmdemo.commands.options import AsJson, told
from mmdemo.terminal import say, say_json
from mmdemo.types import InputError, PhotoSource, PhotoWords, quoted

if TYPE_CHECKING:  # reading takes seconds to import that --help should not
    from mmdemo.photo_words.reader import PhotoReader
    from mmdemo.photo_words.reading import PhotoReading

HELP = told(
    "Read the words off photos: text in them (ocr), names of what they show (objects), and a sentence "
    "about each (captioned), where MMDEMO_CAPTIONER=owner/name@revision names a model of the Hub.",
    "For each line: the source's own confidence, the source, the words, and for text its box: left, top, "
    "right, bottom in percent of the photo. What the rules of mmdemo/photo_words/rules.toml leave out is "
    "counted with the reason, and listed by --json.",
    "A photo is read once: what was read is kept in $MMDEMO_CACHE, else in ~/.cache/mmdemo. A folder is read "
    "by several processes; stopped, it goes on where it was.",
    "Examples: python -m mmdemo photo photo.jpg --json; python -m mmdemo photo photos/ --processes 2; "
    "python -m mmdemo photo photo.jpg --sources ocr --again",
)


def photo(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photos, or folders of them.", show_default=False)
    ],
    sources: Annotated[
        str | None,
        typer.Option(help="By commas: ocr, objects, captioned; or none. $MMDEMO_PHOTO_WORDS if not said."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read anew what was read before.")] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Of a folder's photos at once; one a core if not said.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read photos and print what they say."""
    from mmdemo.photo_words.reader import PhotoReader, configured_sources

    chosen = configured_sources(sources)
    if not chosen:
        raise InputError("no source is switched on: say --sources ocr,objects")
    files = list(_files(photos))
    reader = PhotoReader(sources=chosen)
    ahead = any(place.is_dir() for place in photos)
    if ahead:
        _read_folder(files, chosen, again, processes)
    rows = _rows(files, reader, again and not ahead)
    if as_json:
        say_json(list(rows))
    else:
        for row in rows:
            say(*_lines(row))


def _files(photos: list[Path]) -> Iterator[Path]:
    """Every photo that is meant. Raises InputError: one is not there, or a folder holds none."""
    from mmdemo.photo.lookup import is_file
    from mmdemo.photo_words.ahead import photos_in

    for place in photos:
        if place.is_dir():
            found = list(photos_in(place))
            if not found:
                raise InputError(f"there is no photo in the folder {quoted(str(place))}")
            yield from found
        elif is_file(place):
            yield place
        else:
            raise InputError(f"there is no photo or folder {quoted(str(place))}")


def _read_folder(
    files: list[Path], sources: tuple[PhotoSource, ...], again: bool, processes: int | None
) -> None:
    from mmdemo.photo_words.ahead import read_ahead

    done = read_ahead(files, sources=sources, processes=processes, again=again)
    say(
        f"{done.read} photos read, {done.kept} known already, {done.broken} that cannot be opened",
        *(f"note: {note} ({count} photos)" for note, count in done.notes.items()),
        error=True,
    )


def _rows(files: list[Path], reader: "PhotoReader", again: bool) -> Iterator[dict[str, Any]]:
    """A photo's reading as JSON, one after the other; a photo that cannot be opened is told as such.

    Raises:
        InputError: it is the only one.
    """
    from mmdemo.photo_words.reading import reading_json

    for file in files:
        try:
            reading: PhotoReading = reader.read(file, again=again)
        except InputError as error:
            if len(files) == 1:
                raise
            yield {"photo": str(file), "error": str(error)}
        else:
            yield {"photo": str(file), **reading_json(reading), "dropped_counts": reading.dropped_counts}


def _lines(row: dict[str, Any]) -> list[str]:
    from mmdemo.photo_words.reading import line_from_json

    lines = [row["photo"]]
    if "error" in row:
        return [*lines, f"  error: {row['error']}"]
    lines += [_line(line_from_json(words)) for words in row["words"]] or ["  no words found"]
    if row["dropped_counts"]:
        counts = ", ".join(f"{count} {why}" for why, count in row["dropped_counts"].items())
        lines.append(f"  left out: {counts}")
    return lines + [f"  note: {note}" for note in row["notes"]]


def _line(words: PhotoWords) -> str:
    score = f"{words.score:6.1%}" if words.score is not None else f"{'':6}"
    box = f"  [{' '.join(f'{100 * side:.0f}' for side in words.box)}]" if words.box else ""
    return f"  {score}  {words.source:9}  {words.text}{box}"
