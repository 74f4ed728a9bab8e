"""Files as other tools write them: the same two posts in each dialect, and what is told of the rest."""

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.formats.reading import guess
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.table import SOURCES
from mmdemo.types import InputError, Question

SCHEME = Dataset(
    name="names",
    title="Names",
    tasks=("entities", "relations"),
    entities=tuple(EntityType(label=label) for label in ("PER", "LOC", "ORG", "MISC")),
    relations=(RelationType(label="lives_in"),),
)
TEXT = "Ola Brand's boat left Vik Harbour"
ROWS = [("Ola", "B-PER"), ("Brand", "I-PER"), ("left", "O"), ("Vik", "B-LOC")]
BIOES = {"B-PER": "B-PER", "I-PER": "E-PER", "O": "O", "B-LOC": "S-LOC"}
BILOU = {**BIOES, "I-PER": "L-PER", "B-LOC": "U-LOC"}
IOB1 = {**BIOES, "B-PER": "I-PER", "I-PER": "I-PER", "B-LOC": "I-LOC"}
BARE = {**BIOES, "B-PER": "PER", "I-PER": "PER", "B-LOC": "LOC"}
EXPECTED = [("PER", "Ola Brand"), ("LOC", "Vik")]


def read(path: Path, left: LeftOut | None = None, dataset: Dataset | None = None) -> list[Question]:
    """The posts of a file of a format that is told by itself."""
    return list(SOURCES[guess(path)].rows(path, dataset, left or lenient()))


def lenient(**more: object) -> LeftOut:
    return LeftOut(strict=False, skip=True, guess=True, **more)  # type: ignore[arg-type]


def entities(row: Question) -> list[tuple[str, str]]:
    return [(e.label, " ".join(row.post.tokens[e.start : e.end])) for e in row.post.entities or ()]


def file(path: Path, content: str | bytes | object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        path.write_bytes(text.encode())
    return path


# ---------------------------------------------------------------- CoNLL


def lines(between: str = "\t", tags: dict[str, str] | None = None, more: tuple[str, ...] = ()) -> list[str]:
    names = tags or dict.fromkeys([])
    return [between.join([word, *more, names.get(tag, tag)]) for word, tag in ROWS]


@pytest.mark.parametrize("between", ["\t", " ", "  "])
@pytest.mark.parametrize("tags", [{}, BIOES, BILOU, IOB1, BARE])
@pytest.mark.parametrize("more", [(), ("NN",), ("NN", "B-NP"), ("_",) * 8])
def test_conll_of_every_width_and_scheme(
    tmp_path: Path, between: str, tags: dict[str, str], more: tuple[str, ...]
) -> None:
    if tags is BARE and len(more) > 2:
        return
    block = "\n".join(lines(between, tags, more))
    one, two = read(file(tmp_path / "x.txt", f"{block}\n\n{block}\n"))
    assert entities(one) == entities(two) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff{0}\r\n\r\n{0}",
        "{0}\n \t \n{0}\n   \n",
        "-DOCSTART-\tO\n\n{0}\n\n-DOCSTART-\tO\n\n{0}\n",
        "-DOCSTART-\tO\n{0}\n\n{0}\n",
        "# id = a\n{0}\n\n# sent_id = b\n# text = Ola O\n{0}\n",
        "IMGID: 7 \n{0}\n\nIMGID:8\n{0}\n",
        "{0}\n<EOS>\tB-X\nsome\tI-X\ntext\tB-X\n\n{0}\n",
    ],
)
def test_conll_between_its_posts(tmp_path: Path, text: str) -> None:
    one, two = read(file(tmp_path / "x.txt", text.format("\n".join(lines()))))
    assert entities(one) == entities(two) == EXPECTED
    assert one.post.tokens == two.post.tokens == ("Ola", "Brand", "left", "Vik")


def test_conll_ids_of_comments_and_photos(tmp_path: Path) -> None:
    block = "\n".join(lines())
    rows = read(file(tmp_path / "x.txt", f"# id = a\n{block}\n\nIMGID: 9\n{block}\n"))
    assert [(row.post.id, row.post.image_id) for row in rows] == [("a", None), ("9", "9")]


def test_conll_with_numbered_words_and_two_columns_of_tags(tmp_path: Path) -> None:
    rows = [f"{n}\t{word}\t{tag}\tO" for n, (word, tag) in enumerate(ROWS, 1)]
    rows[3] = "4\tVik\tO\tB-LOC"
    left = lenient()
    (one,) = read(file(tmp_path / "x.tsv", "\n".join(rows)), left)
    assert (
        entities(one) == [("LOC", "Vik")]
        and left.notes["one column of tags more than is read: the last one counts"]
    )


