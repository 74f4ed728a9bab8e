"""A cell's name: which preset, dataset, model and fusion. The same four parts are its folder below a root."""

from dataclasses import dataclass
from pathlib import Path

from mmdemo.datasets.discovery import bundled
from mmdemo.models.config import MODELS, ModelConfig
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.types import InputError, quoted


@dataclass(frozen=True, kw_only=True, order=True)
class CellName:
    """The four parts of ``preset/dataset/model/fusion``, which is also its text."""

    preset: str
    dataset: str
    model: str
    fusion: str

    @classmethod
    def of(cls, config: ModelConfig) -> "CellName":
        """The name of a configuration's cell."""
        return cls(
            preset=config.preset, dataset=config.dataset.name, model=config.model, fusion=config.fusion
        )

    @classmethod
    def parse(cls, text: str) -> "CellName":
        """The parts of a name. Raises InputError where it has not four."""
        parts = text.split("/")
        if len(parts) != 4 or not all(parts) or {".", ".."} & set(parts):
            raise InputError(f"{quoted(text)} is no checkpoint's name; it takes preset/dataset/model/fusion")
        return cls(preset=parts[0], dataset=parts[1], model=parts[2], fusion=parts[3])

    def __str__(self) -> str:
        return f"{self.preset}/{self.dataset}/{self.model}/{self.fusion}"

    @property
    def path(self) -> Path:
        """Its folder below a checkpoints root."""
        return Path(self.preset, self.dataset, self.model, self.fusion)

    @property
    def title(self) -> str:
        """The name for people, each part by its title where it is known."""
        dataset = bundled()[self.dataset].title if self.dataset in bundled() else self.dataset
        model = MODELS[self.model].title if self.model in MODELS else self.model
        fusion = FUSIONS[self.fusion].title if self.fusion in FUSIONS else self.fusion
        return f"{dataset}, {model}, {fusion} ({self.preset})"
