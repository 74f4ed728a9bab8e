"""Read and write posts as Twitter CoNLL and MNRE (`mmdemo.formats.jsonl` has JSON lines).

`read_split` knows the folder layout of the public releases; the other functions take one file. Fields end
at a tab only: tweets hold tokens of NBSP or U+FE0F alone, which `str.split` would drop. Every reader
raises `InputError`, one sentence naming file and line.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.bio import ENTITY_TYPES, RELATIONS, spans_of, tags_of
from mmdemo.formats.lines import check_span, check_words, name_of, read_lines, write_text
from mmdemo.formats.shared.literals import read_literal
from mmdemo.types import Entity, InputError, Pair, Post, quoted

#: (dataset, split) -> its file, as UMT (Twitter) and MNRE v2 publish it.
FILES: dict[tuple[str, str], str] = {
    **{(d, s): f"{d}/{s}.txt" for d in ENTITY_TYPES for s in ("train", "valid", "test")},
    ("mnre", "train"): "mnre/mnre_train.txt",
    ("mnre", "valid"): "mnre/mnre_val.txt",
    ("mnre", "test"): "mnre/mnre_test.txt",
}


#: Characters of one line of MNRE; no published one has 500.
MAX_LINE = 1_000_000


def read_split(data_dir: Path, dataset: str, split: str) -> list[Post]:
    """The posts of one official split, without photos (see `mmdemo.photo.image.with_photos`).

    Raises:
        InputError: no such dataset, split or file, or the file cannot be read.
    """
    if (dataset, split) not in FILES:
        raise InputError(f"there is no split {quoted(split)} of a dataset {quoted(dataset)}")
    path = Path(data_dir) / FILES[dataset, split]
    return read_conll(path, ENTITY_TYPES[dataset]) if dataset in ENTITY_TYPES else read_mnre(path)


def gold_tags(post: Post) -> list[str]:
    """The post's BIO tags, one a token: the file's own while they still say what ``entities`` say.

    The file's tags differ from the rebuilt ones only at orphan I- tags. They give way to ``entities`` once
    a reviewer has changed those.

    Raises:
        InputError: the post states no entities, or they are empty, overlap or leave the tokens.
    """
    if post.entities is None:
        raise InputError(f"{name_of(post)} states no entities")
    if post.tags is not None and len(post.tags) == len(post.tokens):
        stated = {(entity.start, entity.end, entity.label) for entity in post.entities}
        if set(spans_of(post.tags)) == stated:
            return list(post.tags)
    try:
        return tags_of(post.entities, len(post.tokens))
    except InputError as error:
        raise InputError(f"{name_of(post)}: {error}") from error


def read_conll(path: Path, types: Sequence[str] | None = None) -> list[Post]:
    """Posts of a Twitter CoNLL file: ``IMGID:x``, then ``token<TAB>tag`` lines, a blank line after each post.

    Args:
        types: the entity types that may occur; None allows any.

    ``id`` and ``image_id`` are the IMGID; both are None where that line is empty or absent. Orphan I- tags
    open an entity, as in seqeval's default mode, and are kept as they are in ``tags`` (see `gold_tags`).

    Raises:
        InputError: a line has no tab or no token, a tag is unknown, or a post has no words.
    """
    posts: list[Post] = []
    image_id: str | None = None
    header, tokens, tags = 0, list[str](), list[str]()

    def flush() -> None:
        nonlocal image_id, header
        if header and not tokens:
            raise InputError(f"{path} line {header} starts a post that has no words")
        if tokens:
            posts.append(_conll_post(image_id, tokens, tags))
        image_id, header = None, 0
        tokens.clear()
        tags.clear()

    for number, line in read_lines(path):
        token, tab, tag = line.partition("\t")
        if not line:
            flush()
        elif line.startswith("IMGID:") and not tab:
            flush()
            image_id, header = line.removeprefix("IMGID:") or None, number
        elif not tab or not token:
            raise InputError(f"{path} line {number} is not a token, a tab and a tag: {line[:40]!r}")
        elif not _is_tag(tag, types):
            raise InputError(f"{path} line {number} has the unknown tag {quoted(tag)}")
        else:
            tokens.append(token)
            tags.append(tag)
    flush()  # T15's files end without a blank line
    return posts


def _is_tag(tag: str, types: Sequence[str] | None) -> bool:
    prefix, _, kind = tag.partition("-")
    return tag == "O" or (prefix in ("B", "I") and bool(kind) and (types is None or kind in types))


def _conll_post(image_id: str | None, tokens: list[str], tags: list[str]) -> Post:
    entities = tuple(
        Entity(start=start, end=end, label=label, text=" ".join(tokens[start:end]))
        for start, end, label in spans_of(tags)
    )
    return Post(
        text=" ".join(tokens),
        tokens=tuple(tokens),
        entities=entities,
        id=image_id,
        image_id=image_id,
        tags=tuple(tags) if tags != tags_of(entities, len(tokens)) else None,
    )


def write_conll(path: Path, posts: Sequence[Post]) -> None:
    """Write posts as Twitter CoNLL, which holds image ids, tokens and tags, but no text, scores or pairs.

    Raises:
        InputError: a post has no words or entities, or a token, label or image id cannot stand in a line.
    """
    blocks = []
    for post in posts:
        tags = gold_tags(post)
        fields = [*post.tokens, *tags, post.image_id or "-"]
        if not post.tokens or not all(fields) or any(c in text for text in fields for c in "\t\n\r"):
            raise InputError(
                f"{name_of(post)} has no words, or an empty one, or one with a tab or line break"
            )
        rows = [f"{token}\t{tag}" for token, tag in zip(post.tokens, tags, strict=True)]
        # An empty IMGID keeps the first token of a file from starting it: U+FEFF there would read as a BOM.
        blocks.append("\n".join([f"IMGID:{post.image_id or ''}", *rows]) + "\n")
    write_text(path, "\n".join(blocks))


def read_mnre(path: Path) -> list[Post]:
    """Posts of an MNRE file: a line is a Python literal (as published) or a JSON object.

    Keys: ``token``, ``h`` and ``t`` (``name``, half-open ``pos``), ``img_id``, ``relation``. ``id`` is the
    row's own ``id`` where it has one, else ``<file stem>:<line number>``; ``image_id`` is ``img_id`` as is.

    Raises:
        InputError: a line does not parse, lacks a key, has an unknown relation, or a span that is empty or
            leaves the tokens.
    """
    posts = []
    with warnings.catch_warnings():  # a literal such as '\o/' is right, if bad style
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.11
        warnings.simplefilter("ignore", SyntaxWarning)  # Python 3.12
        for number, line in read_lines(path):
            if line.strip():
                where = f"{path} line {number}"
                posts.append(_mnre_post(_parse(line, where), f"{Path(path).stem}:{number}", where))
    return posts


def _parse(line: str, where: str) -> dict[str, Any]:
    """One line's JSON object or, failing that, Python literal. JSON first: only it joins surrogate pairs."""
    if len(line) > MAX_LINE:
        raise InputError(f"{where} has {len(line):,} characters; at most {MAX_LINE:,} are read")
    row: Any = None
    try:
        row = json.loads(line)
    except ValueError:
        try:
            row = read_literal(line.strip())
        except (ValueError, SyntaxError, TypeError):
            pass
    except RecursionError:
        pass
    if not isinstance(row, dict):
        raise InputError(f"{where} is not a row in braces, such as {{'token': …}}")
    return row


