"""The tools below the editor: a real store, uploaded files, no browser and no model of the zoo."""

import json
import logging
import shutil
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.formats.table import FORMATS
from mmdemo.review.records import Answer
from mmdemo.review.store.reviews import open_store
from mmdemo.types import Ask, Post, Question
from mmdemo.ui.review import files as review_files
from mmdemo.ui.review import predict as review_predict
from mmdemo.ui.review.files import CORRECT, add_posts, export_queue, show_agreement
from mmdemo.ui.review.predict import fitting_cell, predict
from mmdemo.ui.shell.api import review_export
from train.data.questions import gold_of
from train.data.reviewed_posts import read_extra

CONLL = "IMGID:7\nAnn\tB-PER\nLee\tI-PER\nsings\tO\n\nIMGID:8\nOslo\tB-LOC\nrains\tO\n\n"
MNRE = {
    "token": ["Ann", "in", "Oslo"],
    "h": {"name": "Ann", "pos": [0, 1]},
    "t": {"name": "Oslo", "pos": [2, 3]},
    "img_id": "7.jpg",
    "relation": "/per/loc/place_of_residence",
}
SHOW, HIDE, TAKE = review_files.USES


@pytest.fixture
def store(tmp_path, monkeypatch):
    found = open_store(tmp_path / "reviews.sqlite3")
    monkeypatch.setattr(review_files, "store", lambda: found)
    monkeypatch.setattr(review_predict, "store", lambda: found)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    yield found
    found.close()


@pytest.fixture
def uploads(tmp_path):
    """Two posts in CoNLL and a photo of the first, each in a folder of its own as Gradio leaves them."""
    photo, text = tmp_path / "a" / "7.png", tmp_path / "b" / "posts.txt"
    for file in (photo, text):
        file.parent.mkdir()
    Image.new("RGB", (20, 10)).save(photo)
    text.write_text(CONLL)
    return [str(photo), str(text)]


def add(
    files,
    *,
    queue="",
    use=SHOW,
    target="may",
    double=False,
    source="auto",
    dataset="twitter2017",
    described=None,
):
    return add_posts(queue, "Ann", files, source, dataset, target, use, double, described)


def test_uploaded_posts_come_with_their_photos_and_answers(store, uploads):
    queue, words = add(uploads)
    assert queue == "may" and "2 posts added to “may”." in words
    first, second = store.page("may", "Ann").reviews
    assert Path(first.post.image).is_file() and second.post.image is None
    assert [e.label for e in first.answer.entities] == ["PER"] and first.decision is None
    assert "2 were there already" in add(uploads, queue="may", target="")[1]


def described(tmp_path, *lines) -> str:
    """A file of what photos show, as Gradio leaves it."""
    file = tmp_path / "c" / "alt.jsonl"
    file.parent.mkdir()
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def test_posts_can_come_with_alt_text_of_their_photos(store, uploads, tmp_path):
    file = described(tmp_path, {"image_id": "7.jpg", "alt_text": "<b>Ann</b> on a stage", "blip2": "a woman"})
    _, words = add(uploads, described=file)
    assert "Words of the photo: 1 of 2 posts" in words
    first, second = store.page("may", "Ann").reviews
    said = [(one.source, one.text, one.by) for one in first.post.photo_words]
    assert said == [("described", "<b>Ann</b> on a stage", ""), ("captioned", "a woman", "blip2")]
    assert second.post.photo_words == ()


def test_alt_text_can_be_brought_later_for_posts_that_are_there(store, uploads, tmp_path):
    assert "Words of the photo" not in add(uploads)[1]
    file = described(tmp_path, {"image_id": "8", "description": "rain"})
    _, words = add(uploads, described=file)
    assert "2 were there already" in words
    assert [r.post.photo_words[0].text for r in store.page("may", "Ann").reviews if r.post.photo_words] == [
        "rain"
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([{"alt": "a dog"}], "alt.jsonl line 1 has no image_id"),
        ([["7", "a dog"]], "alt.jsonl line 1 is not a JSON object"),
    ],
)
def test_a_file_of_descriptions_that_is_none_adds_nothing(store, uploads, tmp_path, lines, says):
    _, words = add(uploads, described=described(tmp_path, *lines))
    assert "rv-" not in words and says.lower() in words.lower() and str(tmp_path) not in words
    assert store.queues() == ()


def test_a_queue_is_found_by_its_name_however_it_is_typed(store, uploads):
    typed = "Cafe\u0301"
    queue, words = add(uploads, target=typed)
    assert queue == "Caf\u00e9" and "2 posts added" in words
    assert "2 were there already" in add(uploads, target=typed)[1]


def test_answers_can_be_hidden_or_taken_as_decided(store, uploads):
    add(uploads, use=HIDE, target="blank")
    assert store.page("blank", "Ann").reviews[0].answer == Answer()
    add(uploads, use=TAKE, target="gold", double=True)
    done = store.page("gold", "Ann").reviews
    assert {review.status for review in done} == {"accepted"} and done[0].decision.reviewer == "Ann"


@pytest.mark.parametrize("form", FORMATS)
def test_each_export_can_be_downloaded_and_added_again(store, uploads, form, tmp_path):
    if form == "mnre":
        Path(uploads[1]).write_text(f"{MNRE}\n")
    dataset = "mnre" if form == "mnre" else "twitter2017"
    add(uploads, use=TAKE, dataset=dataset)
    file, words = export_queue("may", "Ann", form, False, False)
    path = Path(file["value"])
    assert f"of “may” written as {form} and read back; 0 rejected left out" in words
    assert path.is_relative_to(tmp_path / "cache"), "where Gradio may serve it and cleans up"
    assert path.suffix == (FORMATS[form].suffix or ".zip")
    if FORMATS[form].suffix:
        _, words = add([str(path)], target="again", use=TAKE, source=form, dataset=dataset)
        assert "added to “again”" in words
        answers = [[r.answer.items() for r in store.decided(queue)] for queue in ("may", "again")]
        assert answers[0] == answers[1]


