"""The training loop: one function that reads top to bottom, for every stage and preset."""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from mmdemo.models.batch import Batch
from mmdemo.models.model import ModelOutput, MultimodalModel
from mmdemo.types import InputError
from train.fit.parameter_groups import parameter_groups
from train.fit.recipe import Recipe
from train.fit.state import load_state, save_state
from train.fit.streams import named_dropout
from train.score.metrics import Scores, headline

DEVICES = ("auto", "cpu", "cuda", "mps")


class Diverged(InputError):
    """The loss is no number any more: a rate is too high."""


def head_loss(model: MultimodalModel, found: ModelOutput, batch: Batch, recipe: Recipe) -> Tensor:
    """The loss of a model's answers to a batch."""
    return model.head_for(batch).loss(found.logits, batch, recipe.label_smoothing)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to learn: batches of an epoch, how many of them, and how to score the model on validation.

    ``loss`` takes the model, what it found, the batch and the recipe; ``headline`` the scores, of which it
    gives the figure that chooses the epoch. Both are those of one cell where nothing is said.
    """

    batches: Callable[[int], Iterator[Batch]]
    steps: int
    validate: Callable[[Any], Scores]
    name: str
    loss: Callable[[Any, Any, Batch, Recipe], Tensor] = head_loss
    headline: Callable[[Scores], float] = headline


def choose_accelerator(device: str) -> Accelerator:
    """Accelerate's device for ``auto``, ``cpu``, ``cuda`` or ``mps``; bf16 where it is faster."""
    if device not in DEVICES:
        raise InputError(f"--device {device}: known are {', '.join(DEVICES)}")
    cpu = device == "cpu" or (device == "auto" and not (torch.cuda.is_available() or _has_mps()))
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this machine has no CUDA device")
    if device == "mps" and not _has_mps():
        raise InputError("--device mps: this machine has no Metal device")
    if cpu:
        # Without AMX a CPU only converts: the same layer took 2.5 times as long in bf16 as in float32.
        bf16 = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    else:
        bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    # With several processes: a native fusion, or a missing photo, leaves parameters without gradients.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(cpu=cpu, mixed_precision="bf16" if bf16 else "no", kwargs_handlers=[unused])


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def fit(model: nn.Module, task: Task, recipe: Recipe, folder: Path, accelerator: Accelerator) -> Scores:
    """Train ``model`` in place and leave it at its best validation epoch; return that epoch's scores.

    Resumes from ``folder/last.safetensors`` if a run was cut off. Appends to ``folder/log.jsonl`` one line
    a step and one an epoch.
    """
    try:
        return _fit(model, task, recipe, folder, accelerator)
    finally:  # also of a trial that is stopped: the accelerator would hold every model and its moments
        accelerator.free_memory()


