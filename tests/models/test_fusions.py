"""The contract that all fusions share, and each one's formula against values computed by hand."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import FILM_VARIANTS, ModelConfig
from mmdemo.models.features import PATCH, WORD, Fusion, ImageFeatures, TextFeatures
from mmdemo.models.fusion.attention import AdditiveTokenAttention, Attention, TokenAttention
from mmdemo.models.fusion.attention_tokens import AttentionTokens
from mmdemo.models.fusion.baselines.concat import Average, Concat
from mmdemo.models.fusion.baselines.native import Native
from mmdemo.models.fusion.baselines.one_side import ImageOnly, TextOnly
from mmdemo.models.fusion.bilinear import Bilinear
from mmdemo.models.fusion.bimodal import Bimodal
from mmdemo.models.fusion.cross_attention import CrossAttention
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.fusion.gated_hybrid import GatedHybrid
from mmdemo.models.fusion.hybrid import Hybrid
from mmdemo.models.fusion.late import Late
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.fusion.two_way import TwoWayCrossAttention
from mmdemo.models.model import build_fusion

#: (fusion, option): each fusion, and those whose formula a setting chooses with each of its values.
KINDS = [
    *((fusion, "") for fusion in FUSIONS),
    *(("film", f"film_variant={variant}") for variant in FILM_VARIANTS[1:]),
    *(("bimodal", f"bimodal_activation={name}") for name in ("tanh", "sigmoid")),
    *((name, "token_score=additive") for name in ("attention", "hybrid", "attention-tokens")),
]
B, L, R, D = 3, 5, 6, 32
#: Of the regions, the first are patches and the rest sub-tokens of the photo's words.
PATCHES = 4
KIND_R = torch.tensor([PATCH] * PATCHES + [WORD] * (R - PATCHES))
#: Fusions that leave the photo, or the text, alone.
TEXT_ALONE = ("native", "text-only")

MODULATED = {"gamma_BLD": (B, L, D), "beta_BLD": (B, L, D)}
BY_PHOTO = {"gamma_BLD": (B, 1, D), "beta_BLD": (B, 1, D)}
ATTENDED = {"attention_BHLR": (B, 8, L, R)}
WEIGHED, TOKENS = {"modality_BL2": (B, L, 2)}, {"tokens_BL": (B, L)}

#: What each fusion's trace must hold, and in which shape.
TRACES: dict[str, dict[str, tuple[int, ...]]] = {
    "film": MODULATED | WEIGHED,
    "film-swapped": BY_PHOTO,
    "film-residual": BY_PHOTO,
    "film-relu": BY_PHOTO,
    "attention": WEIGHED | TOKENS,
    "attention-tokens": TOKENS,
    "cross-attention": ATTENDED,
    "cross-attention-two-way": ATTENDED | {"attention_BHRL": (B, 8, R, L)},
    "bimodal": {"alpha_B1": (B, 1)},
    "concat": {},
    "average": {},
    "native": {},
    "text-only": {},
    "image-only": {},
    "hybrid": MODULATED | WEIGHED | TOKENS,
    "gated-hybrid": MODULATED | ATTENDED | {"gate_BL3": (B, L, 3)},
    "bilinear": {},
    "late": WEIGHED,
}
#: Trace entries whose last axis is a distribution.
SHARES = ("modality_BL2", "tokens_BL", "attention_BHLR", "attention_BHRL", "gate_BL3")


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request) -> tuple[str, str]:
    return request.param


@pytest.fixture
def fusion(kind) -> Fusion:
    """The fusion as training leaves it: no weight is still at its initial zero."""
    name, option = kind
    setting, _, value = option.partition("=")
    config = ModelConfig(
        dataset=find_dataset("mnre"),
        model="vilt" if name == "native" else "roberta-resnet50",
        fusion=name,
        preset="tiny",
        dropout=0.2,
        **({setting: value} if setting else {}),
    )
    built = build_fusion(config)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return built.eval()


def fuse(fusion: Fusion, text: TextFeatures, image: ImageFeatures) -> Tensor:
    """The fused states; of a decision-level fusion the two votes' mix, as a linear head would see it."""
    output = fusion(text, image)
    if output.image_vote_BLD is None:
        return output.tokens_BLD
    weight_B11 = output.image_weight_B[:, None, None]
    return (1 - weight_B11) * output.tokens_BLD + weight_B11 * output.image_vote_BLD


