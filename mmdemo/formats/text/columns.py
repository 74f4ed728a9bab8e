"""Rows of a table with named columns, as questions: texts, or a word a row; with labels where there are any.

Columns are told by their names, whatever their case: a text, an id, a photo, what the photo shows, labels. Of
labels those are read whose cells are spans or tags (as JSON or a Python literal, or tags parted by blanks);
of others the import tells.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.photo_words import DESCRIBED, stated_words
from mmdemo.formats.shared.regions import Marked
from mmdemo.formats.shared.stated import labelled_keys, spans_in
from mmdemo.formats.shared.tags import are_bare, bare, bio, entities_of, is_tag
from mmdemo.formats.text.lines import check_text
from mmdemo.formats.text.literals import read_literal
from mmdemo.posts.question import read_text
from mmdemo.types import InputError, Post, Question, Span, quoted

TEXTS = ("text", "tweet", "sentence", "content", "post", "message", "body", "full_text", "tweet_text")
PHOTOS = ("image", "photo", "img", "picture", "image_path", "image_file", "image_name", "photo_path")
IDS = ("id", "tweet_id", "post_id", "ref", "_id", "uid", "index")
IMAGE_IDS = ("image_id", "img_id", "imgid", "photo_id", "imageid")
WORDS = ("word", "token", "words", "tokens")
SENTENCES = ("sentence #", "sentence_id", "sent_id", "sentence_no", "sentence", "post_id", "tweet_id", "id")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row's cells by column, and where it stands."""

    cells: Mapping[str, str]
    where: str
    number: int


def plain(name: str) -> str:
    """A column's name as it is looked for."""
    return name.strip().strip("\ufeff").casefold()


def is_header(names: Sequence[str]) -> bool:
    """Whether a row names the columns of texts, or of words and their tags."""
    found = {plain(name) for name in names}
    return bool(found & set(TEXTS)) or bool(found & set(WORDS) and labelled_keys(dict.fromkeys(found, 1)))


def questions(
    names: Sequence[str], rows: Iterable[Row], path: Path, dataset: Dataset | None, left: LeftOut
) -> Iterator[Question]:
    """The posts of a table. Raises InputError where it has no column of texts or words, or as its rows do."""
    columns = [plain(name) for name in names]
    text = _first(columns, TEXTS)
    word = _first(columns, WORDS)
    labels = labelled_keys(dict.fromkeys(columns, 1))
    if word is not None and labels and (text is None or text == "sentence"):
        yield from _sentences(rows, word, labels, _first(columns, SENTENCES), path, left)
    elif text is not None:
        table = _Table(columns, text, path, dataset, left)
        yield from left.each(rows, table.question)
    else:
        raise InputError(f"{path} line 1 must name the columns text and, if there are photos, image")


def _first(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in columns), None)


class _Table:
    """The columns of one table of texts."""

    def __init__(
        self, columns: Sequence[str], text: str, path: Path, dataset: Dataset | None, left: LeftOut
    ) -> None:
        self.text, self.path, self.dataset, self.left = text, path, dataset, left
        self.id, self.photo = _first(columns, IDS), _first(columns, PHOTOS)
        self.image_id = _first(columns, IMAGE_IDS)
        self.labels = [name for name in labelled_keys(dict.fromkeys(columns, 1)) if name != text]

    def question(self, row: Row) -> Question:
        cells, where = row.cells, row.where
        image = cells.get(self.photo or "") or None
        ref = cells.get(self.id or "") or f"{self.path.stem}:{row.number}"
        found = unread(cells.get(self.text) or "", self.dataset, where, ref, image)
        said = {key: cells.get(key) for key in DESCRIBED}
        image_id = cells.get(self.image_id or "") or found.post.image_id
        post = replace(found.post, photo_words=stated_words(said, where, self.left.cut), image_id=image_id)
        found = replace(found, post=post)
        for name in self.labels:
            if cell := cells.get(name, "").strip():
                found = self._labelled(found, name, cell, where)
        return found

    def _labelled(self, found: Question, name: str, cell: str, where: str) -> Question:
        """The question with what a cell states of it."""
        post, value = found.post, _value(cell)
        places = [place for place in post.offsets if place]
        if spans := spans_in(value, where):
            marked = Marked(post=post, text=post.text, places=places, left=self.left, own=True)
            for number, span in enumerate(spans):
                marked.mark(
                    number, span.start, span.end, span.label, where, stated=span.text, score=span.score
                )
            return question(marked.finish(relations=False), self.dataset)
        tags = value if isinstance(value, list) else cell.replace(",", " ").split()
        if tagged := _tagged(post, tags, where):
            return question(tagged, self.dataset)
        if value != []:
            self.left.pass_over(
                f"the labels of the column {quoted(name)}, which are no spans or tags: ignored"
            )
            return found
        return question(replace(post, entities=()), self.dataset)


