"""The rows of SPEC §3, one a model: its names, what each preset runs, how it is built and trained.

This table is all that either package knows of a model. A row whose part is not filled in is refused when the
table is read, with a sentence that names the part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from mmdemo.models.encoders import full_sides
from mmdemo.models.encoders.image import (
    CLIP,
    HALF,
    IMAGENET,
    EfficientNetLite,
    ImageEncoder,
    Normalisation,
    TinyImageEncoder,
)
from mmdemo.models.encoders.joint import BlipText, ViltStack
from mmdemo.models.encoders.text import MarkedBert
from mmdemo.models.features import Encoder
from mmdemo.types import InputError, quoted

Kind = Literal["two encoders", "joint"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sizes that all rows of a preset share. ``runs`` says what truly runs; "" takes the row's own words.

    ``whole``: whether it has every row; one that has not is offered for the rows that have sides of it.
    """

    width: int
    max_subtokens: int = 128
    image_size: int = 224
    head_hidden: int = 512
    runs: str = ""
    whole: bool = True


PRESETS: dict[str, Preset] = {
    "base": Preset(width=256, whole=False),
    "lite": Preset(width=256),
    "full": Preset(width=1024),
    "tiny": Preset(width=32, image_size=64, head_hidden=32, runs="random 2-layer encoders, for tests"),
}

#: What a part of a row is before somebody fills it in.
UNFILLED: Any = None


def _check_filled(record: Any, where: str) -> None:
    """Raises TypeError that names the first part which is not filled in."""
    for part in fields(record):
        if getattr(record, part.name) is None and part.metadata.get("says"):
            raise TypeError(f"{where} lacks {part.name}: {part.metadata['says']}")


def _part(says: str) -> Any:
    return field(default=UNFILLED, metadata={"says": says})


@dataclass(frozen=True, kw_only=True)
class Sides:
    """How a preset builds a row, with random weights, and in words what it runs.

    ``text`` takes the width of the regions that the image side gives; only a joint model needs it.
    ``normalisation`` is the mean and spread of each channel that the image side was trained with.
    """

    runs: str = _part("what truly runs, in words, for cards and the app")
    text: Callable[[int], Encoder] = _part("a function from the regions' width to the text side")
    image: Callable[[], ImageEncoder] = _part("a function that builds the image side")
    normalisation: Normalisation = _part("(mean, spread) of each colour channel")

    def __post_init__(self) -> None:
        _check_filled(self, "the sides of a row in mmdemo/models/encoders/table.py")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The published weights of the full preset, as `mmdemo.models.encoders.published` names them.

    ``layers`` of the text side and ``transformer`` (whether the image side is one) decide learning rates.
    """

    text: str = _part("the source of the text side and its vocabulary, a name in published.py")
    image: str = _part("the source of the image side, a name in published.py")
    layers: int = _part("how many layers the text side has")
    transformer: bool = _part("whether the image side is a vision transformer")

    def __post_init__(self) -> None:
        _check_filled(self, "the sources of a row in mmdemo/models/encoders/table.py")


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A row of SPEC §3: the text and image sides as the report names them.

    ``sides`` has the builders of each preset. ``starts_from`` names the row whose trunk training starts from
    ("" : from the pretrained base); ``text_of`` the row whose text trunk this one reads as it is, so that its
    own holds the image side alone; ``aligned``: whether that image side is trained against captions.
    """

    name: str
    title: str = _part("its name for people, such as BERT + ResNet50")
    kind: Kind = _part('"two encoders", or "joint" where one encoder reads text and photo together')
    sides: Mapping[str, Sides] = _part(
        f"the Sides of each preset: {', '.join(name for name, preset in PRESETS.items() if preset.whole)}"
    )
    sources: Sources = _part("the Sources of the full preset's weights")
    starts_from: str = _part("the row whose trunk its training starts from, or an empty text")
    text_of: str = ""
    aligned: bool = False

    def __post_init__(self) -> None:
        where = f"the row {quoted(self.name)} of mmdemo/models/encoders/table.py"
        _check_filled(self, where)
        if missing := [name for name, own in PRESETS.items() if own.whole and name not in self.sides]:
            raise TypeError(f"{where} lacks sides for the preset {missing[0]}")

    @property
    def joint(self) -> bool:
        """Whether one encoder reads text and photo together."""
        return self.kind == "joint"


def _lite(runs: str, text: Callable[[int], Encoder]) -> Sides:
    return Sides(runs=runs, text=text, image=EfficientNetLite, normalisation=HALF)


def _tiny(text: Callable[[int], Encoder]) -> Sides:
    return Sides(runs=PRESETS["tiny"].runs, text=text, image=TinyImageEncoder, normalisation=HALF)


