"""Posts of different lengths, with and without photos, as one padded batch."""

import numpy as np
import torch

from mmdemo.models.batch import IGNORED, Example, collate
from mmdemo.models.photo_text import PADDING, PhotoText, SaidWord
from mmdemo.models.subtokens import TextInput

SHORT = TextInput(ids=(101, 7, 102), features=(0, 1, 0), first=(1,))
LONG = TextInput(ids=(101, 7, 8, 9, 102), features=(0, 2, 3, 4, 0), first=(1, -1, 3))
MARKED = TextInput(ids=(101, 1, 7, 2, 3, 8, 4, 102), features=(0,) * 8, first=(2, 5), markers=(1, 3, 4, 6))

#: "PADRES win", where the first word gave two sub-tokens.
SAID = PhotoText(
    ids=(101, 21, 22, 23, 102),
    features=(0, 2, 2, 1, 0),
    sources=(-1, 0, 0, 2, -1),
    owners=(-1, 0, 0, 1, -1),
    words=(SaidWord(text="PADRES", source="ocr", part=0), SaidWord(text="win", source="described", part=1)),
)
ONE = SAID.keeping([False, True])


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


def test_a_teachers_answers_are_padded_with_what_says_nothing():
    answers = [np.full((1, 2), 0.5), np.full((3, 2), 0.5)]
    taught = [Example(text=text, taught=answer) for text, answer in zip((SHORT, LONG), answers, strict=True)]
    assert collate(taught).taught.isnan().all(-1).tolist() == [[False, True, True], [False, False, False]]
    assert collate([*taught, Example(text=LONG)]).taught is None


def test_without_images_changes_nothing_else():
    batch = collate(
        [Example(text=SHORT, target=(4,)), Example(text=LONG, target=(1, 2, 3), pixels_CHW=pixels(1))]
    )
    blind = batch.without_images()
    assert blind.pixels_BCHW is None and not blind.present_B.any()
    assert blind.ids_BL is batch.ids_BL and blind.targets is batch.targets
    assert batch.present_B.tolist() == [False, True]


def test_to_moves_every_tensor():
    whole = Example(
        text=MARKED,
        target=0,
        pixels_CHW=pixels(1),
        states_LD=torch.ones(8, 4),
        words=SAID,
        word_states_KD=torch.ones(5, 4),
        taught=np.array([0.9, 0.1]),
    )
    batch = collate([whole])
    moved = vars(batch.to("meta"))
    assert {name for name, value in moved.items() if value is None} == {"regions_BRD"}
    assert all(value.device.type == "meta" for value in moved.values() if value is not None)


# ---------------------------------------------------------------- what photos say in words


def test_a_photos_words_are_padded_where_others_have_none():
    batch = collate([Example(text=SHORT), Example(text=LONG, words=SAID), Example(text=LONG, words=ONE)])
    assert batch.word_ids_BK.tolist() == [[0] * 5, [101, 21, 22, 23, 102], [101, 23, 102, 0, 0]]
    assert batch.word_sources_BK.tolist() == [[PADDING] * 5, [-1, 0, 0, 2, -1], [-1, 2, -1, PADDING, PADDING]]
    words = batch.words
    assert words.mask_BK.tolist() == [[False] * 5, [True] * 5, [True] * 3 + [False] * 2]
    assert words.said_BK.tolist() == [
        [False] * 5,
        [False, True, True, True, False],
        [False, True] + [False] * 3,
    ]
    assert not batch.present_B.any(), "a picture is something else"


def test_photos_that_say_nothing_leave_no_words():
    assert collate([Example(text=SHORT), Example(text=LONG)]).words is None


def test_states_of_words_count_only_where_every_photo_with_words_has_them():
    have = Example(text=SHORT, words=ONE, word_states_KD=2 * torch.ones(3, 4, dtype=torch.float16))
    batch = collate(
        [have, Example(text=LONG), Example(text=SHORT, words=SAID, word_states_KD=torch.ones(5, 4))]
    )
    assert batch.word_states_BKD.dtype == torch.float32
    assert batch.word_states_BKD.sum(-1).tolist() == [[8, 8, 8, 0, 0], [0] * 5, [4] * 5]
    assert collate([have, Example(text=SHORT, words=SAID)]).word_states_BKD is None


def test_what_stands_beside_a_text_is_taken_away_by_parts():
    whole = Example(text=SHORT, pixels_CHW=pixels(1), words=SAID, word_states_KD=torch.ones(5, 4))
    batch = collate([whole])
    seen = {
        "photo": (False, True),
        "words": (True, False),
        "images": (False, False),
    }
    for name, (photo, words) in seen.items():
        less = getattr(batch, f"without_{name}")()
        assert (bool(less.present_B), less.pixels_BCHW is not None) == (photo, photo), name
        assert (less.words is not None, less.word_states_BKD is not None) == (words, words), name
    assert whole.present and not whole.without_photo().without_words().present
    assert whole.without_photo().present and whole.without_words().present


def test_some_words_stay_with_their_states():
    states = torch.arange(5.0)[:, None]
    example = Example(text=SHORT, words=SAID, word_states_KD=states)
    second = example.keeping_words([False, True])
    assert second.words == ONE and second.word_states_KD.tolist() == [[0], [3], [4]]
    first = example.keeping_words([True, False])
    assert first.words.ids == (101, 21, 22, 102) and first.words.owners == (-1, 0, 0, -1)
    assert example.keeping_words([True, True]).words == SAID
    assert not example.keeping_words([False, False]).has_words
    assert Example(text=SHORT).keeping_words([]) == Example(text=SHORT)
