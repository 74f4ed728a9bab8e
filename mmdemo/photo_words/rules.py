"""Which words of a photo are kept, in what order and how much: the rules that `rules.toml` states."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from mmdemo.photo_words.spelling import letters, plain_line, same
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoSource, PhotoWords, quoted

FILE = Path(__file__).with_name("rules.toml")

#: Parts of a photo that a pattern may be bound to.
Where = Literal["anywhere", "edge", "top", "bar"]
#: The share of a photo's height that its status bar takes, and of each side that is its edge.
BAR, EDGE = 0.07, 0.125

#: Characters of a line that patterns are tried on: no signature is longer.
LONGEST_NOISE = 120


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Lines that one of the patterns fits as a whole, in one part of the photo, are dropped as ``why``."""

    why: str
    where: Where
    patterns: tuple[re.Pattern[str], ...]

    def fits(self, line: PhotoWords) -> bool:
        return _lies(line, self.where) and any(p.fullmatch(line.text[:LONGEST_NOISE]) for p in self.patterns)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What `rules.toml` states; the file says what each is for."""

    order: tuple[PhotoSource, ...]
    least_score: Mapping[str, float]
    most_lines: Mapping[str, int]
    most_characters: Mapping[str, int]
    least_letters: int
    least_share: float
    least_height: float
    noise: tuple[Noise, ...]


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A line that the rules left out, and why in a few words."""

    words: PhotoWords
    why: str


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """Lines after the rules: what is kept, in order, and what is not, in the order in which it came."""

    kept: tuple[PhotoWords, ...]
    dropped: tuple[Dropped, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many lines were dropped for each reason."""
        return dict(Counter(line.why for line in self.dropped))


@cache
def read_rules(file: Path = FILE) -> Rules:
    """The rules of a file, by default those that come along.

    Raises:
        InputError: it cannot be read, or lacks or misstates something.
    """
    try:
        stated = tomllib.loads(file.read_text(encoding="utf-8"))
        rules = Rules(
            order=tuple(stated["order"]),
            least_score=stated["least_score"],
            most_lines=stated["most_lines"],
            most_characters=stated["most_characters"],
            least_letters=int(stated["text"]["least_letters"]),
            least_share=float(stated["text"]["least_share"]),
            least_height=float(stated["text"]["least_height"]),
            noise=tuple(_noise(row) for row in stated["noise"]),
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, re.error) as error:
        raise InputError(f"the rules {file} cannot be used: {type(error).__name__}: {error}") from error
    if set(rules.order) != set(PHOTO_SOURCES):
        raise InputError(f"the rules {file} must order each of {', '.join(PHOTO_SOURCES)}")
    return rules


def _noise(row: Mapping[str, Any]) -> Noise:
    if row["where"] not in get_args(Where):
        raise ValueError(f"where = {quoted(row['where'])} is none of {', '.join(get_args(Where))}")
    patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in row["patterns"])
    return Noise(why=row["why"], where=row["where"], patterns=patterns)


def apply_rules(words: Iterable[PhotoWords], rules: Rules | None = None) -> Sorted:
    """Clean, drop, cut and order what the sources gave. Applied to what it kept, it keeps all of it."""
    rules = rules or read_rules()
    kept: list[PhotoWords] = []
    dropped: list[Dropped] = []
    seen: set[tuple[str, str]] = set()
    given = list(words)
    for source in rules.order:
        lines = []
        for line in given:
            if line.source != source:
                continue
            line = _cleaned(line, rules)
            if why := _fault(line, rules):
                dropped.append(Dropped(words=line, why=why))
            elif (key := (source, same(line.text) or line.text)) in seen:
                dropped.append(Dropped(words=line, why="said twice"))
            else:
                seen.add(key)
                lines.append(line)
        fitting, over = _cut(source, lines, rules)
        kept += fitting
        dropped += over
    return Sorted(kept=tuple(kept), dropped=tuple(dropped))


def _cleaned(line: PhotoWords, rules: Rules) -> PhotoWords:
    text = plain_line(line.text, rules.most_characters[line.source])
    if text == line.text:
        return line
    return PhotoWords(source=line.source, text=text, score=line.score, box=line.box, by=line.by)


def _fault(line: PhotoWords, rules: Rules) -> str | None:
    """Why a line is dropped for what it is itself; None where it is not."""
    if not line.text:
        return "empty"
    if line.score is not None and line.score < rules.least_score.get(line.source, 0.0):
        return "too uncertain"
    if line.source != "ocr":
        return None
    if letters(line.text) < rules.least_letters:
        return "too short"
    if letters(line.text) < rules.least_share * len(line.text.replace(" ", "")):
        return "mostly signs"
    if line.box is not None and line.box[3] - line.box[1] < rules.least_height:
        return "small print"
    return next((noise.why for noise in rules.noise if noise.fits(line)), None)


def _cut(
    source: PhotoSource, lines: Sequence[PhotoWords], rules: Rules
) -> tuple[list[PhotoWords], list[Dropped]]:
    """The lines that count most, as many as may be, in their order; the others are dropped."""
    weights = {"ocr": _height, "objects": lambda line: line.score or 0.0}
    weigh = weights.get(source, lambda line: 0.0)
    ranked = sorted(range(len(lines)), key=lambda i: -weigh(lines[i]))
    chosen: set[int] = set()
    room = rules.most_characters.get(source, 0)
    for place in ranked[: rules.most_lines.get(source, 0)]:
        if len(lines[place].text) > room:
            break
        room -= len(lines[place].text)
        chosen.add(place)
    over = [Dropped(words=line, why="no room") for i, line in enumerate(lines) if i not in chosen]
    kept = sorted(chosen) if source == "ocr" else [i for i in ranked if i in chosen]
    return [lines[i] for i in kept], over


def _height(line: PhotoWords) -> float:
    return line.box[3] - line.box[1] if line.box else 0.0


def _lies(line: PhotoWords, where: Where) -> bool:
    """Whether a line lies wholly in a part of the photo; without a box it lies nowhere in particular."""
    if where == "anywhere":
        return True
    if line.box is None:
        return False
    left, top, right, bottom = line.box
    if where == "edge":
        return right <= EDGE or left >= 1 - EDGE or bottom <= EDGE or top >= 1 - EDGE
    return bottom <= BAR or (where == "bar" and top >= 1 - BAR)
