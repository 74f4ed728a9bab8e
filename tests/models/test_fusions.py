"""The contract that all fusions share, and each one's formula against values computed by hand."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mmdemo.config import FILM_VARIANTS, FUSIONS, ModelConfig
from mmdemo.models.features import Fusion, ImageFeatures, TextFeatures
from mmdemo.models.fusion.concat import Concat
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.model import build_fusion

KINDS = [*((f, "report") for f in FUSIONS), *(("film", variant) for variant in FILM_VARIANTS[1:])]
B, L, R, D = 3, 5, 4, 32

#: What each fusion's trace must hold, and in which shape.
TRACES: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {
    ("film", "report"): {"gamma_BLD": (B, L, D), "beta_BLD": (B, L, D), "modality_BL2": (B, L, 2)},
    ("film", "swapped"): {"gamma_BLD": (B, 1, D), "beta_BLD": (B, 1, D)},
    ("film", "residual"): {"gamma_BLD": (B, 1, D), "beta_BLD": (B, 1, D)},
    ("film", "relu"): {"gamma_BLD": (B, 1, D), "beta_BLD": (B, 1, D)},
    ("concat", "report"): {},
}


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request) -> tuple[str, str]:
    return request.param


@pytest.fixture
def fusion(kind) -> Fusion:
    """The fusion as training leaves it: no weight is still at its initial zero."""
    built = build_fusion(ModelConfig(dataset="mnre", fusion=kind[0], film_variant=kind[1], preset="tiny"))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return built.eval()


def features(present=(True, True, True)) -> tuple[TextFeatures, ImageFeatures]:
    mask_BL = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] * 4 + [False]])
    return (
        TextFeatures(tokens_BLD=torch.randn(B, L, D, requires_grad=True), mask_BL=mask_BL),
        ImageFeatures(regions_BRD=torch.randn(B, R, D, requires_grad=True), present_B=torch.tensor(present)),
    )


def test_every_fusion_has_a_trace_contract():
    assert set(TRACES) == set(KINDS)


def test_shapes_and_trace(fusion, kind):
    text, image = features()
    output = fusion(text, image)
    assert output.tokens_BLD.shape == (B, L, D)
    assert output.tokens_BLD.isfinite().all()
    assert {name: tuple(value.shape) for name, value in output.trace.items()} == TRACES[kind]
    assert not torch.equal(output.tokens_BLD, text.tokens_BLD)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("present", [(False, False, False), (True, False, True), (False, True, False)])
def test_without_a_photo_the_text_passes_unchanged(fusion, present, training):
    text, image = features(present)
    output = fusion.train(training)(text, image).tokens_BLD
    for row, has_photo in enumerate(present):
        assert torch.equal(output[row], text.tokens_BLD[row]) is not has_photo


def test_a_post_answers_alike_whatever_its_batch(fusion):
    text, image = features((True, False, True))
    together = fusion(text, image).tokens_BLD
    for row in range(B):
        alone = fusion(
            TextFeatures(tokens_BLD=text.tokens_BLD[row : row + 1], mask_BL=text.mask_BL[row : row + 1]),
            ImageFeatures(
                regions_BRD=image.regions_BRD[row : row + 1], present_B=image.present_B[row : row + 1]
            ),
        )
        torch.testing.assert_close(alone.tokens_BLD[0], together[row], rtol=1e-5, atol=1e-6)


def test_padding_changes_nothing(fusion):
    text, image = features()
    noisy_BLD = text.tokens_BLD.where(text.mask_BL[..., None], 100 * torch.randn(B, L, D))
    clean = fusion(text, image).tokens_BLD
    noisy = fusion(replace(text, tokens_BLD=noisy_BLD), image).tokens_BLD
    torch.testing.assert_close(clean[text.mask_BL], noisy[text.mask_BL])


def test_an_absent_photos_regions_change_nothing(fusion):
    text, image = features((True, False, True))
    absent_BRD = image.regions_BRD.where(image.present_B[:, None, None], torch.full((B, R, D), 1e4))
    output = fusion(text, replace(image, regions_BRD=absent_BRD)).tokens_BLD
    assert torch.equal(output, fusion(text, image).tokens_BLD)


def test_gradients_reach_both_sides_and_every_weight(fusion):
    text, image = features((True, False, True))
    loss = fusion(text, image).tokens_BLD.square().sum()
    loss.backward()
    assert loss.isfinite()
    assert all(side.grad.abs().sum() > 0 for side in (text.tokens_BLD, image.regions_BRD))
    assert image.regions_BRD.grad[1].eq(0).all()  # this post has no photo
    assert text.tokens_BLD.grad[1].abs().sum() > 0
    untouched = [name for name, p in fusion.named_parameters() if p.grad is None or p.grad.eq(0).all()]
    # A softmax of two scores: a bias on either only matters by their difference, but both get a gradient.
    assert untouched == []
    assert all(p.grad.isfinite().all() for p in fusion.parameters())


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
PHOTO = ImageFeatures(regions_BRD=torch.tensor([[[2.0, -3.0], [4.0, 1.0]]]), present_B=torch.tensor([True]))


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
    with torch.no_grad():
        fusion.scale.copy_(torch.tensor([0.2, 9.0]))
    check(fusion, [1.7, 2.0])
