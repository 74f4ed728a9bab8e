"""An address that opens the page with a question filled in. Pure; what it names is checked like any input.

Nothing runs by following a link: the text lands in the text box, and a person presses a button.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from mmdemo.cells.catalogue import find_cell, known_datasets, pickable
from mmdemo.cells.name import CellName
from mmdemo.models.config import MODELS, PRESETS
from mmdemo.types import InputError

MOST_TEXT = 2_000  # characters; longer addresses are cut by browsers and proxies


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link may say. None: it does not, or says something unknown.

    ``tab`` is "extract" for a question of the Extract tab, with its cells by their names in ``entities`` and
    ``relations``. ``photo`` names an upload (`mmdemo.ui.serve.uploads.found_again`), which may be gone.
    """

    tab: str | None
    entities: str | None
    relations: str | None
    photo: str | None
    preset: str | None
    dataset: str | None
    model: str | None
    fusion: str | None
    across: str | None
    text: str | None


def read_link(query: Mapping[str, str]) -> Link:
    """The known parts of an address's query; the rest is dropped."""
    model = _known(query.get("model"), MODELS)
    fusion = _known(query.get("fusion"), pickable(model)) if model else None
    text = query.get("text")
    dataset = _known(query.get("dataset"), known_datasets())
    return Link(
        tab=_known(query.get("tab"), ("extract",)),
        entities=_cell(query.get("entities")),
        relations=_cell(query.get("relations")),
        photo=query.get("photo") or None,
        # Links were all to lite's cells before they said which.
        preset=_known(query.get("preset"), PRESETS) or ("lite" if dataset else None),
        dataset=dataset,
        model=model if fusion else None,
        fusion=fusion,
        across=_known(query.get("across"), ("fusions", "models")),
        text=text[:MOST_TEXT] if text else None,
    )


def _cell(name: str | None) -> str | None:
    """A checkpoint's name where there is one of it."""
    try:
        parts = CellName.parse(name or "")
        return find_cell(parts.dataset, parts.model, parts.fusion, parts.preset).name
    except InputError:
        return None


def _known(value: str | None, names: Container[str]) -> str | None:
    return value if value is not None and value in names else None