#: What may stand beside a text: patches of a photo, words that it says, both, or neither.
BESIDE = {
    "both": [True] * R,
    "photo": [True] * PATCHES + [False] * (R - PATCHES),
    "words": [False] * PATCHES + [True] * (R - PATCHES),
    "one word": [False] * (R - 1) + [True],
    "neither": [False] * R,
}


def features(*beside: str) -> tuple[TextFeatures, ImageFeatures]:
    mask_BL = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] * 4 + [False]])
    mask_BR = torch.tensor([BESIDE[name] for name in beside or ("both", "photo", "words")])
    return (
        TextFeatures(tokens_BLD=torch.randn(B, L, D, requires_grad=True), mask_BL=mask_BL),
        ImageFeatures(regions_BRD=torch.randn(B, R, D, requires_grad=True), mask_BR=mask_BR, kind_R=KIND_R),
    )


def test_every_fusion_has_a_trace_contract():
    assert set(TRACES) == set(FUSIONS)
    assert {name: tuple(shapes) for name, shapes in TRACES.items()} == {
        name: row.trace for name, row in FUSIONS.items()
    }


def test_a_row_of_the_table_reads_what_its_fusion_reads(fusion, kind):
    assert fusion.reads == FUSIONS[kind[0]].reads


def test_shapes_and_trace(fusion, kind):
    text, image = features()
    output = fusion(text, image)
    assert output.tokens_BLD.shape == (B, L, D)
    assert output.tokens_BLD.isfinite().all()
    assert {name: tuple(value.shape) for name, value in output.trace.items()} == (
        BY_PHOTO if kind[1].startswith("film_variant") else TRACES[kind[0]]
    )
    assert all(value.isfinite().all() for value in output.trace.values())
    assert torch.equal(fuse(fusion, text, image), text.tokens_BLD) is (kind[0] in TEXT_ALONE)


def test_shares_are_shares(fusion):
    trace = fusion(*features()).trace
    for name in SHARES & trace.keys():
        torch.testing.assert_close(trace[name].sum(-1), torch.ones(trace[name].shape[:-1]))
        assert trace[name].ge(0).all()
    if "tokens_BL" in trace:
        assert trace["tokens_BL"][~features()[0].mask_BL].eq(0).all()  # padding gets none
    if "alpha_B1" in trace:
        assert trace["alpha_B1"].gt(0).all() and trace["alpha_B1"].lt(1).all()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "beside", [("neither",) * 3, ("photo", "neither", "words"), ("neither", "one word", "neither")]
)
def test_without_a_photo_and_its_words_the_text_passes_unchanged(fusion, kind, beside, training):
    text, image = features(*beside)
    output = fuse(fusion.train(training), text, image)
    for row, name in enumerate(beside):
        changed = name != "neither" and kind[0] not in TEXT_ALONE
        if kind[0] == "image-only" and name == "neither":  # text in its place would be no baseline
            assert output[row].eq(0).all()
        else:
            assert torch.equal(output[row], text.tokens_BLD[row]) is not changed


def test_where_nothing_stands_beside_any_text_it_gives_the_same_as_in_a_batch(fusion):
    text, image = features("neither", "neither", "neither")
    assert torch.equal(fusion.alone(text).tokens_BLD, fuse(fusion, text, image))
    assert fusion.alone(text).trace == {}


@pytest.mark.parametrize("beside", BESIDE)
def test_masked_regions_change_nothing(fusion, beside):
    text, image = features(*[beside] * 3)
    noise_BRD = image.regions_BRD.where(image.mask_BR[..., None], 1e4 * torch.randn(B, R, D))
    clean, noisy = fusion(text, image), fusion(text, replace(image, regions_BRD=noise_BRD))
    assert torch.equal(clean.tokens_BLD, noisy.tokens_BLD)
    if beside != "neither":
        for name, value in clean.trace.items():
            if name != "attention_BHRL":  # it has a row for a masked region too, which nobody reads
                assert torch.equal(value, noisy.trace[name]), name


@pytest.mark.parametrize("beside", ["photo", "words", "one word"])
def test_a_masked_region_is_as_good_as_none(fusion, beside):
    text, image = features(*[beside] * 3)
    there = image.mask_BR[0]
    bare = ImageFeatures(
        regions_BRD=image.regions_BRD[:, there], mask_BR=image.mask_BR[:, there], kind_R=KIND_R[there]
    )
    torch.testing.assert_close(fuse(fusion, text, bare), fuse(fusion, text, image), rtol=1e-5, atol=1e-5)


