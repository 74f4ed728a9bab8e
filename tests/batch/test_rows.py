"""Rows of JSONL, CSV and Parquet: the same ones from every format, from any chunk, whatever a row holds."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.batch import rows as module
from mmdemo.batch.rows import Row, chunks_of, read_chunk
from mmdemo.types import InputError

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


def test_a_file_that_shrinks_is_an_error(tmp_path):
    file = write(tmp_path, ".jsonl", RECORDS)
    (chunk,) = chunks_of(file, 4)
    file.write_bytes(b"")
    with pytest.raises(InputError, match="has become shorter"):
        read_chunk(file, chunk)
