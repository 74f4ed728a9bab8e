"""A captioner: pinned, loaded from safetensors alone, and no more than its own words when it fails."""

import threading
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from mmdemo.photo_words import captioner
from mmdemo.photo_words.captioner import Captioner, captioner_of, captioner_source, load, sensible
from mmdemo.photo_words.reader import PhotoReader
from mmdemo.photo_words.source import SourceError
from mmdemo.types import InputError
from tests.hub_standin import running_hub, use
from tests.photo_words.drawn import Saying, line, sign

REVISION = "0123456789" * 4
PHOTO = Image.new("RGB", (20, 20), "red")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "at", "bat", "sign", "dog", "car"]
SMALL = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2)


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BLIP that captions, as a repository of the Hub would hold it."""
    folder = tmp_path_factory.mktemp("blip")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    ids = dict(bos_token_id=2, sep_token_id=3, eos_token_id=3, pad_token_id=0)
    config = BlipConfig(
        text_config={**SMALL, **ids, "vocab_size": len(WORDS), "encoder_hidden_size": 32},
        vision_config={**SMALL, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    torch.manual_seed(0)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    BlipProcessor(BlipImageProcessor(size=size), tokenizer).save_pretrained(folder)
    return folder


def test_a_model_is_loaded_and_captions(blip):
    caption = load(str(blip), REVISION)
    said = caption(PHOTO, 20)
    assert isinstance(said, str) and said == caption(PHOTO, 20)


def test_the_hub_is_read_at_the_pinned_commit(blip, tmp_path, monkeypatch):
    """All the way from a stand-in of the Hub, whose repository has gone on since."""
    files = {file.name: file.read_bytes() for file in blip.iterdir()}
    with running_hub() as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        commit = hub.add("models/owner/captioner", files)
        hub.add("models/owner/captioner", {"model.safetensors": b"another day's weights"})
        monkeypatch.setenv("MMDEMO_CAPTIONER", f"owner/captioner@{commit}")
        captioner_of.cache_clear()
        # Random weights may say nothing that is a caption.
        monkeypatch.setattr(captioner, "sensible", lambda said, by: f"it said {said}")
        source = captioner_source()
        (words,) = source.read(PHOTO)
        assert words.text == f"it said {load(str(blip), commit)(PHOTO, 20)}"
        assert (words.by, source.version) == (f"owner/captioner@{commit[:7]}", f"owner/captioner@{commit}")
        assert any(f"/resolve/{commit}/model.safetensors" in request for request in hub.requests)
        assert not any("/main/" in request for request in hub.requests if "safetensors" in request)


def test_weights_as_a_pickle_are_refused(blip, tmp_path):
    for file in blip.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(OSError, match="safetensors"):
        load(str(tmp_path), REVISION)


def test_a_model_that_lacks_weights_is_refused(blip, tmp_path):
    from safetensors.torch import load_file, save_file

    for file in blip.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    state = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in state if "vision" in name and name.endswith("weight"))
    save_file({n: v for n, v in state.items() if n != gone}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="its weights lack"):
        load(str(tmp_path), REVISION)


@pytest.mark.parametrize(
    "name",
    [
        "owner/name",
        "owner/name@",
        "owner/name@main",
        "owner/name@v1.0",
        "name@" + REVISION,
        "../x@" + REVISION,
    ],
)
def test_a_captioner_needs_a_commit(monkeypatch, name):
    monkeypatch.setenv("MMDEMO_CAPTIONER", name)
    with pytest.raises(InputError, match="MMDEMO_CAPTIONER=.* must be owner/name@revision"):
        captioner_source()


@pytest.mark.parametrize("seconds", ["soon", "0", "-3", "nan", "inf", "9999"])
def test_the_seconds_are_a_number(monkeypatch, seconds):
    monkeypatch.setenv("MMDEMO_CAPTIONER", f"owner/name@{REVISION}")
    monkeypatch.setenv("MMDEMO_CAPTIONER_SECONDS", seconds)
    with pytest.raises(InputError, match="must be a number of seconds"):
        captioner_source()


def test_a_model_that_the_hub_does_not_give_costs_only_its_words(monkeypatch, tmp_path):
    """The Hub is out of reach in tests: the reader reads the text, and says what happened to the caption."""
    monkeypatch.setenv("MMDEMO_CAPTIONER", f"owner/nowhere@{REVISION}")
    captioner_of.cache_clear()
    makers = {"ocr": Saying([line("PADRES")]), "captioned": captioner_source}
    found = PhotoReader(tmp_path, ("ocr", "captioned"), makers=makers).read(sign(("PADRES", 10, 10)))
    assert [words.text for words in found.words] == ["PADRES"]
    assert found.unread == ("captioned",)
    assert found.notes[0].startswith("captioned: owner/nowhere@0123456 cannot be loaded (")


def made(caption, seconds: float = 20.0, loading=None) -> Captioner:
    return Captioner(loading or (lambda: caption), by="owner/name@0123456", seconds=seconds)


def test_a_caption_says_who_wrote_it():
    (words,) = made(lambda photo, seconds: " a man at\n bat ").read(PHOTO)
    assert words == line("a man at bat", "captioned", None, by="owner/name@0123456")


def test_loading_is_not_tried_for_every_photo():
    tries = []

    def broken():
        tries.append(1)
        raise OSError("no such\nrepository")

    slow = made(None, loading=broken)
    for _ in range(3):
        with pytest.raises(SourceError, match=r"cannot be loaded \(OSError: no such\)$"):
            slow.read(PHOTO)
    assert len(tries) == 1


def test_a_failure_is_tried_again_after_a_while(monkeypatch):
    monkeypatch.setattr(captioner, "RETRY_SECONDS", 0)
    answers = iter([OSError("gone"), lambda photo, seconds: "a man at bat"])

    def load_it():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    mended = made(None, loading=load_it)
    with pytest.raises(SourceError, match="gone"):
        mended.read(PHOTO)
    assert mended.read(PHOTO)[0].text == "a man at bat"


def test_a_model_that_takes_too_long_is_not_waited_for():
    end = threading.Event()
    slow = made(lambda photo, seconds: "late" if end.wait(60) else "", seconds=0.3)
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"took longer than 0.3 s to answer|to load"):
        slow.read(PHOTO)
    with pytest.raises(SourceError, match="still at work on an earlier photo"):
        slow.read(PHOTO)
    assert time.monotonic() - started < 10
    end.set()


def test_a_model_that_fails_on_a_photo_is_asked_for_the_next():
    answers = iter([RuntimeError("bad photo"), "a man at bat"])

    def caption(photo, seconds):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    moody = made(caption)
    with pytest.raises(SourceError, match=r"failed on this photo \(RuntimeError: bad photo\)"):
        moody.read(PHOTO)
    assert moody.read(PHOTO)[0].text == "a man at bat"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "  ",
        "...",
        "##",
        "\x00\x1b",
        "the the the the the",
        "a man " * 6,
        "!?!? a",
    ],
)
def test_nonsense_is_no_caption(said):
    with pytest.raises(SourceError, match="is no caption"):
        sensible(said, "x")


@pytest.mark.parametrize("said", ["a dog", "a man at bat in a red cap and a red shirt", "un homme", "狗在跑"])
def test_a_sentence_is_a_caption(said):
    assert sensible(said, "x") == said