def test_nothing_looks_at_a_masked_region():
    text, image = features("photo", "words", "one word")
    for name in ("cross-attention", "cross-attention-two-way", "gated-hybrid"):
        config = ModelConfig(dataset=find_dataset("mnre"), fusion=name, preset="tiny")
        attention_BHLR = build_fusion(config)(text, image).trace["attention_BHLR"]
        assert attention_BHLR.transpose(1, 3)[~image.mask_BR].eq(0).all()


# ---------------------------------------------------------------- the mean of what stands beside a text


def test_a_photo_without_words_has_the_mean_of_its_patches_exactly():
    _, image = features("photo", "photo", "neither")
    mean_BD = image.regions_BRD[:, :PATCHES].mean(1)
    assert torch.equal(image.pooled_BD[:2], mean_BD[:2])
    assert image.pooled_BD[2].eq(0).all()


def test_a_word_counts_as_much_as_all_patches():
    _, image = features("both", "words", "one word")
    regions_BRD = image.regions_BRD
    patches_D, words_D = regions_BRD[0, :PATCHES].mean(0), regions_BRD[0, PATCHES:].mean(0)
    torch.testing.assert_close(image.pooled_BD[0], (patches_D + words_D) / 2)
    torch.testing.assert_close(image.pooled_BD[1], regions_BRD[1, PATCHES:].mean(0))
    torch.testing.assert_close(image.pooled_BD[2], regions_BRD[2, -1])
    assert image.present_B.tolist() == [True] * 3


def test_a_post_answers_alike_whatever_its_batch(fusion):
    text, image = features("both", "neither", "words")
    together = fuse(fusion, text, image)
    for row in range(B):
        length = int(text.mask_BL[row].sum())
        alone = fuse(
            fusion,
            TextFeatures(
                tokens_BLD=text.tokens_BLD[row : row + 1, :length],
                mask_BL=text.mask_BL[row : row + 1, :length],
            ),
            ImageFeatures(
                regions_BRD=image.regions_BRD[row : row + 1],
                mask_BR=image.mask_BR[row : row + 1],
                kind_R=KIND_R,
            ),
        )
        torch.testing.assert_close(alone[0], together[row, :length], rtol=1e-5, atol=1e-6)


def test_padding_changes_nothing(fusion):
    text, image = features()
    noisy_BLD = text.tokens_BLD.where(text.mask_BL[..., None], 100 * torch.randn(B, L, D))
    clean = fuse(fusion, text, image)
    noisy = fuse(fusion, replace(text, tokens_BLD=noisy_BLD), image)
    torch.testing.assert_close(clean[text.mask_BL], noisy[text.mask_BL])


def test_the_order_of_regions_matters_to_none(fusion):
    """All see the photo as a set: by its mean, or by attention without places."""
    text, image = features()
    turned = replace(
        image,
        regions_BRD=image.regions_BRD.flip(1),
        mask_BR=image.mask_BR.flip(1),
        kind_R=image.kind_R.flip(0),
    )
    torch.testing.assert_close(fuse(fusion, text, image), fuse(fusion, text, turned), rtol=1e-5, atol=1e-5)


def test_gradients_reach_both_sides_and_every_weight(fusion, kind):
    text, image = features("both", "neither", "words")
    loss = fuse(fusion, text, image).square().sum()
    loss.backward()
    assert loss.isfinite()
    if kind[0] == "image-only":
        assert text.tokens_BLD.grad is None
    else:
        assert text.tokens_BLD.grad.abs().sum() > 0
        assert text.tokens_BLD.grad[1].abs().sum() > 0
    if kind[0] in TEXT_ALONE:  # native: the photo's gradient goes through the encoder (test_model.py)
        assert image.regions_BRD.grad is None
        return
    # Each patch and each word that is there, and nothing else.
    touched_BR = image.regions_BRD.grad.abs().sum(-1) > 0
    assert torch.equal(touched_BR, image.mask_BR)
    untouched = [name for name, p in fusion.named_parameters() if p.grad is None or p.grad.eq(0).all()]
    # A softmax of two scores: a bias on either only matters by their difference, but both get a gradient.
    assert untouched == []
    assert all(p.grad.isfinite().all() for p in fusion.parameters())


NEAR = ("attention", "attention-tokens", "cross-attention", "cross-attention-two-way", "bimodal", "concat")