def test_a_damaged_post_is_told_with_its_line_and_the_others_come_in(tmp_path: Path) -> None:
    path = file(tmp_path / "x.txt", "a\tB-PER\n\nb\tO\nbroken\n\nc\tO\n")
    left = lenient()
    assert [row.post.tokens for row in read(path, left)] == [("a",), ("c",)]
    assert left.damaged == 1 and "x.txt line 4 is not a token" in left.sentences[0]
    with pytest.raises(InputError, match="line 4"):
        SOURCES["conll"].read(path)


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_every_encoding_and_with_every_separator(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    rows = (("Id", " Text "), ("1", "Zoë Ångström à la crème brûlée près de Genève"), ("2", "zwei"))
    text = "\r\n".join(map(separator.join, rows))
    one, two = read(file(tmp_path / "x.csv", text.encode(encoding)))
    assert one.post.text == "Zoë Ångström à la crème brûlée près de Genève" and two.post.id == "2"


def test_cyrillic_of_windows_is_read(tmp_path: Path) -> None:
    text = "id,text\n1,Мария Иванова открыла магазин в городе Лунный и позвала друзей\n"
    (one,) = read(file(tmp_path / "x.csv", text.encode("cp1251")))
    assert "Мария Иванова" in one.post.text


def test_a_stray_byte_in_utf8_is_a_damaged_row(tmp_path: Path) -> None:
    left = lenient()
    data = "text\nZoë\n".encode() + b"\xff\xfe bad\n" + b"fine\n"
    assert [row.post.text for row in read(file(tmp_path / "x.csv", data), left)] == ["Zoë", "fine"]
    assert "line 3 is not UTF-8" in left.sentences[0]


# ---------------------------------------------------------------- JSON of many tools

SPANS = [[0, 9, "PER"], [22, 33, "LOC"]]
DICTS = [{"start": 0, "end": 9, "label": "PER"}, {"start": 22, "end": 33, "label": "LOC"}]
TOKENS = ["Ola", "Brand", "left", "Vik"]
TAGS = [tag for _, tag in ROWS]
ROW_OF = {
    "doccano": {"id": 3, "text": TEXT, "label": SPANS},
    "prodigy": {"text": TEXT, "spans": DICTS, "tokens": [{"text": "Ola", "start": 0, "end": 3, "id": 0}]},
    "argilla 2": {"fields": {"text": TEXT}, "responses": {"span": [{"value": DICTS, "user_id": "u1"}]}},
    "argilla 1": {"text": TEXT, "annotation": DICTS, "prediction": [["PER", 0, 3]]},
    "argilla suggestions": {"fields": {"text": TEXT}, "suggestions": {"span": {"value": DICTS}}},
    "spacy training": [TEXT, {"entities": SPANS}],
    "label studio's min": {"text": TEXT, "id": 1, "label": [
        {"start": d["start"], "end": d["end"], "labels": [d["label"]]} for d in DICTS]},
    "transformers": {"sentence": TEXT, "entities": [
        {"entity_group": d["label"], "start": d["start"], "end": d["end"]} for d in DICTS]},
}  # fmt: skip


@pytest.mark.parametrize("tool", ROW_OF)
@pytest.mark.parametrize("shape", ["lines", "array", "indented"])
def test_texts_with_spans_of_many_tools(tmp_path: Path, tool: str, shape: str) -> None:
    row = ROW_OF[tool]
    if shape == "lines" and isinstance(row, dict):
        path = file(tmp_path / "x.jsonl", "\n".join([json.dumps(row)] * 2))
    else:
        path = file(tmp_path / "x.json", json.dumps([row, row], indent=2 if shape == "indented" else None))
    one, two = read(path)
    assert entities(one) == entities(two) == [("PER", "Ola Brand"), ("LOC", "Vik Harbour")]
    assert "'s" not in " ".join(one.post.tokens[:2]), "the span parts the word, and does not grow"


@pytest.mark.parametrize("key", ["tags", "labels", "ner_tags", "ner", "bio_tags"])
@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_words_with_tags_under_any_key(tmp_path: Path, key: str, suffix: str) -> None:
    rows = [{"id": n, "tokens": TOKENS, key: TAGS} for n in (5, 6)]
    text = json.dumps(rows) if suffix == ".json" else "\n".join(map(json.dumps, rows))
    one, two = read(file(tmp_path / f"x{suffix}", text))
    assert entities(one) == entities(two) == EXPECTED and (one.post.id, two.post.id) == ("5", "6")


def test_tags_that_are_numbers_need_their_names(tmp_path: Path) -> None:
    rows = json.dumps({"tokens": TOKENS, "ner_tags": [1, 2, 0, 3]})
    path = file(tmp_path / "data" / "x.jsonl", rows)
    with pytest.raises(InputError, match="tags that are numbers, and no names for them"):
        read(path)
    names = "\n".join(f"            '{n}': {name}" for n, name in enumerate(("O", "B-PER", "I-PER", "B-LOC")))
    head = (
        "dataset_info:\n  features:\n  - name: ner_tags\n    sequence:\n      class_label:\n        names:\n"
    )
    card = f"---\n{head}{names}\n---\nA set.\n"
    file(tmp_path / "README.md", card)
    assert entities(read(path)[0]) == EXPECTED
    (tmp_path / "README.md").unlink()
    feature = {
        "feature": {"names": ["O", "B-PER", "I-PER", "B-LOC"], "_type": "ClassLabel"},
        "_type": "Sequence",
    }
    file(tmp_path / "data" / "dataset_info.json", {"features": {"ner_tags": feature}})
    assert entities(read(path)[0]) == EXPECTED


def test_labels_that_are_not_read_are_told(tmp_path: Path) -> None:
    left = lenient()
    read(file(tmp_path / "x.jsonl", {"tokens": ["a"], "entities": [], "sentiment_labels": ["good"]}), left)
    read(file(tmp_path / "y.jsonl", {"text": "a b", "label": "positive"}), left)
    read(file(tmp_path / "z.csv", "text,entities\na b,Ola Brand\n"), left)
    told = " ".join(left.counts)
    assert all(f"'{key}'" in told for key in ("sentiment_labels", "label", "entities"))


# ---------------------------------------------------------------- Label Studio


def task(*people: tuple[object, list[dict]], predictions: tuple = (), text: str = TEXT) -> dict:
    annotations = [{"completed_by": who, "result": marks} for who, marks in people]
    return {"id": 9, "data": {"text": text}, "annotations": annotations, "predictions": list(predictions)}


def mark(start: int, end: int, label: str, text: str | None = None, name: str = "r") -> dict:
    value = {"start": start, "end": end, "labels": [label], **({"text": text} if text else {})}
    return {"id": f"{name}{start}", "type": "labels", "value": value}


def test_several_annotators_are_several_reviews(tmp_path: Path) -> None:
    one = (3, [mark(0, 9, "PER")])
    other = ({"email": "eve@x.org"}, [mark(0, 9, "ORG"), mark(22, 33, "LOC")])
    (row,) = read(file(tmp_path / "x.json", [task(one, other)]))
    assert [(r.reviewer, [e.label for e in r.entities]) for r in row.reviews] == [
        ("annotator 3", ["PER"]),
        ("eve@x.org", ["ORG", "LOC"]),
    ]
    assert [label for label, _ in entities(row)] == ["ORG", "LOC"]


def test_predictions_count_where_nobody_annotated(tmp_path: Path) -> None:
    left = lenient()
    guessed = {"score": 0.75, "result": [mark(0, 9, "PER")]}
    (row,) = read(file(tmp_path / "x.json", [task(predictions=(guessed,))]), left)
    assert entities(row) == [("PER", "Ola Brand")] and (row.post.entities or ())[0].score == 0.75
    assert "predictions" in " ".join(left.notes)


EMOJI = "🎉🎉 Ola Brand\r\nin Vik 👍 now"
PLACES = {"code points": (3, 12), "utf-16": (5, 14)}


@pytest.mark.parametrize("units", PLACES)
@pytest.mark.parametrize("stated", [True, False])
def test_places_in_utf16_units_are_converted(tmp_path: Path, units: str, stated: bool) -> None:
    start, end = PLACES[units]
    marks = [mark(start, end, "PER", "Ola Brand" if stated else None)]
    left = lenient()
    (row,) = read(file(tmp_path / "x.json", [task((1, marks), text=EMOJI)]), left)
    assert entities(row) == [("PER", "Ola Brand")]
    assert bool(left.notes) == (units == "utf-16")


def test_a_mark_that_contradicts_its_text_is_told(tmp_path: Path) -> None:
    left = lenient()
    marks = [mark(0, 3, "PER", "Brand"), mark(4, 9, "LOC", "nowhere here")]
    (row,) = read(file(tmp_path / "x.json", [task((1, marks))]), left)
    assert entities(row) == [("PER", "Brand")]
    assert "a mark of 'nowhere here' where another text stands" in left.counts
    with pytest.raises(InputError, match="where another text stands"):
        SOURCES["label-studio"].read(tmp_path / "x.json")


# ---------------------------------------------------------------- brat


def test_brat_of_several_lines_and_of_windows(tmp_path: Path) -> None:
    text = "Ola Brand\r\nleft Vik\r\nHarbour.\r\n"
    notes = "T1\tPER 0 9\tOla Brand\r\nT2\tLOC 16 19;21 28\tVik Harbour\r\n"
    file(tmp_path / "in" / "a.txt", text)
    file(tmp_path / "in" / "a.ann", notes)
    (row,) = list(SOURCES["brat"].rows(tmp_path, None, lenient()))
    assert entities(row) == [("PER", "Ola Brand"), ("LOC", "Vik Harbour")] and row.post.id == "in/a"


# ---------------------------------------------------------------- tables


def test_labels_in_columns(tmp_path: Path) -> None:
    text = (
        "id;text;labels\n"
        f'1;{TEXT};"[[0, 9, ""PER""], [22, 33, ""LOC""]]"\n'
        "2;Ola Brand left Vik;B-PER I-PER O B-LOC\n"
        "3;Ola Brand left Vik;\"['B-PER', 'I-PER', 'O', 'B-LOC']\"\n"
    )
    rows = read(file(tmp_path / "x.csv", text))
    assert [entities(row) for row in rows] == [
        [("PER", "Ola Brand"), ("LOC", "Vik Harbour")],
        EXPECTED,
        EXPECTED,
    ]


def test_a_word_a_row(tmp_path: Path) -> None:
    rows = "\n".join(f"{'Sentence: 1' if n == 0 else ''},{w},NN,{t}" for n, (w, t) in enumerate(ROWS))
    again = rows.replace("Sentence: 1", "Sentence: 2")
    one, two = read(file(tmp_path / "x.csv", f"Sentence #,Word,POS,Tag\n{rows}\n{again}\n"))
    assert entities(one) == entities(two) == EXPECTED and two.post.id == "Sentence: 2"


def test_excel_has_the_columns_of_csv(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["ID", "Text", "Labels", "Image"])
    book.active.append([900719925474099, TEXT, json.dumps(SPANS), "a.jpg"])
    book.active.append([2.0, "just text", None, None])
    book.save(tmp_path / "x.xlsx")
    one, two = read(tmp_path / "x.xlsx")
    assert (
        entities(one) == [("PER", "Ola Brand"), ("LOC", "Vik Harbour")] and one.post.id == "900719925474099"
    )
    assert (one.post.image, two.post.id, two.post.entities) == (Path("a.jpg"), "2", None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", codecs.BOM_UTF8])
def test_what_is_no_workbook_says_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="no workbook that can be read"):
        read(file(tmp_path / "x.xlsx", content))


# ---------------------------------------------------------------- labels


def test_common_names_of_labels_are_read_as_the_datasets_own(tmp_path: Path) -> None:
    text = "a\tB-person\n\nb\tB-Organisation\n\nc\tB-location\n\nd\tB-other\n"
    left = lenient()
    rows = read(file(tmp_path / "x.txt", text), left, SCHEME)
    assert [label for row in rows for label, _ in entities(row)] == ["PER", "ORG", "LOC", "MISC"]
    assert left.renamed["person", "PER"] == 1


def test_unknown_labels_are_left_out_and_told_with_what_is_allowed(tmp_path: Path) -> None:
    path = file(tmp_path / "x.txt", "a\tB-PER\nb\tB-ship\n")
    left = lenient()
    (row,) = read(path, left, SCHEME)
    told = " ".join(left.notes)
    assert (
        entities(row) == [("PER", "a")]
        and "Names knows PER, LOC, ORG, MISC" in told
        and "--map ship=" in told
    )
    (row,) = read(path, lenient(names={"ship": "MISC"}), SCHEME)
    assert entities(row) == [("PER", "a"), ("MISC", "b")]
    with pytest.raises(InputError, match="unknown entity label 'ship'"):
        read(file(tmp_path / "y.txt", "b\tB-ship\n"), lenient(), SCHEME)


WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WORD, st.sampled_from(["O", "B-PER", "B-LOC"])), min_size=1, max_size=9), st.data())
def test_spans_come_back_from_any_units(
    tmp_path: Path, rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Texts with emoji, marked in code points or UTF-16 units, with the text stated: the same entities."""
    text, spans = "", []
    for word, tag in rows:
        text += data.draw(st.sampled_from([" ", " 🎉 ", " 👩\u200d👧 ", ", "])) + word
        if tag != "O":
            spans.append((len(text) - len(word), len(text), tag[2:]))
    units = data.draw(st.booleans())

    def at(place: int) -> int:
        return len(text[:place].encode("utf-16-le")) // 2 if units else place

    stated = [{"start": at(a), "end": at(b), "label": k, "text": text[a:b]} for a, b, k in spans]
    (row,) = read(file(tmp_path / "x.jsonl", {"text": text, "spans": stated}))
    found = []
    for entity in row.post.entities or ():
        first, last = row.post.offsets[entity.start], row.post.offsets[entity.end - 1]
        assert first and last
        found.append((text[first[0] : last[1]], entity.label))
    assert found == [(text[a:b], k) for a, b, k in spans]