def _tagged(post: Post, tags: Sequence[Any], where: str) -> Post | None:
    """The post with the entities of tags, of which there is one for each of its words, or each by blanks."""
    named = bool(tags) and all(map(is_tag, tags))
    if not named and not are_bare(tags):
        return None
    tokens, offsets = post.tokens, post.offsets
    if len(tokens) != len(tags):
        tokens = tuple(post.text.split())
        offsets = _places(post.text, tokens)
    if len(tokens) != len(tags):
        raise InputError(f"{where} has {len(tags)} tags for {len(tokens)} words")
    read = [bio(tag, where) if named else bare(tag) for tag in tags]
    entities, own = entities_of(tokens, read)
    return replace(post, tokens=tokens, offsets=offsets, entities=entities, tags=own)


def _places(text: str, tokens: Sequence[str]) -> tuple[Span, ...]:
    places, at = list[Span](), 0
    for token in tokens:
        at = text.index(token, at)
        places.append((at, at + len(token)))
        at += len(token)
    return tuple(places)


def _value(cell: str) -> Any:
    """A cell's list, as JSON or as a Python literal; None where it is neither."""
    if not cell.startswith("["):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        try:
            return read_literal(cell)
        except (ValueError, RecursionError):
            return None


def unread(text: str, dataset: Dataset | None, where: str, ref: str, image: str | None) -> Question:
    """A question from a text as a person wrote it, and the photo that a file names for it.

    Raises:
        InputError: no words, or marks that do not fit the dataset.
    """
    try:
        row = read_text(check_text(text, where), dataset)
    except InputError as error:
        raise error if str(error).startswith(where) else InputError(f"{where}: {error}") from error
    photo = Path(image) if image else None
    post = replace(row.post, id=ref, image=photo, image_id=photo.stem if photo else None)
    return replace(row, post=post)


def _sentences(
    rows: Iterable[Row], word: str, labels: Sequence[str], sentence: str | None, path: Path, left: LeftOut
) -> Iterator[Question]:
    """Posts of a table of a word a row: one ends where a column says so, or a row is empty."""
    tag = next((name for name in reversed(labels) if "pos" not in name and name != word), labels[-1])
    for name in labels:
        if name not in (tag, word):
            left.note(f"one column of labels more than is read: {quoted(tag)} counts")
    tokens, tags, ref, where = list[str](), list[str](), "", str(path)
    number = 0

    def post() -> Question:
        read = [bio(value, where) if is_tag(value) else bare(value) for value in tags]
        entities, own = entities_of(tokens, read)
        name = ref or f"{path.stem}:{number}"
        return question(
            Post(text=" ".join(tokens), tokens=tuple(tokens), entities=entities, tags=own, id=name)
        )

    for row in rows:
        token, here = row.cells.get(word, ""), row.cells.get(sentence or "", "").strip()
        if tokens and (not token or (here and here != ref)):
            number += 1
            yield from left.each([None], lambda _: post())
            tokens, tags = list[str](), list[str]()
        ref, where = here or ref, row.where
        if token:
            tokens.append(token)
            tags.append(row.cells.get(tag, "").strip() or "O")
    if tokens:
        number += 1
        yield from left.each([None], lambda _: post())
