"""Public archives' layouts: a data set's splits where HVPNeT and MKGformer lay them out."""

from pathlib import Path

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.reading import read_split, split_file
from mmdemo.types import InputError

TWEETS = "IMGID:1\nOla\tB-PER\n\n"
PAIR = str(
    {
        "token": ["Ola", "of", "Vik"],
        "h": {"name": "Ola", "pos": [0, 1]},
        "t": {"name": "Vik", "pos": [2, 3]},
        "img_id": "a.jpg",
        "relation": "/per/org/member_of",
    }
)


def laid_out(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PAIR if "RE_data" in name else TWEETS)


def test_splits_are_found_in_a_public_archive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [
        f"NER_data/{name}/{split}.txt"
        for name in ("twitter2015", "twitter2017")
        for split in ("train", "valid")
    ]
    pairs = [f"RE_data/txt/ours_{split}.txt" for split in ("train", "val")]
    laid_out(tmp_path, *files, *pairs)
    for name in ("twitter2015", "twitter2017", "mnre"):
        for split in ("train", "valid"):
            assert len(read_split(tmp_path, find_dataset(name), split)) == 1
    assert (
        split_file(tmp_path, find_dataset("twitter2017"), "valid")
        == tmp_path / "NER_data/twitter2017/valid.txt"
    )
    assert "is read instead" in caplog.text


def test_no_other_data_sets_file_is_taken(tmp_path: Path) -> None:
    laid_out(tmp_path, "NER_data/twitter2017/train.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_split(tmp_path, find_dataset("twitter2015"), "train")
