"""What a training run starts from where nobody says: for a dataset of one's own, a shipped trunk."""

from pathlib import Path

from mmdemo.cells.locate import SHIPPED
from mmdemo.datasets.discovery import bundled, default_for
from mmdemo.datasets.schema import TASKS
from mmdemo.models.config import ModelConfig

#: What ``--from`` says to start from the plain pretrained encoders.
BASE = "base"


def shipped_trunk(config: ModelConfig) -> Path | None:
    """The folder of the shipped trunk of the same model, of a bundled dataset that asks for the same task.

    For both tasks it is one that was trained for relations: such a trunk started from one that knew entities
    (`Dataset.start`), and it knows the marks of a pair. Where the preset ships none of the task, the other
    task's knows tweets at least. None where there is none, and for a bundled dataset, whose record says what
    it starts from.
    """
    if config.dataset.name in bundled():
        return None
    model = config.row.text_of or config.model
    tasks = dict.fromkeys((*reversed(config.dataset.tasks), *TASKS))
    places = [*(default_for(task).name for task in tasks), "base"]  # there: one that several datasets share
    folders = [SHIPPED / config.preset / place / model for place in places]
    return next((folder for folder in folders if (folder / "trunk.safetensors").is_file()), None)


def chosen_start(stated: str | None, config: ModelConfig) -> Path | None:
    """The start that ``--from`` states: `BASE`, or a folder; unsaid, `shipped_trunk`. None is the base."""
    if stated == BASE:
        return None
    return Path(stated) if stated else shipped_trunk(config)


def described(start: Path | None) -> str:
    """A start in words; a shipped one by its place among the checkpoints."""
    if start is None:
        return "the pretrained base"
    return start.relative_to(SHIPPED).as_posix() if start.is_relative_to(SHIPPED) else str(start)