ROWS: tuple[ModelRow, ...] = (
    ModelRow(
        name="roberta-resnet50",
        title="RoBERTa + ResNet50",
        kind="two encoders",
        starts_from="",
        sides={
            "base": Sides(
                runs="MPNet with letter case + EfficientNet-Lite0, in the RoBERTa + ResNet50 arrangement",
                text=lambda width: MarkedBert("base", cased=True),
                image=EfficientNetLite,
                normalisation=HALF,
            ),
            "lite": _lite(
                "MiniLM-L6 with letter case + EfficientNet-Lite0, in the RoBERTa + ResNet50 arrangement",
                lambda width: MarkedBert("lite", cased=True),
            ),
            "full": Sides(
                runs="RoBERTa-large + ResNet-50",
                text=lambda width: full_sides.text("roberta-resnet50", "roberta-large"),
                image=full_sides.resnet,
                normalisation=IMAGENET,
            ),
            "tiny": _tiny(lambda width: MarkedBert("tiny", cased=True)),
        },
        sources=Sources(text="roberta-large", image="resnet50", layers=24, transformer=False),
    ),
    ModelRow(
        name="bert-resnet50",
        title="BERT + ResNet50",
        kind="two encoders",
        starts_from="roberta-resnet50",
        sides={
            "lite": _lite(
                "MiniLM-L6 + EfficientNet-Lite0, in the BERT + ResNet50 arrangement",
                lambda width: MarkedBert("lite", cased=False),
            ),
            "full": Sides(
                runs="BERT-base + ResNet-50",
                text=lambda width: full_sides.text("bert-resnet50", "bert-base"),
                image=full_sides.resnet,
                normalisation=IMAGENET,
            ),
            "tiny": _tiny(lambda width: MarkedBert("tiny", cased=False)),
        },
        sources=Sources(text="bert-base-uncased", image="resnet50", layers=12, transformer=False),
    ),
    ModelRow(
        name="clip-bert",
        title="CLIP + BERT",
        kind="two encoders",
        starts_from="bert-resnet50",
        text_of="bert-resnet50",
        aligned=True,
        sides={
            "lite": _lite(
                "MiniLM-L6 + EfficientNet-Lite0 aligned with captions, in the CLIP + BERT arrangement",
                lambda width: MarkedBert("lite", cased=False),
            ),
            "full": Sides(
                runs="BERT-base + CLIP ViT-B/32",
                text=lambda width: full_sides.text("clip-bert", "bert-base"),
                image=full_sides.clip,
                normalisation=CLIP,
            ),
            "tiny": _tiny(lambda width: MarkedBert("tiny", cased=False)),
        },
        sources=Sources(text="bert-base-uncased", image="clip-vit-base-patch32", layers=12, transformer=True),
    ),
    ModelRow(
        name="blip",
        title="BLIP",
        kind="joint",
        starts_from="bert-resnet50",
        sides={
            "lite": _lite(
                "MiniLM-L6 with cross-attention to EfficientNet-Lite0 regions, in the BLIP arrangement",
                lambda width: BlipText("lite", width),
            ),
            "full": Sides(
                runs="BLIP's text encoder with cross-attention + its ViT-B/16",
                text=lambda width: full_sides.blip_text("blip", width),
                image=full_sides.blip_image,
                normalisation=CLIP,
            ),
            "tiny": _tiny(lambda width: BlipText("tiny", width)),
        },
        sources=Sources(text="blip-vqa-base", image="blip-vqa-base", layers=12, transformer=True),
    ),
    ModelRow(
        name="vilt",
        title="ViLT",
        kind="joint",
        starts_from="bert-resnet50",
        sides={
            "lite": _lite(
                "one MiniLM-L6 stack over words and EfficientNet-Lite0 regions, in the ViLT arrangement",
                lambda width: ViltStack("lite", width),
            ),
            "full": Sides(
                runs="ViLT-B/32",
                text=lambda width: full_sides.vilt_text("vilt", width),
                image=full_sides.vilt_image,
                normalisation=HALF,
            ),
            "tiny": _tiny(lambda width: ViltStack("tiny", width)),
        },
        sources=Sources(text="vilt-b32-mlm", image="vilt-b32-mlm", layers=12, transformer=True),
    ),
)

#: The rows by name. The first is what is picked where nothing is said.
MODELS: dict[str, ModelRow] = {row.name: row for row in ROWS}
DEFAULT_MODEL = ROWS[0].name


def models_of(preset: str) -> tuple[str, ...]:
    """The rows that a preset has."""
    return tuple(row.name for row in ROWS if preset in row.sides)


def model_row(name: str) -> ModelRow:
    """The row of a model. Raises InputError for an unknown one."""
    if name not in MODELS:
        raise InputError(f"unknown model {quoted(name)}; known: {', '.join(MODELS)}")
    return MODELS[name]
