"""CoNLL and MNRE: every trap of the data, and one clear sentence for a bad file (see `test_roundtrip`)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from seqeval.scheme import IOB2, Entities

from mmdemo.datasets.bio import ENTITY_TYPES
from mmdemo.formats.jsonl import write_jsonl
from mmdemo.formats.published import (
    FILES,
    gold_tags,
    read_conll,
    read_mnre,
    read_split,
    write_conll,
    write_mnre,
)
from mmdemo.types import Entity, InputError, Pair, Post

# ---------------------------------------------------------------- Twitter CoNLL


def conll(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "posts.txt"
    path.write_bytes(text.encode())
    return path


def test_last_post_without_blank_line_is_kept(tmp_path: Path) -> None:
    posts = read_conll(conll(tmp_path, "IMGID:1\nRT\tO\n\nIMGID:O_2\nRome\tB-LOC"))
    assert [(post.id, post.image_id, post.tokens) for post in posts] == [
        ("1", "1", ("RT",)),
        ("O_2", "O_2", ("Rome",)),
    ]


def test_extra_blank_lines_windows_ends_and_bom(tmp_path: Path) -> None:
    posts = read_conll(conll(tmp_path, "\ufeff\r\nIMGID:1\r\nRome\tB-LOC\r\n\r\n\r\nIMGID:2\r\nx\tO\r\n\r\n"))
    assert [post.image_id for post in posts] == ["1", "2"]
    assert gold_tags(posts[0]) == ["B-LOC"]


def test_header_without_blank_line_before_starts_a_post(tmp_path: Path) -> None:
    assert len(read_conll(conll(tmp_path, "IMGID:1\na\tO\nIMGID:2\nb\tO\n"))) == 2


def test_post_without_header_has_no_image(tmp_path: Path) -> None:
    (post,) = read_conll(conll(tmp_path, "a\tO\n"))
    assert (post.id, post.image_id) == (None, None)


@pytest.mark.parametrize("token", ["\ufe0f", "\xa0", "\u200b", "\u2028", "\x85", "IMGID:9"])
def test_invisible_tokens_keep_their_place(tmp_path: Path, token: str) -> None:
    (post,) = read_conll(conll(tmp_path, f"IMGID:1\na\tO\n{token}\tO\nRome\tB-LOC\n"))
    assert post.tokens == ("a", token, "Rome")
    assert post.entities == (Entity(start=2, end=3, label="LOC", text="Rome"),)


def test_hashtag_can_be_an_entity(tmp_path: Path) -> None:
    (post,) = read_conll(conll(tmp_path, "IMGID:1\n#NBA\tB-ORG\n"))
    assert post.entities == (Entity(start=0, end=1, label="ORG", text="#NBA"),)


def test_orphan_tags_survive_a_round_trip(tmp_path: Path) -> None:
    path = conll(tmp_path, "IMGID:1\nLake\tO\nWater\tI-LOC\nBob\tI-PER\n")
    (post,) = read_conll(path)
    assert [(entity.start, entity.end) for entity in post.entities or ()] == [(1, 2), (2, 3)]
    assert gold_tags(post) == ["O", "I-LOC", "I-PER"]
    write_conll(tmp_path / "again.txt", [post])
    assert (tmp_path / "again.txt").read_bytes() == path.read_bytes()


def test_corrected_entities_win_over_the_files_tags(tmp_path: Path) -> None:
    (post,) = read_conll(conll(tmp_path, "IMGID:1\nLake\tO\nWater\tI-LOC\n"))
    corrected = replace(post, entities=(Entity(start=0, end=2, label="LOC"),))
    assert gold_tags(corrected) == ["B-LOC", "I-LOC"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("IMGID:1\nRome B-LOC\n", "line 2 is not a token, a tab and a tag: 'Rome B-LOC'"),
        ("IMGID:1\n\tO\n", "line 2 is not a token"),
        ("IMGID:1\nRome\tB-CITY\n", "line 2 has the unknown tag 'B-CITY'"),
        ("IMGID:1\nRome\tB-MISC\n", "line 2 has the unknown tag 'B-MISC'"),  # T17's type in a T15 file
        ("IMGID:1\nRome\tB-LOC\tx\n", "line 2 has the unknown tag 'B-LOC.tx'"),
        ("IMGID:1\nRome\t\n", "line 2 has the unknown tag ''"),
        ("IMGID:1\n\nIMGID:2\na\tO\n", "line 1 starts a post that has no words"),
        ("a\tO\n\nIMGID:2\n", "line 3 starts a post that has no words"),
    ],
)
def test_bad_conll_names_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=rf"posts\.txt {says}"):
        read_conll(conll(tmp_path, text), ENTITY_TYPES["twitter2015"])


def test_bad_bytes_and_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "posts.txt"
    path.write_bytes(b"IMGID:1\na\tO\n\xff\tO\n")
    with pytest.raises(InputError, match=r"posts\.txt line 3 is not UTF-8"):
        read_conll(path)
    for missing in (tmp_path / "gone.txt", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_conll(missing)


@pytest.mark.parametrize("token", ["a\tb", "a\nb", "a\rb", ""])
def test_conll_refuses_a_token_that_is_no_field(tmp_path: Path, token: str) -> None:
    post = Post(text="x", tokens=(token,), entities=(), id="p9")
    with pytest.raises(InputError, match="post 'p9'"):
        write_conll(tmp_path / "x.txt", [post])


@pytest.mark.parametrize(
    "post",
    [
        Post(text="a", tokens=("a",), id="p9"),
        Post(text="", tokens=(), entities=(), id="p9"),
        Post(text="a", tokens=("a",), entities=(), id="p9", image_id="a\nb"),
        Post(text="a", tokens=("a",), entities=(Entity(start=0, end=2, label="PER"),), id="p9"),
        Post(text="a", tokens=("a",), entities=(Entity(start=0, end=1, label="P\tR"),), id="p9"),
    ],
)
def test_conll_refuses_a_post_it_cannot_hold(tmp_path: Path, post: Post) -> None:
    with pytest.raises(InputError, match="post 'p9'"):
        write_conll(tmp_path / "x.txt", [post])


def test_an_unwritable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_conll(tmp_path / "no" / "x.txt", [])
    with pytest.raises(InputError, match="surrogate"):
        write_jsonl(tmp_path / "x.jsonl", [Post(text="\ud83d", tokens=("a",))])


# ---------------------------------------------------------------- MNRE

ROW = {
    "token": ["Key", "Largo", "by", "Lauren", "Bacall"],
    "h": {"name": "Lauren Bacall", "pos": [3, 5]},
    "t": {"name": "Key Largo", "pos": [0, 2]},
    "img_id": "twitter_1.jpg",
    "relation": "/per/misc/present_in",
}


def mnre(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "mnre_test.txt"
    path.write_text("\n".join(map(str, lines)), encoding="utf-8")
    return path


def test_mnre_row_with_tail_before_head_ending_the_sentence(tmp_path: Path) -> None:
    posts = read_mnre(mnre(tmp_path, ROW, "", ROW))
    assert posts[1] == Post(
        text="Key Largo by Lauren Bacall",
        tokens=("Key", "Largo", "by", "Lauren", "Bacall"),
        pair=Pair(head=(3, 5), tail=(0, 2)),
        relation="/per/misc/present_in",
        id="mnre_test:3",
        image_id="twitter_1.jpg",
    )
    assert posts[0].id == "mnre_test:1"


def test_overlapping_spans_are_kept(tmp_path: Path) -> None:
    row = {**ROW, "h": {"name": "Key", "pos": [0, 1]}}
    assert read_mnre(mnre(tmp_path, row))[0].pair == Pair(head=(0, 1), tail=(0, 2))


def test_json_and_odd_escapes_are_read(tmp_path: Path) -> None:
    rest = """"h": {"pos": [0, 1]}, "t": {"pos": [1, 2]}, "img_id": "", "relation": "None"}"""
    joined = r"""{"token": ["\ud83d\ude00", "b"], """ + rest
    literal = r"""{'token': ['\o/', 'b'], """ + rest
    tokens = [post.tokens[0] for post in read_mnre(mnre(tmp_path, joined, literal))]
    assert tokens == ["😀", "\\o/"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{'token': ", "is not a row"),
        ("[1, 2]", "is not a row"),
        ("__import__('os').getcwd()", "is not a row"),
        ("[" * 5000, "is not a row"),
        ({**ROW, "relation": "/per/per/alumni"}, "has the unknown relation '/per/per/alumni'"),
        ({**ROW, "relation": ["None"]}, "has the unknown relation"),
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
def test_bad_mnre_names_file_and_line(tmp_path: Path, line: object, says: str) -> None:
    with pytest.raises(InputError, match=rf"mnre_test\.txt line 2 {says}"):
        read_mnre(mnre(tmp_path, ROW, ascii(line) if isinstance(line, dict) else line))


def test_mnre_refuses_a_post_without_pair(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="post 'p9' has no marked pair"):
        write_mnre(tmp_path / "x.txt", [Post(text="a", tokens=("a",), id="p9")])


# ---------------------------------------------------------------- folders, real data


def test_read_split_knows_the_layout(tmp_path: Path) -> None:
    (tmp_path / "twitter2015").mkdir()
    (tmp_path / "twitter2015" / "valid.txt").write_text("IMGID:1\nRome\tB-OTHER\n")
    assert len(read_split(tmp_path, "twitter2015", "valid")) == 1
    (tmp_path / "mnre").mkdir()
    write_mnre(tmp_path / "mnre" / "mnre_val.txt", read_mnre(mnre(tmp_path, ROW)))
    assert read_split(tmp_path, "mnre", "valid")[0].id == "mnre_test:1"
    with pytest.raises(InputError, match="no split 'dev'"):
        read_split(tmp_path, "mnre", "dev")
    with pytest.raises(InputError, match="twitter2015.train.txt cannot be read"):
        read_split(tmp_path, "twitter2015", "train")


REAL = {
    ("twitter2015", "train"): (4000, 6352),
    ("twitter2015", "valid"): (1000, 1594),
    ("twitter2015", "test"): (3257, 5207),
    ("twitter2017", "train"): (3373, 6049),
    ("twitter2017", "valid"): (723, 1324),
    ("twitter2017", "test"): (723, 1351),
    ("mnre", "train"): (12247, 0),
    ("mnre", "valid"): (1624, 0),
    ("mnre", "test"): (1614, 0),
}


@pytest.mark.parametrize(("dataset", "split"), REAL)
def test_real_split_is_read_and_rewritten(
    shared_data: Path, tmp_path: Path, dataset: str, split: str
) -> None:
    """Twitter files come back byte for byte (but for the blank line at their end), MNRE row by row."""
    posts = read_split(shared_data, dataset, split)
    assert (len(posts), sum(len(post.entities or ()) for post in posts)) == REAL[dataset, split]
    name = FILES[dataset, split]
    write: Callable[..., None] = write_mnre if dataset == "mnre" else write_conll
    (tmp_path / dataset).mkdir()
    write(tmp_path / name, posts)
    assert (tmp_path / name).read_bytes().strip() == (shared_data / name).read_bytes().strip()


def test_real_tags_score_as_strict_scoring_sees_them(shared_data: Path) -> None:
    posts = read_split(shared_data, "twitter2015", "test")
    strict = Entities([gold_tags(post) for post in posts], IOB2)
    assert sum(len(entities) for entities in strict.entities) == 5072


def test_real_pairs_are_read(shared_data: Path) -> None:
    posts = read_mnre(shared_data / "real_pairs" / "mnre.jsonl")
    assert len(posts) == 50 and len({post.image_id for post in posts}) == 26