def _exported(form, photos=False):
    return Path(export_queue("may", "Ann", form, photos, False)[0]["value"])


def test_on_a_space_only_who_has_signed_in_exports_over_the_api(store, uploads, monkeypatch):
    add(uploads, use=TAKE)
    monkeypatch.setenv("SPACE_ID", "you/mmdemo")
    with pytest.raises(gr.Error, match="sign in with Hugging Face"):
        review_export("may", "Ann", "jsonl")
    ann = gr.OAuthProfile({"preferred_username": "ann", "name": "Ann", "profile": "", "picture": ""})
    assert Path(review_export("may", "", "jsonl", profile=ann)).read_text().count("\n") == 2


def test_an_export_names_photos_only_where_they_come_along(store, uploads, tmp_path):
    add(uploads, use=TAKE)
    assert str(tmp_path) not in _exported("jsonl").read_text()
    shutil.unpack_archive(_exported("jsonl", photos=True), tmp_path / "out")
    rows = read_extra(tmp_path / "out" / "reviews.jsonl", find_dataset("twitter2017"))
    first, second = (row.post for row in rows)
    assert first.image == tmp_path / "out" / "photos" / "7.png" and second.image is None
    assert first.image.read_bytes() == Path(uploads[0]).read_bytes()


def test_a_reviewed_post_with_relations_trains_either_task(store, tmp_path):
    tweets = reviewed_as(find_dataset("twitter2017"))
    store.make_queue("may", tweets)
    store.add(
        "may", [Question(post=Post(text="", tokens=("Ann", "of", "Nike", "in", "Oslo"), id="p"), ask=Ask())]
    )
    entities = [{"start": i, "end": i + 1, "label": k} for i, k in ((0, "PER"), (2, "ORG"), (4, "LOC"))]
    links = [
        {"head": [0, 1], "tail": [2, 3], "label": "/per/org/member_of"},
        {"head": [2, 3], "tail": [4, 5], "label": "/org/loc/locate_at"},
    ]
    store.decide("may", 1, "Ann", {"entities": entities, "links": links}, version=0)
    (asked,) = read_extra(_exported("jsonl"), find_dataset("twitter2017"))
    assert asked.ask.entities and [e.label for e in asked.post.entities] == ["PER", "ORG", "LOC"]
    pairs = read_extra(_exported("jsonl"), find_dataset("mnre"))
    stated = [gold_of(question, find_dataset("mnre")) for question in pairs]
    assert stated[:2] == ["/per/org/member_of", "/org/loc/locate_at"] and set(stated[2:]) == {"None"}


def test_corrections_of_an_export_change_what_they_correct(store, uploads, tmp_path):
    add(uploads, use=TAKE)
    rows = [json.loads(line) for line in _exported("jsonl").read_text().splitlines()]
    rows[0]["entities"][0]["label"] = "ORG"
    file = tmp_path / "corrected.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    queue, words = add([str(file)], use=CORRECT)
    assert queue == "may" and "1 post corrected" in words
    assert store.page("may", "Ann").reviews[0].answer.entities[0].label == "ORG"


def test_what_a_format_cannot_hold_is_refused_or_left_out(store, uploads):
    add(uploads, use=TAKE)
    assert "The format mnre cannot hold 2 posts" in export_queue("may", "Ann", "mnre", False, False)[1]
    assert "0 posts of “may” written" in export_queue("may", "Ann", "mnre", False, True)[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"files": []}, "Choose 1 to 2000 files"),
        ({"files": [0]}, "photos only"),
        ({"files": [1, 1]}, "Two of the files are called"),
        ({"source": "word"}, "Unknown format"),
        ({"target": "a|b"}, "cannot be in a name"),
        ({"dataset": "<b>"}, "&#60;b&#62;"),
    ],
)
def test_what_cannot_be_added_is_said_and_logged(store, uploads, caplog, change, says):
    files = [uploads[i] for i in change.get("files", (0, 1))]
    with caplog.at_level(logging.WARNING):
        queue, words = add(files, **{k: v for k, v in change.items() if k != "files"})
    assert queue is None and says in words and 'role="alert"' in words
    assert "refused add_posts" in caplog.text


def test_agreement_needs_two_reviews_and_then_has_a_row_for_each_label(store, uploads):
    add(uploads, use=HIDE, double=True)
    assert "No post of this queue has two reviews" in show_agreement("may", "")[1]
    span = {"start": 0, "end": 2, "label": "PER"}
    for name, label in (("Ann", "PER"), ("Bo <b>", "ORG")):
        review, answer = store.next("may", name), {"entities": [span | {"label": label}], "links": []}
        store.decide("may", review.key, name, answer, version=review.version)
    table = show_agreement("may", "")[1]
    assert "Ann and Bo &#60;b&#62;, 1 post" in table
    assert '<th scope="row">PER</th><td>0.00</td>' in table and "1 / 1" in table


def test_a_checkpoint_must_fit_the_queues_labels(store, uploads):
    assert "Open a queue first." in predict("none", "Ann", "lite/x/y", False, False)[1]
    add(uploads)
    words = predict("may", "Ann", "lite/x/<y>", False, False)[1]
    assert "No lite/x/&#60;y&#62; was trained for twitter2017" in words
    kind = review_predict.kinds()[0]
    assert fitting_cell("may", kind).dataset.name == "twitter2017"
