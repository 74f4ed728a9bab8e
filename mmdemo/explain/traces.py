"""Views of the weights that a fusion gave, read from its trace (SPEC §4) as they are."""

import numpy as np
import torch

from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.looked_at import SOURCE_NOTE, LookedAt, parted, word_labels
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.regions import grid_names
from mmdemo.types import View

_ATTENTION = "Attention is not an explanation by itself: it says where was looked, not what came of it."
_NO_EFFECT = "A weight is not an effect: what is weighed may say nothing about the answer."
_SUMS = "Each panel's weights add up to 1. "
_REST = "what else the encoder looks at there (in one stack the text too) gets the rest of the 1."


def modality_view(subject: ExplainedPost) -> View:
    """The share of text and photo in each word's state; bimodal has one share for all words."""
    trace, second = subject.prediction.trace, "photo"
    if "alpha_B1" in trace:
        text = float(trace["alpha_B1"].reshape(-1)[0])
        values = np.array([[text, 1 - text]])
        labels: tuple[str, ...] = ("all words",)
        note = (
            "α is one learnt number of this checkpoint, the same for every post: F = α·text + (1 - α)·photo. "
        )
    elif "gate_BL3" in trace:
        values, labels = _rows(subject, trace["gate_BL3"])
        return View(
            name="modality",
            title="Weight of text, FiLM and cross-attention, by word",
            note="The gate of each word: how it weighs its own state, the photo as FiLM modulates it and "
            f"what cross-attention saw; the three add up to 1. {_NO_EFFECT}",
            kind="bars",
            values=values.astype(np.float32),
            axes=(labels, ("text", "FiLM", "cross-attention")),
        )
    else:
        values, labels = _rows(subject, trace["modality_BL2"])
        if FUSIONS[subject.encoder.config.fusion].mixes:
            second = "mix of both"
        against = "the photo's" if second == "photo" else "a mix of text and photo"
        note = f"How the fusion weighs each word's own state against {against}; the two add up to 1. "
    return View(
        name="modality",
        title="Weight of text and photo, by word",
        note=note + _NO_EFFECT,
        kind="bars",
        values=values.astype(np.float32),
        axes=(labels, ("text", second)),
    )


def tokens_view(subject: ExplainedPost) -> View:
    """The image-guided weight of each word."""
    values, labels = _rows(subject, subject.prediction.trace["tokens_BL"])
    return View(
        name="tokens",
        title="Weight of each word under the photo's guidance",
        note="How much the fusion attends to each word under the photo's guidance, at the first sub-token "
        f"(where the head reads); the others hold the rest of the 1. {_ATTENTION}",
        kind="strip",
        values=values[None].astype(np.float32),
        axes=(("weight",), labels),
    )


def cross_attention_views(subject: ExplainedPost) -> list[View]:
    """Token x region maps laid over the photo: the target's by head, and every word's mean over heads."""
    maps_HLR = subject.prediction.trace["attention_BHLR"]
    looked = _at_target(subject)
    regions = grid_names(looked.patches.shape[-1])
    by_word, words = _rows(subject, parted(maps_HLR.mean(0), subject.example.words).patches)
    even = f"Evenly spread attention would be {1 / maps_HLR.shape[-1]:.1%} a region. "
    sums = "The photo's words get the rest of each panel's 1. " if subject.has_words else _SUMS
    return [
        View(
            name="cross-attention",
            title=f"Where {subject.target.title} looks in the photo, by head",
            note=f"{sums}{even}{_ATTENTION}",
            kind="photo-map",
            values=looked.patches.astype(np.float32),
            axes=(_heads(subject), regions),
        ),
        View(
            name="cross-attention-words",
            title="Where each word looks in the photo, mean of heads",
            note=f"{sums}{even}{_ATTENTION}",
            kind="photo-map",
            values=by_word.astype(np.float32),
            axes=(words, regions),
        ),
    ]


def cross_attention_said_view(subject: ExplainedPost) -> View:
    """How much the target looks at each word that the photo says, by head."""
    rest = "its patches get the rest of each row's 1" if subject.has_photo else "each row adds up to 1"
    return View(
        name="cross-attention-photo-words",
        title=f"Which of the photo's words {subject.target.title} looks at, by head",
        note=f"The share of attention that each word of the photo gets; {rest}. {SOURCE_NOTE} {_ATTENTION}",
        kind="strip",
        values=_at_target(subject).words.astype(np.float32),
        axes=(_heads(subject), word_labels(subject.example.words)),
    )


