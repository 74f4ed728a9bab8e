"""What a trained row scores on validation when its trunk is stored in fewer bits: by row, in groups, and in
groups by what training posts put into each matrix.

python -m tests.bench.trunk_bits --recipe base --dataset twitter2017 --data DIR --out RUNS --work RUNS
    --fusions film,concat --set photo_sources=captioned:blip2 [--from …] --bits 4,5,6,8

The options are those of the finished `python -m train row` whose state is in --work: nothing is trained, and
no test post is looked at. The figures are the mean of the cells' headlines, in points.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from mmdemo.cells.checkpoint import load_trunk, save_trunk
from mmdemo.cells.pretrained_base import TRUNK_PARTS, load_base
from mmdemo.models.model import build_model
from mmdemo.terminal import say
from train.cells.recipes import read_recipes
from train.cells.run import material_of, trunk_config
from train.cells.settings import row_folder
from train.commands.options import chosen_dataset
from train.commands.run import Places, settings_of
from train.fit.loop import choose_accelerator
from train.fit.moments import input_moments
from train.fit.rows.stage import RowData, fresh_row, row_headline
from train.fit.starts import best_of


def main() -> None:
    """Read the run, store its trunk in each way, score it."""
    options = parser().parse_args()
    fusions = options.fusions.split(",")
    places = Places(out=options.out, work=options.work, images=None, pairs=None, weights_root=None)
    given = settings_of(
        chosen_dataset(options.dataset, options.data),
        read_recipes(options.recipe),
        {},
        options.set,
        places,
        options.start,
        None,
    )
    settings = replace(given, config=trunk_config(given.config))
    recipe, root, config = settings.recipe("row"), settings.out, settings.config
    row = fresh_row(given.config, fusions, recipe, root, settings.start)
    data = RowData(
        material_of(settings, recipe), row, recipe, root, settings.cache, choose_accelerator("cpu")
    )
    best = best_of(row_folder(settings, fusions))
    row.load_state_dict(best, strict=False)
    say(f"float32: {100 * row_headline(data.validate(row)):.2f}")
    plain = build_model(config)
    load_base(root, plain, config.preset)
    base = {n: p.detach().clone() for n, p in plain.named_parameters() if n.startswith(TRUNK_PARTS)}
    moments = input_moments(row, data.batches(0))
    ways = {"by row": (False, None), "in groups": (True, None), "by inputs": (True, moments)}
    for bits in map(int, options.bits.split(",")):
        for how, (grouped, inputs) in ways.items():
            plain.load_state_dict(base, strict=False)
            plain.load_state_dict(best, strict=False)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "trunk.safetensors"
                save_trunk(file, plain, base, bits, grouped=grouped, moments=inputs)
                stored = build_model(config)
                load_base(root, stored, config.preset)
                load_trunk(file, stored)
                size = file.stat().st_size / 1e6
            row.text_encoder.load_state_dict(stored.text_encoder.state_dict())
            row.image_encoder.load_state_dict(stored.image_encoder.state_dict())
            say(f"{bits} bits {how}, {size:.1f} MB: {100 * row_headline(data.validate(row)):.2f}")


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--recipe", default="words")
    for name in ("dataset", "fusions"):
        found.add_argument(f"--{name}", required=True)
    for name in ("data", "out", "work"):
        found.add_argument(f"--{name}", type=Path, required=True)
    found.add_argument("--set", action="append", default=[])
    found.add_argument("--from", dest="start")
    found.add_argument("--bits", default="4,5,6,8")
    return found


if __name__ == "__main__":
    main()
