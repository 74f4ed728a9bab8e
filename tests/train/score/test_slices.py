"""Kinds of posts that figures are given of apart."""

from dataclasses import replace

import numpy as np

from mmdemo.types import Entity, PhotoWords, Post, Relation
from train.score.slices import known_names, names_of, slices_of


def post(text: str, *entities: tuple[int, int, str]) -> Post:
    stated = tuple(Entity(start=start, end=end, label=label) for start, end, label in entities)
    return Post(text=text, tokens=tuple(text.split()), entities=stated)


def test_a_relation_s_ends_are_names_too():
    relation = Relation(head=(0, 2), tail=(3, 4), label="/per/org/member_of")
    row = Post(text="Ada King joins NASA", tokens=("Ada", "King", "joins", "NASA"), relations=(relation,))
    assert names_of(row) == [("ada king", ""), ("nasa", "")]


def test_slices_are_of_enough_posts():
    short = [post("#a b", (1, 2, "PER"))] * 40
    long = [post("w " * 25)] * 10
    found = slices_of([*short, *long], np.ones(50, dtype=bool), {})
    assert {name: int(mask.sum()) for name, mask in found.items()} == {
        "with a photo": 50,
        "up to 10 words": 40,
        "with a hashtag": 40,
        "one entity": 40,
        "a name unknown to training": 40,
    }


def test_names_are_known_whatever_their_case_and_ambiguous_by_their_types():
    known = known_names([post("Jordan won", (0, 1, "PER")), post("to JORDAN", (1, 2, "LOC"))])
    assert known == {"jordan": frozenset({"PER", "LOC"})}
    posts = [post("jordan sings", (0, 1, "PER"))] * 30 + [post("Lima", (0, 1, "LOC"))] * 31
    found = slices_of(posts, np.zeros(61, dtype=bool), known)
    counts = {name: int(mask.sum()) for name, mask in found.items()}
    assert counts["all names known from training"] == counts["a name of several types in training"] == 30
    assert counts["a name unknown to training"] == 31


def test_related_photos_are_halved_and_quoted_text_is_found():
    said = PhotoWords(source="captioned", by="cogvlm", text='a sign that reads "Rehab House"')
    plain = PhotoWords(source="captioned", by="cogvlm", text="a girl's dog")
    posts = [replace(post("a"), photo_words=(said,))] * 40 + [replace(post("a"), photo_words=(plain,))] * 40
    related = np.array([0.9] * 35 + [0.1] * 35 + [np.nan] * 10)
    found = slices_of(posts, np.ones(80, dtype=bool), {}, related)
    assert found["photo and text related, upper half"][:35].all()
    assert found["photo and text related, upper half"].sum() == 35
    assert found["photo and text related, lower half"].sum() == 35
    assert found["described as having text in the photo"].tolist() == [True] * 40 + [False] * 40
