"""A line as it can be shown and read: text in a photo is a stranger's."""

import unicodedata

#: Joiners that belong to words of Persian and Indic scripts and to emoji.
_JOINERS = "\u200c\u200d"
#: Controls, formats (the marks that turn the direction of writing among them), halves of surrogate pairs,
#: private use, unassigned, separators of lines and paragraphs.
_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
#: Accents on one letter: more are a joke that paints over the lines above.
_MOST_MARKS = 3


def plain_line(text: str, most: int = 400) -> str:
    """The text as one line of at most ``most`` characters.

    Without control, direction and other invisible characters, with single spaces, and with no more than
    three accents on a letter. Right-to-left letters and emoji stay. A line that passed once stays as it is.
    """
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: 4 * most]):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if character in "\t\n\r\v\f" or kind in ("Zl", "Zp", "Zs"):
            kept.append(" ")
        elif (kind not in _DROPPED or character in _JOINERS) and marks <= _MOST_MARKS:
            kept.append(character)
    line = " ".join("".join(kept).split())[:most].strip()
    line = unicodedata.normalize("NFC", line)
    return line if any(c not in _JOINERS for c in line) else ""


def letters(text: str) -> int:
    """How many of the characters are letters or digits, of any script."""
    return sum(c.isalnum() for c in text)


def same(text: str) -> str:
    """What two lines share that say the same: their letters and digits, without case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
