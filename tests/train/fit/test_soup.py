"""Averaged weights: what validation keeps, and what it leaves out."""

import torch

from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel, build_model
from train.fit.soup import greedy_soup

NAME = "text_projection.bias"


def scorer(target: float):
    """A validation whose F1 is the closeness of the bias's mean to ``target``."""

    def validate(model: MultimodalModel) -> dict:
        away = abs(float(model.get_parameter(NAME).detach().mean()) - target)
        return {"entity": {"f1": 1 - away}}

    return validate


def members(model: MultimodalModel, *values: float) -> list:
    like = model.get_parameter(NAME).detach()
    return [(0.5 - i / 100, {NAME: torch.full_like(like, value)}) for i, value in enumerate(values)]


def test_members_that_help_are_averaged_and_the_others_left_out() -> None:
    model = build_model(ModelConfig(dataset="twitter2017", preset="tiny"))
    weights, scores = greedy_soup(model, members(model, 0.0, 1.0, 9.0), scorer(0.5))
    assert torch.allclose(weights[NAME], torch.tensor(0.5))
    assert scores["entity"]["f1"] == 1.0
    assert torch.equal(model.get_parameter(NAME), weights[NAME])


def test_one_member_is_itself() -> None:
    model = build_model(ModelConfig(dataset="twitter2017", preset="tiny"))
    weights, _ = greedy_soup(model, members(model, 0.25), scorer(0.0))
    assert torch.equal(weights[NAME], torch.full_like(weights[NAME], 0.25))


def test_the_best_member_comes_first_whatever_the_order() -> None:
    model = build_model(ModelConfig(dataset="twitter2017", preset="tiny"))
    found = list(reversed(members(model, 0.5, 3.0)))
    weights, _ = greedy_soup(model, found, scorer(0.5))
    assert torch.allclose(weights[NAME], torch.tensor(0.5))
