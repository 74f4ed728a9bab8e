"""Batches of an epoch: every post once, in an order that the seed and the epoch fix."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.models.batch import Example
from mmdemo.models.photo_text import PhotoText, SaidWord
from mmdemo.models.subtokens import TextInput
from train.data.batches import POOL, Drops, Mix, bucketed_batches, count_batches, ordered_batches, texts_of


def example(number: int, length: int, photo: bool = True) -> Example:
    """A post that is known by its first id."""
    ids = (number, *[7] * (length - 1))
    text = TextInput(ids=ids, features=(0,) * length, first=(0,))
    return Example(text=text, regions_RD=torch.ones(1, 2) if photo else None)


def posts(count: int) -> list[Example]:
    lengths = np.random.default_rng(0).integers(1, 60, count)
    return [example(1000 + i, int(length)) for i, length in enumerate(lengths)]


def numbers(batches) -> list[list[int]]:
    return [batch.ids_BL[:, 0].tolist() for batch in batches]


@given(st.integers(1, 230), st.integers(1, 9), st.integers(0, 3), st.integers(0, 3))
def test_every_post_comes_once_an_epoch(count, size, seed, epoch):
    batches = numbers(bucketed_batches(posts(count), size, seed=seed, epoch=epoch))
    assert Counter(n for batch in batches for n in batch) == Counter(range(1000, 1000 + count))
    assert len(batches) == -(-count // size)
    assert all(len(batch) <= size for batch in batches)


def test_seed_and_epoch_fix_the_order():
    examples = posts(100)
    orders = {
        (seed, epoch): numbers(bucketed_batches(examples, 8, seed=seed, epoch=epoch, drops=Drops(all=0.5)))
        for seed in (1, 2)
        for epoch in (0, 1)
    }
    again = numbers(bucketed_batches(examples, 8, seed=2, epoch=1, drops=Drops(all=0.5)))
    assert again == orders[2, 1]
    assert all(a != b for x, a in orders.items() for y, b in orders.items() if x != y)


def test_lengths_in_a_batch_are_near_each_other():
    examples = posts(8 * POOL)
    padded = sum(batch.ids_BL.numel() for batch in bucketed_batches(examples, 8, seed=1, epoch=0))
    needed = sum(len(e.text.ids) for e in examples)
    assert padded < 1.05 * needed  # shuffled alone, it is about 1.7 times


def test_batches_do_not_come_by_length():
    means = [b.mask_BL.sum(1).float().mean() for b in bucketed_batches(posts(400), 8, seed=1, epoch=0)]
    assert means != sorted(means) and means != sorted(means, reverse=True)


def test_photos_are_dropped_at_the_asked_rate_and_anew_each_epoch():
    examples = [example(i, 5) for i in range(4000)]
    present = []
    for epoch in (0, 1):
        shown = torch.zeros(4000)
        for batch in bucketed_batches(examples, 16, seed=3, epoch=epoch, drops=Drops(all=0.15)):
            shown[batch.ids_BL[:, 0]] = batch.present_B.float()
        present.append(shown)
    for shown in present:
        assert abs(1 - shown.mean().item() - 0.15) < 0.02  # three standard deviations are 0.017
    assert not torch.equal(*present)


def test_dropping_all_or_no_photos():
    examples = [example(i, 5, photo=i % 2 == 0) for i in range(20)]
    kept = [b.present_B for b in bucketed_batches(examples, 4, seed=1, epoch=0)]
    assert torch.cat(kept).sum() == 10
    dropped = list(bucketed_batches(examples, 4, seed=1, epoch=0, drops=Drops(all=1.0)))
    assert all(batch.regions_BRD is None and not batch.present_B.any() for batch in dropped)
    assert examples[0].has_image  # the examples themselves are left alone


@given(st.integers(1, 60), st.integers(1, 9))
def test_ordered_batches_name_their_posts(count, size):
    examples = posts(count)
    lengths = []
    seen = []
    for index, batch in ordered_batches(examples, size):
        assert [1000 + i for i in index] == batch.ids_BL[:, 0].tolist()
        lengths += [len(examples[i].text.ids) for i in index]
        seen += index
    assert sorted(seen) == list(range(count)) and lengths == sorted(lengths, reverse=True)


def test_lengths_of_live_photos_are_read_without_opening_them():
    class Live(list):
        examples = posts(5)

        def __getitem__(self, index):
            raise AssertionError("a photo was opened")

    assert [len(t.ids) for t in texts_of(Live())] == [len(e.text.ids) for e in Live.examples]
    assert texts_of([replace(Live.examples[0])]) == [Live.examples[0].text]


def asking(number: int, related: bool | None) -> Example:
    """A question about a post's entities (None), or about a pair that has a relation or none."""
    made = example(number, 9)
    if related is None:
        return replace(made, target=(0,))
    return replace(made, text=replace(made.text, markers=(1, 2, 3, 4)), target=int(related))


