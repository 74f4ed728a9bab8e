"""Scores of a saved checkpoint on a split: with its photos, with blank or shuffled ones, and without."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import load_model, root_of
from mmdemo.cells.zoo import post_encoder
from mmdemo.models.batch import Example
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.types import Question
from train.cells.fusions import raw_examples
from train.data.questions import count_posts, gold_of
from train.data.source import DataSource
from train.fit.cached_states import encoder_states
from train.score.answers import save_answers
from train.score.predict import probabilities, score

BATCH = 64

#: How the photos of a split are changed to see what they bring.
CONDITIONS = ("photo", "blank", "shuffled", "none")

#: The same of what they say in words, where a cell reads that: the picture alone, and the words alone.
WORD_CONDITIONS = ("picture", "words")


def evaluate(
    folder: Path,
    source: DataSource,
    split: str,
    *,
    conditions: Sequence[str] = CONDITIONS,
    cache: Path,
    limit: int | None = None,
    device: torch.device | str = "cpu",
    keep: Path | None = None,
) -> dict[str, Any]:
    """Scores by condition for the checkpoint in ``folder``, computed on ``device``; answers go into ``keep``.

    ``photo``: each post with its own photo; ``blank``: a plain grey one in its place; ``shuffled``: another
    post's (seeded, never its own); ``none``: no photo, the text alone. Posts without a photo stay so.
    A photo's words go with it. Of a cell that reads them there is also ``picture`` (photos without their
    words) and ``words`` (the words without their photos).

    Raises:
        InputError: the checkpoint or the data cannot be used.
    """
    card = load_card(folder)
    root = root_of(folder)
    model = load_model(root, folder, card).to(device)
    questions = source.questions(card.config.dataset, split, limit)
    encoder = post_encoder(card.config, root)
    tuned = card.files.get("trunk.safetensors", "")  # a cell's own trunk may hold a tuned image encoder
    with _maps_folder(card.config, cache) as maps:
        held_out = condition_posts(
            model, encoder, questions, root, Path(maps), conditions=conditions, tuned=tuned
        )
    found = answers(model, held_out)
    if keep is not None:
        save_answers(keep, found)
    return score_conditions(card.config, held_out, found)


def _maps_folder(config: ModelConfig, cache: Path) -> AbstractContextManager[Path | str]:
    """Where region maps are kept. A full cell's own encoder gives a gigabyte that no other cell can use."""
    if config.preset != "full":
        return nullcontext(cache)
    cache.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=cache)


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Questions to be scored: each condition's examples, and how many have a photo that could be read."""

    questions: Sequence[Question]
    examples: dict[str, list[Example]]
    with_photo: int

    @property
    def posts(self) -> int:
        """How many posts the questions are about; of pairs alone, how many rows."""
        return count_posts(self.questions)


def condition_posts(
    model: MultimodalModel,
    encoder: PostEncoder,
    questions: Sequence[Question],
    root: Path,
    cache: Path,
    *,
    conditions: Sequence[str] = CONDITIONS,
    tuned: str = "",
) -> HeldOut:
    """The questions under each condition with the encoders' states: the same for all cells of a trunk.

    Where no post has a photo, there is nothing to change: only ``photo`` and ``none`` are kept.
    """
    raw = raw_examples(model, encoder, questions, 0, root, cache, tuned)
    if not any(example.has_image for example in raw):
        conditions = [name for name in conditions if name in ("photo", "none")]
    if "photo" in conditions and any(example.has_words for example in raw):
        conditions = [*conditions, *WORD_CONDITIONS]
    plain = encoder_states(model, raw, view=0, batch_size=BATCH)
    found: dict[str, list[Example]] = {}
    for name in conditions:
        if name == "photo":
            found[name] = plain
        elif encoder.config.mixed:
            changed = change_photos(model, encoder, raw, questions, name)
            found[name] = _with_states(model, changed, [plain, *found.values()], joint=encoder.config.joint)
        else:
            found[name] = change_photos(model, encoder, plain, questions, name)
    return HeldOut(questions=questions, examples=found, with_photo=sum(e.has_image for e in raw))


def _with_states(
    model: MultimodalModel, changed: Sequence[Example], before: Sequence[Sequence[Example]], *, joint: bool
) -> list[Example]:
    """Changed examples with the encoder's states, which are at hand where it has read the same ``before``.

    A joint encoder reads the photo too; another the text with the photo's words alone.
    """
    found = list(changed)
    for i, example in enumerate(changed):
        same = next((read[i] for read in before if read[i].words is example.words), None)
        if same is not None and not joint:
            found[i] = replace(example, states_LD=same.states_LD, word_states_KD=same.word_states_KD)
    new = [i for i, example in enumerate(found) if example.states_LD is None]
    states = encoder_states(model, [found[i] for i in new], view=0, batch_size=BATCH)
    for i, example in zip(new, states, strict=True):
        found[i] = example
    return found


def answers(model: MultimodalModel, held_out: HeldOut) -> dict[str, list[np.ndarray]]:
    """The model's probabilities under each condition (see `train.score.predict.probabilities`)."""
    device = next(model.parameters()).device
    return {c: probabilities(model, e, batch_size=BATCH, device=device) for c, e in held_out.examples.items()}


def score_conditions(
    config: ModelConfig, held_out: HeldOut, found: dict[str, list[np.ndarray]]
) -> dict[str, Any]:
    """Scores by condition of `answers` to labelled questions."""
    gold = [gold_of(asked, config.dataset) for asked in held_out.questions]
    scores: dict[str, Any] = {"posts": held_out.posts, "with_photo": held_out.with_photo}
    return scores | {c: score(config.dataset, gold, rows) for c, rows in found.items()}


def change_photos(
    model: MultimodalModel,
    encoder: PostEncoder,
    examples: Sequence[Example],
    questions: Sequence[Question],
    condition: str,
) -> list[Example]:
    """The examples under one of `CONDITIONS` or `WORD_CONDITIONS`; those without a photo stay as they are.

    Photos and words change together with their states, where the examples carry some.
    """
    if condition == "photo":
        return list(examples)
    if condition == "none":
        return [e.without_photo().without_words() for e in examples]
    if condition in WORD_CONDITIONS:
        return [e.without_words() if condition == "picture" else e.without_photo() for e in examples]
    having = [i for i, e in enumerate(examples) if e.regions_RD is not None]
    changed = list(examples)
    if condition == "blank":
        size = encoder.image_size
        pixels = torch.from_numpy(encoder.pixels(Image.new("RGB", (size, size), (128, 128, 128))))
        with torch.inference_mode():
            blank_RD = model.image_encoder(pixels[None].to(next(model.parameters()).device))[0].cpu()
        for i in having:
            changed[i] = replace(examples[i].without_words(), regions_RD=blank_RD)
        return changed
    for i, j in zip(having, _others([str(questions[i].post.image) for i in having]), strict=True):
        other = examples[having[j]]
        changed[i] = replace(
            examples[i], regions_RD=other.regions_RD, words=other.words, word_states_KD=other.word_states_KD
        )
    return changed


def _others(photos: Sequence[str]) -> list[int]:
    """For each place another place whose photo differs, where there is one (seeded)."""
    rng = np.random.default_rng(1337)
    order = list(rng.permutation(len(photos)))
    for i in range(len(order)):
        if photos[order[i]] == photos[i]:
            for j in rng.permutation(len(order)):
                if photos[order[j]] != photos[i] and photos[order[i]] != photos[j]:
                    order[i], order[j] = order[j], order[i]
                    break
    return order
