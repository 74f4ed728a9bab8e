"""Image contribution: what the post's own photo does to each answer, beside what other photos do."""

from dataclasses import replace

import numpy as np
import torch

from mmdemo.datasets.bio import output_labels
from mmdemo.explain.explained_post import Subject
from mmdemo.models.batch import collate
from mmdemo.models.decode import softmax
from mmdemo.types import View

#: Relations that are shown, likeliest first.
MOST_RELATIONS = 5


def image_contribution_view(subject: Subject) -> View:
    """p(photo) - p(none) of each word's tag or each relation, with its range over the other photos."""
    own, encoder = subject.example, subject.encoder
    examples = [own, replace(own, pixels_CHW=None)]
    examples += [replace(own, pixels_CHW=encoder.pixels(photo)) for photo in subject.others]
    batch = collate(examples).to(subject.batch.ids_BL.device)
    with torch.inference_mode():
        logits = subject.model(batch).logits.float().cpu().numpy()
    photo, none, *others = softmax(logits, subject.temperature)
    labels = output_labels(encoder.config.dataset)
    if encoder.config.task == "re":
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
