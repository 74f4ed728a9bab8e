"""Rows of JSONL, CSV and Parquet: the same ones from every format, from any chunk, whatever a row holds."""

import csv
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.batch import parquet as parquet_module
from mmdemo.batch import rows as module
from mmdemo.batch.rows import Row, chunks_of, read_chunk
from mmdemo.formats.shared.photo_words import MAX_CHARACTERS, words_json
from mmdemo.types import InputError, PhotoWords

RECORDS = [
    {"id": "a", "text": 'He said "hi", twice\nand left', "image": "x/1.jpg"},
    {"id": "b", "text": "東京 ☕ \u2028 here", "image": None},
    {"id": "c", "text": "plain", "image": "2.png"},
]


def write(folder: Path, suffix: str, records: list[dict]) -> Path:
    file = folder / f"posts{suffix}"
    if suffix == ".jsonl":
        file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    elif suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["id", "text", "image"])
            writer.writeheader()
            writer.writerows(records)
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs mmdemo/batch/requirements.txt")
        from pyarrow import parquet

        schema = pyarrow.schema([(name, pyarrow.string()) for name in ("id", "text", "image")])
        table = pyarrow.Table.from_pylist(records, schema)
        parquet.write_table(table, file, row_group_size=2)
    return file


def all_rows(file: Path, size: int) -> list[Row]:
    return [row for chunk in chunks_of(file, size) for row in read_chunk(file, chunk)]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_each_format_gives_the_same_rows_however_they_are_cut(tmp_path, suffix, size):
    file = write(tmp_path, suffix, RECORDS)
    assert all_rows(file, size) == [Row(**record) for record in RECORDS]
    assert [c.first for c in chunks_of(file, size)] == list(range(1, 4, size))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=6),
    size=st.integers(1, 4),
    suffix=st.sampled_from([".jsonl", ".csv"]),
)
def test_any_text_comes_back(tmp_path, texts, size, suffix):
    records = [{"id": str(i), "text": text, "image": None} for i, text in enumerate(texts)]
    assert [row.text for row in all_rows(write(tmp_path, suffix, records), size)] == texts


def test_a_bad_line_is_a_problem_of_its_row_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 60)
    long = json.dumps({"text": "x" * 200}).encode()
    nested = b"[" * 50
    lines = [
        b'{"text": "first"}',
        b"not json",
        b'{"text": "\xff"}',
        b"",  # a blank line is no row
        b"[1, 2]",
        nested,
        long,
        b'{"id": 7}',
        b'{"id": [1], "text": "x"}',
        b'{"id": "\\ud83d", "text": "x"}',
        b'{"text": "x", "image": 3}',
        b'{"id": 7, "text": "last"}',
    ]
    file = tmp_path / "posts.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))  # a BOM, Windows line ends, no final newline
    for size in (1, 2, 100):
        rows = all_rows(file, size)
        assert [row.problem is None for row in rows] == [True, *[False] * 9, True]
        assert [row.id for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 7]
        assert "not UTF-8" in rows[2].problem and "not a JSON object" in rows[3].problem
        assert "more than" in rows[5].problem and "no text" in rows[6].problem
        assert all("\n" not in (row.problem or "") for row in rows)


def test_bad_csv_rows_are_problems_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FIELD", 100)
    file = tmp_path / "posts.csv"
    file.write_bytes(
        b'id,text\na,one\nb,two,three\nc,"'
        + b"x" * 150
        + b'"\nd,\ne,caf\xe9\nf,"open '
        + b"y" * 80
        + b"\ng,last\n"
    )
    rows = all_rows(file, 2)
    assert [(row.id, row.problem is None) for row in rows[:2]] == [("a", True), (2, False)]
    assert "not CSV" in rows[2].problem and "no text" in rows[3].problem
    assert rows[4].text == "caf\udce9"  # for `read_post` to refuse
    assert "not CSV" in rows[5].problem  # an open quote takes what stands after it along, but not unsaid
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("posts.txt", b"x", "neither .jsonl, .csv nor .parquet"),
        ("posts.csv", b"id,words\n", "must name its columns, among them text"),
        ("posts.csv", b"", "must name its columns"),
        ("gone/posts.jsonl", None, "cannot be read: No such file"),
        ("posts.parquet", b"PAR1 nonsense PAR1", "not a readable Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(tmp_path, name, content, sentence):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs mmdemo/batch/requirements.txt")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        chunks_of(tmp_path / name, 4)


@pytest.fixture
def parquet():
    return pytest.importorskip("pyarrow.parquet", reason="Parquet needs mmdemo/batch/requirements.txt")


def test_a_parquet_row_that_is_no_text_is_a_problem_of_its_own(tmp_path, parquet):
    import pyarrow

    raw = pyarrow.array([b"one", b"\xff\xfe", b"three"], pyarrow.binary())
    texts = pyarrow.Array.from_buffers(pyarrow.string(), 3, raw.buffers())
    parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "posts.parquet")
    for size in (1, 2, 3):
        rows = all_rows(tmp_path / "posts.parquet", size)
        assert [row.text for row in rows] == ["one", "", "three"]
        assert rows[1].problem == "row 2: it is not UTF-8 text"


