"""What a stranger may type and upload: an answer with warnings in words, or one clear sentence."""

import copy
import shutil
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.answer import predict as answering
from mmdemo.answer.answer_json import prediction_json
from mmdemo.answer.explain import prepare
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.models.encoders.table import MODELS, PRESETS
from mmdemo.models.fusion.table import fusions_of
from mmdemo.models.model import MultimodalModel
from mmdemo.posts.question import read_post
from mmdemo.types import Ask, Entity, InputError, Pair, PhotoWords, Post, Question, Relation

TWEET = "Kevin Durant enters Oracle Arena"
MARKED = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]"
TEXTS = {name: MARKED if dataset.has_relations else TWEET for name, dataset in bundled().items()}


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


@pytest.fixture
def photo() -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def cell(dataset: str, fusion: str = "film"):
    return catalogue.find_cell(dataset, "roberta-resnet50", fusion, "tiny")


def ask(text: str, dataset: str = "twitter2017", image=None, fusion: str = "film"):
    return answering.predict(read_post(text, find_dataset(dataset), image), cell(dataset, fusion))


def one_sentence(error: pytest.ExceptionInfo[InputError]) -> None:
    message = str(error.value)
    assert message and "\n" not in message and "Traceback" not in message and len(message) < 300


# ---------------------------------------------------------------- words of the photo

SIGN = PhotoWords(source="ocr", text="PADRES", score=0.5)


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_a_cell_that_reads_no_words_answers_as_without_them_and_says_so(dataset, photo):
    chosen = cell(dataset)
    for image in (photo, None):
        bare, said = (
            answering.predict(read_post(TEXTS[dataset], find_dataset(dataset), image, words), chosen)
            for words in ((), (SIGN,))
        )
        assert said.post.photo_words == (SIGN,) and not said.photo_words_used
        assert (said.entities, said.relations) == (bare.entities, bare.relations)
        assert said.warnings == bare.warnings and said.image_used == bare.image_used
        told = prediction_json(said)
        assert told["photo_words"] == words_json([SIGN]) and told["photo_words_used"] is False
        assert {**told, "photo_words": []} == prediction_json(bare)


def test_a_cell_that_reads_words_says_so(photo, monkeypatch):
    monkeypatch.setattr(answering, "reads_photo_words", lambda loaded: True)
    tweets = find_dataset("twitter2017")
    for image, words in ((None, (SIGN,)), (photo, (SIGN,)), (None, ()), (photo, ())):
        found = answering.predict(read_post(TWEET, tweets, image, words), cell("twitter2017"))
        assert found.photo_words_used is bool(words) and found.image_used is (image is not None)
        assert any("text alone" in one for one in found.warnings) is (image is None and not words)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dataset", bundled())
def test_every_cell_answers(dataset, model, photo):
    for fusion in fusions_of(model):
        post = read_post(TEXTS[dataset], find_dataset(dataset), photo)
        answer = answering.predict(post, catalogue.find_cell(dataset, model, fusion, "tiny"))
        assert answer.checkpoint == f"tiny/{dataset}/{model}/{fusion}"
        assert answer.image_used
        assert all(
            "looks untrained" in one for one in answer.warnings
        )  # random weights may, of few relations
        assert answer.post.tokens == tuple(TWEET.split())
        if find_dataset(dataset).has_relations:
            scores = [r.score for r in answer.relations]
            assert answer.entities == ()
            assert len(scores) == min(5, len(find_dataset(dataset).relation_labels))
            assert scores == sorted(scores, reverse=True) and 0 < sum(scores) <= 1 + 1e-9
        else:
            assert answer.relations == ()
            assert answer.entities or model != "roberta-resnet50"  # random weights need not find any
            for e in answer.entities:
                assert e.text == " ".join(answer.post.tokens[e.start : e.end]) and 0 <= e.score <= 1


def test_the_trace_is_the_fusions_for_one_post(photo):
    trace = ask(TWEET, image=photo).trace
    length = 2 + 6  # "Durant" is two sub-tokens
    assert {name: value.shape for name, value in trace.items()} == {
        "gamma_BLD": (length, 32),
        "beta_BLD": (length, 32),
        "modality_BL2": (length, 2),
    }
    assert trace["modality_BL2"].sum(-1) == pytest.approx(1)


