"""A photo that was seen before is not encoded again, and nothing stale or strange answers for it."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example
from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.photo_cache import Regions
from mmdemo.models.subtokens import TextInput
from mmdemo.posts.question import read_post

CPU = torch.device("cpu")
TEXT = TextInput(ids=(1, 2), features=(0, 0), first=(1,))


class Mean(ImageEncoder):
    """One region a photo: its mean times a weight. Counts the photos that it was given."""

    width = 1

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight, self.given = weight, 0

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        self.given += len(pixels_BCHW)
        return self.weight * pixels_BCHW.mean((1, 2, 3))[:, None, None]


def example(value: float | None) -> Example:
    pixels = None if value is None else np.full((3, 2, 2), value, dtype=np.float32)
    return Example(text=TEXT, pixels_CHW=pixels)


def regions_of(examples: list[Example]) -> list[float | None]:
    assert all(e.pixels_CHW is None for e in examples)
    return [None if e.regions_RD is None else float(e.regions_RD) for e in examples]


def test_each_photo_is_encoded_once_and_posts_without_one_stay_without():
    seen, encoder = Regions(), Mean()
    batch = [example(value) for value in (1.0, None, 2.0, 1.0)]
    assert regions_of(seen.fill(batch, encoder, CPU)) == [1.0, None, 2.0, 1.0]
    assert encoder.given == 2
    assert regions_of(seen.fill([example(2.0), example(3.0)], encoder, CPU)) == [2.0, 3.0]
    assert encoder.given == 3
    seen.clear()
    seen.fill([example(2.0)], encoder, CPU)
    assert encoder.given == 4


def test_another_encoder_answers_for_itself_and_leaves_nothing_behind():
    seen, old = Regions(), Mean(1.0)
    assert regions_of(seen.fill([example(1.0)], old, CPU)) == [1.0]
    assert regions_of(seen.fill([example(1.0)], Mean(5.0), CPU)) == [5.0]
    del old
    gc.collect()
    assert len(seen._seen) == 0


def test_the_photos_asked_about_last_are_kept():
    seen, encoder = Regions(size=2), Mean()
    for value in (1.0, 2.0, 1.0, 3.0):  # 1 is asked about again, so 2 has to go
        seen.fill([example(value)], encoder, CPU)
    assert encoder.given == 3
    seen.fill([example(1.0)], encoder, CPU)
    assert encoder.given == 3
    seen.fill([example(2.0)], encoder, CPU)
    assert encoder.given == 4
    many = [example(float(i)) for i in range(9)]
    assert regions_of(seen.fill(many, encoder, CPU)) == list(range(9)), "more than there is room for"


def test_threads_share_it():
    seen, encoder = Regions(size=3), Mean()

    def ask(turn: int) -> bool:
        values = [float(turn % 5), float(turn % 7)]
        return regions_of(seen.fill([example(v) for v in values], encoder, CPU)) == values

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(400)))


@pytest.mark.parametrize("model", ["roberta-resnet50", "clip-bert", "blip", "vilt"])
def test_a_photo_seen_before_changes_no_answer(tiny_zoo, monkeypatch, model):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    monkeypatch.setattr(answering, "SEEN", seen := Regions())
    cell = catalogue.find_cell("mnre", model, "film", "tiny")
    photo = Image.effect_noise((80, 60), 90).convert("RGB")
    post = read_post("[E1] Ann [/E1] in [E2] Oslo [/E2]", find_dataset("mnre"), photo)
    first, again = answering.predict(post, cell), answering.predict(post, cell)
    assert [r.score for r in first.relations] == [r.score for r in again.relations]
    seen.clear()
    assert answering.predict(post, cell).relations == first.relations
    other = answering.predict(read_post(post.post.text, find_dataset("mnre"), photo.rotate(90)), cell)
    assert [r.score for r in other.relations] != [r.score for r in first.relations]
