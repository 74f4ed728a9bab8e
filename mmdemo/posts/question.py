"""What a person typed and uploaded, as a question to answer; and what in it makes an answer doubtful."""

from dataclasses import replace

from mmdemo.datasets.schema import Dataset, WordRules
from mmdemo.photo.opening import open_image
from mmdemo.posts.marks import has_marks, read_marks
from mmdemo.posts.words import split_words
from mmdemo.types import Ask, ImageSource, InputError, PhotoWords, Post, Question, quoted

#: Beyond this, splitting itself would take long; models read the first 128 sub-tokens anyway.
MAX_CHARACTERS = 200_000


def read_post(
    text: str, dataset: Dataset, image: ImageSource = None, photo_words: tuple[PhotoWords, ...] = ()
) -> Question:
    """A question from what a person typed and uploaded, checked and split as the dataset's models expect.

    Marks ask for the relation of their pair; without any, the entities are asked for. ``photo_words`` are
    what is known of the photo in words, checked already (`mmdemo.formats.shared.photo_words`).

    Raises:
        InputError: no word, text that is not Unicode, marks that do not fit the dataset's tasks, or a photo
            that cannot be read.
    """
    row = read_text(text, dataset)
    photo = None if image is None else open_image(image)
    return replace(row, post=replace(row.post, image=photo, photo_words=photo_words))


def read_text(text: str, dataset: Dataset | None) -> Question:
    """`read_post` without a photo; where the dataset is None, marks may stand or not.

    Raises:
        InputError: as `read_post`.
    """
    check_text(text)
    marked = has_marks(text)
    rules = dataset.words if dataset else WordRules()
    if marked if dataset is None else dataset.has_relations and (marked or not dataset.has_entities):
        words = read_marks(text, rules)
        post = Post(text=text, tokens=words.tokens, offsets=words.offsets)
        return Question(post=post, ask=Ask(entities=False, relations=(words.pair,)))
    if marked and dataset is not None:
        raise InputError(
            f"[E1]/[E2] marks ask for a relation, but {dataset.title} finds entities; remove them or choose "
            "a dataset with relations"
        )
    plain = split_words(text, rules)
    if not plain.tokens:
        raise InputError("the text is empty; type or paste a tweet")
    return Question(post=Post(text=text, tokens=plain.tokens, offsets=plain.offsets), ask=Ask(entities=True))


def check_text(text: str) -> None:
    """Raises InputError for a text that is too long to be split, or no Unicode."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be read")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError("the text holds bytes that are not UTF-8, or half of a surrogate pair") from error


def input_warnings(post: Post, cut: tuple[int, ...], words_used: bool = False) -> list[str]:
    """Sentences about a post without a photo, cut short (``cut``: the words left out), or without letters.

    ``words_used``: what its photo says in words was read.
    """
    warnings = []
    if post.image is None and not words_used:
        warnings.append("No photo was given: the answer comes from the text alone.")
    if cut:
        first = min(cut)
        warnings.append(
            f"The text is longer than the model reads: {len(cut)} of {len(post.tokens)} words were left out, "
            f"the first of them word {first + 1} ({quoted(post.tokens[first])})."
        )
    if not any(character.isalnum() for word in post.tokens for character in word):
        warnings.append("The text holds no letters or digits, only symbols: there is little to find.")
    return warnings
