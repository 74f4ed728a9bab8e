"""CoNLL, MNRE and JSON lines: `mmdemo.data` reads and writes them as posts; here they carry answers.

A post with several relations takes a line for each in MNRE and JSON lines, under one id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.formats.jsonl import read_jsonl, write_jsonl
from mmdemo.formats.published import read_conll, read_mnre, write_conll, write_mnre
from mmdemo.review.records import Answer, Labelled, Link
from mmdemo.review.schema import entity_labels
from mmdemo.types import Pair, Post


def labelled(posts: Iterable[Post]) -> list[Labelled]:
    """Posts with their answers apart; rows with one id and the same words become one post."""
    found: dict[object, Labelled] = {}
    for number, post in enumerate(posts):
        name = (post.id, post.tokens) if post.id is not None else number
        item = _labelled(post)
        earlier = found.get(name)
        found[name] = _merged(earlier, item) if earlier else item
    return list(found.values())


def _labelled(post: Post) -> Labelled:
    links: tuple[Link, ...] = ()
    if post.pair is not None and post.relation is not None:
        links = (Link(head=post.pair.head, tail=post.pair.tail, label=post.relation),)
    stated = post.entities is not None or bool(links)
    answer = Answer(entities=post.entities or (), links=links) if stated else None
    return Labelled(post=replace(post, entities=None, relation=None), answer=answer)


def _merged(one: Labelled, other: Labelled) -> Labelled:
    if one.answer is None or other.answer is None:
        return one if other.answer is None else other
    entities = tuple(dict.fromkeys([*one.answer.entities, *other.answer.entities]))
    links = tuple(dict.fromkeys([*one.answer.links, *other.answer.links]))
    return Labelled(post=one.post, answer=Answer(entities=entities, links=links))


def rows(item: Labelled) -> list[Post]:
    """The post as one `Post` for each relation, or one without; entities stand in the first."""
    post, answer = item.post, item.answer or Answer()
    links = sorted(answer.links, key=lambda link: Pair(head=link.head, tail=link.tail) != post.pair)
    found = [
        replace(post, pair=Pair(head=link.head, tail=link.tail), relation=link.label, entities=None)
        for link in links
    ]
    first = found[0] if found else replace(post, relation=None)
    if item.answer is not None and (answer.entities or not links):
        first = replace(first, entities=answer.entities)
    return [first, *found[1:]]


# ---------------------------------------------------------------- the three formats


def write_conll_file(path: Path, items: Sequence[Labelled]) -> None:
    write_conll(path, [replace(rows(item)[0], image_id=conll_name(item.post)) for item in items])


def conll_name(post: Post) -> str | None:
    """What CoNLL calls a post: its photo's id, as in the public files, or else its own."""
    return post.image_id or post.id


def read_conll_file(path: Path, dataset: str) -> list[Labelled]:
    return labelled(read_conll(path, entity_labels(dataset)))


def write_mnre_file(path: Path, items: Sequence[Labelled]) -> None:
    write_mnre(path, [row for item in items for row in rows(item)])


def read_mnre_file(path: Path, dataset: str) -> list[Labelled]:
    return labelled(read_mnre(path))


def write_jsonl_file(path: Path, items: Sequence[Labelled]) -> None:
    write_jsonl(path, [row for item in items for row in rows(item)])


def read_jsonl_file(path: Path, dataset: str) -> list[Labelled]:
    return labelled(read_jsonl(path, entity_labels(dataset)))