@pytest.mark.parametrize("dataset", bundled())
def test_posts_answered_together_are_answered_as_alone(dataset, photo):
    texts = [TEXTS[dataset], f"{TEXTS[dataset]} , at last , in a jam-packed hall !", TEXTS[dataset]]
    posts = [read_post(t, find_dataset(dataset), p) for t, p in zip(texts, (photo, photo, None), strict=True)]
    for together, post in zip(answering.predict_many(posts, cell(dataset)), posts, strict=True):
        alone = answering.predict(post, cell(dataset))
        assert together.post is post.post and together.image_used == alone.image_used
        assert together.warnings == alone.warnings
        for kind in ("entities", "relations"):
            ours, theirs = getattr(together, kind), getattr(alone, kind)
            assert [replace(a, score=None) for a in ours] == [replace(a, score=None) for a in theirs]
            assert [a.score for a in ours] == pytest.approx([a.score for a in theirs], abs=1e-5)
        assert together.trace.keys() == alone.trace.keys()
        for name, value in alone.trace.items():
            np.testing.assert_allclose(together.trace[name], value, atol=1e-5)


def test_the_photo_changes_the_answer_and_its_absence_is_said(photo):
    with_photo, without = ask(TWEET, image=photo), ask(TWEET)
    assert not without.image_used and without.trace == {}
    assert without.warnings == ("No photo was given: the answer comes from the text alone.",)
    assert with_photo.entities != without.entities


def test_answers_repeat(photo):
    assert ask(TWEET, image=photo).entities == ask(TWEET, image=photo).entities


def test_only_an_explanation_pays_for_gradients(monkeypatch):
    inference: list[bool] = []
    encode = MultimodalModel.encode

    def noted(model, batch):
        inference.append(torch.is_inference_mode_enabled())
        return encode(model, batch)

    monkeypatch.setattr(MultimodalModel, "encode", noted)
    answer = ask(TWEET)
    explained = prepare(read_post(TWEET, find_dataset("twitter2017")), cell("twitter2017"))
    assert inference == [True, False]
    assert explained.prediction.entities == answer.entities


@pytest.mark.parametrize("dataset", bundled())
def test_known_answers_are_not_looked_at(dataset, photo):
    """A post read from another dataset's file, or one already reviewed, is answered as if it were new."""
    post = read_post(TEXTS[dataset], find_dataset(dataset), photo)
    foreign = Entity(start=0, end=1, label="STARSHIP")
    other = Relation(head=(0, 2), tail=(3, 5), label="/no/such/relation")
    stated = replace(post.post, entities=(foreign, foreign), tags=("B-STARSHIP",) * 5, relations=(other,))
    known = replace(post, post=stated)
    fresh, again = answering.predict(post, cell(dataset)), answering.predict(known, cell(dataset))
    assert (fresh.entities, fresh.relations) == (again.entities, again.relations)


def test_an_entity_model_tells_no_relation():
    pair = Pair(head=(0, 2), tail=(3, 5))
    asked = replace(read_post(TWEET, find_dataset("twitter2017")), ask=Ask(relations=(pair,)))
    with pytest.raises(InputError, match="finds entities; it does not tell relations") as caught:
        answering.predict(asked, cell("twitter2017"))
    one_sentence(caught)


def test_the_relations_of_several_pairs_are_told_as_one_by_one():
    there, back = Pair(head=(0, 2), tail=(3, 5)), Pair(head=(3, 5), tail=(0, 2))
    post = Post(text=TWEET, tokens=tuple(TWEET.split()))
    both = answering.predict(Question(post=post, ask=Ask(relations=(there, back))), cell("mnre"))
    assert [relation.pair for relation in both.relations] == [there] * 5 + [back] * 5
    for number, pair in enumerate((there, back)):
        alone = answering.predict(Question(post=post, ask=Ask(relations=(pair,))), cell("mnre")).relations
        told = both.relations[5 * number : 5 * number + 5]
        assert [r.label for r in told] == [r.label for r in alone]
        assert [r.score for r in told] == pytest.approx([r.score for r in alone], abs=1e-5)


def test_a_pair_of_words_that_are_not_there_is_one_sentence():
    post = Post(text=TWEET, tokens=tuple(TWEET.split()))
    asked = Question(post=post, ask=Ask(relations=(Pair(head=(0, 2), tail=(3, 6)),)))
    with pytest.raises(InputError, match="words 3-6 are not words of the post"):
        answering.predict(asked, cell("mnre"))


