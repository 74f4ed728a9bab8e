"""Aligning clip-bert's image tower: what it needs, and what is said where that is not there."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.types import InputError
from tests.tiny import write_data
from train.bases.align import align
from train.data.source import DataSource


@pytest.fixture
def source(tmp_path) -> DataSource:
    """Original photos of one training and one test post, and no captions."""
    folder = write_data(tmp_path / "data", 4)
    shutil.copytree(folder / "twitter2017", folder / "twitter2015")
    (folder / "photos").mkdir()
    for name in ("train0", "test0"):
        Image.new("RGB", (40, 40)).save(folder / "photos" / f"{name}.jpg")
    return DataSource(folder=folder, images=folder / "photos")


@pytest.mark.parametrize(
    ("captioned", "match"),
    [
        (None, "captions.csv is not there; see docs/training.md"),
        ("flickr1.jpg", "captions.csv has none of the 1 photos of train: it needs captions of these photos"),
        ("train0.jpg", "captions.csv has none of the 1 photos of test: it needs captions of these photos"),
    ],
)
def test_photos_without_captions_are_one_sentence(source, tmp_path, captioned, match):
    if captioned:
        file = source.folder / "standins" / "captions.csv"
        file.parent.mkdir()
        file.write_text(f"photo,caption\n{captioned},A dog\n", encoding="utf-8")
    with pytest.raises(InputError, match=match) as caught:
        align(source, tmp_path / "work", Path("nowhere"), 1, tmp_path / "cache")
    assert "\n" not in str(caught.value)