def test_an_epoch_takes_some_pairs_without_a_relation_and_entities_several_times():
    kinds = [None] * 3 + [True] * 4 + [False] * 50
    examples = [asking(100 + number, kind) for number, kind in enumerate(kinds)]
    mix = Mix(repeats=2, unrelated=1.5)
    epochs = []
    for epoch in range(2):
        batches = list(bucketed_batches(examples, 4, seed=1, epoch=epoch, mix=mix))
        assert len(batches) == count_batches(examples, 4, mix) == 2 + 3
        taken = Counter(n - 100 for batch in numbers(batches) for n in batch)
        assert all(taken[n] == 2 for n in range(3)) and all(taken[n] == 1 for n in range(3, 7))
        assert sum(taken[n] for n in range(7, 57)) == 6  # 1.5 for each of the four
        epochs.append(frozenset(taken))
    assert epochs[0] != epochs[1]  # drawn anew
    whole = [batch for batch in numbers(bucketed_batches(examples, 4, seed=1, epoch=0))]
    assert Counter(n for batch in whole for n in batch) == Counter(range(100, 157))


def test_photo_words_in_a_batch_are_of_like_length_too():
    draw = np.random.default_rng(1)
    examples = [replace(e, words=said(0, int(draw.integers(1, 40))).words) for e in posts(8 * POOL)]
    batches = list(bucketed_batches(examples, 8, seed=1, epoch=0))
    width = sum(batch.ids_BL.numel() + batch.words.said_BK.numel() for batch in batches if batch.words)
    needed = sum(len(e.text.ids) + len(e.words.ids) for e in examples if e.words)
    assert width < 1.15 * needed  # where texts alone are sorted, it is about 1.3 times


# ---------------------------------------------------------------- photos and their words, dropped by parts


def said(number: int, words: int = 4) -> Example:
    """A post whose photo says some words, each one sub-token."""
    sub_tokens = tuple(range(2000, 2000 + words))
    text = PhotoText(
        ids=(101, *sub_tokens, 102),
        features=(0,) * (words + 2),
        sources=(-1, *[0] * words, -1),
        owners=(-1, *range(words), -1),
        words=tuple(SaidWord(text=str(word), source="ocr", part=0) for word in range(words)),
    )
    return replace(example(number, 5), words=text)


def test_parts_of_a_photo_are_dropped_apart():
    examples = [said(i) for i in range(4000)]
    rng = np.random.default_rng(1)
    found = Drops(all=0.1, photo=0.2, words=0.3).drawn(examples, rng)
    states = Counter((e.has_image, e.has_words) for e in found)
    rates = {key: count / len(found) for key, count in states.items()}
    expected = {
        (True, True): 0.9 * 0.8 * 0.7,
        (True, False): 0.9 * 0.8 * 0.3,
        (False, True): 0.9 * 0.2 * 0.7,
        (False, False): 0.1 + 0.9 * 0.2 * 0.3,
    }
    for key, rate in expected.items():
        assert rates[key] == pytest.approx(rate, abs=0.025), key


def test_some_words_are_dropped_one_by_one():
    found = Drops(some_words=0.5).drawn([said(i) for i in range(2000)], np.random.default_rng(1))
    left = [len(e.words.words) if e.words else 0 for e in found]
    assert np.mean(left) == pytest.approx(2.0, abs=0.1) and set(left) == {0, 1, 2, 3, 4}
    assert all(e.has_image for e in found)


def test_chances_of_nothing_draw_no_number():
    """So that recipes of cells without words train as they always have."""
    rng = np.random.default_rng(1)
    Drops().drawn([said(0)], rng)
    Drops(some_words=0.5).drawn([example(0, 5)], rng)
    assert rng.random() == np.random.default_rng(1).random()
    batches = bucketed_batches([example(i, 5) for i in range(40)], 4, seed=1, epoch=0, drops=Drops(all=0.5))
    again = bucketed_batches(
        [example(i, 5) for i in range(40)], 4, seed=1, epoch=0, drops=Drops(all=0.5, some_words=0.5)
    )
    for one, other in zip(batches, again, strict=True):
        assert torch.equal(one.present_B, other.present_B)
