"""Encoder states computed once: region maps of photos (kept on disk) and token states (kept in memory).

Frozen encoders give the same answer every epoch, so a stage on top of them can train in seconds. View 0
is the plain one (evaluation); views 1.. are random ones for training: photos augmented, text with dropout.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from mmdemo.models.batch import Example
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.photo.opening import load_photo
from mmdemo.photo.pixels import augment
from mmdemo.types import Post
from train.data.batches import ordered_batches
from train.fit.state import replace_file

log = logging.getLogger(__name__)

Regions = dict[Path, Tensor]


def region_maps(
    model: MultimodalModel, encoder: PostEncoder, posts: Sequence[Post], view: int, folder: Path, salt: str
) -> Regions:
    """Photo path -> regions (R, D) in float16 for every readable photo of the posts."""
    maps = backbone_maps(model, encoder, posts, view, folder, salt)
    device = next(model.image_encoder.parameters()).device
    with torch.inference_mode():
        return {
            path: model.image_encoder.regions(map_RD[None].float().to(device))[0].to(torch.float16).cpu()
            for path, map_RD in maps.items()
        }


def backbone_maps(
    model: MultimodalModel, encoder: PostEncoder, posts: Sequence[Post], view: int, folder: Path, salt: str
) -> Regions:
    """Photo path -> the backbone's map in float16 for every readable photo of the posts.

    Kept in ``folder`` as plain arrays under a name that hashes the photo's bytes, the view and ``salt`` (the
    backbone's identity), so that a second run, another dataset or another reduction finds them.
    """
    if encoder.image_size != encoder.config.sizes.image_size:
        salt += f" {encoder.image_size} pixels"
    by_photo = {Path(post.image): post for post in posts if isinstance(post.image, str | Path)}
    found: Regions = {}
    model.image_encoder.eval()
    for path, post in tqdm(sorted(by_photo.items()), f"photos, view {view}", disable=None):
        digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
        key = hashlib.sha256(f"{digest.hexdigest()} {view} {salt}".encode())
        file = folder / f"{key.hexdigest()[:32]}.npy"
        kept = _kept(file)
        if kept is None:
            map_RD = _backbone_map(model, encoder, post, view, seed=int(digest.hexdigest()[:8], 16))
            if map_RD is None:
                continue
            replace_file(file, partial(_save, map_RD))
            kept = map_RD
        found[path] = torch.from_numpy(kept)
    return found


def _kept(file: Path) -> np.ndarray | None:
    """The map of an earlier run; None where there is none, or half of one, which is then made again."""
    if not file.exists():
        return None
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        log.warning("the cached photo map %s is damaged (%s); it is made again", file, error)
        return None


def _save(value: np.ndarray, file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, value, allow_pickle=False)


def _backbone_map(
    model: MultimodalModel, encoder: PostEncoder, post: Post, view: int, seed: int
) -> np.ndarray | None:
    photo, _ = load_photo(post)
    if photo is None:
        return None
    if view:
        photo = augment(photo, encoder.image_size, np.random.default_rng([seed, view]))
    device = next(model.image_encoder.parameters()).device
    with torch.inference_mode():
        pixels_BCHW = torch.from_numpy(encoder.pixels(photo))[None].to(device)
        map_BRD = model.image_encoder.backbone_map(pixels_BCHW)
    return map_BRD[0].to(torch.float16).cpu().numpy()


def with_regions(examples: Sequence[Example], posts: Sequence[Post], regions: Regions) -> list[Example]:
    """The examples with their photos' regions; a post without a readable photo stays without."""
    return [
        replace(e, regions_RD=regions.get(Path(p.image)) if isinstance(p.image, str | Path) else None)
        for e, p in zip(examples, posts, strict=True)
    ]


def encoder_states(
    model: MultimodalModel, examples: Sequence[Example], *, view: int, batch_size: int
) -> list[Example]:
    """The examples with the encoders' states in float16, under dropout in views above 0.

    A joint encoder mixes the regions that the examples carry and gives its own in their place. What photos
    say in words gets states of its own, by whichever way the encoder reads it.
    """
    device = next(model.text_encoder.parameters()).device
    joint = isinstance(model.text_encoder, JointEncoder)
    model.text_encoder.train(view > 0)
    found: list[Example] = list(examples)
    blind = examples if joint else [e.without_photo() for e in examples]
    batches = list(ordered_batches(blind, batch_size))
    with torch.inference_mode():
        for index, batch in tqdm(batches, f"token states, view {view}", disable=None):
            states = model.encode(batch.to(device))
            states_BLD = states.tokens_BLD.to(torch.float16).cpu()
            for row, i in enumerate(index):
                example = examples[i]
                found[i] = replace(example, states_LD=states_BLD[row, : len(example.text.ids)].clone())
                if joint and example.regions_RD is not None and states.regions_BRD is not None:
                    found[i] = replace(found[i], regions_RD=_kept_states(states.regions_BRD[row]))
                if example.words is not None and states.words_BKD is not None:
                    said_KD = states.words_BKD[row, : len(example.words.ids)]
                    found[i] = replace(found[i], word_states_KD=_kept_states(said_KD))
    model.text_encoder.eval()
    return found


def _kept_states(states: Tensor) -> Tensor:
    """A row of a batch in float16, on the CPU, and not a view that would keep all of the batch."""
    return states.to(torch.float16).cpu().clone()
