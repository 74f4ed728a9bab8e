"""The way in for everything that answers: questions -> what a cell's model says of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from mmdemo.cells import catalogue, gpu
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.locate import Cell
from mmdemo.cells.zoo import LoadedCell
from mmdemo.models.batch import Example, collate
from mmdemo.models.decode import decode_entities, decode_relations, entropy, looks_untrained, softmax
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.model import ModelOutput
from mmdemo.models.photo_cache import SEEN
from mmdemo.models.regions import labels_of
from mmdemo.models.seen import encoded, fused
from mmdemo.photo.opening import open_image
from mmdemo.posts.question import input_warnings
from mmdemo.types import Ask, Entity, InputError, Pair, Prediction, Question, RegionLabel, Relation

#: Pairs of one batch: of many entities every ordered pair may be asked.
MOST_PAIRS = 64


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that a question asks: a post's entities (``pair`` None), or the relation of a pair."""

    place: int  # of its question among those that are answered together
    words: tuple[str, ...]
    pair: Pair | None
    example: Example
    photo_words_used: bool = False


@dataclass(frozen=True, kw_only=True)
class PartAnswer:
    """What a model says of a part. ``untrained``: even its best score is near chance.

    ``probabilities`` are the calibrated ones: words x tags, NaN where a word was not read and only up to the
    last word that was; or, of a pair, one for each relation.
    """

    part: Part
    probabilities: np.ndarray
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    entropy: float
    unread: tuple[int, ...]
    trace: dict[str, np.ndarray]
    regions: tuple[RegionLabel, ...]
    untrained: bool


@gpu.on_gpu
def predict(question: Question, cell: Cell) -> Prediction:
    """Entities, relations of the asked pairs, or both, of one post by one cell.

    Raises:
        InputError: the checkpoint is missing or damaged, the photo cannot be read, or the question asks what
            the cell was not trained to find.
    """
    return predict_many([question], cell)[0]


def predict_many(questions: Sequence[Question], cell: Cell) -> list[Prediction]:
    """`predict` for questions that one forward pass takes together; posts of like length waste the least.

    A post's answer does not depend on the others but for the last digits of its scores.

    Raises:
        InputError: as `predict`, for any one of the questions.
    """
    loaded = catalogue.load(cell)
    parts = read_parts(questions, loaded)
    found = [answer for batch in batches_of(parts) for answer in scored(batch, cell, loaded)]
    answers = assemble(questions, cell, found)
    if any(question.ask.relations == "all" for question in questions):
        answers = _with_all_relations(answers, cell, loaded)
    return answers


def read_parts(questions: Sequence[Question], loaded: LoadedCell) -> list[Part]:
    """What is asked, as the model takes it, photos as their regions.

    Raises:
        InputError: as `predict`.
    """
    parts: list[Part] = []
    for place, question in enumerate(questions):
        wanted = _pairs_asked(question, loaded)
        post = question.post
        photo = None if post.image is None else open_image(post.image)
        plain = replace(post, entities=None, tags=None, relations=None)  # may be another dataset's
        pixels = None if photo is None else loaded.encoder.pixels(photo)
        for pair in wanted:
            example = replace(loaded.encoder.encode(plain, None, pair), pixels_CHW=pixels)
            used = bool(post.photo_words) and reads_photo_words(loaded)
            parts.append(
                Part(place=place, words=post.tokens, pair=pair, example=example, photo_words_used=used)
            )
    filled = SEEN.fill([part.example for part in parts], loaded.model.image_encoder, loaded.device)
    return [replace(part, example=example) for part, example in zip(parts, filled, strict=True)]


def reads_photo_words(loaded: LoadedCell) -> bool:
    """Whether a cell's model reads the words of photos; those of before such words do not say."""
    return getattr(loaded.card.config, "photo_words", False) is True