def test_all_pairs_of_stated_entities_that_a_relation_may_join_are_asked():
    named = (Entity(start=0, end=2, label="PER"), Entity(start=3, end=5, label="LOC"))
    post = Post(text=TWEET, tokens=tuple(TWEET.split()), entities=named)
    answer = answering.predict(Question(post=post, ask=Ask(entities=False, relations="all")), cell("mnre"))
    dataset = find_dataset("mnre")
    allowed = [
        Pair(head=(a.start, a.end), tail=(b.start, b.end))
        for a, b in (named, named[::-1])
        if len(dataset.relations_between(a.label, b.label)) > 1
    ]
    assert list(dict.fromkeys(r.pair for r in answer.relations)) == allowed and allowed
    unknown = replace(post, entities=())
    asked = Question(post=unknown, ask=Ask(entities=False, relations="all"))
    assert answering.predict(asked, cell("mnre")).relations == ()


def test_the_tail_may_stand_first():
    answer = ask("[E2] Oracle Arena [/E2] welcomes [E1] Kevin Durant [/E1]", "mnre")
    assert [r.pair for r in answer.relations] == [Pair(head=(3, 5), tail=(0, 2))] * 5


def test_a_card_says_what_runs():
    card = catalogue.describe(cell("mnre"))
    assert card["runs"] == "random 2-layer encoders, for tests"
    assert card["config"] == {
        "dataset": "mnre",
        "model": "roberta-resnet50",
        "fusion": "film",
        "preset": "tiny",
    }
    assert card["training"]["data"] == "random weights" and card["metrics"]["seed"] == 7


# ---------------------------------------------------------------- warnings


def test_a_long_text_says_where_it_was_cut():
    answer = ask("Oakland " * 10_000)
    (warning,) = [w for w in answer.warnings if "longer" in w]
    assert "9874 of 10000 words were left out, the first of them word 127 ('Oakland')" in warning
    assert all(e.end <= 126 for e in answer.entities)
    assert answer.unread == tuple(range(126, 10_000))


def test_a_long_relation_text_says_where_it_was_cut():
    answer = ask("Oakland " * 3_000 + MARKED + " Oakland" * 3_000, "mnre")
    (warning,) = [w for w in answer.warnings if "longer" in w]
    assert "5884 of 6005 words were left out, the first of them word 1 " in warning
    assert len(answer.relations) == 5 and len(answer.unread) == 5884


@pytest.mark.parametrize("text", ["🏀🏀 🔥", "!!! ...", "👍🏽"])
def test_symbols_alone_get_a_warning_and_an_answer(text):
    assert any("only symbols" in warning for warning in ask(text).warnings)


def test_a_marked_symbol_gets_an_answer():
    assert len(ask("[E1] 🏀 [/E1] [E2] 🔥 [/E2]", "mnre").relations) == 5


def use_last_layer(monkeypatch, dataset: str, weight: float, bias: float) -> None:
    """Answer with a copy of the cell whose last layer has these constant values."""
    loaded = catalogue.load(cell(dataset))
    model = copy.deepcopy(loaded.model)
    with torch.no_grad():
        for head in model.heads.values():
            head.layers[-1].weight.fill_(weight)
            head.layers[-1].bias.fill_(bias)
    monkeypatch.setattr(catalogue, "load", lambda _: replace(loaded, model=model))


def test_chance_gets_a_warning(monkeypatch):
    use_last_layer(monkeypatch, "mnre", 0.0, 0.0)
    answer = ask(MARKED, "mnre")
    assert any("near chance: this checkpoint looks untrained" in warning for warning in answer.warnings)
    assert answer.relations[0].score == pytest.approx(1 / len(find_dataset("mnre").relation_labels))


# ---------------------------------------------------------------- bad text


@pytest.mark.parametrize(
    ("dataset", "text", "match"),
    [
        ("twitter2017", "", "the text is empty"),
        ("twitter2017", " \n\t\u200b\ufe0f\x00", "the text is empty"),
        ("twitter2015", "[E1] Ann [/E1]", "marks ask for a relation, but Twitter2015 finds entities"),
        ("twitter2017", "Ann [/E2]", "marks ask for a relation"),
        ("mnre", "", "missing: mark the head"),
        ("mnre", TWEET, "missing: mark the head"),
        ("mnre", "[E1] Ann [/E1] sings", r"\[E2\], \[/E2\] missing"),
        ("mnre", "[E1] Ann [/E2] [E2] Bob [/E1]", "closes a mark that is not open"),
        ("mnre", "[E1][/E1] [E2] Bob [/E2]", "marks no word"),
        ("mnre", "[E1] a [/E1] [E2] b [/E2] [E1] c [/E1]", "stands twice"),
        ("twitter2019", TWEET, f"unknown dataset 'twitter2019'; known: {', '.join(bundled())}"),
        ("twitter2017", "x" * 200_001, "200,001 characters; at most 200,000"),
        ("twitter2017", "half \ud83d of a pair", "half of a surrogate pair"),
        ("mnre", "[E1]\udcff[/E1] [E2] b [/E2]", "not UTF-8"),
    ],
)
def test_bad_text_is_one_sentence(dataset, text, match):
    with pytest.raises(InputError, match=match) as caught:
        read_post(text, catalogue.dataset_named(dataset))
    one_sentence(caught)