def looking_back_view(subject: ExplainedPost) -> View:
    """Which words of the text the photo looks at: its patches together, and each word that it says."""
    maps_RL = subject.prediction.trace["attention_BHRL"].mean(0)
    words = subject.example.words
    said = words.regions if words else 0
    patches_PL, tokens_KL = np.split(maps_RL, [len(maps_RL) - said])
    rows, labels = [], list(word_labels(words))
    if len(patches_PL):
        rows.append(patches_PL.mean(0))
        labels.insert(0, "the photo's patches")
    if words:
        owners = np.array(words.owners[1:-1])
        rows += [tokens_KL[owners == number].mean(0) for number in range(len(words.words))]
    values = np.stack(rows)[:, [row.start for row in subject.rows]]
    return View(
        name="cross-attention-back",
        title="Which words of the text the photo looks at, mean of heads",
        note="The share of a region's attention at each word's first sub-token; the others hold the rest of "
        f"the 1. The patches' rows are averaged into one. {_ATTENTION}",
        kind="heatmap",
        values=values.astype(np.float32),
        axes=(tuple(labels), tuple(row.label for row in subject.rows)),
    )


def _at_target(subject: ExplainedPost) -> LookedAt:
    """The target's attention: the mean of heads, then each head."""
    of_target_HR = subject.prediction.trace["attention_BHLR"][:, list(subject.target.positions)].mean(1)
    with_mean_NR = np.concatenate([of_target_HR.mean(0, keepdims=True), of_target_HR])
    return parted(with_mean_NR, subject.example.words)


def _heads(subject: ExplainedPost) -> tuple[str, ...]:
    count = len(subject.prediction.trace["attention_BHLR"])
    return ("mean of heads", *(f"head {h + 1}" for h in range(count)))


def joint_attention_views(subject: ExplainedPost) -> list[View]:
    """A joint encoder's text-to-image attention at the target: by layer, and by layer and head."""
    looked, numbers = _joint_attention(subject)
    layers, heads, regions = looked.patches.shape
    by_layer_NR = looked.patches.mean(1)
    axis = grid_names(regions)
    note = f"The share of attention that each region gets where the answer is read; {_REST} {_ATTENTION}"
    return [
        View(
            name="joint-attention",
            title=f"Where {subject.target.title} looks in the photo, by layer",
            note=note,
            kind="photo-map",
            values=np.concatenate([by_layer_NR.mean(0, keepdims=True), by_layer_NR]).astype(np.float32),
            axes=(("mean of layers", *(f"layer {n}" for n in numbers)), axis),
        ),
        View(
            name="joint-attention-heads",
            title=f"Where {subject.target.title} looks in the photo, by layer (down) and head (across)",
            note=note,
            kind="photo-map",
            values=looked.patches.reshape(layers * heads, regions).astype(np.float32),
            axes=(tuple(f"layer {n}, head {h + 1}" for n in numbers for h in range(heads)), axis),
        ),
    ]


def joint_attention_said_view(subject: ExplainedPost) -> View:
    """How much the target looks at each word that the photo says, inside a joint encoder, by layer."""
    looked, numbers = _joint_attention(subject)
    by_layer_NW = looked.words.mean(1)
    return View(
        name="joint-attention-photo-words",
        title=f"Which of the photo's words {subject.target.title} looks at, by layer",
        note=f"The share of attention that each word of the photo gets; {_REST} {SOURCE_NOTE} {_ATTENTION}",
        kind="strip",
        values=np.concatenate([by_layer_NW.mean(0, keepdims=True), by_layer_NW]).astype(np.float32),
        axes=(
            ("mean of layers", *(f"layer {n}" for n in numbers)),
            word_labels(subject.example.words),
        ),
    )


def _joint_attention(subject: ExplainedPost) -> tuple[LookedAt, range]:
    """The encoder's attention at the target, (layers, heads, regions), and the numbers of those layers."""
    encoder, batch = subject.model.text_encoder, subject.batch
    assert isinstance(encoder, JointEncoder)
    with torch.inference_mode():
        states = encoder(
            batch.ids_BL,
            batch.features_BL,
            batch.mask_BL,
            batch.regions_BRD,
            batch.present_B,
            batch.words if subject.has_words else None,
            with_attention=True,
        )
    maps_NHLR = states.attention_BNHLR[0].float().cpu().numpy()
    by_head_NHR = maps_NHLR[:, :, list(subject.target.positions)].mean(2)
    if subject.example.words is not None:  # its two ends are no words
        by_head_NHR = np.delete(by_head_NHR, [-len(subject.example.words.ids), -1], axis=-1)
    last = encoder.bert.config.num_hidden_layers  # layers that look at the photo are the last ones
    numbers = range(last - len(by_head_NHR) + 1, last + 1)
    return parted(by_head_NHR, subject.example.words), numbers


def _rows(subject: ExplainedPost, value: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """One row a word or mark: what stands at its first sub-token, where the head reads."""
    return value[[row.start for row in subject.rows]], tuple(row.label for row in subject.rows)
