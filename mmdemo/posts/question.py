"""What a person typed and uploaded, as a post to answer; and what in it makes an answer doubtful."""

from mmdemo.models.config import DATASETS
from mmdemo.photo.image import open_image
from mmdemo.posts.text import has_marks, read_marks, split_words
from mmdemo.types import ImageSource, InputError, Post, quoted

#: Beyond this, splitting itself would take long; models read the first 128 sub-tokens anyway.
MAX_CHARACTERS = 200_000


def read_post(text: str, dataset: str, image: ImageSource = None) -> Post:
    """A post from what a person typed and uploaded, checked and split as the dataset's models expect.

    Raises:
        InputError: unknown dataset, no word, text that is not Unicode, marks that do not fit the task, or a
            photo that cannot be read.
    """
    if dataset not in DATASETS:
        raise InputError(f"unknown dataset {quoted(dataset)}; known: {', '.join(DATASETS)}")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be read")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError("the text holds bytes that are not UTF-8, or half of a surrogate pair") from error
    photo = None if image is None else open_image(image)
    if DATASETS[dataset].task == "re":
        words, pair = read_marks(text, dataset)
        return Post(text=text, tokens=tuple(words), image=photo, pair=pair)
    if has_marks(text):
        raise InputError(
            f"[E1]/[E2] marks ask for a relation, but {dataset} finds entities; remove them or choose mnre"
        )
    words = split_words(text, dataset)
    if not words:
        raise InputError("the text is empty; type or paste a tweet")
    return Post(text=text, tokens=tuple(words), image=photo)


def input_warnings(post: Post, cut: tuple[int, ...]) -> list[str]:
    """Sentences about a post without a photo, cut short (``cut``: the words left out), or without letters."""
    warnings = []
    if post.image is None:
        warnings.append("No photo was given: the answer comes from the text alone.")
    if cut:
        first = min(cut)
        warnings.append(
            f"The text is longer than the model reads: {len(cut)} of {len(post.tokens)} words were left out, "
            f"the first of them word {first + 1} ({post.tokens[first][:30]!r})."
        )
    if not any(character.isalnum() for word in post.tokens for character in word):
        warnings.append("The text holds no letters or digits, only symbols: there is little to find.")
    return warnings
