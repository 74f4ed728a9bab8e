"""Commands that train many cells: ``zoo``, ``seeds`` and ``simulate_review``."""

from pathlib import Path
from typing import Annotated

import typer

from mmdemo.datasets.discovery import default_for
from mmdemo.models.config import ModelConfig
from mmdemo.terminal import say
from mmdemo.types import InputError
from train.cells.recipes import read_changes, read_recipes
from train.commands.options import (
    EXAMPLE,
    NAMES,
    Change,
    Data,
    DatasetName,
    Device,
    EndToEnd,
    Images,
    Init,
    Limit,
    Out,
    Pairs,
    Seed,
    Split,
    WeightsRoot,
    Work,
    chosen_dataset,
)
from train.data.source import DataSource


def zoo(
    data: Data,
    preset: Annotated[
        str | None,
        typer.Option(help="lite or base (CPU), full (GPU), tiny (tests); else the recipe's."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="One with a stage row trains all fusions of a row at once; else lite or full."),
    ] = None,
    only: Annotated[
        str, typer.Option(help=f"Cells whose name matches, as 'lite/{EXAMPLE}/*/film'; several by comma.")
    ] = "*",
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each takes a group of cells.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: this machine's part of the groups.")] = "1/1",
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    out: Out = Path("runs"),
    work: Work = Path("runs"),
    device: Device = "auto",
    seed: Seed = 1337,
    end_to_end: EndToEnd = False,
    change: Change = None,
    weights_root: WeightsRoot = None,
    init: Init = "published",
    limit: Limit = None,
    dry_run: Annotated[bool, typer.Option(help="Print the plan and stop.")] = False,
) -> None:
    """Train every missing or outdated cell of the zoo, then write results.json and results.md into --out.

    It can be killed at any moment and goes on where it was. Only what changed is trained again.

    Example: python -m train zoo --preset lite --data ../shared/data --only '*/*/roberta-resnet50/*' --jobs 2
    or, all fusions of a row at once: python -m train zoo --recipe words --data ../shared/data
    """
    from train.bases.full_base import Origin
    from train.cells import zoo as building
    from train.cells.recipes import config_of
    from train.cells.settings import Settings
    from train.publish.results import write_summary

    number, _, count = shard.partition("/")
    if not (number.isdigit() and count.isdigit()):
        raise InputError(f"--shard {shard}: write it as 1/4")
    book = read_recipes(recipe or ("full" if preset == "full" else "lite"))
    changes, picked = read_changes(change or [])
    shape = {**book.run, **picked} if recipe else {}
    preset = preset or shape.get("preset", "lite")
    rows = "row" in book.stages
    wanted = building.plan(preset, only, (int(number), int(count)), rows=rows)
    if dry_run:
        for (dataset, model), fusions in wanted.groups.items():
            say(f"{preset}/{dataset}/{model}: {', '.join(fusions)}")
        raise typer.Exit()
    changes.setdefault("", {}).setdefault("seed", seed)
    settings = Settings(
        config=config_of(default_for("entities"), {**shape, "preset": preset}),
        source=DataSource(folder=data, images=images, pairs=pairs, scheme=scheme),
        out=out,
        work=work,
        device=device,
        end_to_end=end_to_end,
        changes=changes,
        limit=limit,
        origin=Origin(weights_root=weights_root, init=init),
        book=book,
    )
    if jobs > 1:
        building.build_parallel(settings, wanted, jobs)
    else:
        for folder in building.build(settings, wanted):
            say(str(folder))
    say(str(write_summary(out, preset)))


def simulate_review(
    data: Data,
    dataset: DatasetName = EXAMPLE,
    share: Annotated[float, typer.Option(min=0.01, max=0.99, help="Part of the posts known at first.")] = 1
    / 3,
    reviews: Annotated[int, typer.Option(min=1, help="Posts that are reviewed.")] = 300,
    orders: Annotated[str, typer.Option(help="Queue orders.")] = "random,entropy,disagreement,flip",
    steps: Annotated[int, typer.Option(min=1, help="Retrainings on the way to that many reviews.")] = 2,
    images: Images = None,
    pairs: Pairs = None,
    out: Out = Path("runs/simulate"),
    work: Work = Path("runs/simulate"),
    device: Device = "auto",
    seed: Seed = 1337,
    change: Change = None,
    limit: Limit = None,
) -> None:
    """Show what reviewing buys: train on a part, review what a queue puts first, train on, compare.

    The reviewer is simulated by gold answers. Writes simulate_review.json and a plot into --out. A run that
    was cut off goes on where it was.

    Example: python -m train simulate_review --data ../shared/data --orders random,entropy
    """
    from train.cells.settings import Settings
    from train.experiments.simulate_review import render, simulate

    changes, _ = read_changes(change or [])
    changes.setdefault("", {}).setdefault("seed", seed)
    chosen, folder = chosen_dataset(dataset, data)
    settings = Settings(
        config=ModelConfig(dataset=chosen, fusion="film"),
        source=DataSource(folder=folder, images=images, pairs=pairs),
        out=out,
        work=work,
        device=device,
        changes=changes,
        limit=limit,
    )
    names = orders.split(",")
    found = simulate(settings, share=share, reviews=reviews, orders=names, steps=steps, say=say)
    say(*render(found).split("\n"))


def seeds(
    data: Data,
    dataset: Annotated[str, typer.Option(help=f"{NAMES}, or a folder with its record.")],
    model: Annotated[str, typer.Option(help="The model whose trunk is kept.")] = "roberta-resnet50",
    fusions: Annotated[
        str, typer.Option(help="Fusions, by comma.")
    ] = "film,attention,cross-attention,bimodal",
    numbers: Annotated[str, typer.Option("--seeds", help="Seeds, by comma.")] = "1,2",
    root: Annotated[Path, typer.Option(help="Cells whose metrics.json gets the figures.")] = Path("runs"),
    work: Work = Path("runs"),
    images: Images = None,
    pairs: Pairs = None,
    device: Device = "auto",
) -> None:
    """Train cells again from other seeds on their trunk; docs/results.md then shows mean and deviation.

    Example: python -m train seeds --dataset NAME --data ../shared/data --root runs --work runs
    """
    from train.cells.settings import Settings
    from train.experiments.seeds import run_seeds

    if not all(number.strip().isdigit() for number in numbers.split(",")):
        raise InputError(f"--seeds {numbers}: write whole numbers with commas, as 1,2")
    names = [fusion.strip() for fusion in fusions.split(",")]
    chosen, folder = chosen_dataset(dataset, data)
    settings = Settings(
        config=ModelConfig(dataset=chosen, model=model, fusion=names[0]),
        source=DataSource(folder=folder, images=images, pairs=pairs),
        out=root,
        work=work,
        device=device,
        changes={"": {"seed": 1337}},
    )
    for cell, seed in run_seeds(settings, names, [int(number) for number in numbers.split(",")]):
        say(f"{chosen.name}/{model}/{cell}: seed {seed} done")
