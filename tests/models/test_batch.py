"""Posts of different lengths, with and without photos, as one padded batch."""

import numpy as np
import torch

from mmdemo.models.batch import IGNORED, Example, collate
from mmdemo.models.subtokens import TextInput

SHORT = TextInput(ids=(101, 7, 102), features=(0, 1, 0), first=(1,))
LONG = TextInput(ids=(101, 7, 8, 9, 102), features=(0, 2, 3, 4, 0), first=(1, -1, 3))
MARKED = TextInput(ids=(101, 1, 7, 2, 3, 8, 4, 102), features=(0,) * 8, first=(2, 5), markers=(1, 3, 4, 6))


def pixels(value: float) -> np.ndarray:
    return np.full((3, 2, 2), value, dtype=np.float32)


def test_padding():
    batch = collate([Example(text=SHORT, target=(4,)), Example(text=LONG, target=(1, 2, 3))])
    assert batch.ids_BL.tolist() == [[101, 7, 102, 0, 0], [101, 7, 8, 9, 102]]
    assert batch.features_BL.tolist() == [[0, 1, 0, 0, 0], [0, 2, 3, 4, 0]]
    assert batch.mask_BL.tolist() == [[True, True, True, False, False], [True] * 5]
    assert batch.first_BW.tolist() == [[1, -1, -1], [1, -1, 3]]
    assert batch.markers_B4 is None


def test_words_without_a_subtoken_have_no_target():
    batch = collate([Example(text=SHORT, target=(4,)), Example(text=LONG, target=(1, 2, 3))])
    assert batch.targets.tolist() == [[4, IGNORED, IGNORED], [1, IGNORED, 3]]


def test_classes_and_marks():
    batch = collate([Example(text=MARKED, target=5), Example(text=MARKED, target=0)])
    assert batch.targets.tolist() == [5, 0]
    assert batch.markers_B4.tolist() == [[1, 3, 4, 6]] * 2


def test_one_post_without_a_target_leaves_the_batch_without():
    assert collate([Example(text=SHORT, target=(4,)), Example(text=LONG)]).targets is None
    assert collate([Example(text=MARKED, target=0), Example(text=MARKED)]).targets is None


def test_a_missing_photo_is_zeros_and_not_present():
    batch = collate([Example(text=SHORT), Example(text=LONG, pixels_CHW=pixels(0.5))])
    assert batch.present_B.tolist() == [False, True]
    assert batch.pixels_BCHW.shape == (2, 3, 2, 2)
    assert batch.pixels_BCHW[0].eq(0).all() and batch.pixels_BCHW[1].eq(0.5).all()


def test_no_photo_at_all_gives_no_pixels():
    batch = collate([Example(text=SHORT), Example(text=LONG)])
    assert batch.pixels_BCHW is None and batch.regions_BRD is None
    assert not batch.present_B.any()


def test_cached_states_are_padded_and_widened_to_float32():
    states = [torch.ones(3, 4, dtype=torch.float16), 2 * torch.ones(5, 4, dtype=torch.float16)]
    regions = torch.ones(6, 4, dtype=torch.float16)
    batch = collate(
        [
            Example(text=SHORT, states_LD=states[0], regions_RD=regions),
            Example(text=LONG, states_LD=states[1]),
        ]
    )
    assert batch.states_BLD.dtype == batch.regions_BRD.dtype == torch.float32
    assert batch.states_BLD[0].sum(-1).tolist() == [4, 4, 4, 0, 0]
    assert batch.states_BLD[1].eq(2).all()
    assert batch.present_B.tolist() == [True, False] and batch.regions_BRD[1].eq(0).all()


def test_cached_states_count_only_when_every_post_has_them():
    have = Example(text=SHORT, states_LD=torch.ones(3, 4))
    assert collate([have, Example(text=LONG)]).states_BLD is None


def test_without_images_changes_nothing_else():
    batch = collate(
        [Example(text=SHORT, target=(4,)), Example(text=LONG, target=(1, 2, 3), pixels_CHW=pixels(1))]
    )
    blind = batch.without_images()
    assert blind.pixels_BCHW is None and not blind.present_B.any()
    assert blind.ids_BL is batch.ids_BL and blind.targets is batch.targets
    assert batch.present_B.tolist() == [False, True]


def test_to_moves_every_tensor():
    batch = collate([Example(text=MARKED, target=0, pixels_CHW=pixels(1), states_LD=torch.ones(8, 4))])
    moved = vars(batch.to("meta"))
    assert {name for name, value in moved.items() if value is None} == {"regions_BRD"}
    assert all(value.device.type == "meta" for value in moved.values() if value is not None)
