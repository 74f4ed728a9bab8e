"""What the Predict tab's handlers answer, with a stand-in pipeline: no model, no browser."""

import re
from dataclasses import dataclass
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.data_classes import ImageData

from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.schema import TASKS, Dataset
from mmdemo.models.fusion.table import fusions_of
from mmdemo.types import Ask, Entity, InputError, Post, Prediction, Question
from mmdemo.ui.predict import asked, example_buttons, pickers
from mmdemo.ui.predict import tab as predict_tab
from mmdemo.ui.predict.example_buttons import Tried
from mmdemo.ui.shell import examples, layout


@dataclass(frozen=True)
class StandInCell:
    dataset: Dataset
    fusion: str = "film"
    problem: str | None = None
    preset: str = "lite"
    model: str = "roberta-resnet50"

    @property
    def name(self):
        return f"{self.preset}/{self.dataset.name}/{self.model}/{self.fusion}"


CELLS = (
    StandInCell(find_dataset("twitter2015"), problem="Not trained yet: run `python -m train run`."),
    StandInCell(find_dataset("twitter2017")),
    StandInCell(find_dataset("twitter2017"), "concat"),
    StandInCell(find_dataset("mnre")),
)
T17 = ("lite", "twitter2017", "roberta-resnet50", "film")


def read_post(text, dataset, image=None, photo_words=()):
    if not text.strip():
        raise InputError("The text is empty.")
    return Question(
        post=Post(text=text, tokens=tuple(text.split()), image=image, photo_words=photo_words), ask=Ask()
    )


def predict(question, cell):
    post = question.post
    if "crash" in post.text:
        raise RuntimeError("secret detail")
    entity = Entity(start=0, end=1, label="PER", score=0.9)
    return Prediction(
        post=post,
        ask=question.ask,
        checkpoint=cell.name,
        image_used=post.image is not None,
        entities=(entity,),
        warnings=("<w>",),
    )


def find_cell(*asked):
    for cell in CELLS:
        if (cell.dataset.name, cell.model, cell.fusion, cell.preset) == asked:
            return cell
    raise InputError("there is no such checkpoint")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    fake = SimpleNamespace(
        cells=lambda: CELLS,
        find_cell=find_cell,
        describe=lambda c: {"runs": "stand-in"},
        known_datasets=bundled,
        pickable=fusions_of,
    )
    for module in (predict_tab, pickers, example_buttons):
        monkeypatch.setattr(module, "catalogue", fake)
    monkeypatch.setattr(predict_tab, "predicting", SimpleNamespace(predict=predict))
    monkeypatch.setattr(asked, "read_post", read_post)
    return fake


def test_an_answer_is_html_and_json():
    html, as_json = predict_tab.show_answer(*T17, "Ann sings", None, None)
    assert "PER" in html and "&#60;w&#62;" in html
    assert as_json["checkpoint"] == "lite/twitter2017/roberta-resnet50/film"


def test_bad_input_is_one_sentence():
    html, as_json = predict_tab.show_answer(*T17, " ", None, None)
    assert "The text is empty." in html and 'role="alert"' in html and as_json is None


def test_a_failure_is_logged_and_tells_nothing(caplog):
    html, as_json = predict_tab.show_answer(*T17, "crash", None, None)
    assert 'role="alert"' in html and "secret" not in html and as_json is None
    assert "secret detail" in caplog.text


def test_no_text_at_all_is_bad_input():
    assert "The text is empty." in predict_tab.show_answer(*T17, None, None, None)[0]


def test_half_a_surrogate_pair_is_replaced():
    _, as_json = predict_tab.show_answer(*T17, "\ud83d Ann", None, None)
    assert as_json["entities"][0]["text"] == "?"


@pytest.mark.parametrize("dataset", ["twitter2015", "nowhere"])
def test_a_cell_that_is_not_ready_says_why(dataset):
    html, as_json = predict_tab.show_answer("lite", dataset, "roberta-resnet50", "film", "Ann", None, None)
    assert 'role="alert"' in html and as_json is None


def test_the_card_says_what_is_missing_and_what_is_ready():
    assert "Not trained yet" in pickers.show_card("lite", "twitter2015", "roberta-resnet50", "film")
    html = pickers.show_card("lite", "twitter2017", "roberta-resnet50", "hybrid")
    assert "RoBERTa + ResNet50 with FiLM, RoBERTa + ResNet50 with Concatenation" in html
    assert "stand-in" in pickers.show_card(*T17)


