"""A dataset that nobody publishes, and posts with any labels, to test what must work with every dataset."""

from hypothesis import strategies as st

from mmdemo.datasets.schema import Dataset, EntityType, Files, RelationType
from mmdemo.types import PHOTO_SOURCES, Ask, Entity, Pair, PhotoWords, Post, Question, Relation, Span

ARABIC, MARKUP, LONG = "مدينة", "<script>alert(1)</script>", "long" * 50
#: Labels that a format, a page or a pattern may trip over. SPAN is what some formats call unlabelled spans.
ENTITY_LABELS = ("band", "a b/c", ARABIC, MARKUP, LONG, "SPAN", '"quoted" \\ | #', "a-b")
RELATION_LABELS = ("part-of", "/band/band/part_of", "قرب", "</script>", "a b/c", "Arg1:T1", "SPAN-2")


def odd_dataset(**changes: object) -> Dataset:
    """A dataset with both tasks and labels of every kind."""
    facts: dict = {
        "name": "odd",
        "title": "Odd labels",
        "tasks": ("entities", "relations"),
        "files": Files(format="jsonl", train="train.jsonl", valid="valid.jsonl", test="test.jsonl"),
        "entities": tuple(EntityType(label=label) for label in ENTITY_LABELS),
        "relations": tuple(RelationType(label=label) for label in RELATION_LABELS),
    }
    return Dataset(**{**facts, **changes})


NASTY = (
    "\ufe0f", "\xa0", "\u2028", "\x85", "\x0b", "\x1c", "IMGID:7", "\ufeff", "👩\u200d👧", "#", "{", "\\",
    "O", "'\"",
    "<img onerror=x>", "${x}", "{{x}}", "\u202e", "=1+1", "-DOCSTART-",
)  # fmt: skip
PRINTED = st.characters(exclude_characters="\t\n\r ", exclude_categories=["Cs"])
TOKEN = st.sampled_from(NASTY) | st.text(PRINTED, min_size=1, max_size=5)
ODD = st.sampled_from(["a b", "", "\t", "a\nb", "\r", "\ufeffx"])
ID = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
NO_SCORE = st.none()
SCORE = st.none() | st.floats(0, 1)


@st.composite
def spans(draw: st.DrawFn, length: int) -> Span:
    start = draw(st.integers(0, length - 1))
    return start, draw(st.integers(start + 1, length))


def photo_words() -> st.SearchStrategy[PhotoWords]:
    """Words of a photo: any text that is not blank, hostile ones among them."""
    fraction = st.floats(0, 1)
    ends = st.tuples(fraction, fraction).map(sorted)
    box = st.tuples(ends, ends).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))
    text = st.sampled_from((MARKUP, "\u202eevil", "${x}", "a\0b", " PADRES ", "قرب")) | TEXT.filter(str.strip)
    return st.builds(
        PhotoWords,
        source=st.sampled_from(PHOTO_SOURCES),
        text=text,
        score=SCORE,
        box=st.none() | box,
        by=st.just("") | ID,
    )


@st.composite
def questions(draw: st.DrawFn, scores: st.SearchStrategy = NO_SCORE) -> Question:
    """A post with any entities, relations and asked pairs: overlaps, odd words and places included."""
    tokens = tuple(draw(st.lists(TOKEN | ODD, min_size=1, max_size=7)))
    span = spans(len(tokens))
    text = draw(TEXT)
    place = st.none() | (spans(len(text)) if text else st.none())
    entities = relations = None
    if draw(st.booleans()):
        entities = tuple(
            Entity(start=start, end=end, label=draw(st.sampled_from(ENTITY_LABELS)), score=draw(scores))
            for start, end in draw(st.lists(span, max_size=3, unique=True))
        )
    if draw(st.booleans()):
        relation = st.builds(
            Relation, head=span, tail=span, label=st.sampled_from(RELATION_LABELS), score=scores
        )
        relations = tuple(draw(st.lists(relation, max_size=3, unique=True)))
    pairs = st.lists(st.builds(Pair, head=span, tail=span), max_size=2, unique=True).map(tuple)
    post = Post(
        text=text,
        tokens=tokens,
        offsets=draw(st.just(()) | st.tuples(*[place] * len(tokens))),
        entities=entities,
        relations=relations,
        id=draw(ID),
        image_id=draw(st.none() | ID),
        photo_words=tuple(draw(st.lists(photo_words(), max_size=3))),
    )
    ask = Ask(entities=draw(st.booleans()), relations=draw(st.just("all") | pairs))
    return Question(post=post, ask=ask)