def test_parquet_of_other_types_and_names_is_said_in_sentences(tmp_path, parquet):
    import pyarrow

    file = tmp_path / "posts.parquet"
    columns = [
        pyarrow.array([[1], [2]]),
        pyarrow.array([{"a": "x"}, {"a": "y"}]),
        pyarrow.array([b"\xff", b"a"], pyarrow.binary()),
        pyarrow.array([2**62, 1]).cast(pyarrow.timestamp("us")),
        pyarrow.nulls(2),
    ]
    for column in columns:
        parquet.write_table(pyarrow.table({"text": column}), file)
        assert all(row.problem for row in all_rows(file, 2)), column.type
    twice = pyarrow.Table.from_arrays([columns[4], columns[4]], names=["text", "text"])
    parquet.write_table(twice, file)
    with pytest.raises(InputError, match="no column text, or two"):
        chunks_of(file, 2)


def test_parquet_that_would_fill_the_memory_is_refused(tmp_path, parquet, monkeypatch):
    import pyarrow

    file = tmp_path / "posts.parquet"
    parquet.write_table(pyarrow.table({"text": ["x" * 100_000] * 50}), file, compression="zstd")
    assert file.stat().st_size < 50_000
    monkeypatch.setattr(parquet_module, "MAX_GROUP_BYTES", 50_000)
    with pytest.raises(InputError, match="smaller row groups"):
        all_rows(file, 10)
    monkeypatch.setattr(parquet_module, "MAX_ROWS", 49)
    with pytest.raises(InputError, match="more than 49 rows"):
        chunks_of(file, 10)


def test_parquet_with_any_byte_wrong_is_rows_or_a_sentence(tmp_path, parquet):
    import pyarrow

    file = tmp_path / "posts.parquet"
    table = pyarrow.table({"id": [str(i) for i in range(20)], "text": [f"Ann sings {i}" for i in range(20)]})
    parquet.write_table(table, file, row_group_size=7)
    whole, rng = file.read_bytes(), random.Random(1337)
    told = 0
    for turn in range(600):
        broken = bytearray(whole)
        for _ in range(rng.choice((1, 2, 20))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        file.write_bytes(broken[: rng.randrange(len(broken))] if turn % 10 == 0 else broken)
        try:
            all_rows(file, 4)
        except InputError as error:
            told += 1
            assert "\n" not in str(error)
    assert told > 100


def test_a_file_that_shrinks_is_an_error(tmp_path):
    file = write(tmp_path, ".jsonl", RECORDS)
    (chunk,) = chunks_of(file, 4)
    file.write_bytes(b"")
    with pytest.raises(InputError, match="has become shorter"):
        read_chunk(file, chunk)


# ---------------------------------------------------------------- what rows say of their photos

HOSTILE = "<script>alert(1)</script>\u202egnp.exe"
SIGN = PhotoWords(source="ocr", text="PADRES", score=0.5, box=(0.0, 0.0, 0.5, 1.0), by="rapidocr")


def described(text: str) -> PhotoWords:
    return PhotoWords(source="described", text=text)


def described_file(folder: Path, suffix: str) -> Path:
    """Two rows: one says nothing of its photo."""
    file = folder / f"posts{suffix}"
    one = {"text": "a", "description": "A sign.", "alt_text": HOSTILE}
    if suffix == ".jsonl":
        file.write_text(f'{json.dumps(one)}\n{{"text": "b", "alt": null}}\n')
    elif suffix == ".csv":
        file.write_text(f'text,description,alt_text\na,A sign.,"{HOSTILE}"\nb,,\n', encoding="utf-8")
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs mmdemo/batch/requirements.txt")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([one, {"text": "b"}]), file)
    return file


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_what_rows_say_of_their_photos(tmp_path, suffix):
    one, two = all_rows(described_file(tmp_path, suffix), 1)
    assert one.photo_words == (described("A sign."), described(HOSTILE))
    assert (two.photo_words, two.problem) == ((), None)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_words_in_full(tmp_path, suffix):
    record = {"text": "a", "photo_words": words_json([SIGN, described(HOSTILE)])}
    file = tmp_path / f"posts{suffix}"
    if suffix == ".jsonl":
        file.write_text(json.dumps(record))
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs mmdemo/batch/requirements.txt")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([record]), file)
    (row,) = all_rows(file, 5)
    assert row.photo_words == (SIGN, described(HOSTILE))


def test_bad_words_fail_their_own_row_and_long_ones_are_cut(tmp_path):
    lines = [
        {"text": "a", "description": 3},
        {"text": "b", "photo_words": "PADRES"},
        {"text": "c", "description": "x" * 3_000},
        {"text": "d", "alt": "\ud83d"},
    ]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    one, two, three, four = all_rows(tmp_path / "posts.jsonl", 2)
    assert one.problem == "row 1, 'description', has 3 where text should be"
    assert two.problem == "row 2 has photo_words that are not a list"
    assert len(three.photo_words[0].text) == MAX_CHARACTERS
    assert three.notes == ("cut short: a description of more than 2,000 characters (once)",)
    assert four.problem and "half of a surrogate pair" in four.problem
