"""The formats of a reviewed queue, and what each of them cannot hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdemo.formats import brat, label_studio, plain, spacy
from mmdemo.review.records import Answer, Labelled
from mmdemo.types import InputError, quoted

#: Longest file name that every usual file system takes, less room for the suffix.
_STEM = 240


@dataclass(frozen=True, kw_only=True)
class Format:
    """``problem`` says why a post with its answer cannot be written, or None.

    ``name_of`` is what the file calls a post, which must be unique in it. ``text`` and ``photo_id`` say
    whether those come back. ``path`` is a file's usual suffix, or "" for a folder.
    """

    holds: str
    suffix: str
    write: Callable[[Path, Sequence[Labelled]], None]
    read: Callable[[Path, str], list[Labelled]]
    problem: Callable[[Labelled], str | None]
    name_of: Callable[[Labelled], str | None] = lambda item: item.post.id
    text: bool = False
    photo_id: bool = False


def _conll(item: Labelled) -> str | None:
    fields = [*item.post.tokens, plain.conll_name(item.post) or "-"]
    if _answer(item).links:
        return "CoNLL holds no relations"
    if any(c in field for field in fields for c in "\t\n\r"):
        return "CoNLL holds no word or photo id with a tab or line break"
    return _empty_word(item) or _overlap(item, "CoNLL")


def _mnre(item: Labelled) -> str | None:
    if _answer(item).entities:
        return "MNRE holds no entities"
    return None if _answer(item).links else "MNRE holds only posts with a relation"


def _spacy(item: Labelled) -> str | None:
    if _answer(item).links:
        return "spaCy's documents hold no relations"
    return _empty_word(item) or _overlap(item, "spaCy")


def _brat(item: Labelled) -> str | None:
    if len(brat.file_stem(item.post.id or "")) > _STEM:
        return "its id is too long for a file name"
    if any(c in token for token in item.post.tokens for c in " \n\r"):
        return "brat parts words by blanks, and one of its words holds one"
    return _empty_word(item)


def _anything(item: Labelled) -> None:
    return None


def _empty_word(item: Labelled) -> str | None:
    """A word without characters has no place in a text."""
    return None if all(item.post.tokens) else "one of its words is empty"


def _answer(item: Labelled) -> Answer:
    return item.answer or Answer()


def _overlap(item: Labelled, name: str) -> str | None:
    spans = sorted((e.start, e.end) for e in _answer(item).entities)
    crossing = any(end > start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    return f"{name} holds no overlapping entities" if crossing else None


FORMATS: dict[str, Format] = {
    "conll": Format(
        holds="words, entities, photo ids",
        suffix=".txt",
        write=plain.write_conll_file,
        read=plain.read_conll_file,
        problem=_conll,
        name_of=lambda item: plain.conll_name(item.post),
    ),
    "mnre": Format(
        holds="words, relations, ids, photo ids",
        suffix=".txt",
        write=plain.write_mnre_file,
        read=plain.read_mnre_file,
        problem=_mnre,
        photo_id=True,
    ),
    "jsonl": Format(
        holds="everything",
        suffix=".jsonl",
        write=plain.write_jsonl_file,
        read=plain.read_jsonl_file,
        problem=_anything,
        text=True,
        photo_id=True,
    ),
    "label-studio": Format(
        holds="everything",
        suffix=".json",
        write=label_studio.write,
        read=label_studio.read,
        problem=_empty_word,
        text=True,
        photo_id=True,
    ),
    "spacy": Format(
        holds="words, entities, ids",
        suffix=".jsonl",
        write=spacy.write,
        read=spacy.read,
        problem=_spacy,
    ),
    "brat": Format(
        holds="words, entities, relations, ids",
        suffix="",
        write=brat.write,
        read=brat.read,
        problem=_brat,
    ),
}


def find_format(name: str) -> Format:
    """The named format. Raises InputError for an unknown one."""
    if name not in FORMATS:
        raise InputError(f"unknown format {quoted(name)}; known: {', '.join(FORMATS)}")
    return FORMATS[name]