def _mnre_post(row: dict[str, Any], default_id: str, where: str) -> Post:
    try:
        tokens = check_words(row["token"], where)
        spans = [check_span(row[side]["pos"], len(tokens), where) for side in ("h", "t")]
        relation, image_id = row["relation"], row["img_id"]
    except KeyError as error:
        raise InputError(f"{where} lacks the key {error}") from error
    except TypeError as error:
        raise InputError(f"{where} has no 'pos' in 'h' or 't'") from error
    if relation not in RELATIONS:
        raise InputError(f"{where} has the unknown relation {quoted(relation)}")
    return Post(
        text=" ".join(tokens),
        tokens=tokens,
        pair=Pair(head=spans[0], tail=spans[1]),
        relation=relation,
        id=str(row.get("id") or default_id),
        image_id=str(image_id) if image_id else None,
    )


def write_mnre(path: Path, posts: Sequence[Post]) -> None:
    """Write posts as MNRE rows (ASCII Python literals), with an ``id`` where it is not the row's default.

    A post without an ``id`` gets the default one when it is read.

    Raises:
        InputError: a post lacks its pair or relation.
    """
    lines = []
    for number, post in enumerate(posts, 1):
        if post.pair is None or post.relation is None:
            raise InputError(f"{name_of(post)} has no marked pair with a relation")
        sides = {
            key: {"name": " ".join(post.tokens[start:end]), "pos": [start, end]}
            for key, (start, end) in (("h", post.pair.head), ("t", post.pair.tail))
        }
        row = {"token": list(post.tokens), **sides, "img_id": post.image_id or "", "relation": post.relation}
        if post.id is not None and post.id != f"{Path(path).stem}:{number}":
            row["id"] = post.id
        lines.append(ascii(row) + "\n")
    write_text(path, "".join(lines))