def _fit(model: nn.Module, task: Task, recipe: Recipe, folder: Path, accelerator: Accelerator) -> Scores:
    steps = task.steps // accelerator.num_processes
    optimizer = AdamW(parameter_groups(model, recipe), betas=(0.9, 0.999), eps=1e-8)
    schedule = LambdaLR(optimizer, lambda step: _rate_at(step, steps * recipe.epochs, recipe.warmup))
    average = _moving_average(model, recipe.ema, accelerator.device) if recipe.ema else None
    shown = average.module if average else model
    kept: dict[str, nn.Module] = {"model": model, **({"average": shown} if average else {})}
    progress = _resume(folder, kept, optimizer, schedule, steps)
    if average:
        average.n_averaged.fill_(progress["epoch"] * steps)  # at 0 it would start over from the weights
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    log = _Log(folder / "log.jsonl", accelerator.is_main_process)

    for epoch in range(progress["epoch"], recipe.epochs):
        if progress["stale"] >= recipe.patience:
            break
        started = time.perf_counter()
        wrapped.train()
        _freeze_statistics(model)
        bar = _share_of_batches(task, epoch, recipe.epochs, steps, accelerator)
        with named_dropout(model, recipe.seed, epoch):  # a resumed run drops as an unbroken one would
            for step, batch in enumerate(bar):
                batch = batch.to(accelerator.device)
                loss = task.loss(model, wrapped(batch), batch, recipe)
                accelerator.backward(loss)
                norm = accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                if average:
                    average.update_parameters(model)
                value = _finite(float(loss.detach()), task, epoch)
                bar.set_postfix(loss=f"{value:.3f}")
                log.write(epoch=epoch, step=step, loss=value, norm=float(norm), lr=schedule.get_last_lr()[0])
        scores = task.validate(shown)
        value, seconds = task.headline(scores), time.perf_counter() - started
        log.write(epoch=epoch, seconds=seconds, validation=scores)
        better = _count_in(progress, epoch, scores, value)
        if accelerator.is_main_process:
            bar.write(f"{task.name} epoch {epoch + 1}: validation F1 {value:.4f}, {seconds:.0f} s")
            if better:
                save_state(folder / "best.safetensors", {"model": shown}, None, {"scores": scores})
            save_state(folder / "last.safetensors", kept, optimizer.optimizer, progress)
        accelerator.wait_for_everyone()
    load_state(folder / "best.safetensors", {"model": model}, None)
    return progress["scores"]


def _finite(loss: float, task: Task, epoch: int) -> float:
    if math.isfinite(loss):
        return loss
    raise Diverged(f"{task.name}: the loss is {loss} at epoch {epoch + 1}; lower the rates")


def _share_of_batches(
    task: Task, epoch: int, epochs: int, steps: int, accelerator: Accelerator
) -> "tqdm[Batch]":
    """This process's ``steps`` batches of an epoch, under a progress bar."""
    world = accelerator.num_processes
    mine = islice(task.batches(epoch), accelerator.process_index, steps * world, world)
    return tqdm(mine, f"{task.name} {epoch + 1}/{epochs}", steps, disable=not accelerator.is_main_process)


def _count_in(progress: dict[str, Any], epoch: int, scores: Scores, value: float) -> bool:
    """Note an epoch's scores; whether it is the best so far. Every process does, so that all stop at once."""
    better = value > progress["best"]
    progress |= {"epoch": epoch + 1, "stale": 0 if better else progress["stale"] + 1}
    if better:
        progress |= {"best": value, "best_epoch": epoch, "scores": scores}
    return better


def _moving_average(model: nn.Module, decay: float, device: torch.device) -> AveragedModel:
    return AveragedModel(model, device=device, multi_avg_fn=get_ema_multi_avg_fn(decay))


def _resume(
    folder: Path, modules: dict[str, nn.Module], optimizer: AdamW, schedule: LambdaLR, steps: int
) -> dict[str, Any]:
    """The state of a run that was cut off, restored, or that of a new one."""
    file = folder / "last.safetensors"
    if not file.exists():
        return {"epoch": 0, "stale": 0, "best": -1.0, "best_epoch": -1, "scores": {}}
    progress = load_state(file, modules, optimizer)
    schedule.last_epoch = progress["epoch"] * steps
    for group, base, rate in zip(optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
        group["lr"] = base * rate(schedule.last_epoch)
    return progress


def _rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate: linear warm-up, then a cosine to 0."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))


def _freeze_statistics(model: Any) -> None:
    """Batch norms keep their pretrained statistics: checkpoints store parameters only, and batches are small.

    A frozen image encoder drops nothing either.
    """
    if not any(p.requires_grad for p in model.image_encoder.parameters()):
        model.image_encoder.eval()
    for module in model.image_encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


class _Log:
    """Appends JSON lines; only the main process writes."""

    def __init__(self, file: Path, enabled: bool) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file, self.enabled = file, enabled

    def write(self, **values: Any) -> None:
        if self.enabled:
            try:
                with self.file.open("a") as stream:
                    stream.write(json.dumps(values) + "\n")
            except OSError as error:
                raise InputError(f"{self.file} cannot be written: {error.strerror or error}") from error
