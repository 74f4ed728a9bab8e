"""CoNLL: every trap of the public files, and one clear sentence for a bad one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seqeval.scheme import IOB2, Entities

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.conll import FORMAT
from mmdemo.formats.reading import read_split
from mmdemo.posts.gold import gold_tags
from mmdemo.types import Ask, Entity, InputError, Post, Question
from tests.made_up import ENTITY_LABELS, NASTY, odd_dataset

ODD_SET = odd_dataset()
TEXT = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]), min_size=1, max_size=6)
TOKEN = st.sampled_from([*NASTY, " "]) | TEXT


def conll(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "posts.txt"
    path.write_bytes(text.encode())
    return path


def posts_of(path: Path) -> list[Post]:
    return [row.post for row in FORMAT.read(path)]


@st.composite
def tagged(draw: st.DrawFn) -> Question:
    """A post as a CoNLL file can hold it, orphan I- tags included."""
    tags = st.sampled_from(ODD_SET.tags)
    rows = draw(st.lists(st.tuples(TOKEN, tags), min_size=1, max_size=8))
    tokens, kept = tuple(token for token, _ in rows), tuple(tag for _, tag in rows)
    image_id = draw(st.none() | TOKEN.map(str.strip).filter(bool))
    entities = tuple(
        Entity(start=start, end=end, label=label, text=" ".join(tokens[start:end]))
        for start, end, label in spans_of(kept)
    )
    post = Post(
        text=" ".join(tokens),
        tokens=tokens,
        entities=entities,
        id=image_id,
        image_id=image_id,
        tags=None if list(kept) == tags_of(entities, len(tokens)) else kept,
    )
    return Question(post=post, ask=Ask(entities=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tagged(), max_size=4))
def test_reads_what_it_wrote(tmp_path: Path, rows: list[Question]) -> None:
    FORMAT.write(tmp_path / "x.txt", rows, ODD_SET)
    assert FORMAT.read(tmp_path / "x.txt", ODD_SET) == rows


def test_last_post_without_blank_line_is_kept(tmp_path: Path) -> None:
    posts = posts_of(conll(tmp_path, "IMGID:1\nRT\tO\n\nIMGID:O_2\nRome\tB-LOC"))
    assert [(post.id, post.image_id, post.tokens) for post in posts] == [
        ("1", "1", ("RT",)),
        ("O_2", "O_2", ("Rome",)),
    ]


def test_extra_blank_lines_windows_ends_and_bom(tmp_path: Path) -> None:
    posts = posts_of(conll(tmp_path, "\ufeff\r\nIMGID:1\r\nRome\tB-LOC\r\n\r\n\r\nIMGID:2\r\nx\tO\r\n\r\n"))
    assert [post.image_id for post in posts] == ["1", "2"]
    assert gold_tags(posts[0]) == ["B-LOC"]


def test_header_without_blank_line_before_starts_a_post(tmp_path: Path) -> None:
    assert len(posts_of(conll(tmp_path, "IMGID:1\na\tO\nIMGID:2\nb\tO\n"))) == 2


def test_post_without_header_has_no_photo(tmp_path: Path) -> None:
    (post,) = posts_of(conll(tmp_path, "a\tO\n"))
    assert (post.id, post.image_id) == (None, None)


@pytest.mark.parametrize("token", ["\ufe0f", "\xa0", "\u200b", "\u2028", "\x85", "IMGID:9"])
def test_invisible_tokens_keep_their_place(tmp_path: Path, token: str) -> None:
    (post,) = posts_of(conll(tmp_path, f"IMGID:1\na\tO\n{token}\tO\nRome\tB-LOC\n"))
    assert post.tokens == ("a", token, "Rome")
    assert post.entities == (Entity(start=2, end=3, label="LOC", text="Rome"),)


def test_orphan_tags_survive_a_round_trip(tmp_path: Path) -> None:
    path = conll(tmp_path, "IMGID:1\nLake\tO\nWater\tI-LOC\nBob\tI-PER\n")
    (row,) = FORMAT.read(path)
    assert [(entity.start, entity.end) for entity in row.post.entities or ()] == [(1, 2), (2, 3)]
    assert gold_tags(row.post) == ["O", "I-LOC", "I-PER"]
    FORMAT.write(tmp_path / "again.txt", [row], ODD_SET)
    assert (tmp_path / "again.txt").read_bytes() == path.read_bytes()


def test_corrected_entities_win_over_the_files_tags(tmp_path: Path) -> None:
    (post,) = posts_of(conll(tmp_path, "IMGID:1\nLake\tO\nWater\tI-LOC\n"))
    corrected = replace(post, entities=(Entity(start=0, end=2, label="LOC"),))
    assert gold_tags(corrected) == ["B-LOC", "I-LOC"]


def test_other_schemes_and_columns(tmp_path: Path) -> None:
    """CoNLL-2003's columns and documents, and tags with an end and a single."""
    text = (
        "-DOCSTART- -X- O O\n\nNew NNP B-NP B-LOC\nYork NNP I-NP E-LOC\n, , O O\nBob NNP O S-PER\n\nx y z O\n"
    )
    one, two = posts_of(conll(tmp_path, text))
    assert gold_tags(one) == ["B-LOC", "I-LOC", "O", "B-PER"] and two.tokens == ("x",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("IMGID:1\na\tO\nRome B-LOC\n", "line 3 is not a token, a tab and a tag: 'Rome B-LOC'"),
        ("IMGID:1\nRome\n", "line 2 is not a token"),
        ("IMGID:1\n\tO\n", "line 2 is not a token"),
        ("IMGID:1\nRome\tX-LOC\n", "line 2 has the unknown tag 'X-LOC'"),
        ("IMGID:1\nRome\t\n", "line 2 is not a token, a tab and a tag"),
        ("IMGID:1\n\nIMGID:2\na\tO\n", "line 1 starts a post that has no words"),
        ("a\tO\n\nIMGID:2\n", "line 3 starts a post that has no words"),
        ("a\tB-CITY\n", "has the unknown entity label 'CITY'"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=rf"posts\.txt {says}"):
        FORMAT.read(conll(tmp_path, text), ODD_SET)


def test_bad_bytes_and_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "posts.txt"
    path.write_bytes(b"IMGID:1\na\tO\n\xff\tO\n")
    with pytest.raises(InputError, match=r"posts\.txt line 3 is not UTF-8"):
        FORMAT.read(path)
    for missing in (tmp_path / "gone.txt", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            FORMAT.read(missing)


@pytest.mark.parametrize("token", ["a\tb", "a\nb", "a\rb", ""])
def test_refuses_a_token_that_is_no_field(tmp_path: Path, token: str) -> None:
    row = Question(post=Post(text="x", tokens=(token,), entities=(), id="p9"), ask=Ask())
    with pytest.raises(InputError, match="post 'p9' has"):
        FORMAT.write(tmp_path / "x.txt", [row], ODD_SET)


@pytest.mark.parametrize("start", [0, 1])
def test_refuses_entities_that_overlap_or_leave_the_words(tmp_path: Path, start: int) -> None:
    label = ENTITY_LABELS[0]
    entities = (Entity(start=0, end=1, label=label), Entity(start=start, end=start + 1, label=label))
    row = Question(post=Post(text="a", tokens=("a",), entities=entities, id="p9"), ask=Ask())
    with pytest.raises(InputError, match="post 'p9': entity span"):
        FORMAT.write(tmp_path / "x.txt", [row], ODD_SET)


# ---------------------------------------------------------------- real data

REAL = {
    ("twitter2015", "train"): (4000, 6352),
    ("twitter2015", "valid"): (1000, 1594),
    ("twitter2015", "test"): (3257, 5207),
    ("twitter2017", "train"): (3373, 6049),
    ("twitter2017", "valid"): (723, 1324),
    ("twitter2017", "test"): (723, 1351),
}


@pytest.mark.parametrize(("name", "split"), REAL)
def test_real_splits_come_back_byte_for_byte(
    shared_data: Path, tmp_path: Path, name: str, split: str
) -> None:
    dataset = find_dataset(name)
    rows = read_split(shared_data, dataset, split)
    assert (len(rows), sum(len(row.post.entities or ()) for row in rows)) == REAL[name, split]
    FORMAT.write(tmp_path / "x.txt", rows, dataset)
    original = shared_data / dataset.files.of(split)
    assert (tmp_path / "x.txt").read_bytes().strip() == original.read_bytes().strip()


def test_real_tags_score_as_strict_scoring_sees_them(shared_data: Path) -> None:
    rows = read_split(shared_data, find_dataset("twitter2015"), "test")
    strict = Entities([gold_tags(row.post) for row in rows], IOB2)
    assert sum(len(entities) for entities in strict.entities) == 5072
