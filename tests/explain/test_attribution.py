"""Attribution as mathematics on functions made by hand, and as it must hold for every fusion and model."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain import explainers
from mmdemo.explain.attribution import GAP, STEPS, Deletion, deletion, integrated_gradients, occlusion, total
from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.masking import CHUNK, in_chunks, region_gates, with_embedding, word_gates
from mmdemo.models.config import ModelConfig
from mmdemo.posts.question import read_post
from tests.explain.cells import NAMES, PAIRS, TEXTS, cell_of, loaded

WEIGHTS = torch.tensor([3.0, -1.0, 0.0, 0.5, 0.0])


def subject(dataset: str, model: str, fusion: str, monkeypatch, seed: int = 4) -> ExplainedPost:
    """What `explain` gives to the explainers."""
    config = ModelConfig(dataset=find_dataset(dataset), model=model, fusion=fusion, preset="tiny")
    cell = loaded(config)
    monkeypatch.setattr(catalogue, "load", lambda _: cell)
    noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    question = read_post(TEXTS[dataset], config.dataset, Image.fromarray(noise))
    found: list[ExplainedPost] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explainers, "explain", lambda subject, views: found.append(subject))
        explaining.explain(question, cell_of(config))
    return found[0]


# ---------------------------------------------------------------- by hand


def test_a_sum_is_shared_out_by_its_weights():
    for method in (integrated_gradients, occlusion):
        np.testing.assert_allclose(method(lambda g: g @ WEIGHTS, 5), WEIGHTS, atol=1e-5)


def test_a_product_is_shared_evenly_where_occlusion_counts_it_twice():
    def both(gates):
        return gates[:, 0] * gates[:, 1]

    np.testing.assert_allclose(integrated_gradients(both, 2), [0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(occlusion(both, 2), [1, 1])


def test_gradients_are_complete_beyond_a_layer_norm():
    """Near-constant references make the norm turn at the start of the path: 100 % off at an even pace."""
    torch.manual_seed(0)
    own, blank, read = torch.randn(6, 8), 0.03 * torch.randn(6, 8), torch.randn(8)

    def score(gates):
        states = blank + gates[..., None] * (own - blank)
        return torch.nn.functional.layer_norm(states, (8,)).mean(1) @ read

    shares = integrated_gradients(score, 6)
    assert shares.sum() == pytest.approx(total(score, 6), abs=0.03 * np.abs(shares).sum())


def test_a_steep_turn_gets_more_points_until_the_shares_add_up():
    passes = []

    def score(gates):
        passes.append(len(gates))
        return torch.tanh(50 * (gates.mean(1) - 0.5))

    shares = integrated_gradients(score, 4)
    assert shares.sum() == pytest.approx(total(score, 4), rel=GAP)
    assert sum(passes[:-1]) == 2 + 15 + 16 + 32, "a doubled rule asks its new points alone"
    assert max(passes) == STEPS, "and no more than 16 at once"


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=STEPS - 1))
def test_one_rule_is_exact_for_polynomials_of_less_degree_than_it_has_points(factors):
    """Of one gate, any polynomial p: the share is p(1) - p(0)."""

    def score(gates):
        return sum(factor * gates[:, 0] ** (power / 2) for power, factor in enumerate(factors, start=1))

    # The gate is time², so a root of it is a polynomial of time too.
    np.testing.assert_allclose(integrated_gradients(score, 1), [sum(factors)], atol=1e-4)


def test_an_imagined_post_runs_once_and_few_at_a_time():
    runs = []

    def score(gates):
        runs.append(len(gates))
        return gates.sum(1)

    asked = in_chunks(score, torch.device("cpu"))
    gates = torch.eye(CHUNK + 2)
    gates[1] = gates[0]
    for _ in range(2):
        assert asked(gates).tolist() == [1.0] * (CHUNK + 2)
    assert runs == [CHUNK, 1]


def test_deletion_knows_a_good_ranking_from_a_bad_one():
    def score(gates):
        return gates @ WEIGHTS

    good = deletion(score, WEIGHTS.numpy(), share=0.4)
    assert good.count == 2 and good.top == pytest.approx(3.5)
    assert good.top > good.random > deletion(score, -WEIGHTS.numpy(), share=0.4).top
    assert deletion(score, WEIGHTS.numpy()) == deletion(score, WEIGHTS.numpy())


# ---------------------------------------------------------------- every fusion and model


@pytest.mark.parametrize("gates", [region_gates, word_gates], ids=["regions", "words"])
@pytest.mark.parametrize(("model", "fusion"), PAIRS, ids=NAMES)
def test_open_gates_change_nothing_and_top_parts_matter(model, fusion, gates, monkeypatch):
    """All gates open give the prediction's own score, shares add up, top parts matter more than others."""
    found: dict[str, list[Deletion]] = {"gradients": [], "occlusion": []}
    for seed in range(2):
        asked = subject("mnre", model, fusion, monkeypatch, seed)
        score, parts = gates(asked)
        assert parts == (49 if gates is region_gates else 5)
        with torch.inference_mode():
            own = asked.target.log_odds(asked.model(asked.batch).logits)
            assert score(torch.ones(1, parts)).numpy() == pytest.approx(float(own), abs=1e-4)
        shares = integrated_gradients(score, parts)
        assert shares.sum() == pytest.approx(total(score, parts), abs=0.1 * np.abs(shares).sum() + 1e-4)
        assert np.abs(shares).sum() > 1e-4, "nothing here depends on the parts: the check below is empty"
        found["gradients"].append(deletion(score, shares))
        found["occlusion"].append(deletion(score, occlusion(score, parts)))
    for method, deletions in found.items():
        assert np.mean([d.top - d.random for d in deletions]) > 0, method


def test_the_log_odds_are_those_of_the_answer(monkeypatch):
    asked = subject("mnre", "roberta-resnet50", "film", monkeypatch)
    best = asked.prediction.relations[0]
    with torch.inference_mode():
        own = float(asked.target.log_odds(asked.model(asked.batch).logits))
    assert own == pytest.approx(np.log(best.score / (1 - best.score)), rel=1e-4)
    named = subject("twitter2017", "roberta-resnet50", "film", monkeypatch)
    surest = max(named.prediction.entities, key=lambda e: e.score)
    with torch.inference_mode():
        log = float(named.target.log_probability(named.model(named.batch).logits))
    assert np.exp(log) == pytest.approx(surest.score, rel=1e-4)


def test_a_certain_answer_has_finite_log_odds(monkeypatch):
    target = subject("mnre", "roberta-resnet50", "film", monkeypatch).target
    for logits in (torch.full((1, 23), -1000.0), torch.zeros(1, 23)):
        logits[0, target.labels[0]] = 1000.0
        assert torch.isfinite(target.log_odds(logits)).all()


def test_the_model_itself_stays_as_it_is(monkeypatch):
    """Explaining must not disturb a prediction that another thread makes with the same model."""
    model = subject("mnre", "roberta-resnet50", "film", monkeypatch).model
    encoder, names = model.text_encoder, list(model.text_encoder.__dict__)
    changed = with_embedding(model, lambda ids, features: encoder.embed(ids, features))
    assert model.text_encoder is encoder and list(encoder.__dict__) == names
    assert changed.text_encoder is not encoder and changed.heads is model.heads
    assert all(p.grad is None for p in model.parameters())