def test_a_relation_needs_a_pair():
    post = Post(text=TWEET, tokens=tuple(TWEET.split()))
    with pytest.raises(InputError, match="mark the head") as caught:
        answering.predict(Question(post=post, ask=Ask()), cell("mnre"))
    one_sentence(caught)


# ---------------------------------------------------------------- photos


def saved(photo: Image.Image, path, form: str, mode: str = "RGB", **options):
    photo.convert(mode).save(path, form, **options)
    return path


@pytest.mark.parametrize(
    ("name", "form", "mode"),
    [
        ("a.jpg", "PNG", "RGB"),
        ("a.png", "PNG", "RGBA"),
        ("a.png", "PNG", "P"),
        ("a.png", "PNG", "1"),
        ("a.jpg", "JPEG", "CMYK"),
        ("a.jpg", "JPEG", "L"),
        ("no_suffix", "WEBP", "RGB"),
    ],
)
def test_odd_photos_are_read(tmp_path, photo, name, form, mode):
    assert ask(TWEET, image=saved(photo, tmp_path / name, form, mode)).image_used


def test_an_animation_gives_its_first_frame(tmp_path, photo):
    frames = {"save_all": True, "append_images": [photo.rotate(90), photo.rotate(180)]}
    assert ask(TWEET, image=saved(photo, tmp_path / "a.gif", "GIF", **frames)).image_used


def huge_png(side: int) -> bytes:
    """A valid header that promises side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, "does not exist"),
        (b"", "is not a readable"),
        (b"<svg onload=alert(1)>", "is not a readable"),
        (huge_png(20_000), "too many pixels"),
        ("truncated", "is damaged"),
    ],
    ids=["missing", "empty", "svg", "20,000 x 20,000", "truncated"],
)
def test_a_bad_photo_is_one_sentence(tmp_path, photo, dataset, content, match):
    path = tmp_path / "photo.jpg"
    if content == "truncated":
        saved(photo.resize((800, 600)), path, "JPEG")
        path.write_bytes(path.read_bytes()[:3000])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        read_post(TEXTS[dataset], find_dataset(dataset), path)
    one_sentence(caught)


# ---------------------------------------------------------------- bad checkpoints


@pytest.fixture
def own_zoo(tiny_zoo, tmp_path, monkeypatch):
    """A copy of the zoo, in use, to be damaged."""
    shutil.copytree(tiny_zoo, tmp_path / "zoo")
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "zoo"))
    return tmp_path / "zoo"


def test_a_damaged_checkpoint_is_one_sentence_and_the_others_still_answer(own_zoo):
    (cell("twitter2017").folder / "model.safetensors").write_bytes(b"damage")
    with pytest.raises(InputError, match="model.safetensors is damaged") as caught:
        ask(TWEET)
    one_sentence(caught)
    assert ask(TWEET, fusion="concat").entities


def test_a_missing_checkpoint_is_one_sentence(own_zoo):
    shutil.rmtree(cell("twitter2017").folder)
    assert "not among the checkpoints" in cell("twitter2017").problem
    for call in (lambda: ask(TWEET), lambda: catalogue.describe(cell("twitter2017"))):
        with pytest.raises(
            InputError, match="no checkpoint tiny/twitter2017|config.json is missing"
        ) as caught:
            call()
        one_sentence(caught)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_an_error(monkeypatch, value):
    use_last_layer(monkeypatch, "twitter2017", 0.0, value)
    with pytest.raises(InputError, match="gave no finite scores") as caught:
        ask(TWEET)
    one_sentence(caught)


@pytest.mark.parametrize(
    "names",
    [("mnre", "gpt", "film"), ("mnre", "vilt", "magic"), ("mnre", "vilt", "bilinear")],
)
def test_an_unknown_cell_is_one_sentence(names):
    with pytest.raises(InputError, match="there is no checkpoint for dataset") as caught:
        catalogue.find_cell(*names)
    one_sentence(caught)


def test_an_unknown_preset_is_one_sentence():
    with pytest.raises(InputError, match=f"unknown preset 'huge'; known: {', '.join(PRESETS)}"):
        catalogue.cells("huge")


def test_cells_are_the_lite_ones_unless_asked():
    assert {c.preset for c in catalogue.cells()} == {"lite"}
