"""How an entity cell does away from its own test posts: on another dataset's, and on posts written otherwise.

Types of two datasets are paired by what their records call them in common (`Dataset.common_type`):
Twitter2015's OTHER is Twitter2017's MISC. Nothing is chosen by these figures.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmdemo.cells.card import Card, load_card
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.files import read_json, write_json
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.schema import Dataset
from mmdemo.posts.gold import gold_tags
from mmdemo.types import Post
from train.data.source import DataSource
from train.fit.streams import stream
from train.score.evaluate import condition_posts
from train.score.predict import probabilities, score

BATCH = 64
SEED = 1337
HANDLE = re.compile(r"@(\w+)")
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def as_written(tokens: Sequence[str]) -> list[str]:
    """The words as they stand."""
    return list(tokens)


def in_lower_case(tokens: Sequence[str]) -> list[str]:
    """The words without capitals."""
    return [token.lower() for token in tokens]


def with_other_handles(tokens: Sequence[str]) -> list[str]:
    """The words with another name of as many letters after each @, in the same word or in the next.

    The same handle gets the same name, whatever the post.
    """
    found, after = [], False
    for token in tokens:
        name = token if after else None
        found.append(_another(token) if name else HANDLE.sub(lambda m: "@" + _another(m[1]), token))
        after = token == "@"
    return found


def _another(name: str) -> str:
    return "".join(stream(SEED, "handles", name).choice(LETTERS, len(name)))


#: How posts may be written, by name: what a column of the table says.
WRITTEN: Mapping[str, Callable[[Sequence[str]], list[str]]] = {
    "as written": as_written,
    "lower case": in_lower_case,
    "other handles": with_other_handles,
}


def measure_elsewhere(
    root: Path, folder: Path, others: Sequence[Dataset], source_of: Callable[[Card], DataSource], work: Path
) -> dict[str, dict[str, float]]:
    """Entity F1 of a stored cell by dataset (its own first) and by how the test posts are written.

    It goes into metrics.json under "elsewhere" too. Posts keep their photos and what those say in words.

    Raises:
        InputError: the cell or the data cannot be used.
    """
    card = load_card(folder)
    own, source = card.config.dataset, source_of(card)
    model, encoder = load_model(root, folder, card), post_encoder(card.config, root)
    found: dict[str, dict[str, float]] = {}
    for dataset in (own, *others):
        asked = source.questions(dataset, "test")
        gold = [relabelled(gold_tags(one.post, flat=True), dataset, own) for one in asked]
        found[dataset.name] = {}
        for name, written in WRITTEN.items():
            questions = [replace(one, post=_unlabelled(rewritten(one.post, written))) for one in asked]
            examples = condition_posts(
                model, encoder, questions, root, work / "regions", conditions=("photo",)
            ).examples["photo"]
            device = next(model.parameters()).device
            rows = probabilities(model, examples, batch_size=BATCH, device=device)
            found[dataset.name][name] = score(own, gold, rows)["entity"]["f1"]
    write_json(folder / "metrics.json", read_json(folder / "metrics.json") | {"elsewhere": found})
    return found


def rewritten(post: Post, written: Callable[[Sequence[str]], list[str]]) -> Post:
    """The post with its words written otherwise; as many, so that what is stated of them holds."""
    tokens = tuple(written(post.tokens))
    return replace(post, tokens=tokens, text=" ".join(tokens), offsets=())


def _unlabelled(post: Post) -> Post:
    return replace(post, entities=None, tags=None)


def relabelled(tags: Sequence[str], there: Dataset, here: Dataset) -> list[str]:
    """BIO tags of one dataset by the types of another; a type that it has no like of keeps its name."""
    like = {here.common_type(label): label for label in here.entity_labels}
    names = {label: like.get(there.common_type(label), label) for label in there.entity_labels}
    return [tag if tag == "O" else f"{tag[:2]}{names[tag[2:]]}" for tag in tags]
