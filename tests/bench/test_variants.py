"""The bench of variants measures what it says: its plain cell is the prediction itself."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer.predict import predict
from mmdemo.posts.question import read_post
from tests.bench import runtimes, variants

TWEET = "Kevin Durant enters Oracle Arena in Oakland"


@pytest.fixture(scope="module")
def cell() -> variants.Cell:
    return variants.Cell()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.effect_noise((80, 60), 90).convert("RGB").save(file)
    return file


def test_the_plain_cell_is_the_prediction_itself(cell, photo):
    for given in (photo, None):
        told, _ = cell.predict(runtimes.BUILDERS["plain"](cell.loaded), TWEET, given)
        own = predict(read_post(TWEET, cell.cell.dataset, given), cell.cell)
        assert told.entities == own.entities and told.entities


def test_rows_tell_what_an_approximation_changes(cell, photo):
    made = [runtimes.BUILDERS[name](cell.loaded) for name in ("plain", "cache", "int8")]
    plain, seen, int8 = variants.measure(cell, made, [(TWEET, photo)] * 4)
    assert plain.moved == 0 and seen.moved < 1e-4 and seen.changed == 0
    assert 1e-3 < int8.moved < 1, "a row that says nothing would be worse than none"
    assert np.isfinite([row.photo for row in (plain, seen, int8)]).all()


def test_what_is_not_installed_is_left_out_with_the_reason(cell, monkeypatch):
    def lacking(loaded):
        raise ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")

    monkeypatch.setitem(runtimes.BUILDERS, "onnx", lacking)
    made, missing = variants.built(["plain", "onnx"], cell.loaded)
    row = variants.Row(name="plain", photo=20.0, text=10.0, moved=0.0, changed=0)
    table = variants.markdown([row], {"one at a time": 2.0, "batches": 1.0}, missing, "about")
    assert [variant.name for variant in made] == ["plain"]
    assert (
        "| onnx | left out: onnxruntime is not installed | | | |" in table and "| batches | 2.00× |" in table
    )