@pytest.mark.parametrize("name", [*NEAR, "bilinear", "late", "gated-hybrid"])
def test_fusions_start_near_the_text(name):
    """Training starts from what the text knows: the photo's part is the smaller one."""
    text, image = features()
    fusion = build_fusion(ModelConfig(dataset=find_dataset("mnre"), fusion=name, preset="tiny")).eval()
    change = (fuse(fusion, text, image) - text.tokens_BLD).norm() / text.tokens_BLD.norm()
    assert 0 < change < 0.5


@pytest.mark.parametrize("variant", FILM_VARIANTS)
def test_film_starts_at_its_identity(variant):
    text, image = features()
    output = FiLM(D, variant, 0.0).eval()(text, image)
    gamma, beta = output.trace["gamma_BLD"], output.trace["beta_BLD"]
    near = {"atol": 0.1 if variant == "relu" else 0, "rtol": 0}  # ReLU would stay dead at exactly 0
    torch.testing.assert_close(gamma, torch.full_like(gamma, 0 if variant == "residual" else 1), **near)
    torch.testing.assert_close(beta, torch.zeros_like(beta), **near)
    if variant != "report":
        torch.testing.assert_close(output.tokens_BLD, text.tokens_BLD, rtol=0.1, atol=0.1)


# ---------------------------------------------------------------- by hand, in two dimensions

TOKEN = TextFeatures(tokens_BLD=torch.tensor([[[1.0, 2.0]]]), mask_BL=torch.ones(1, 1, dtype=torch.bool))
#: Two regions whose mean is (3, -1).
PHOTO = ImageFeatures(
    regions_BRD=torch.tensor([[[2.0, -3.0], [4.0, 1.0]]]),
    mask_BR=torch.ones(1, 2, dtype=torch.bool),
    kind_R=torch.tensor([PATCH, PATCH]),
)


def set_(layer: torch.nn.Linear, weight: list[list[float]], bias: list[float]) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))


def film(variant: str) -> FiLM:
    """γ = (c1 + 1, -c2), β = (0, c1 + c2)."""
    fusion = FiLM(2, variant, 0.0).eval()
    set_(fusion.generator_gamma, [[1.0, 0.0], [0.0, -1.0]], [1.0, 0.0])
    set_(fusion.generator_beta, [[0.0, 0.0], [1.0, 1.0]], [0.0, 0.0])
    return fusion


def check(fusion: Fusion, expected: list[float]) -> dict[str, Tensor]:
    output = fusion(TOKEN, PHOTO)
    torch.testing.assert_close(output.tokens_BLD, torch.tensor([[expected]]))
    return output.trace


def test_film_swapped_by_hand():
    # c = photo (3, -1): γ = (4, 1), β = (0, 2); x = (1, 2): (4·1 + 0, 1·2 + 2)
    check(film("swapped"), [4.0, 4.0])


def test_film_residual_by_hand():
    # (1 + γ)x + β = (5·1 + 0, 2·2 + 2)
    check(film("residual"), [5.0, 6.0])


def test_film_relu_by_hand():
    fusion = film("relu")
    set_(fusion.generator_gamma, [[1.0, 0.0], [0.0, 1.0]], [1.0, 0.0])  # γ = (4, -1) -> (4, 0)
    set_(fusion.generator_beta, [[-1.0, 0.0], [1.0, 1.0]], [0.0, 0.0])  # β = (-3, 2) -> (0, 2)
    trace = check(fusion, [4.0, 2.0])
    assert trace["gamma_BLD"].tolist() == [[[4.0, 0.0]]] and trace["beta_BLD"].tolist() == [[[0.0, 2.0]]]


def test_film_report_by_hand():
    # c = token (1, 2): γ = (2, -2), β = (0, 3); x = photo (3, -1): γ⊙x + β = (6, 5)
    fusion = film("report")
    for attend, score in ((fusion.attend_text, 0.0), (fusion.attend_image, 1.0986123)):  # e^score = 1, 3
        set_(attend.score[0], [[0.0, 0.0]], [0.0])
        set_(attend.score[-1], [[0.0]], [score])
    trace = check(fusion, [0.25 * 1 + 0.75 * 6, 0.25 * 2 + 0.75 * 5])
    torch.testing.assert_close(trace["modality_BL2"], torch.tensor([[[0.25, 0.75]]]))


