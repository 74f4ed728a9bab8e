"""Views that hold for every fusion and model alike: which regions of the photo counted, which of the words
that it says, and which words of the text.
"""

import numpy as np

from mmdemo.explain.attribution import deletion, integrated_gradients, occlusion, total
from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.looked_at import SOURCE_NOTE, word_labels
from mmdemo.explain.masking import Gates, photo_word_gates, region_gates, word_gates
from mmdemo.models.regions import grid_names
from mmdemo.types import View

_UNIT = "Log-odds of the answer: +0.7 about doubles its odds, 0 means no effect."
_REGION = (
    "A square is one region of the image encoder's map, and its neurons also see beyond the square; "
    "blank means what the encoder gives there for a grey photo."
)


def region_views(subject: ExplainedPost) -> list[View]:
    """Integrated gradients over the photo's regions, and what the answer loses when one is blank."""
    score, parts = region_gates(subject)
    shares, falls = integrated_gradients(score, parts), occlusion(score, parts)
    gradient = (
        f"What each region adds over a blank photo (integrated gradients). {_UNIT} The regions add up to "
        f"{shares.sum():+.3g}; the whole photo brings {total(score, parts):+.3g}. "
    )
    loss = (
        f"What the answer loses when this region alone is blank. {_UNIT} Regions that say the same stand in "
        "for each other, so the losses need not add up. "
    )
    return [
        View(
            name=name,
            title=f"{title} {subject.target.title}",
            note=f"{note}{_REGION} {_check(score, values)}",
            kind="photo-map",
            values=values[None].astype(np.float32),
            axes=((subject.target.title,), grid_names(parts)),
            centre=0.0,
        )
        for name, title, note, values in (
            ("region-gradient", "What each region adds to", gradient, shares),
            ("region-occlusion", "What is lost without each region, for", loss, falls),
        )
    ]


def photo_word_views(subject: ExplainedPost) -> list[View]:
    """Integrated gradients over the words that the photo says, and what the answer loses without each."""
    score, parts = photo_word_gates(subject)
    shares, falls = integrated_gradients(score, parts), occlusion(score, parts)
    gradient = (
        f"What each word of the photo adds over a masked one (integrated gradients). {_UNIT} They add up to "
        f"{shares.sum():+.3g}; all of them bring {total(score, parts):+.3g}. "
    )
    loss = (
        f"What the answer loses when this word of the photo alone is masked. {_UNIT} Words that say the same "
        "stand in for each other, so the losses need not add up. "
    )
    return [
        View(
            name=name,
            title=f"{title} {subject.target.title}",
            note=f"{note}{SOURCE_NOTE} {_check(score, values)}",
            kind="strip",
            values=values[None].astype(np.float32),
            axes=(("log-odds",), word_labels(subject.example.words)),
            centre=0.0,
        )
        for name, title, note, values in (
            ("photo-word-gradient", "What each word of the photo adds to", gradient, shares),
            ("photo-word-occlusion", "What is lost without each word of the photo, for", loss, falls),
        )
    ]


def token_attribution_view(subject: ExplainedPost) -> View:
    """Integrated gradients over the words."""
    score, parts = word_gates(subject)
    shares = integrated_gradients(score, parts)
    note = (
        f"What each word adds over a masked one (integrated gradients over its sub-tokens). {_UNIT} "
        f"They add up to {shares.sum():+.3g}; all words bring {total(score, parts):+.3g}. It says what this "
        f"model used, not what is true. {_check(score, shares)}"
    )
    return View(
        name="token-attribution",
        title=f"What each word adds to {subject.target.title}",
        note=note,
        kind="strip",
        values=shares[None].astype(np.float32),
        axes=(("log-odds",), tuple(row.label for row in subject.words)),
        centre=0.0,
    )


def _check(score: Gates, shares: np.ndarray) -> str:
    """The deletion check in words; a part is a region or a word."""
    found = deletion(score, shares)
    parts = "the strongest" if found.count == 1 else f"the {found.count} strongest"
    others = "one at random" if found.count == 1 else f"{found.count} at random"
    return (
        f"Check: without {parts} the answer loses {found.top:+.3g}, "
        f"without {others} {found.random:+.3g} on average."
    )
