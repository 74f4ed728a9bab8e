"""Where models run, and what a Space on a shared GPU (ZeroGPU) needs: `on_gpu` around what serves a request.

ZeroGPU runs such a call in a process forked from this one, which alone holds a GPU: arguments and results
travel by copy, and models must have been put "on" CUDA in this process before.
"""

import os
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ParamSpec, TypeVar, cast

import torch

from mmdemo.types import InputError, quoted

P = ParamSpec("P")
R = TypeVar("R")

#: Whether this is a ZeroGPU Space. `spaces` must be imported before CUDA starts, so it is here and now.
ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true") and bool(find_spec("spaces"))
_spaces: Any = import_module("spaces") if ZERO_GPU else None

#: What one call may take; shorter ones are let in first. A comparison of six fusions takes a second.
SECONDS = 30

DEVICES = ("auto", "cpu", "cuda", "mps")


@cache
def device() -> torch.device:
    """MMDEMO_DEVICE, where "auto" (the default) takes CUDA if it is there, else the CPU.

    Raises:
        InputError: an unknown device, or one that this machine lacks.
    """
    wanted = os.environ.get("MMDEMO_DEVICE", "auto")
    if wanted not in DEVICES:
        raise InputError(f"MMDEMO_DEVICE is {quoted(wanted)}; known: {', '.join(DEVICES)}")
    has_cuda = torch.cuda.is_available()
    if wanted == "auto":
        return torch.device("cuda" if has_cuda else "cpu")
    if (wanted == "cuda" and not has_cuda) or (wanted == "mps" and not torch.backends.mps.is_available()):
        raise InputError(f"MMDEMO_DEVICE asks for {wanted}, which this machine lacks")
    return torch.device(wanted)


def on_gpu(task: Callable[P, R]) -> Callable[P, R]:
    """The task as ZeroGPU wants it; the task itself anywhere else.

    An `InputError` comes back as a value, because only results and Gradio's own errors do.
    """
    if _spaces is None:
        return task

    @wraps(task)
    def held(*args: P.args, **kwargs: P.kwargs) -> tuple[R | None, str | None]:
        try:
            return task(*args, **kwargs), None
        except InputError as error:
            return None, str(error)

    ask = _spaces.GPU(duration=SECONDS)(held)

    @wraps(task)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        result, sentence = ask(*args, **kwargs)
        if sentence is not None:
            raise InputError(sentence)
        return cast(R, result)

    return call