def test_film_report_weighs_by_both_modalities():
    # scores: text tanh(1 + 2)·1, photo tanh(6 - 5)·2, over the modulated photo (6, 5)
    fusion = film("report")
    set_(fusion.attend_text.score[0], [[1.0, 1.0]], [0.0])
    set_(fusion.attend_text.score[-1], [[1.0]], [0.0])
    set_(fusion.attend_image.score[0], [[1.0, -1.0]], [0.0])
    set_(fusion.attend_image.score[-1], [[2.0]], [0.0])
    # e^0.9950548 = 2.704873, e^(2·0.7615942) = 4.586826: shares 0.370952 and 0.629048
    trace = check(fusion, [0.3709523 * 1 + 0.6290477 * 6, 0.3709523 * 2 + 0.6290477 * 5])
    torch.testing.assert_close(
        trace["modality_BL2"], torch.tensor([[[0.3709523, 0.6290477]]]), rtol=1e-5, atol=0
    )


def test_concat_by_hand():
    # [x_t; x_v] = (1, 2, 3, -1); W x + b = (1 + 3 - 0.5, 2·(-2) + 0) = (3.5, -4) -> (3.5, 0); s = (0.2, 9)
    fusion = Concat(2)
    set_(fusion.mix, [[1.0, 0.0, 1.0, 0.0], [0.0, -2.0, 0.0, 0.0]], [-0.5, 0.0])
    fill(fusion.scale, [0.2, 9.0])
    check(fusion, [1.7, 2.0])


# Scores of a softmax whose shares are a quarter and three quarters: 0 and ln 3.
LN3 = 1.0986122886681098
#: Three tokens, the last of them padding.
TOKENS = TextFeatures(
    tokens_BLD=torch.tensor([[[1.0, 2.0], [3.0, 0.0], [9.0, 9.0]]]),
    mask_BL=torch.tensor([[True, True, False]]),
)