def _pairs_asked(question: Question, loaded: LoadedCell) -> list[Pair | None]:
    """The parts of a question: None for the entities, then each pair."""
    dataset, ask = loaded.dataset, question.ask
    if ask.relations and not dataset.has_relations:
        raise InputError(f"{loaded.card.name} finds entities; it does not tell relations")
    pairs: list[Pair] = []
    if ask.relations == "all":
        if not dataset.has_entities:
            pairs = all_pairs(question.post.entities or (), loaded)
    else:
        pairs = list(ask.relations)
    for span in (span for pair in pairs for span in (pair.head, pair.tail)):
        if not 0 <= span[0] < span[1] <= len(question.post.tokens):
            raise InputError(f"words {span[0]}-{span[1]} are not words of the post")
    find_entities = dataset.has_entities and (ask.entities or ask.relations == "all")
    if not find_entities and not pairs and ask.relations != "all":
        if not dataset.has_relations:
            raise InputError("nothing is asked: ask for the entities")
        raise InputError("mark the head as [E1]…[/E1] and the tail as [E2]…[/E2]")
    return [*([None] if find_entities else []), *pairs]


def all_pairs(entities: Sequence[Entity], loaded: LoadedCell) -> list[Pair]:
    """Every ordered pair of entities that some relation of the cell's dataset may join."""
    return [
        Pair(head=(one.start, one.end), tail=(other.start, other.end))
        for one, other in permutations(entities, 2)
        if len(loaded.dataset.relations_between(_known(one, loaded), _known(other, loaded))) > 1
    ]


def _known(entity: Entity, loaded: LoadedCell) -> str | None:
    """The label as the dataset has it; None where it is another dataset's."""
    return entity.label if entity.label in loaded.dataset.entity_labels else None


def batches_of(parts: Sequence[Part]) -> list[list[Part]]:
    """Entities together, pairs together: each is one pass through a head of its own."""
    entities = [part for part in parts if part.pair is None]
    pairs = [part for part in parts if part.pair is not None]
    split = [pairs[start : start + MOST_PAIRS] for start in range(0, len(pairs), MOST_PAIRS)]
    return [batch for batch in (entities, *split) if batch]


def scored(parts: Sequence[Part], cell: Cell, loaded: LoadedCell) -> list[PartAnswer]:
    """What the cell says of parts of one kind, by one pass. Raises InputError as `answers_of`."""
    batch = collate([part.example for part in parts]).to(loaded.device)
    seen = fused(loaded.model, encoded(loaded.model, batch))
    return answers_of(parts, cell, loaded, seen.output)


def answers_of(
    parts: Sequence[Part], cell: Cell, loaded: LoadedCell, output: ModelOutput
) -> list[PartAnswer]:
    """What a model's output says of each part. Raises InputError where its scores are not finite."""
    logits = output.logits.float().cpu().numpy()
    answers = []
    for row, part in enumerate(parts):
        text = part.example.text
        own = logits[row] if part.pair is not None else logits[row, : len(text.first)]
        there = _regions(output, row)
        trace = {
            name: _unpadded(name, value[row].float().cpu().numpy(), len(text.ids), there)
            for name, value in output.trace.items()
            if len(there)  # beside others' photos its values would say nothing
        }
        said = part.example.words if loaded.card.config.photo_words else None
        answers.append(_answer(part, cell, loaded, own, trace, labels_of(len(there), said)))
    return answers


def _regions(output: ModelOutput, row: int) -> np.ndarray:
    """The places of the regions that a post of a batch has: patches, then sub-tokens of the photo's words."""
    mask_BR = output.region_mask_BR
    return np.flatnonzero(mask_BR[row].cpu().numpy() if mask_BR is not None else [])


def _unpadded(name: str, value: np.ndarray, length: int, regions: np.ndarray) -> np.ndarray:
    """A post's own part of a batch's trace; the name's letters (``gamma_BLD``) say which axis is padded."""
    for number, axis in enumerate(name.rpartition("_")[2].removeprefix("B")):
        if axis == "L":
            value = value[(slice(None),) * number + (slice(length),)]
        elif axis == "R":
            value = value.take(regions, number)
    return value


