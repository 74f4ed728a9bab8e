"""How large each model is and what a training step of it takes: parameters, peak memory, steps a second."""

import json
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.optim import AdamW

from mmdemo.datasets.bio import output_labels
from mmdemo.models.batch import Batch
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import InputError
from train.fit.loop import choose_accelerator
from train.fit.parameter_groups import parameter_groups
from train.fit.recipe import Recipe

DATASET, FUSION = "twitter2017", "film"

#: Head of the table -> key of a measurement, and how it is written.
COLUMNS = {
    "model": ("model", "{}"),
    "runs": ("runs", "{}"),
    "text (M)": ("text", "{:.1f}"),
    "image (M)": ("image", "{:.1f}"),
    "fusion + head (M)": ("rest", "{:.1f}"),
    "all (M)": ("all", "{:.1f}"),
    "peak memory (GB)": ("peak_gb", "{:.1f}"),
    "steps/s": ("steps_per_second", "{:.2f}"),
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One model's measurement: ``steps`` training steps of ``batch_size`` posts, each of ``words`` sub-tokens
    and a photo, after one that is not timed.
    """

    preset: str
    model: str
    batch_size: int
    words: int
    steps: int
    device: str


def measure(trial: Trial) -> dict[str, Any]:
    """Build the model with random weights and train it for a few steps, in this process.

    Counts are in millions of parameters, memory in 10^9 bytes: this process's largest resident size, and on
    a GPU what PyTorch had allocated there at most.
    """
    accelerator = choose_accelerator(trial.device)
    config = ModelConfig(dataset=DATASET, model=trial.model, fusion=FUSION, preset=trial.preset)
    torch.manual_seed(0)
    model = build_model(config)
    counts = count(model)
    model.to(accelerator.device)
    batch = random_batch(config, trial.batch_size, trial.words).to(accelerator.device)
    optimizer = AdamW(parameter_groups(model, Recipe()))
    wrapped, optimizer = accelerator.prepare(model.train(), optimizer)
    started = 0.0
    for step in range(trial.steps + 1):
        if step == 1:  # the first one warms up: memory, kernels, the optimizer's moments
            started = time.perf_counter()
        loss = model.head.loss(wrapped(batch).logits, batch)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if not loss.isfinite():
            raise InputError(f"{config.cell}: the loss is {float(loss)}")  # which also waits for a GPU
    seconds = time.perf_counter() - started
    cuda = accelerator.device.type == "cuda"
    return {
        **asdict(trial),
        "runs": config.runs,
        **counts,
        "device": torch.cuda.get_device_name() if cuda else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "precision": "bf16" if accelerator.mixed_precision == "bf16" else "float32",
        "peak_gb": torch.cuda.max_memory_allocated() / 1e9 if cuda else _largest_resident_size(),
        "steps_per_second": trial.steps / seconds,
    }


def count(model: MultimodalModel) -> dict[str, float]:
    """Parameters by part, in millions."""

    def millions(*parts: torch.nn.Module) -> float:
        return sum(p.numel() for part in parts for p in part.parameters()) / 1e6

    text, image = millions(model.text_encoder), millions(model.image_encoder)
    return {"text": text, "image": image, "rest": millions(model) - text - image, "all": millions(model)}


def random_batch(config: ModelConfig, posts: int, words: int) -> Batch:
    """Posts of random sub-tokens, one a word, with random photos and tags."""
    length, size = words + 2, config.sizes.image_size
    return Batch(
        ids_BL=torch.randint(1000, 30000, (posts, length)),
        features_BL=torch.zeros(posts, length, dtype=torch.long),
        mask_BL=torch.ones(posts, length, dtype=torch.bool),
        first_BW=torch.arange(1, words + 1).expand(posts, -1),
        present_B=torch.ones(posts, dtype=torch.bool),
        targets=torch.randint(len(output_labels(config.dataset)), (posts, words)),
        pixels_BCHW=torch.randn(posts, 3, size, size),
    )


def measure_apart(trial: Trial) -> dict[str, Any]:
    """`measure` in a process of its own. Raises InputError with its last line where that fails."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in asdict(trial).items()]
    command = [sys.executable, "-m", "train", "sizes", *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise InputError(
            f"{trial.model} could not be measured: {' '.join(last) or 'killed (out of memory?)'}"
        )
    return json.loads(done.stdout)[0]


def _largest_resident_size() -> float:
    """In 10^9 bytes; Linux counts it in KiB, macOS in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1e9 if sys.platform == "darwin" else size * 1024 / 1e9


def render(found: list[dict[str, Any]]) -> str:
    """The measurements as a Markdown table, and under it what they were measured on."""
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(form.format(row[key]) for key, form in COLUMNS.values()) for row in found]
    one = found[0]
    table = "\n".join(f"| {line} |" for line in lines)
    return (
        f"{table}\n\nRandom weights, fusion {FUSION}, AdamW, {one['precision']}; a step takes "
        f"{one['batch_size']} posts of {one['words']} sub-tokens with photos. {one['device']}, "
        f"{one['threads']} thread(s)."
    )
