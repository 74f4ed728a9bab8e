"""An address that opens the page with a question filled in. Pure; what it names is checked like any input.

Nothing runs by following a link: the text lands in the text box, and a person presses a button.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from mmdemo.cells.catalogue import known_datasets, pickable
from mmdemo.models.config import MODELS

MOST_TEXT = 2_000  # characters; longer addresses are cut by browsers and proxies


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link may say. None: it does not, or says something unknown."""

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
    return Link(
        dataset=_known(query.get("dataset"), known_datasets()),
        model=model if fusion else None,
        fusion=fusion,
        across=_known(query.get("across"), ("fusions", "models")),
        text=text[:MOST_TEXT] if text else None,
    )


def _known(value: str | None, names: Container[str]) -> str | None:
    return value if value is not None and value in names else None
