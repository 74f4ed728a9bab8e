"""A stored cell as the teacher of a row: how sure it is stands beside gold, and it labels other posts too.

Knowledge distillation (Hinton et al. 2015): a small model learns more from a large one's probabilities than
from labels alone, and from more texts than somebody labelled.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from mmdemo.cells.card import Card, load_card
from mmdemo.cells.checkpoint import load_model, root_of
from mmdemo.cells.files import file_hash
from mmdemo.cells.locate import same_labels
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.schema import Dataset
from mmdemo.models.decode import decode_entities
from mmdemo.posts.same_text import text_key
from mmdemo.terminal import say
from mmdemo.types import InputError, Post, Question
from train.cells.fusions import raw_examples
from train.data.questions import ENTITIES
from train.data.source import DataSource
from train.fit.stages import Material
from train.score.answers import load_answers, save_answers
from train.score.predict import probabilities

BATCH = 64
CHUNK = 1024  # questions whose photos' regions are in memory at once


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A stored cell's ``folder``, and the ``others``: datasets whose training posts it labels in its way."""

    folder: Path
    others: tuple[Dataset, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What a run and its card say of it; the hash is the card's, which holds those of the weights."""
        card = self.folder / "config.json"
        return {
            "folder": str(self.folder),
            "sha256": file_hash(card) if card.is_file() else "",
            "others": [other.name for other in self.others],
        }


def teachers_of(
    datasets: Sequence[Dataset], folders: Sequence[Path], others: Sequence[Dataset]
) -> list[Teacher | None]:
    """Each dataset's teacher: the cell among ``folders`` with its labels. None where no cell has them.

    Raises:
        InputError: there is no folder, a cell cannot be read or has no dataset's labels, or two have the same
            dataset's.
    """
    if not folders:
        raise InputError("--taught needs --teacher: the cell that labels those posts")
    found: dict[str, Teacher] = {}
    for folder in folders:
        own = load_card(folder).config.dataset
        fitting = next((dataset for dataset in datasets if same_labels(own, dataset)), None)
        if fitting is None:
            raise _other_labels(load_card(folder), datasets)
        if fitting.name in found:
            raise InputError(
                f"--teacher: {found[fitting.name].folder} and {folder} both teach {fitting.name}"
            )
        found[fitting.name] = Teacher(
            folder=folder, others=tuple(other for other in others if other.name != fitting.name)
        )
    return [found.get(dataset.name) for dataset in datasets]


def _other_labels(card: Card, datasets: Sequence[Dataset]) -> InputError:
    names = " and ".join(dataset.name for dataset in datasets)
    labels = card.config.dataset.name
    return InputError(f"the teacher {card.config.cell} answers with the labels of {labels}; not {names}'s")


def teach(
    material: Material,
    teacher: Teacher,
    source: DataSource,
    cache: Path,
    *,
    limit: int | None = None,
    device: torch.device | str = "cpu",
) -> Material:
    """The material with the other datasets' posts, labelled by the teacher, and its answers to all of them.

    The answers are kept in ``cache``, photos' regions too.

    Raises:
        InputError: the teacher cannot be read, answers with other labels, or is asked to label posts for
            relations: which pairs to ask about, only gold says.
    """
    dataset = material.config.dataset
    card = load_card(teacher.folder)
    if not same_labels(card.config.dataset, dataset):
        raise _other_labels(card, [dataset])
    if teacher.others and not dataset.has_entities:
        raise InputError("--taught: other datasets' posts can be labelled with entities alone")
    unlabelled = list(_new_posts(dataset, teacher.others, source, limit))
    asked = [*material.train, *(Question(post=post, ask=ENTITIES) for post in unlabelled)]
    answers = _answers(teacher, asked, cache, torch.device(device))
    labelled = [
        Question(post=_labelled(post, answer_WT, dataset), ask=ENTITIES)
        for post, answer_WT in zip(unlabelled, answers[len(material.train) :], strict=True)
    ]
    if teacher.others:
        names = ", ".join(other.name for other in teacher.others)
        say(f"posts of {names} that {card.config.cell} labels: {len(labelled):,}")
    return replace(material, train=[*material.train, *labelled], taught=answers)


def _new_posts(
    dataset: Dataset, others: Sequence[Dataset], source: DataSource, limit: int | None
) -> Iterator[Post]:
    """The others' training posts without their labels: each text once, and none that ``dataset`` has."""
    seen = {text_key(post) for split in ("train", "valid", "test") for post in source.posts(dataset, split)}
    for other in others:
        for post in source.told(other, "train", limit):
            if (key := text_key(post)) not in seen:
                seen.add(key)
                yield replace(post, entities=None, relations=None, tags=None)


def _labelled(post: Post, answer_WT: np.ndarray, dataset: Dataset) -> Post:
    return replace(post, entities=decode_entities(answer_WT, post.tokens, dataset.tags))


def _answers(
    teacher: Teacher, asked: Sequence[Question], cache: Path, device: torch.device
) -> list[np.ndarray]:
    """The teacher's probabilities for each question (`probabilities`), or those that are kept of it."""
    card, root = load_card(teacher.folder), root_of(teacher.folder)
    facts = [teacher.facts["sha256"], *(repr((q.post, q.ask)) for q in asked)]
    file = cache / "teacher" / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.npz"
    if file.is_file():
        return load_answers(file)["photo"]
    model = load_model(root, teacher.folder, card).to(device)
    encoder, tuned = post_encoder(card.config, root), card.files.get("trunk.safetensors", "")
    found: list[np.ndarray] = []
    for start in tqdm(range(0, len(asked), CHUNK), "the teacher's answers", disable=None):
        raw = raw_examples(model, encoder, asked[start : start + CHUNK], 0, root, cache, tuned)
        found += probabilities(model, raw, batch_size=BATCH, device=device)
    save_answers(file, {"photo": found})
    return found
