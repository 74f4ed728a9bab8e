"""``python -m mmdemo predict``."""

from typing import Any

from mmdemo.commands.options import (
    FUSION,
    MODEL,
    AsJson,
    CellText,
    DatasetOrCell,
    Description,
    Fusion,
    Model,
    Photo,
    Preset,
    Text,
    cell_of,
    described,
    example,
    told,
)
from mmdemo.terminal import say, say_json

HELP = told(
    "Predict the entities of a post, or the relation of its marked pair.",
    example("predict", "relations", "--image", "photo.jpg"),
    example("predict", "entities", "--fusion", FUSION, "--description", "A basketball player in an arena"),
)


def predict(
    text: Text,
    dataset: DatasetOrCell = None,
    model: Model = MODEL,
    fusion: Fusion = FUSION,
    preset: Preset = "lite",
    cell: CellText = None,
    image: Photo = None,
    description: Description = None,
    as_json: AsJson = False,
) -> None:
    """Answer one post and print the answer."""
    from mmdemo.answer import predict as answering
    from mmdemo.answer.answer_json import prediction_json
    from mmdemo.answer.photo_words import words_for
    from mmdemo.posts.question import read_post

    chosen = cell_of(dataset, model, fusion, preset, cell)
    words = words_for([chosen], image, described(description))
    question = read_post(text, chosen.dataset, image, words)
    answer = prediction_json(answering.predict(question, chosen))
    say_json(answer) if as_json else say(*lines(answer))


def lines(answer: dict[str, Any]) -> list[str]:
    """An answer for a terminal: a line an entity or relation, then notes and who answered."""
    found = [f"{e['score']:6.1%}  {e['label']:5} {e['text']}" for e in answer.get("entities", [])]
    one_pair = "head" in answer
    for relation in answer.get("relations", []):
        ends = "" if one_pair else f"  {relation['head']['text']} → {relation['tail']['text']}"
        found.append(f"{relation['score']:6.1%}  {relation['label']}{ends}")
    found = found or ["no entity found"]
    found += [f"note: {warning}" for warning in answer["warnings"]]
    return [*found, f"by {answer['checkpoint']}, {_evidence(answer)}"]


def _evidence(answer: dict[str, Any]) -> str:
    """What was read beside the text."""
    photo = "with the photo" if answer["image_used"] else "without a photo"
    if not answer["photo_words"]:
        return photo
    if answer["photo_words_used"]:
        return f"{photo}, with the words of the photo"
    return f"{photo}; it does not read the words of photos"
