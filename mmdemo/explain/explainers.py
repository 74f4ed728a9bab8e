"""The table of explainers: what each can show, and the reason where a cell cannot give it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmdemo.explain.attribution_views import photo_word_views, region_views, token_attribution_view
from mmdemo.explain.contribution import image_contribution_view, photo_parts_view
from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.film_views import film_views
from mmdemo.explain.traces import (
    cross_attention_said_view,
    cross_attention_views,
    joint_attention_said_view,
    joint_attention_views,
    looking_back_view,
    modality_view,
    tokens_view,
)
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.features import TextEncoder
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.types import Explanation, InputError, View, quoted

Reason = Callable[[ExplainedPost], str | None]


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """``views`` it gives, how to ``draw`` them, and why it cannot (``lacks``: a reason or None)."""

    views: tuple[str, ...]
    draw: Callable[[ExplainedPost], list[View]]
    lacks: Reason


def _listed(names: Sequence[str]) -> str:
    """Names in words: "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _trace(*names: str, thing: str) -> Reason:
    """Lacking where the fusion's trace has none of ``names``: without a photo, or in another fusion."""
    rows = [row for row in FUSIONS.values() if set(names) & set(row.trace)]
    homes = [row.name for row in rows if not row.extra] or [row.name for row in rows]

    def reason(subject: ExplainedPost) -> str | None:
        if any(name in subject.prediction.trace for name in names):
            return None
        if not (subject.has_photo or subject.has_words):
            return "the post has no photo, so the fusion had nothing to do"
        verb = "does" if len(homes) == 1 else "do"
        return f"{subject.encoder.config.fusion} has no {thing}; only {_listed(homes)} {verb}"

    return reason


def _both(*reasons: Reason) -> Reason:
    """Lacking for the first reason that there is."""
    return lambda subject: next((found for reason in reasons if (found := reason(subject))), None)


def _no_photo(subject: ExplainedPost) -> str | None:
    return None if subject.has_photo else "the post has no photo"


def _nothing_said(subject: ExplainedPost) -> str | None:
    if subject.has_words:
        return None
    if not subject.encoder.config.photo_words:
        return f"{subject.prediction.checkpoint} does not read what a photo says in words"
    return "the photo says nothing in words"


def _nothing_beside(subject: ExplainedPost) -> str | None:
    return None if subject.has_photo or subject.has_words else "the post has no photo"


def _no_joint_attention(subject: ExplainedPost) -> str | None:
    if not subject.joint:
        joint = _listed([row.name for row in MODELS.values() if row.joint])
        return f"{subject.encoder.config.model} reads text and photo apart; {joint} read them together"
    return None


def _text_alone(subject: ExplainedPost) -> str | None:
    return (
        f"{subject.encoder.config.fusion} reads the text alone"
        if subject.model.fusion.reads == "text"
        else None
    )


def _photo_alone(subject: ExplainedPost) -> str | None:
    return (
        f"{subject.encoder.config.fusion} reads the photo alone"
        if subject.model.fusion.reads == "photo"
        else None
    )


def _no_words(subject: ExplainedPost) -> str | None:
    if not isinstance(subject.model.text_encoder, TextEncoder):
        return "this text encoder does not let words be masked in parts"
    return None if subject.words else "the model reads none of the post's words"


EXPLAINERS: tuple[Explainer, ...] = (
    Explainer(
        views=("gamma", "gamma-distribution", "beta", "beta-distribution", "film-shift"),
        draw=film_views,
        lacks=_trace("gamma_BLD", thing="γ and β"),
    ),
    Explainer(
        views=("modality",),
        draw=lambda subject: [modality_view(subject)],
        lacks=_trace("modality_BL2", "alpha_B1", "gate_BL3", thing="weights of text and photo"),
    ),
    Explainer(
        views=("tokens",),
        draw=lambda subject: [tokens_view(subject)],
        lacks=_trace("tokens_BL", thing="weights of words"),
    ),
    Explainer(
        views=("cross-attention", "cross-attention-words"),
        draw=cross_attention_views,
        lacks=_both(_trace("attention_BHLR", thing="map from words to regions"), _no_photo),
    ),
    Explainer(
        views=("cross-attention-photo-words",),
        draw=lambda subject: [cross_attention_said_view(subject)],
        lacks=_both(_trace("attention_BHLR", thing="map from words to regions"), _nothing_said),
    ),
    Explainer(
        views=("cross-attention-back",),
        draw=lambda subject: [looking_back_view(subject)],
        lacks=_trace("attention_BHRL", thing="map from regions to words"),
    ),
    Explainer(
        views=("joint-attention", "joint-attention-heads"),
        draw=joint_attention_views,
        lacks=_both(_no_joint_attention, _no_photo),
    ),
    Explainer(
        views=("joint-attention-photo-words",),
        draw=lambda subject: [joint_attention_said_view(subject)],
        lacks=_both(_no_joint_attention, _nothing_said),
    ),
    Explainer(
        views=("region-gradient", "region-occlusion"),
        draw=region_views,
        lacks=_both(_text_alone, _no_photo),
    ),
    Explainer(
        views=("photo-word-gradient", "photo-word-occlusion"),
        draw=photo_word_views,
        lacks=_both(_text_alone, _nothing_said),
    ),
    Explainer(
        views=("token-attribution",),
        draw=lambda subject: [token_attribution_view(subject)],
        lacks=_both(_photo_alone, _no_words),
    ),
    Explainer(
        views=("image-contribution",),
        draw=lambda subject: [image_contribution_view(subject)],
        lacks=_nothing_beside,
    ),
    Explainer(
        views=("photo-and-words",),
        draw=lambda subject: [photo_parts_view(subject)],
        lacks=_both(_no_photo, _nothing_said),
    ),
)

#: Names of all views, in the order in which they are shown.
VIEWS: tuple[str, ...] = tuple(name for explainer in EXPLAINERS for name in explainer.views)


def explain(subject: ExplainedPost, views: Sequence[str] | None = None) -> Explanation:
    """The asked-for views (None: all), and the reasons of those that the cell lacks.

    Raises:
        InputError: a view that does not exist.
    """
    if unknown := [name for name in views or () if name not in VIEWS]:
        raise InputError(f"there is no view {quoted(unknown[0])}; known: {', '.join(VIEWS)}")
    drawn: list[View] = []
    absent: dict[str, str] = {}
    for explainer in EXPLAINERS:
        wanted = [name for name in explainer.views if views is None or name in views]
        reason = explainer.lacks(subject)
        if not wanted or reason is not None:
            absent |= {name: reason for name in wanted if reason is not None}
        else:
            drawn += [view for view in explainer.draw(subject) if view.name in wanted]
    return Explanation(
        prediction=subject.prediction, target=subject.target.title, views=tuple(drawn), absent=absent
    )
