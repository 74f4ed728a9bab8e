"""The batch job on Ray Data: each worker process holds the model and answers whole chunks.

Workers read the input, its photos and the checkpoints themselves, so all machines must see them under the
same paths. What travels is a chunk's place there and its lines back. A worker that dies is replaced and its
chunks are answered again.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from mmdemo.batch.job import Engine, Job, answer_chunk
from mmdemo.batch.rows import Chunk
from mmdemo.types import InputError


class Answerer:
    """What runs in a worker: one row of the dataset is a chunk."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            lines = answer_chunk(self.job, Chunk(**{k: int(v) for k, v in row.items()}))
            # As `run` writes them: half of a surrogate pair cannot travel, and would stop the whole job.
            return {"lines": [line.encode("utf-8", "replace").decode() for line in lines], "failed": ""}
        except InputError as error:  # as a value: Ray would wrap it in its own error and a traceback
            return {"lines": [], "failed": str(error)}


def ray_engine(workers: int) -> Engine:
    """An engine of ``workers`` processes on the Ray cluster at hand, or on this machine where there is none.

    Raises:
        InputError: Ray is not installed; later, that its workers cannot go on.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("--engine ray needs: pip install -r mmdemo/batch/requirements.txt") from error

    def answer(job: Job, chunks: Sequence[Chunk]) -> Iterator[list[str]]:
        if not chunks:
            return
        if not ray.is_initialized():
            ray.init(logging_level=logging.WARNING, include_dashboard=False, runtime_env=_environment())
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True  # line n answers row n
        context.enable_progress_bars = False  # `run` shows its own
        dataset = ray.data.from_items([asdict(c) for c in chunks], override_num_blocks=len(chunks))
        answers = dataset.map(
            cast(Any, Answerer),
            fn_constructor_args=(job,),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        try:
            for row in answers.iter_rows():
                if row["failed"]:
                    raise InputError(row["failed"])
                yield list(row["lines"])
        except ray.exceptions.RayError as error:
            raise InputError(
                f"Ray's workers failed ({type(error).__name__}); what they answered is kept, and the same "
                "command goes on there; perhaps with fewer --workers, or --engine local"
            ) from error

    return answer


def _environment() -> dict[str, dict[str, str]]:
    """What workers need from this process: where our code is, and where it is told to look for things."""
    ours = {name: value for name, value in os.environ.items() if name.startswith(("MMDEMO_", "OMP_"))}
    code = str(Path(__file__).parents[2])
    path = os.pathsep.join(p for p in (code, os.environ.get("PYTHONPATH")) if p)
    return {"env_vars": {**ours, "PYTHONPATH": path}}