def test_a_damaged_checkpoint_shows_in_the_card(stand_in):
    def damaged(cell):
        raise InputError("config.json is damaged.")

    stand_in.describe = damaged
    assert "config.json is damaged." in pickers.show_card(*T17)


@pytest.mark.parametrize("dataset", bundled().values(), ids=lambda dataset: dataset.name)
def test_pickers_adapt_the_text_box_and_the_mark_buttons(dataset):
    text, marks, own, _ = pickers.adapt("lite", dataset.name, "roberta-resnet50", "film")
    assert text["placeholder"] in [example.text for example in dataset.examples]
    assert marks["visible"] is dataset.has_relations and text["placeholder"] in own["choices"]


@pytest.mark.parametrize(
    ("model", "fusion", "fits"),
    [("vilt", "concat", "native"), ("bert-resnet50", "native", "concat"), ("vilt", "film", "film")],
)
def test_only_fusions_that_fit_the_model_are_offered(model, fusion, fits):
    update = pickers.offer_fusions(model, fusion)
    names = [name for _, name in update["choices"]]
    assert update.get("value") == (None if fits == fusion else fits) and names == list(fusions_of(model))
    assert ("FiLM", "film") in update["choices"] and "bilinear" not in names


def test_the_sizes_that_there_are_are_offered(monkeypatch, stand_in):
    base = StandInCell(find_dataset("twitter2017"), preset="base")
    monkeypatch.setattr(stand_in, "cells", lambda: (*CELLS, base))
    monkeypatch.setattr(stand_in, "default_presets", lambda: ("lite",), raising=False)
    asked = ("twitter2017", "roberta-resnet50")
    assert pickers.offer_presets("lite", *asked) == gr.update(choices=["lite", "base"])
    assert pickers.offer_presets("full", *asked) == gr.update(choices=["lite", "base"], value="lite")
    assert pickers.offer_presets("base", "mnre", "roberta-resnet50") == gr.update(
        choices=["lite"], value="lite"
    )
    monkeypatch.setattr(stand_in, "default_presets", lambda: ("base", "lite"))
    assert pickers.offer_presets("full", *asked) == gr.update(choices=["base", "lite"], value="base")


def test_an_upload_reaches_our_own_opener_undecoded(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    broken = tmp_path / "broken.png"
    broken.write_text("this is no picture")
    assert predict_tab._upload_path(ImageData(path=str(broken), orig_name="x.svg")) == str(broken.resolve())
    assert predict_tab._upload_path(None) is None
    for payload in (ImageData(url="data:image/png;base64,AAAA"), ImageData(path="/tmp/broken.png")):
        with pytest.raises(gr.Error, match="was not uploaded"):  # the first would pass for no photo
            predict_tab._upload_path(payload)


def test_only_the_example_photos_are_served():
    assert set(layout.launch_settings()["allowed_paths"]) == {str(path) for _, path in examples.available()}


# --- examples ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("example", "path"), examples.available(), ids=lambda e: getattr(e, "title", ""))
def test_examples_ship_with_the_requirements_and_fit_their_tasks(example, path):
    assert path.is_file() and set(example.texts) == set(TASKS)
    assert re.findall(r"\[/?E[12]\]", example.texts["entities"]) == []
    marks = re.findall(r"\[/?E[12]\]", example.texts["relations"])
    assert sorted(marks) == ["[/E1]", "[/E2]", "[E1]", "[E2]"]
    html = examples.figure_html(example, path)
    assert example.alt in html and example.credit in html and len(html) < 20_000


def test_an_example_takes_the_picked_dataset_where_that_can_answer():
    example, path = examples.available()[0]
    fill = Tried(task="entities", example=example, photo=path).fill
    assert fill("lite", "twitter2017")[:2] == ("lite", "twitter2017")
    assert fill("lite", "twitter2015")[1] == "twitter2017"  # the former is not ready
    assert fill("lite", "mnre") == ("lite", "twitter2017", example.texts["entities"], str(path))
    related = Tried(task="relations", example=example, photo=path).fill
    assert related("base", "twitter2017")[:2] == ("lite", "mnre")  # of which there is no other size
