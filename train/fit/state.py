"""A run's state on disk: one safetensors file, replaced in one step: a kill leaves the old or the new."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from mmdemo.cells.files import replacing
from mmdemo.types import InputError


def save_state(
    file: Path, modules: dict[str, nn.Module], optimizer: Optimizer | None, facts: dict[str, Any]
) -> None:
    """Write every trainable tensor of ``modules`` by name, the optimizer's moments, and ``facts`` as JSON."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value for key, value in trained_tensors(module).items()}
    if optimizer is not None:
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value for key, value in values.items()}
    contiguous = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    replace_file(file, lambda temporary: save_file(contiguous, temporary, {"facts": json.dumps(facts)}))


def load_state(file: Path, modules: dict[str, nn.Module], optimizer: Optimizer | None) -> dict[str, Any]:
    """Read back what `save_state` wrote, in place, and return the facts.

    Raises:
        InputError: the file is missing, cut off or of another run.
    """
    try:
        return _load_state(file, modules, optimizer)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise damaged(file) from error


def load_tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a file of a run. Raises InputError as `load_state`."""
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise damaged(file) from error


def damaged(file: Path) -> InputError:
    """What to do with a file of a run that cannot be read."""
    return InputError(
        f"the state of training {file} is damaged or another run's; remove the folder {file.parent} and run "
        "the same command again"
    )


def _load_state(file: Path, modules: dict[str, nn.Module], optimizer: Optimizer | None) -> dict[str, Any]:
    with safe_open(file, framework="pt") as stored:
        for name, module in modules.items():
            names = [key for key in stored.keys() if key.startswith(f"{name}/")]
            state = {key.removeprefix(f"{name}/"): stored.get_tensor(key) for key in names}
            module.load_state_dict(state, strict=False)
        if optimizer is not None:
            moments: dict[int, dict[str, Tensor]] = {}
            for key in stored.keys():
                if key.startswith("optimizer/"):
                    _, index, kind = key.split("/")
                    moments.setdefault(int(index), {})[kind] = stored.get_tensor(key)
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        return json.loads(stored.metadata()["facts"])


def trained_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The module's parameters that a training run can change, by name."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def replace_file(file: Path, write: Callable[[Path], object]) -> None:
    """Write through a temporary neighbour, so that readers and kills never see half a file.

    Raises:
        InputError: as `mmdemo.cells.files.replacing`.
    """
    with replacing(file) as (temporary,):
        write(temporary)