def fill(parameter: torch.nn.Parameter, values: list[float]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def test_attention_by_hand():
    # α = (1/4, 3/4): α_t (1, 2) + α_v (3, -1) = (2.5, -0.25); one token: Σ w x = x; s ⊙ x = (0.1, 0.4)
    fusion = Attention(2)
    set_(fusion.modality, [[0.0] * 4, [0.0] * 4], [0.0, LN3])
    fill(fusion.scale, [0.1, 0.2])
    trace = check(fusion, [2.6, 0.15])
    torch.testing.assert_close(trace["modality_BL2"], torch.tensor([[[0.25, 0.75]]]))
    assert trace["tokens_BL"].tolist() == [[1.0]]


def test_attention_weighs_modalities_by_both():
    # W [x_t; x_v]: text 2·x_t2 = 4, photo x_v1 + LN3 + 1 = 4 + ln 3
    fusion = Attention(2)
    set_(fusion.modality, [[0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]], [0.0, LN3 + 1])
    fill(fusion.scale, [0.0, 0.0])
    check(fusion, [2.5, -0.25])


def test_image_guided_token_weights_by_hand():
    # e = W_e x_v + b = (3·ln 3 / 2 - ln 3, -1 + 1) = (ln 3 / 2, 0); eᵀx = (ln 3 / 2, 3 ln 3 / 2)
    attention = TokenAttention(2)
    set_(attention.guide, [[LN3 / 2, 0.0], [0.0, 1.0]], [-LN3, 1.0])
    weights_BL, summary_BD = attention(TOKENS, PHOTO)
    torch.testing.assert_close(weights_BL, torch.tensor([[0.25, 0.75, 0.0]]))
    torch.testing.assert_close(summary_BD, torch.tensor([[0.25 * 1 + 0.75 * 3, 0.25 * 2]]))


def test_attention_over_words_adds_its_summary_to_each_word():
    fusion = AttentionTokens(2)
    set_(fusion.token_attention.guide, [[LN3 / 2, 0.0], [0.0, 1.0]], [-LN3, 1.0])
    fill(fusion.scale, [0.1, 2.0])
    output = fusion(TOKENS, PHOTO)  # the summary is (2.5, 0.5)
    torch.testing.assert_close(output.tokens_BLD[0, :2], torch.tensor([[1.25, 3.0], [3.25, 1.0]]))
    torch.testing.assert_close(output.trace["tokens_BL"], torch.tensor([[0.25, 0.75, 0.0]]))


def test_the_additive_score_of_older_cells_by_hand():
    # W_t x_t + W_v x_v + b = x_t1 + 3 - 4: (0, 2, padding); v tanh(0, 2) = (0, ln 3): w = (1/4, 3/4, 0)
    attention = AdditiveTokenAttention(2)
    set_(attention.text, [[1.0, 0.0]], [-4.0])
    set_(attention.image, [[1.0, 0.0]], [0.0])
    fill(attention.score.weight, [[LN3 / 0.9640275800758169]])
    weights_BL, summary_BD = attention(TOKENS, PHOTO)
    torch.testing.assert_close(weights_BL, torch.tensor([[0.25, 0.75, 0.0]]))
    torch.testing.assert_close(summary_BD, torch.tensor([[0.25 * 1 + 0.75 * 3, 0.25 * 2]]))


def cross_attention(monkeypatch, heads: int, query: list[list[float]], key: list[list[float]]):
    """Values are the regions; FFN(x) = W ReLU((2 x1 + 1, 3 x2 + 1)) + b; s = (0.1, 0.5)."""
    monkeypatch.setattr("mmdemo.models.fusion.cross_attention.HEADS", heads)
    fusion = CrossAttention(2, 0.0)
    set_(fusion.query, query, [0.0, 0.0])
    fill(fusion.key.weight, key)
    set_(fusion.value, [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
    set_(fusion.feed_forward[0], [[2.0, 0.0], [0.0, 3.0]], [1.0, 1.0])
    set_(fusion.feed_forward[-1], [[1.0, 0.0], [1.0, 1.0]], [0.0, -1.0])
    fill(fusion.scale, [0.1, 0.5])
    return fusion.eval()


NOTHING, ALL = [[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]


def test_cross_attention_with_uniform_weights_by_hand(monkeypatch):
    # AV + x_t = (3, -1) + (1, 2) = (4, 1); LayerNorm (1, -1); hidden (3, -2) -> (3, 0); FFN (3, 2)
    fusion = cross_attention(monkeypatch, 1, NOTHING, NOTHING)
    output = fusion(TOKEN, PHOTO)
    expected = torch.tensor([[[1 + 0.1 * 3, 2 + 0.5 * 2]]])
    torch.testing.assert_close(output.tokens_BLD, expected, rtol=1e-4, atol=0)  # LayerNorm's ε
    assert output.trace["attention_BHLR"].tolist() == [[[[0.5, 0.5]]]]


def test_cross_attention_looks_where_query_and_key_meet(monkeypatch):
    # q = (1, 2), k = (0, c·y) with y = -3, 1: scores differ by 8c/√2 = ln 3, so A = (1/4, 3/4)
    fusion = cross_attention(monkeypatch, 1, ALL, [[0.0, 0.0], [0.0, LN3 * 2**0.5 / 8]])
    fusion.norm = torch.nn.Identity()
    # AV + x_t = (3.5, 0) + (1, 2) = (4.5, 2); hidden (10, 7); FFN (10, 16)
    trace = check(fusion, [1 + 0.1 * 10, 2 + 0.5 * 16])
    torch.testing.assert_close(trace["attention_BHLR"], torch.tensor([[[[0.25, 0.75]]]]))


def test_cross_attentions_heads_look_apart(monkeypatch):
    # Each head has one channel: 1·a·(2, 4) with 2a = ln 3, and 2·b·(-3, 1) with 8b = -ln 3
    fusion = cross_attention(monkeypatch, 2, ALL, [[LN3 / 2, 0.0], [0.0, -LN3 / 8]])
    fusion.norm = torch.nn.Identity()
    # AV = (3.5, 3/4·(-3) + 1/4·1) = (3.5, -2); + x_t = (4.5, 0); hidden (10, 1); FFN (10, 10)
    trace = check(fusion, [1 + 0.1 * 10, 2 + 0.5 * 10])
    torch.testing.assert_close(trace["attention_BHLR"], torch.tensor([[[[0.25, 0.75]], [[0.75, 0.25]]]]))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("relu", [1 + 2 * LN3, 2.0]), ("tanh", [1 + 2 * 0.8, 2.0]), ("sigmoid", [1 + 2 * 0.75, 2 + 4 * 0.5])],
)
def test_bimodal_by_hand(activation, expected):
    # α = 3/4: F = 3/4·(1, 2) + 1/4·(3, -1) = (1.5, 1.25); W_f F + b = (2·1.5 - 3 + ln 3, 0), and σ of it;
    # tanh(ln 3) = (9 - 1)/(9 + 1), the logistic function of ln 3 is 3/4 and of 0 one half
    fusion = Bimodal(2, activation)
    set_(fusion.text, ALL, [0.0, 0.0])
    set_(fusion.image, ALL, [0.0, 0.0])
    fill(fusion.alpha_logit, [LN3])
    set_(fusion.mix, [[2.0, 0.0], [0.0, 0.0]], [LN3 - 3, 0.0])
    fill(fusion.scale, [2.0, 4.0])
    trace = check(fusion, expected)
    torch.testing.assert_close(trace["alpha_B1"], torch.tensor([[0.75]]))


def test_bimodal_cuts_off_below_zero_by_relu():
    fusion = Bimodal(2)
    set_(fusion.mix, NOTHING, [-1.0, 3.0])
    fill(fusion.scale, [1.0, 1.0])
    check(fusion, [1.0, 5.0])


def test_bimodal_starts_at_one_half():
    assert Bimodal(2)(TOKEN, PHOTO).trace["alpha_B1"].tolist() == [[0.5]]


def test_hybrid_by_hand():
    # c = (1, 2): γ = (2, -2), β = (0, 3); m = (6, 5); W [x_t; m] + b = (1 + 6 - 1, 2 - 5) -> z = (6, 0)
    fusion = Hybrid(2, 0.0).eval()
    set_(fusion.generator_gamma, [[1.0, 0.0], [0.0, -1.0]], [1.0, 0.0])
    set_(fusion.generator_beta, [[0.0, 0.0], [1.0, 1.0]], [0.0, 0.0])
    set_(fusion.mix, [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]], [-1.0, 0.0])
    for attend, score in ((fusion.attend_text, 0.0), (fusion.attend_mix, LN3)):
        set_(attend.score[0], [[0.0, 0.0]], [0.0])
        set_(attend.score[-1], [[0.0]], [score])
    # one token: Σ w x = (1, 2); 1/4·(1, 2) + 3/4·(6 + 1, 0 + 2)
    trace = check(fusion, [0.25 * 1 + 0.75 * 7, 0.25 * 2 + 0.75 * 2])
    assert trace["gamma_BLD"].tolist() == [[[2.0, -2.0]]] and trace["beta_BLD"].tolist() == [[[0.0, 3.0]]]
    torch.testing.assert_close(trace["modality_BL2"], torch.tensor([[[0.25, 0.75]]]))


def test_gated_hybrid_by_hand(monkeypatch):
    # f: c = (1, 2): γ = (2, -2), β = (0, 3); γ⊙(3, -1) + β = (6, 5). u = FFN = (3, 2), as in
    # `test_cross_attention_with_uniform_weights_by_hand`. g of scores (ln 3, 0, 0): (3/5, 1/5, 1/5)
    fusion = GatedHybrid(2, 0.0).eval()
    set_(fusion.generator_gamma, [[1.0, 0.0], [0.0, -1.0]], [1.0, 0.0])
    set_(fusion.generator_beta, [[0.0, 0.0], [1.0, 1.0]], [0.0, 0.0])
    fusion.looking = cross_attention(monkeypatch, 1, NOTHING, NOTHING)
    set_(fusion.gate, [[0.0] * 6] * 3, [LN3, 0.0, 0.0])
    output = fusion(TOKEN, PHOTO)
    expected = torch.tensor([[[0.6 * 1 + 0.2 * 6 + 0.2 * 3, 0.6 * 2 + 0.2 * 5 + 0.2 * 2]]])
    torch.testing.assert_close(output.tokens_BLD, expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(output.trace["gate_BL3"], torch.tensor([[[0.6, 0.2, 0.2]]]))


def test_gated_hybrids_gate_reads_the_text_and_both_results():
    # [x_t; f; u]: text 1·x_t1 = 1, FiLM f_1 = 3 (γ = 1, β = 0), cross-attention's bias alone
    fusion = GatedHybrid(8, 0.0).eval()
    weight = torch.zeros(3, 24)
    weight[0, 0], weight[1, 8], weight[2, 16] = 1.0, 1.0, 1.0
    set_(fusion.gate, weight.tolist(), [0.0, 0.0, 0.0])
    fill(fusion.looking.feed_forward[-1].weight, [[0.0] * 8] * 8)
    fill(fusion.looking.feed_forward[-1].bias, [-2.0] + [0.0] * 7)
    text = TextFeatures(tokens_BLD=torch.ones(1, 1, 8), mask_BL=TOKEN.mask_BL)
    photo = replace(PHOTO, regions_BRD=torch.full((1, 2, 8), 3.0))
    gate_3 = fusion(text, photo).trace["gate_BL3"][0, 0]
    torch.testing.assert_close(gate_3, torch.tensor([1.0, 3.0, -2.0]).softmax(-1))


def test_two_way_cross_attention_by_hand(monkeypatch):
    # One token: every region looks at it alone. Where the photo takes all of it (FFN = its bias (-2, 3)),
    # both regions move by s_v = (1, 1): (0, 0) and (2, 4); the text then sees their mean (1, 2).
    fusion = TwoWayCrossAttention(2, 0.0).eval()
    fusion.text_side = cross_attention(monkeypatch, 1, NOTHING, NOTHING)
    fusion.text_side.norm = torch.nn.Identity()
    set_(fusion.image_side.feed_forward[-1], NOTHING, [-2.0, 3.0])
    fill(fusion.image_scale, [1.0, 1.0])
    fill(fusion.scale, [0.1, 0.5])
    # AV + x_t = (2, 4); hidden (5, 13); FFN (5, 17)
    trace = check(fusion, [1 + 0.1 * 5, 2 + 0.5 * 17])
    assert trace["attention_BHRL"].tolist() == [[[[1.0], [1.0]]]]
    assert trace["attention_BHLR"].tolist() == [[[[0.5, 0.5]]]]


def test_two_way_regions_look_at_real_tokens_alone():
    fusion = TwoWayCrossAttention(8)
    text = TextFeatures(tokens_BLD=torch.randn(1, 3, 8), mask_BL=TOKENS.mask_BL)
    back_BHRL = fusion(text, replace(PHOTO, regions_BRD=torch.randn(1, 2, 8))).trace["attention_BHRL"]
    assert back_BHRL[..., 2].eq(0).all()


def test_average_by_hand():
    check(Average(), [2.0, 0.5])


def test_one_side_alone_by_hand():
    assert check(TextOnly(), [1.0, 2.0]) == {} and check(ImageOnly(), [3.0, -1.0]) == {}
    assert ImageOnly().alone(TOKENS).tokens_BLD.eq(0).all()


def test_native_by_hand():
    assert check(Native(), [1.0, 2.0]) == {}


def test_bilinear_by_hand():
    # rank 1 of width 4: tanh(ln 3 / 2) · tanh(ln 3) = 1/2 · 4/5 = 0.4; P = (1, 0, 2, 0)ᵀ, b = (0, 1, 0, 0)
    text = TextFeatures(tokens_BLD=torch.tensor([[[1.0, 2.0, 0.0, 0.0]]]), mask_BL=TOKEN.mask_BL)
    photo = ImageFeatures(
        regions_BRD=torch.tensor([[[3.0, -1.0, 0.0, 0.0]]]),
        mask_BR=TOKEN.mask_BL,
        kind_R=torch.tensor([PATCH]),
    )
    fusion = Bilinear(4)
    set_(fusion.text, [[LN3 / 2, 0.0, 5.0, 5.0]], [0.0])
    set_(fusion.image, [[LN3 / 3, 0.0, 5.0, 5.0]], [0.0])
    set_(fusion.out, [[1.0], [0.0], [2.0], [0.0]], [0.0, 1.0, 0.0, 0.0])
    fill(fusion.scale, [0.5, 0.1, 1.0, 1.0])
    expected = torch.tensor([[[1 + 0.5 * 0.4, 2 + 0.1, 0.8, 0.0]]])
    torch.testing.assert_close(fusion(text, photo).tokens_BLD, expected)


def test_late_by_hand():
    # The photo's vote (2·3, -1 + 1), a quarter of the decision; the text's own states are the other vote
    fusion = Late(2)
    set_(fusion.image, [[2.0, 0.0], [0.0, 1.0]], [0.0, 1.0])
    fill(fusion.weight_logit, [-LN3])
    output = fusion(TOKEN, PHOTO)
    assert output.tokens_BLD.tolist() == [[[1.0, 2.0]]]
    torch.testing.assert_close(output.image_vote_BLD, torch.tensor([[[6.0, 0.0]]]))
    torch.testing.assert_close(output.image_weight_B, torch.tensor([0.25]))
    torch.testing.assert_close(output.trace["modality_BL2"], torch.tensor([[[0.75, 0.25]]]))


def test_late_starts_with_a_tenth_for_the_photo():
    torch.testing.assert_close(Late(2)(TOKEN, PHOTO).image_weight_B, torch.tensor([0.1]))
