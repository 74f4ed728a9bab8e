"""read(write(x)) == x for the three formats, with the words that tweets really hold and worse."""

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.datasets.bio import ENTITY_TYPES, RELATIONS, bio_tags, spans_of, tags_of
from mmdemo.formats.jsonl import read_jsonl, write_jsonl
from mmdemo.formats.published import read_conll, read_mnre, write_conll, write_mnre
from mmdemo.types import Entity, Pair, Post

NASTY = (
    "\ufe0f",
    "\xa0",
    "\u2028",
    "\x85",
    "\x0b",
    "\x1c",
    " ",
    "IMGID:7",
    "\ufeff",
    "👩‍👩‍👧",
    "#",
    "{",
    "\\",
    "'\"",
    "O",
)
TEXT = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]), min_size=1, max_size=6)
TOKEN = st.sampled_from(NASTY) | TEXT
IMAGE_ID = st.none() | TOKEN
SCORE = st.none() | st.floats(0, 1)

# tmp_path is shared by the examples of one test: every example overwrites the same file
same_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def tagged_posts(draw: st.DrawFn) -> Post:
    """A post as a CoNLL file can hold it, orphan I- tags included."""
    rows = draw(st.lists(st.tuples(TOKEN, st.sampled_from(bio_tags("twitter2015"))), min_size=1, max_size=8))
    tokens, tags = tuple(token for token, _ in rows), tuple(tag for _, tag in rows)
    image_id = draw(IMAGE_ID)
    entities = tuple(
        Entity(start=start, end=end, label=kind, text=" ".join(tokens[start:end]))
        for start, end, kind in spans_of(tags)
    )
    canonical = list(tags) == tags_of(entities, len(tokens))
    return Post(
        text=" ".join(tokens),
        tokens=tokens,
        entities=entities,
        id=image_id,
        image_id=image_id,
        tags=None if canonical else tags,
    )


@st.composite
def spans(draw: st.DrawFn, length: int) -> tuple[int, int]:
    start = draw(st.integers(0, length - 1))
    return start, draw(st.integers(start + 1, length))


@st.composite
def paired_posts(draw: st.DrawFn) -> Post:
    tokens = tuple(draw(st.lists(TOKEN | st.just("\t\n"), min_size=1, max_size=8)))
    return Post(
        text=" ".join(tokens),
        tokens=tokens,
        pair=Pair(head=draw(spans(len(tokens))), tail=draw(spans(len(tokens)))),
        relation=draw(st.sampled_from(RELATIONS)),
        id=draw(TOKEN),
        image_id=draw(IMAGE_ID),
    )


@st.composite
def any_posts(draw: st.DrawFn) -> Post:
    """A post with a text of its own, a photo path and scores, which only JSONL holds."""
    post = draw(tagged_posts() | paired_posts())
    entities = post.entities and tuple(replace(entity, score=draw(SCORE)) for entity in post.entities)
    image = draw(st.none() | st.just(Path("photos/a b.jpg")))
    return replace(
        post, text=draw(st.text(st.characters(exclude_categories=["Cs"]))), image=image, entities=entities
    )


@same_file
@given(st.lists(tagged_posts(), max_size=4))
def test_conll_reads_what_it_wrote(tmp_path: Path, posts: list[Post]) -> None:
    write_conll(tmp_path / "x.txt", posts)
    assert read_conll(tmp_path / "x.txt", ENTITY_TYPES["twitter2015"]) == posts


@same_file
@given(st.lists(paired_posts(), max_size=4))
def test_mnre_reads_what_it_wrote(tmp_path: Path, posts: list[Post]) -> None:
    write_mnre(tmp_path / "x.txt", posts)
    assert read_mnre(tmp_path / "x.txt") == posts


@same_file
@given(st.lists(any_posts(), max_size=4))
def test_jsonl_reads_what_it_wrote(tmp_path: Path, posts: list[Post]) -> None:
    write_jsonl(tmp_path / "x.jsonl", posts)
    assert read_jsonl(tmp_path / "x.jsonl") == posts
