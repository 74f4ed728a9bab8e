"""The tables of models and fusions: whole rows, names that fit together, defaults that commands repeat."""

from dataclasses import fields, replace

import pytest

from mmdemo.commands import options
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders import published
from mmdemo.models.encoders.table import (
    DEFAULT_MODEL,
    MODELS,
    PRESETS,
    ROWS,
    ModelRow,
    Sides,
    Sources,
    model_row,
)
from mmdemo.models.fusion.table import DEFAULT_FUSION, FUSIONS, buildable, fusions_of
from mmdemo.types import InputError


@pytest.mark.parametrize("part", ["title", "kind", "sides", "sources", "starts_from"])
def test_a_row_with_a_part_not_filled_in_is_an_error_that_says_which(part):
    given = {item.name: getattr(ROWS[0], item.name) for item in fields(ModelRow)}
    del given[part]
    with pytest.raises(TypeError, match=f"the row .* of mmdemo/models/encoders/table.py lacks {part}: "):
        ModelRow(**given | {"name": "mine"})


def test_a_row_needs_the_sides_of_every_preset():
    without = {preset: sides for preset, sides in ROWS[0].sides.items() if preset != "full"}
    with pytest.raises(TypeError, match="'mine' of .*table.py lacks sides for the preset full"):
        replace(ROWS[0], name="mine", sides=without)


@pytest.mark.parametrize("record", [Sides, Sources])
def test_parts_say_what_they_lack(record):
    with pytest.raises(TypeError, match="lacks .*: "):
        record()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_speak_of_rows_and_sources_that_there_are(row):
    earlier = [one.name for one in ROWS[: ROWS.index(row)]]
    assert row.starts_from in ("", *earlier) and row.text_of in ("", *earlier)
    both = row.sources.text == row.sources.image and row.sources.text in published.BOTH_SIDES
    assert both or (row.sources.text in published.TEXT_SIDES and row.sources.image in published.IMAGE_SIDES)
    assert set(row.sides) >= {name for name, preset in PRESETS.items() if preset.whole}
    assert set(row.sides) <= set(PRESETS)


def test_each_kind_of_model_has_one_baseline_and_extras_stay_out_of_the_zoo():
    for name, row in MODELS.items():
        own = fusions_of(name)
        assert [f for f in own if FUSIONS[f].baseline] == [
            f for f in FUSIONS if FUSIONS[f].baseline == row.kind
        ]
        assert not any(FUSIONS[f].extra for f in own) and set(own) < set(buildable(name))


def test_commands_start_from_the_first_rows():
    assert (options.MODEL, options.FUSION) == (DEFAULT_MODEL, DEFAULT_FUSION)
    config = ModelConfig(dataset=find_dataset("mnre"))
    assert (config.model, config.fusion) == (DEFAULT_MODEL, DEFAULT_FUSION)


def test_an_unknown_model_is_one_sentence():
    with pytest.raises(InputError, match="unknown model 'gpt'; known: "):
        model_row("gpt")
