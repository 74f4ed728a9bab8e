"""Encoder states computed once: region maps of photos (kept on disk) and token states (kept in memory).

Frozen encoders give the same answer every epoch, so a stage on top of them can train in seconds. View 0
is the plain one (evaluation); views 1.. are random ones for training: photos augmented, text with dropout.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from mmdemo.data.batch import Batch, Example
from mmdemo.data.encode import PostEncoder
from mmdemo.data.image import augment, load_photo
from mmdemo.models.model import MultimodalModel
from mmdemo.types import Post
from train.batches import ordered_batches
from train.state import replace_file

Regions = dict[Path, Tensor]


def region_maps(
    model: MultimodalModel, encoder: PostEncoder, posts: Sequence[Post], view: int, folder: Path, salt: str
) -> Regions:
    """Photo path -> regions (R, D) in float16 for every readable photo of the posts.

    Kept in ``folder`` as plain arrays under a name that hashes the photo's bytes, the view and ``salt``
    (the encoder's identity), so that a second run or another dataset finds them.
    """
    by_photo = {Path(post.image): post for post in posts if isinstance(post.image, str | Path)}
    found: Regions = {}
    model.image_encoder.eval()
    for path, post in tqdm(sorted(by_photo.items()), f"photos, view {view}", disable=None):
        digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
        key = hashlib.sha256(f"{digest.hexdigest()} {view} {salt}".encode())
        file = folder / f"{key.hexdigest()[:32]}.npy"
        if not file.exists():
            regions = _regions(model, encoder, post, view, seed=int(digest.hexdigest()[:8], 16))
            if regions is None:
                continue
            replace_file(file, partial(_save, regions))
        found[path] = torch.from_numpy(np.load(file, allow_pickle=False))
    return found


def _save(value: np.ndarray, file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, value, allow_pickle=False)


def _regions(
    model: MultimodalModel, encoder: PostEncoder, post: Post, view: int, seed: int
) -> np.ndarray | None:
    photo, _ = load_photo(post)
    if photo is None:
        return None
    if view:
        photo = augment(photo, encoder.config.sizes.image_size, np.random.default_rng([seed, view]))
    with torch.inference_mode():
        regions_BRD = model.image_encoder(torch.from_numpy(encoder.pixels(photo))[None])
    return regions_BRD[0].to(torch.float16).numpy()


def with_regions(examples: Sequence[Example], posts: Sequence[Post], regions: Regions) -> list[Example]:
    """The examples with their photos' regions; a post without a readable photo stays without."""
    return [
        replace(e, regions_RD=regions.get(Path(p.image)) if isinstance(p.image, str | Path) else None)
        for e, p in zip(examples, posts, strict=True)
    ]


def with_states(
    model: MultimodalModel, examples: Sequence[Example], *, view: int, batch_size: int, device: torch.device
) -> list[Example]:
    """The examples with the text encoder's states in float16, under dropout in views above 0."""
    model.text_encoder.train(view > 0)
    found: list[Example] = list(examples)
    with torch.inference_mode():
        for index, batch in tqdm(
            list(_text_batches(examples, batch_size)), f"token states, view {view}", disable=None
        ):
            batch = batch.to(device)
            states_BLD = model.text_encoder(batch.ids_BL, batch.features_BL, batch.mask_BL)
            for i, states_LD in zip(index, states_BLD.to(torch.float16).cpu(), strict=True):
                length = len(examples[i].text.ids)
                found[i] = replace(examples[i], states_LD=states_LD[:length].clone())
    model.text_encoder.eval()
    return found


def _text_batches(examples: Sequence[Example], size: int) -> Iterator[tuple[list[int], Batch]]:
    blind = [replace(e, pixels_CHW=None, regions_RD=None) for e in examples]
    return ordered_batches(blind, size)
