"""How labels look: a colour, its tint and an underline each, dealt where the dataset's record gives none."""

from dataclasses import dataclass
from string import ascii_lowercase

from mmdemo.datasets.schema import DESK_KEYS, Dataset


@dataclass(frozen=True, kw_only=True)
class Look:
    """``colour`` carries white text and ``tint`` #111 at WCAG AA; ``underline`` is a CSS line style.

    ``key`` is what a reviewer presses for the label, "" where there is none.
    """

    colour: str
    tint: str
    underline: str
    meaning: str = ""
    key: str = ""


#: Colours that are told apart with the common forms of colour blindness first (Okabe and Ito, darkened until
#: white text on them passes AA).
COLOURS = (
    "#0072B2",
    "#00795A",
    "#B84A00",
    "#A2487A",
    "#6B5B00",
    "#5B4FBF",
    "#B3261E",
    "#00707A",
    "#7A4A2A",
    "#8A3FA0",
    "#3F6B1F",
    "#455A8A",
)
#: The underline differs too, so that labels are told apart without seeing colour.
UNDERLINES = ("solid", "dashed", "double", "dotted", "wavy")

UNKNOWN_LOOK = Look(colour="#555555", tint="#E5E5E5", underline="solid")
HEAD_LOOK = Look(colour="#0072B2", tint="#CDE6F5", underline="solid")
TAIL_LOOK = Look(colour="#B84A00", tint="#FBDCC8", underline="double")


def looks_of(dataset: Dataset) -> dict[str, Look]:
    """The look of each entity label, in the record's order. No two labels share colour and underline."""
    given = {kind.colour for kind in dataset.entities if kind.colour}
    dealt = [colour for colour in COLOURS if colour not in given] or list(COLOURS)
    keys = keys_of(dataset)
    looks: dict[str, Look] = {}
    for place, kind in enumerate(dataset.entities):
        colour = kind.colour or dealt[place % len(dealt)]
        looks[kind.label] = Look(
            colour=colour,
            tint=tint(colour),
            underline=_underline(place, colour, looks),
            meaning=kind.meaning,
            key=keys.get(kind.label, ""),
        )
    return looks


def _underline(place: int, colour: str, looks: dict[str, Look]) -> str:
    """The next underline in turn that no label of this colour has."""
    taken = {look.underline for look in looks.values() if look.colour == colour}
    turn = UNDERLINES[place % len(UNDERLINES) :] + UNDERLINES[: place % len(UNDERLINES)]
    return next((line for line in turn if line not in taken), turn[0])


def look_of(dataset: Dataset, label: str) -> Look:
    """The look of a label; a grey one where the record does not know it."""
    return looks_of(dataset).get(label, UNKNOWN_LOOK)


def tint(colour: str) -> str:
    """A light tint of a ``#RRGGBB`` colour: four fifths white."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * 0.8):02X}" for part in parts)


def keys_of(dataset: Dataset) -> dict[str, str]:
    """A key for each entity label: the record's own, else its place as a digit up to 9, else a free letter.

    A label's own letters come first. One for which no letter is left has no key.
    """
    keys = {kind.label: kind.key for kind in dataset.entities if kind.key}
    taken = {key.casefold() for key in keys.values()} | DESK_KEYS
    for place, label in enumerate(dataset.entity_labels, 1):
        if label in keys:
            continue
        letters = [c for c in [*label.casefold(), *ascii_lowercase] if c.isascii() and c.isalpha()]
        free = str(place) if place <= 9 else next((c for c in letters if c not in taken), "")
        if free:
            keys[label] = free
            taken.add(free)
    return {label: keys[label] for label in dataset.entity_labels if label in keys}
