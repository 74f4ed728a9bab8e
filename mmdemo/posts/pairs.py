"""A post to find everything in: its words, and the pairs that its marks ask about, any number of them.

``[E1]…[/E1]`` marks a head and ``[E2]…[/E2]`` a tail. Of several, the first head goes with the first tail and
so on; a single head goes with each tail, and a single tail with each head. Heads and tails may nest and
overlap: ``[E1] New York [E2] Times [/E2] [/E1]``.
"""

import re
from dataclasses import dataclass

from mmdemo.datasets.schema import WordRules
from mmdemo.photo.opening import open_image
from mmdemo.posts.marks import MARKS, has_marks
from mmdemo.posts.question import check_text
from mmdemo.posts.words import Words, split_words
from mmdemo.types import Ask, ImageSource, InputError, Pair, PhotoWords, Post, Question, Span

#: Most pairs that one post may ask about: as many as 63 entities have.
MOST_PAIRS_ASKED = 4_000


@dataclass(frozen=True, kw_only=True)
class PairedWords(Words):
    """The words of a text without its marks, and the pairs that these mark; places count the marks too."""

    pairs: tuple[Pair, ...]


def read_whole(
    text: str, rules: WordRules, image: ImageSource = None, photo_words: tuple[PhotoWords, ...] = ()
) -> Question:
    """A question for a post's entities and relations: of the pairs that its marks ask about, else of all.

    Raises:
        InputError: no word, text that is too long or not Unicode, marks that do not fit together, or a photo
            that cannot be read.
    """
    check_text(text)
    words = read_pairs(text, rules)
    if not words.tokens:
        raise InputError("the text is empty; type or paste a tweet")
    photo = None if image is None else open_image(image)
    post = Post(text=text, tokens=words.tokens, offsets=words.offsets, image=photo, photo_words=photo_words)
    return Question(post=post, ask=Ask(entities=True, relations=words.pairs or "all"))


def read_pairs(text: str, rules: WordRules) -> PairedWords:
    """Words and pairs of a text that may have marks.

    Raises:
        InputError: a mark is missing, unbalanced or around no word, or heads and tails cannot be paired.
    """
    if not has_marks(text):
        plain = split_words(text, rules)
        return PairedWords(tokens=plain.tokens, offsets=plain.offsets, pairs=())
    tokens: list[str] = []
    offsets: list[Span] = []
    opened: dict[str, int] = {}
    spans: dict[str, list[Span]] = {"[E1]": [], "[E2]": []}
    at = 0
    for piece in re.split(r"(\[/?E[12]\])", text):
        if piece in spans:
            if piece in opened:
                raise InputError(f"{piece} opens twice; close it before you open it once more")
            opened[piece] = len(tokens)
        elif piece in MARKS:
            mark = piece.replace("/", "")
            if mark not in opened:
                raise InputError(f"{piece} closes a mark that is not open")
            spans[mark].append(_span(mark, opened.pop(mark), len(tokens)))
        else:
            words = split_words(piece, rules)
            tokens += words.tokens
            offsets += [(at + start, at + end) for start, end in words.offsets]
        at += len(piece)
    if opened:
        mark = next(iter(opened))
        raise InputError(f"{mark} is never closed; put {mark.replace('[', '[/')} behind its last word")
    return PairedWords(tokens=tuple(tokens), offsets=tuple(offsets), pairs=_paired(*spans.values()))


def _span(mark: str, start: int, end: int) -> Span:
    if start == end:
        raise InputError(f"{mark} marks no word; put at least one word between {mark} and its closing mark")
    return start, end


def _paired(heads: list[Span], tails: list[Span]) -> tuple[Pair, ...]:
    """Which head goes with which tail. Raises InputError where that cannot be told."""
    if not heads or not tails:
        missing = "a head as [E1]…[/E1]" if not heads else "a tail as [E2]…[/E2]"
        raise InputError(f"the marks lack {missing}; without any marks all pairs are asked about")
    if len(heads) == len(tails):
        joined = list(zip(heads, tails, strict=True))
    elif 1 in (len(heads), len(tails)):
        joined = [(head, tail) for head in heads for tail in tails]
    else:
        raise InputError(
            f"{len(heads)} heads [E1] and {len(tails)} tails [E2] cannot be paired; mark as many of both, "
            "or one of either"
        )
    if any(head == tail for head, tail in joined):
        raise InputError("[E1] and [E2] mark the same words; a relation joins two")
    if len(joined) > MOST_PAIRS_ASKED:
        raise InputError(f"the marks ask about {len(joined):,} pairs; at most {MOST_PAIRS_ASKED:,} are read")
    return tuple(Pair(head=head, tail=tail) for head, tail in dict.fromkeys(joined))