def _answer(
    part: Part,
    cell: Cell,
    loaded: LoadedCell,
    logits: np.ndarray,
    trace: dict[str, np.ndarray],
    regions: tuple[RegionLabel, ...],
) -> PartAnswer:
    if not np.isfinite(logits).all():
        raise InputError(f"the checkpoint {cell.name} gave no finite scores; its files may be damaged")
    dataset, first_W = loaded.dataset, np.array(part.example.text.first)
    seen = first_W >= 0  # the head's scores of other words mean nothing
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    if part.pair is not None:
        probabilities = Calibration.of(loaded.card.metrics, "relations").probabilities(logits)
        relations = decode_relations(probabilities, dataset.relation_labels, part.pair)
        scored = logits
    else:
        calibration = Calibration.of(loaded.card.metrics, "entities")
        probabilities = np.where(seen[:, None], calibration.probabilities(logits), np.nan)
        # What lies beyond the last word read has no scores: of 100,000 words nobody sends so many rows.
        probabilities = probabilities[: int(np.flatnonzero(seen)[-1]) + 1 if seen.any() else 0]
        entities = calibration.entities(decode_entities(probabilities, part.words, dataset.tags))
        scored = logits[seen]
    return PartAnswer(
        part=part,
        probabilities=probabilities,
        entities=entities,
        relations=relations,
        entropy=entropy(probabilities),
        unread=tuple(np.flatnonzero(~seen).tolist()),
        trace=trace,
        regions=regions,
        untrained=bool(scored.size) and looks_untrained(softmax(scored)),
    )


def assemble(questions: Sequence[Question], cell: Cell, found: Sequence[PartAnswer]) -> list[Prediction]:
    """Each question's answers as one prediction; trace, warnings and unread words are of its first part."""
    predictions = []
    for place, question in enumerate(questions):
        own = [answer for answer in found if answer.part.place == place]
        predictions.append(_prediction(question, cell, own))
    return predictions


def _prediction(question: Question, cell: Cell, own: Sequence[PartAnswer]) -> Prediction:
    post = question.post
    words_used = bool(own) and own[0].part.photo_words_used
    warnings = input_warnings(post, own[0].part.example.text.cut if own else (), words_used)
    if any(answer.untrained for answer in own):
        warnings.append("The best score is near chance: this checkpoint looks untrained.")
    return Prediction(
        post=post,
        ask=question.ask,
        checkpoint=cell.name,
        image_used=post.image is not None and FUSIONS[cell.fusion].reads != "text",
        photo_words_used=words_used,
        entities=tuple(entity for answer in own for entity in answer.entities),
        relations=tuple(relation for answer in own for relation in answer.relations),
        warnings=tuple(warnings),
        trace=own[0].trace if own else {},
        regions=own[0].regions if own else (),
        entropy=sum(answer.entropy for answer in own) if own else None,
        unread=own[0].unread if own else (),
    )


def _with_all_relations(answers: Sequence[Prediction], cell: Cell, loaded: LoadedCell) -> list[Prediction]:
    """A second round for those who asked for "all" of a cell of both tasks: pairs of the entities found."""
    if not loaded.dataset.has_entities:
        return list(answers)
    places = [
        (place, all_pairs(answer.entities, loaded))
        for place, answer in enumerate(answers)
        if answer.ask.relations == "all"
    ]
    questions = [
        Question(post=answers[place].post, ask=Ask(entities=False, relations=tuple(pairs)))
        for place, pairs in places
        if pairs
    ]
    more = iter(predict_many(questions, cell) if questions else ())
    whole = list(answers)
    for place, pairs in places:
        if pairs:
            found, before = next(more), whole[place]
            total = (before.entropy or 0.0) + (found.entropy or 0.0)
            whole[place] = replace(before, relations=found.relations, entropy=total)
    return whole
