"""``python -m mmdemo explain``: JSON for programs, pictures and tables in a folder, lines for people."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain.explainers import VIEWS
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.explain.cells import MARKED, TEXTS, TWEET, loaded


@pytest.fixture
def photo(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def call(monkeypatch):
    def run(dataset: str, *options: str, fusion: str = "film", text: str | None = None) -> str:
        config = ModelConfig(dataset=find_dataset(dataset), fusion=fusion, preset="tiny")
        monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
        given = ["--dataset", dataset, "--fusion", fusion, "--preset", "tiny", *options]
        arguments = ["explain", "--text", TEXTS[dataset] if text is None else text, *given]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_json_holds_every_view_or_the_reason_against_it(call, dataset, photo):
    answer = json.loads(call(dataset, "--image", photo, "--json"))
    assert {view["name"] for view in answer["views"]} | set(answer["absent"]) == set(VIEWS)
    for view in answer["views"]:
        assert len(view["values"]) == len(view["axes"][0]) and view["note"]
    assert answer["counterfactuals"][0]["name"] == "without the photo"
    assert answer["prediction"]["image_used"] is True
    assert answer["checkpoint"].startswith(f"tiny/{dataset}/")


def test_a_folder_gets_a_picture_and_a_table_for_each_view(call, photo, tmp_path):
    out = tmp_path / "new" / "why"
    said = call("twitter2017", "--image", photo, "--out", str(out), "--target", "3", fusion="cross-attention")
    assert said.splitlines()[-1] == f"written to {out}"
    answer = json.loads((out / "explanation.json").read_text())
    assert "Oracle" in answer["target"]
    for view in answer["views"]:
        with Image.open(out / f"{view['name']}.png") as picture:
            assert picture.width == 1120
        rows = list(csv.reader((out / f"{view['name']}.csv").read_text(encoding="utf-8").splitlines()))
        assert len(rows) == 1 + len(view["axes"][0])


def test_lines_for_people(call, photo):
    said = call("mnre", "--image", photo, "--view", "region-gradient")
    assert said.startswith("why /") and "What each region adds to" in said and "Imagined" not in said
    assert "no gamma: concat has no γ" in call("mnre", "--image", photo, fusion="concat")
    assert "no region-gradient: the post has no photo" in call("mnre")


@pytest.mark.parametrize(
    ("options", "text", "sentence"),
    [
        (["--target", "99"], TWEET, "target 99"),
        (["--view", "magic"], TWEET, "no view 'magic'"),
        (["--other", "/no/such.jpg"], TWEET, "'such.jpg' does not exist"),
        (["--image", "/no/such.jpg"], TWEET, "does not exist"),
        (["--out", "/proc/why"], TWEET, "/proc/why cannot be written"),
        ([], MARKED, "marks ask for a relation"),
        ([], "", "the text is empty"),
    ],
)
def test_mistakes_are_input_errors(call, options, text, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        call("twitter2017", *options, text=text)
    assert "\n" not in str(caught.value)
