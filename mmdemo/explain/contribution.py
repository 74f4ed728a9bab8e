"""Image contribution: what the post's own photo does to each answer, beside what other photos do, and what of
it the photo does itself and what the words that it says.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.masking import repeated
from mmdemo.models.decode import softmax
from mmdemo.types import View

#: Relations that are shown, likeliest first.
MOST_RELATIONS = 5


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What stands in each of several scores (N, …) for the answers that stand in the first of them.

    ``names`` are those answers; ``probabilities`` theirs by scores, (N, answers).
    """

    names: tuple[str, ...]
    probabilities: np.ndarray


def image_contribution_view(subject: ExplainedPost) -> View:
    """p(photo) - p(none) of each word's tag or each relation, with its range over the other photos."""
    found = _answers(subject, torch.cat([subject.seen.output.logits, _with_others(subject)]))
    photo, none, *others = found.probabilities
    value, rest = photo - none, [other - none for other in others]
    spread = np.stack(rest or [value])
    about = f"the bar is the range of the same difference for {len(others)} other photos"
    if not others:
        about = "no other photos were given, so it cannot be told from what any photo would do"
    if subject.has_words:
        about += "; what this photo says in words goes with it, and the others come without words"
    return View(
        name="image-contribution",
        title=f"What {subject.photo_title} changes: probability with it, less without",
        note=f"For each answer that stands with the photo; {about}. A dot inside the bar is what any photo "
        "might do. It is a difference between two answers of this model, not a proof of understanding.",
        kind="bars",
        values=np.stack([spread.min(0), value, spread.max(0)], axis=1).astype(np.float32),
        axes=(found.names, ("low", "value", "high")),
        centre=0.0,
    )


def photo_parts_view(subject: ExplainedPost) -> View:
    """What the picture alone changes, what its words alone do, and what both do together."""
    batch = subject.keeping_states(photo=True, words=True)
    with torch.inference_mode():
        parts = [
            subject.model(one).logits
            for one in (batch.without_words(), batch.without_photo(), batch.without_images())
        ]
    found = _answers(subject, torch.cat([subject.seen.output.logits, *parts]))
    both, photo, words, none = found.probabilities
    return View(
        name="photo-and-words",
        title="What the picture changes, what its words do, and what both",
        note="Probability with, less without, for each answer that stands with both. What two parts do "
        "together need not be the sum of what each does alone. It is a difference between answers of this "
        "model, not a proof of understanding.",
        kind="heatmap",
        values=np.stack([photo - none, words - none, both - none], axis=1).astype(np.float32),
        axes=(found.names, ("picture", "words", "both")),
        centre=0.0,
    )


def _answers(subject: ExplainedPost, logits: Tensor) -> Answers:
    """The answers that the first of the scores give, each word's tag or the likeliest relations, in all."""
    probabilities = softmax(logits.float().cpu().numpy(), subject.temperature)
    labels = subject.encoder.config.dataset.outputs(subject.task)
    if subject.pair is not None:
        picked = np.argsort(-probabilities[0], kind="stable")[:MOST_RELATIONS]
        return Answers(names=tuple(labels[c] for c in picked), probabilities=probabilities[:, picked])
    words = [row.word for row in subject.words]
    tags = probabilities[0, words].argmax(-1)
    names = tuple(f"{row.label} · {labels[t]}" for row, t in zip(subject.words, tags, strict=True))
    return Answers(names=names, probabilities=probabilities[:, words, tags])


def _with_others(subject: ExplainedPost) -> Tensor:
    """The scores of the post without a photo, then with each other photo. Text is not read again."""
    batch = subject.keeping_states(photo=True, words=True).without_words()
    others_NRD = subject.regions_of(subject.others) if subject.others else None
    like_NRD = others_NRD if batch.regions_BRD is None else batch.regions_BRD
    with torch.inference_mode():
        if like_NRD is None:
            return subject.model(batch.without_images()).logits
        none_1RD = torch.zeros_like(like_NRD[:1])
        regions_NRD = none_1RD if others_NRD is None else torch.cat([none_1RD, others_NRD])
        present_N = torch.arange(len(regions_NRD), device=regions_NRD.device) > 0
        batch = replace(batch, regions_BRD=None, present_B=present_N[:1])
        batch = repeated(batch, len(regions_NRD))
        return subject.model(replace(batch, regions_BRD=regions_NRD, present_B=present_N)).logits
