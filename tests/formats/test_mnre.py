"""MNRE: every trap of the public files, and one clear sentence for a bad one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.mnre import FORMAT
from mmdemo.formats.reading import read_split
from mmdemo.types import Ask, InputError, Pair, Post, Question, Relation
from tests.made_up import RELATION_LABELS, TOKEN, odd_dataset, spans

ODD_SET = odd_dataset()
ROW = {
    "token": ["Key", "Largo", "by", "Lauren", "Bacall"],
    "h": {"name": "Lauren Bacall", "pos": [3, 5]},
    "t": {"name": "Key Largo", "pos": [0, 2]},
    "img_id": "twitter_1.jpg",
    "relation": "part-of",
}


def mnre(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "mnre_test.txt"
    path.write_text("\n".join(map(str, lines)), encoding="utf-8")
    return path


@st.composite
def paired(draw: st.DrawFn) -> Question:
    tokens = tuple(draw(st.lists(TOKEN | st.just("\t\n"), min_size=1, max_size=8)))
    span, label = spans(len(tokens)), st.sampled_from(RELATION_LABELS)
    relation = st.builds(Relation, head=span, tail=span, label=label)
    relations = tuple(draw(st.lists(relation, min_size=1, max_size=3, unique=True)))
    post = Post(
        text=" ".join(tokens),
        tokens=tokens,
        relations=relations,
        id=draw(TOKEN),
        image_id=draw(st.none() | TOKEN),
    )
    pairs = tuple(dict.fromkeys(relation.pair for relation in relations))
    return Question(post=post, ask=Ask(entities=False, relations=pairs))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(paired(), max_size=4, unique_by=lambda row: row.post.id))
def test_reads_what_it_wrote(tmp_path: Path, rows: list[Question]) -> None:
    FORMAT.write(tmp_path / "x.txt", rows, ODD_SET)
    assert FORMAT.read(tmp_path / "x.txt", ODD_SET) == rows


def test_tail_before_head_ending_the_sentence(tmp_path: Path) -> None:
    rows = FORMAT.read(mnre(tmp_path, ROW, "", ROW))
    pair = Pair(head=(3, 5), tail=(0, 2))
    assert rows[1] == Question(
        post=Post(
            text="Key Largo by Lauren Bacall",
            tokens=("Key", "Largo", "by", "Lauren", "Bacall"),
            relations=(Relation(head=(3, 5), tail=(0, 2), label="part-of"),),
            id="mnre_test:3",
            image_id="twitter_1.jpg",
        ),
        ask=Ask(entities=False, relations=(pair,)),
    )
    assert rows[0].post.id == "mnre_test:1"


def test_overlapping_spans_are_kept(tmp_path: Path) -> None:
    (row,) = FORMAT.read(mnre(tmp_path, {**ROW, "h": {"name": "Key", "pos": [0, 1]}}))
    assert row.ask.relations == (Pair(head=(0, 1), tail=(0, 2)),)


def test_rows_of_one_id_are_one_post(tmp_path: Path) -> None:
    """Also two relations of one pair; other words under the same id are another post."""
    lines = [
        {**ROW, "id": "7"},
        {**ROW, "id": "7", "relation": "Arg1:T1"},
        {**ROW, "id": "7", "token": list("abcde")},
    ]
    one, other = FORMAT.read(mnre(tmp_path, *lines), ODD_SET)
    assert [relation.label for relation in one.post.relations or ()] == ["part-of", "Arg1:T1"]
    assert one.ask.relations == (Pair(head=(3, 5), tail=(0, 2)),) and other.post.tokens[0] == "a"


def test_json_and_odd_escapes_are_read(tmp_path: Path) -> None:
    rest = """"h": {"pos": [0, 1]}, "t": {"pos": [1, 2]}, "img_id": "", "relation": "None"}"""
    joined = r"""{"token": ["\ud83d\ude00", "b"], """ + rest
    literal = r"""{'token': ['\o/', 'b'], """ + rest
    tokens = [row.post.tokens[0] for row in FORMAT.read(mnre(tmp_path, joined, literal))]
    assert tokens == ["😀", "\\o/"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{'token': ", "is not a row"),
        ("[1, 2]", "is not a row"),
        ("__import__('os').getcwd()", "is not a row"),
        ("[" * 5000, "is not a row"),
        ({**ROW, "relation": ["None"]}, r", 'relation', has \['None'\] where text"),
        ({key: ROW[key] for key in ROW if key != "img_id"}, "lacks the key 'img_id'"),
        ({**ROW, "h": {"name": "x"}}, "lacks the key 'pos'"),
        ({**ROW, "h": "x"}, "has no 'pos'"),
        ({**ROW, "h": {"pos": [3, 6]}}, r"has the span \[3, 6\], which is empty or outside its 5 words"),
        ({**ROW, "h": {"pos": [3, 3]}}, "has the span"),
        ({**ROW, "h": {"pos": [-1, 1]}}, "has the span"),
        ({**ROW, "h": {"pos": [True, 2]}}, "has the span"),
        ({**ROW, "h": {"pos": 3}}, "has the span"),
        ({**ROW, "token": []}, "has no list of words"),
        ({**ROW, "token": "Key Largo"}, "has no list of words"),
        ({**ROW, "token": ["a", 1]}, "has 1 where text should be"),
        ({**ROW, "token": ["a", "\ud83d", "c", "d", "e"]}, "holds half of a surrogate pair"),
    ],
)
def test_bad_rows_name_file_and_line(tmp_path: Path, line: object, says: str) -> None:
    with pytest.raises(InputError, match=rf"mnre_test\.txt line 2,? ?{says.removeprefix(', ')}"):
        FORMAT.read(mnre(tmp_path, ROW, ascii(line) if isinstance(line, dict) else line))


def test_another_datasets_relations_are_refused(tmp_path: Path) -> None:
    """Two datasets with relations never get each other's labels."""
    with pytest.raises(
        InputError, match="unknown relation label '/per/per/peer' .once.; Odd labels knows None"
    ):
        FORMAT.read(mnre(tmp_path, {**ROW, "relation": "/per/per/peer"}), ODD_SET)


def test_refuses_a_post_without_pair(tmp_path: Path) -> None:
    row = Question(post=Post(text="a", tokens=("a",), id="p9"), ask=Ask())
    with pytest.raises(InputError, match="post 'p9' has no marked pair"):
        FORMAT.write(tmp_path / "x.txt", [row], ODD_SET)


# ---------------------------------------------------------------- real data


@pytest.mark.parametrize(("split", "count"), [("train", 12247), ("valid", 1624), ("test", 1614)])
def test_real_rows_come_back(shared_data: Path, tmp_path: Path, split: str, count: int) -> None:
    dataset = find_dataset("mnre")
    rows = read_split(shared_data, dataset, split)
    assert len(rows) == count and all(len(row.post.relations or ()) == 1 for row in rows)
    original = shared_data / dataset.files.of(split)
    again = tmp_path / original.name  # ids are the file's name and line
    FORMAT.write(again, rows, dataset)
    assert again.read_bytes().strip() == original.read_bytes().strip()


def test_real_pairs_are_read(shared_data: Path) -> None:
    rows = FORMAT.read(shared_data / "real_pairs" / "mnre.jsonl", find_dataset("mnre"))
    assert len(rows) == 50 and len({row.post.image_id for row in rows}) == 26
    unanswered = replace(rows[0], post=replace(rows[0].post, relations=None))
    assert FORMAT.problem(unanswered)
