"""What a person typed, as a question: what is asked, and one sentence for what cannot be."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.posts.question import MAX_CHARACTERS, input_warnings, read_post, read_text
from mmdemo.types import Ask, InputError, Pair, Post
from tests.made_up import odd_dataset

BOTH = odd_dataset()
ENTITIES = replace(BOTH, tasks=("entities",), relations=())
RELATIONS = replace(BOTH, tasks=("relations",))
MARKED = "[E1] Ann [/E1] met [E2] Bob [/E2]"
ASKED = Ask(entities=False, relations=(Pair(head=(0, 1), tail=(2, 3)),))


@pytest.mark.parametrize(
    ("dataset", "text", "ask"),
    [
        (ENTITIES, "Ann met Bob", Ask(entities=True)),
        (BOTH, "Ann met Bob", Ask(entities=True)),
        (BOTH, MARKED, ASKED),
        (RELATIONS, MARKED, ASKED),
        (None, MARKED, ASKED),
        (None, "Ann met Bob", Ask(entities=True)),
    ],
)
def test_marks_say_what_is_asked(dataset, text, ask):
    row = read_text(text, dataset)
    assert (row.post.tokens, row.ask) == (("Ann", "met", "Bob"), ask)
    assert [text[slice(*place)] for place in row.post.offsets] == ["Ann", "met", "Bob"]


@pytest.mark.parametrize(
    ("dataset", "text", "says"),
    [
        (ENTITIES, MARKED, "marks ask for a relation, but Odd labels finds entities"),
        (RELATIONS, "Ann met Bob", "missing: mark the head"),
        (BOTH, " \u200b", "the text is empty"),
        (BOTH, "a" * (MAX_CHARACTERS + 1), "at most 200,000 can be read"),
        (BOTH, "\ud83d", "not UTF-8, or half of a surrogate pair"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(dataset, text, says):
    with pytest.raises(InputError, match=says):
        read_text(text, dataset)


def test_a_photo_is_opened_and_a_bad_one_named(tmp_path: Path):
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    photo = read_post("Ann", ENTITIES, tmp_path / "a.png").post.image
    assert isinstance(photo, Image.Image) and photo.size == (3, 2)
    assert read_post("Ann", ENTITIES).post.image is None
    with pytest.raises(InputError, match="'gone.png' does not exist"):
        read_post("Ann", ENTITIES, tmp_path / "gone.png")


def test_warnings_name_what_makes_an_answer_doubtful():
    post = Post(text="x", tokens=("Ann", "!"), image=Image.new("RGB", (1, 1)))
    assert input_warnings(post, ()) == []
    missing, cut = input_warnings(replace(post, image=None), (1,))
    assert "No photo" in missing and "1 of 2 words were left out, the first of them word 2 ('!')" in cut
    assert "no letters" in input_warnings(replace(post, tokens=("!",)), ())[0]
