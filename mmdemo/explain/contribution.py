"""Image contribution: what the post's own photo does to each answer, beside what other photos do."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.masking import repeated
from mmdemo.models.decode import softmax
from mmdemo.types import View

#: Relations that are shown, likeliest first.
MOST_RELATIONS = 5


def image_contribution_view(subject: ExplainedPost) -> View:
    """p(photo) - p(none) of each word's tag or each relation, with its range over the other photos."""
    logits = torch.cat([subject.seen.output.logits, _with_others(subject)]).float().cpu().numpy()
    photo, none, *others = softmax(logits, subject.temperature)
    labels = subject.encoder.config.dataset.outputs(subject.task)
    if subject.pair is not None:
        picked = np.argsort(-photo, kind="stable")[:MOST_RELATIONS]
        names = tuple(labels[c] for c in picked)
        value, rest = (photo - none)[picked], [(other - none)[picked] for other in others]
    else:
        words = [row.word for row in subject.words]
        tags = photo[words].argmax(-1)
        names = tuple(f"{row.label} · {labels[t]}" for row, t in zip(subject.words, tags, strict=True))
        value, rest = (photo - none)[words, tags], [(other - none)[words, tags] for other in others]
    spread = np.stack(rest or [value])
    about = f"the bar is the range of the same difference for {len(others)} other photos"
    if not others:
        about = "no other photos were given, so it cannot be told from what any photo would do"
    return View(
        name="image-contribution",
        title="What the photo changes: probability with it, less without",
        note=f"For each answer that stands with the photo; {about}. A dot inside the bar is what any photo "
        "might do. It is a difference between two answers of this model, not a proof of understanding.",
        kind="bars",
        values=np.stack([spread.min(0), value, spread.max(0)], axis=1).astype(np.float32),
        axes=(names, ("low", "value", "high")),
        centre=0.0,
    )


def _with_others(subject: ExplainedPost) -> Tensor:
    """The scores of the post without a photo, then with each other photo. Text is not read again."""
    regions_1RD = subject.batch.regions_BRD
    assert regions_1RD is not None
    rows = [torch.zeros_like(regions_1RD)]
    if subject.others:
        rows.append(subject.regions_of(subject.others))
    regions_NRD = torch.cat(rows)
    present_N = torch.tensor([False, *[True] * len(subject.others)], device=regions_NRD.device)
    batch = replace(
        subject.batch, regions_BRD=None, states_BLD=None if subject.joint else subject.seen.states_BLD
    )
    batch = replace(repeated(batch, len(regions_NRD)), regions_BRD=regions_NRD, present_B=present_N)
    with torch.inference_mode():
        return subject.model(batch).logits
