"""Views of FiLM's γ and β: which channels they change, by how much, and how far that moves a state."""

from dataclasses import dataclass

import numpy as np
import torch

from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.types import View

_CAVEAT = (
    "It acts on channels, not on places in the photo, and a channel has no name: compare rows rather than "
    "reading one cell. Channels stand in order of how far γ and β together move them."
)
_SPREAD = (
    "How the {symbol} of a row's channels spread. A row far from {centre:g} is one that FiLM changes a lot. "
)


@dataclass(frozen=True, kw_only=True)
class Modulation:
    """γ, β (rows x channels) and the state x that they act on, one row a word or mark (or one for the photo,
    with what it says in words).

    ``identity`` is the γ that changes nothing: 0 in the residual variant (1 + γ), else 1.
    """

    gamma: np.ndarray
    beta: np.ndarray
    x: np.ndarray
    labels: tuple[str, ...]
    state_labels: tuple[str, ...]
    identity: float
    acts_on: str


def modulation(subject: ExplainedPost) -> Modulation:
    """What the subject's FiLM or hybrid did, at the words and marks."""
    trace, model = subject.prediction.trace, subject.model
    places = [row.start for row in subject.rows]
    names = tuple(row.label for row in subject.rows)
    gamma, beta = trace["gamma_BLD"], trace["beta_BLD"]
    by_token = len(gamma) > 1  # else the photo conditions, by one row for all tokens
    with torch.inference_mode():
        if by_token:
            image = model.image_features(subject.seen.states, subject.batch)
            assert image is not None, "a fusion has no trace where there is nothing beside the text"
            x = image.pooled_BD.float().cpu().numpy()
        else:
            x = model.text_projection(subject.seen.states.tokens_BLD)[0].float().cpu().numpy()[places]
    if by_token:
        gamma, beta = gamma[places], beta[places]
    return Modulation(
        gamma=gamma,
        beta=beta,
        x=x,
        labels=names if by_token else (subject.photo_title,),
        state_labels=names,
        identity=float(getattr(model.fusion, "identity", 1.0)),
        acts_on=f"the mean state of {subject.photo_title}" if by_token else "each word's state",
    )


def film_views(subject: ExplainedPost) -> list[View]:
    """γ and β as heatmaps, how they spread, and how far they move each word's state."""
    m = modulation(subject)
    moved = (m.gamma - m.identity) * m.x + m.beta
    order = np.argsort(-np.abs(moved).mean(0), kind="stable")
    channels = tuple(f"channel {c}" for c in order)
    gamma_note = f"γ multiplies the channels of {m.acts_on}; {m.identity:g} changes nothing. {_CAVEAT}"
    beta_note = f"β is added to the channels of {m.acts_on}; 0 changes nothing. {_CAVEAT}"
    views = []
    for name, symbol, word, value, centre, note in (
        ("gamma", "γ", "scale", m.gamma, m.identity, gamma_note),
        ("beta", "β", "shift", m.beta, 0.0, beta_note),
    ):
        sorted_value = np.ascontiguousarray(value[:, order], dtype=np.float32)
        views.append(
            View(
                name=name,
                title=f"{symbol}: the {word} of each channel, by word",
                note=note,
                kind="heatmap",
                values=sorted_value,
                axes=(m.labels, channels),
                centre=centre,
            )
        )
        views.append(
            View(
                name=f"{name}-distribution",
                title=f"{symbol}: spread over channels, by word",
                note=_SPREAD.format(symbol=symbol, centre=centre)
                + f"It says how much is changed, not whether that mattered. {note.split(';')[0]}.",
                kind="distribution",
                values=sorted_value,
                axes=(m.labels, channels),
                centre=centre,
            )
        )
    return [*views, _shift(m)]


def _shift(m: Modulation) -> View:
    """Distances relative to the state's own length, by γ alone, β alone and both."""
    scaled = (m.gamma - m.identity) * m.x
    length = np.linalg.norm(m.x, axis=-1).clip(min=1e-9)
    steps = [scaled, m.beta, scaled + m.beta]
    rows = [np.broadcast_to(np.linalg.norm(step, axis=-1) / length, len(m.state_labels)) for step in steps]
    return View(
        name="film-shift",
        title="How far γ and β move the state, by word",
        note=f"How far γ, β and both together move {m.acts_on} in the fusion, as a share of its own length: "
        "0 = not at all, 1 = by as much as it is long. A long way is not yet an effect on the answer.",
        kind="strip",
        values=np.array(rows, dtype=np.float32),
        axes=(("γ", "β", "both"), m.state_labels),
    )
