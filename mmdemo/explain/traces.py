"""Views of the weights that a fusion gave, read from its trace (SPEC §4) as they are."""

from math import isqrt

import numpy as np
import torch

from mmdemo.explain.explained_post import Subject
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.types import View

_ATTENTION = "Attention is not an explanation by itself: it says where was looked, not what came of it."


def region_labels(count: int) -> tuple[str, ...]:
    """Names of a square grid's regions in reading order: "row 1, column 1", …"""
    side = isqrt(count)
    return tuple(f"row {r // side + 1}, column {r % side + 1}" for r in range(count))


def modality_view(subject: Subject) -> View:
    """The share of text and photo in each word's state; bimodal has one share for all words."""
    trace, second = subject.prediction.trace, "photo"
    if "alpha_B1" in trace:
        text = float(trace["alpha_B1"].reshape(-1)[0])
        values = np.array([[text, 1 - text]])
        labels: tuple[str, ...] = ("all words",)
        note = (
            "α is one learnt number of this checkpoint, the same for every post: F = α·text + (1 - α)·photo. "
        )
    else:
        values, labels = _rows(subject, trace["modality_BL2"])
        if subject.encoder.config.fusion == "hybrid":  # its second part holds text too (`fusion.hybrid`)
            second = "mix of both"
        against = "the photo's" if second == "photo" else "a mix of text and photo"
        note = f"How the fusion weighs each word's own state against {against}; the two add up to 1. "
    return View(
        name="modality",
        title="Weight of text and photo, by word",
        note=note + "A weight is not an effect: what is weighed may say nothing about the answer.",
        kind="bars",
        values=values.astype(np.float32),
        axes=(labels, ("text", second)),
    )


def tokens_view(subject: Subject) -> View:
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


def cross_attention_views(subject: Subject) -> list[View]:
    """Token x region maps laid over the photo: the target's by head, and every word's mean over heads."""
    maps_HLR = subject.prediction.trace["attention_BHLR"]
    regions = region_labels(maps_HLR.shape[-1])
    of_target_HR = maps_HLR[:, list(subject.target.positions)].mean(1)
    heads = tuple(f"head {h + 1}" for h in range(len(maps_HLR)))
    by_word, words = _rows(subject, maps_HLR.mean(0))
    even = f"Evenly spread attention would be {1 / len(regions):.1%} a region. "
    return [
        View(
            name="cross-attention",
            title=f"Where {subject.target.title} looks in the photo, by head",
            note=f"Each panel's weights add up to 1. {even}{_ATTENTION}",
            kind="photo-map",
            values=np.concatenate([of_target_HR.mean(0, keepdims=True), of_target_HR]).astype(np.float32),
            axes=(("mean of heads", *heads), regions),
        ),
        View(
            name="cross-attention-words",
            title="Where each word looks in the photo, mean of heads",
            note=f"Each panel's weights add up to 1. {even}{_ATTENTION}",
            kind="photo-map",
            values=by_word.astype(np.float32),
            axes=(words, regions),
        ),
    ]


def joint_attention_views(subject: Subject) -> list[View]:
    """A joint encoder's text-to-image attention at the target: by layer, and by layer and head."""
    encoder, batch = subject.model.text_encoder, subject.batch
    assert isinstance(encoder, JointEncoder) and batch.pixels_BCHW is not None
    with torch.inference_mode():
        states = encoder(
            batch.ids_BL,
            batch.features_BL,
            batch.mask_BL,
            subject.model.image_encoder(batch.pixels_BCHW),
            batch.present_B,
            with_attention=True,
        )
    maps_NHLR = states.attention_BNHLR[0].float().cpu().numpy()
    by_head_NHR = maps_NHLR[:, :, list(subject.target.positions)].mean(2)
    layers, heads, regions = by_head_NHR.shape
    by_layer_NR = by_head_NHR.mean(1)
    axis = region_labels(regions)
    last = encoder.bert.config.num_hidden_layers  # layers that look at the photo are the last ones
    numbers = range(last - layers + 1, last + 1)
    note = (
        "The share of attention that each region gets where the answer is read; in one stack over words and "
        f"regions the words get the rest of the 1. {_ATTENTION}"
    )
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
            values=by_head_NHR.reshape(layers * heads, regions).astype(np.float32),
            axes=(tuple(f"layer {n}, head {h + 1}" for n in numbers for h in range(heads)), axis),
        ),
    ]


def _rows(subject: Subject, value: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """One row a word or mark: what stands at its first sub-token, where the head reads."""
    return value[[row.start for row in subject.rows]], tuple(row.label for row in subject.rows)
