"""A row's model and loss: each cell gets what it would get alone, and who reads less learns from others."""

from dataclasses import replace

import pytest
import torch

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Batch, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import build_model
from mmdemo.types import Entity, PhotoWords, Post
from train.fit.parameter_groups import parameter_groups
from train.fit.recipe import Recipe
from train.fit.rows.loss import alignment, disagreement, row_loss, twice
from train.fit.rows.model import RowModel, beside_text, with_words
from train.fit.rows.stage import fresh_row
from train.fit.streams import named_dropout

FUSIONS = ("film", "cross-attention", "text-only", "image-only")
SAID = (PhotoWords(source="described", text="a man in Oakland"),)
POSTS = (
    ("Ann sees Oakland", SAID, ((0, "PER"), (2, "LOC"))),
    ("Go", (), ()),
    ("in Oakland tonight , at last", SAID, ((1, "LOC"),)),
    ("Bob rests", (), ((0, "PER"),)),
)
WAYS = [("roberta-resnet50", True), ("roberta-resnet50", False), ("blip", False), ("vilt", False)]


def config(model: str, in_text: bool) -> ModelConfig:
    return ModelConfig(
        dataset=find_dataset("twitter2017"),
        model=model,
        preset="tiny",
        photo_words=True,
        words_in_text=in_text,
        fusion="film",
    )


def row_and_batch(reader, tmp_path, model: str = "roberta-resnet50", in_text: bool = True):
    """A row with lively weights; of the posts two have words, the first and the last a photo."""
    own = config(model, in_text)
    row = fresh_row(own, FUSIONS, Recipe(), tmp_path)
    with torch.no_grad():
        for parameter in row.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    encoder = PostEncoder(own, reader, own.sides.normalisation)
    examples = []
    for text, said, labels in POSTS:
        entities = tuple(Entity(start=at, end=at + 1, label=label) for at, label in labels)
        post = Post(text=text, tokens=tuple(text.split()), photo_words=said, entities=entities)
        examples.append(encoder.encode(post, None))
    for at in (0, 3):
        examples[at] = replace(examples[at], regions_RD=torch.randn(49, row.image_encoder.width))
    return row.eval(), collate(examples)


@pytest.mark.parametrize(("model", "in_text"), WAYS)
def test_each_cell_answers_as_it_would_alone(reader, tmp_path, model, in_text):
    row, batch = row_and_batch(reader, tmp_path, model, in_text)
    with torch.inference_mode():
        found = row(batch)
        assert tuple(found) == FUSIONS
        for name, cell in row.by_fusion().items():
            torch.testing.assert_close(found[name].logits, cell(batch).logits, atol=1e-5, rtol=1e-4)


def test_who_has_what_beside_the_text(reader, tmp_path):
    _, batch = row_and_batch(reader, tmp_path)
    assert with_words(batch).tolist() == [True, False, True, False]
    assert beside_text(batch).tolist() == [True, False, True, True]
    bare = batch.without_images()
    assert not with_words(bare).any() and not beside_text(bare).any()


def test_the_encoder_runs_once_and_for_the_text_alone_only_where_it_must(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    sizes = []
    row.text_encoder.bert.register_forward_pre_hook(
        lambda _, args, kwargs: sizes.append(tuple(kwargs["inputs_embeds"].shape[:2])), with_kwargs=True
    )
    row(batch)
    length, words = batch.ids_BL.shape[1], batch.words.ids_BK.shape[1]
    assert len(sizes) == 3, "both sides, the text alone, the photo alone"
    assert sizes[0] == (4, length + words - 1), "no padding between text and words"
    assert sizes[1] == (2, length), "two posts have words"
    assert sizes[2] == (4, words), "the start of the text, then the words"


@pytest.mark.parametrize(("model", "in_text"), WAYS)
def test_the_photo_alone_does_not_shape_the_trunk(reader, tmp_path, model, in_text):
    row, batch = row_and_batch(reader, tmp_path, model, in_text)
    row(batch)["image-only"].logits.sum().backward()
    assert all(p.grad is None for p in row.text_encoder.parameters())
    row(batch)["text-only"].logits.sum().backward()
    assert any(p.grad is not None for p in row.text_encoder.parameters())


def test_alignment_moves_the_text_alone(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    value = alignment(row.by_fusion(), row(batch), batch)
    assert value > 0
    value.backward()
    moved = {
        n.split(".")[1] for n, p in row.named_parameters() if p.grad is not None and n.startswith("cells")
    }
    assert moved == {"text-only"}
    texts = RowModel({name: row.by_fusion()[name] for name in ("text-only",)})
    assert alignment(texts.by_fusion(), texts(batch), batch) == 0, "nobody to learn from"
    bare = batch.without_images()
    assert alignment(row.by_fusion(), row(bare), bare) == 0, "nothing beside the text"


def test_alignment_is_the_divergence_of_the_words_that_count(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    found = row(batch)
    p = (found["film"].logits.softmax(-1) + found["cross-attention"].logits.softmax(-1)) / 2
    q = found["text-only"].logits.softmax(-1)
    counted = (batch.targets != -100) & torch.tensor([True, False, True, True])[:, None]
    wanted = (p * (p / q).log()).sum(-1)[counted].mean()
    torch.testing.assert_close(alignment(row.by_fusion(), found, batch), wanted)


def test_r_drop_compares_two_passes_of_the_same_posts(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    doubled = twice(batch)
    assert len(doubled.ids_BL) == 8 and torch.equal(doubled.targets[4:], batch.targets)
    assert disagreement(row(doubled), doubled).abs() < 1e-6, "no dropout, no difference"
    assert disagreement(row.train()(doubled), doubled) > 1e-4


def test_the_loss_is_the_mean_of_the_cells_and_weights_add_to_it(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    found = row(batch)
    own = [cell.head_for(batch).loss(found[name].logits, batch) for name, cell in row.by_fusion().items()]
    plain = row_loss(row, found, batch, Recipe())
    torch.testing.assert_close(plain, torch.stack(own).mean())
    more = row_loss(row, found, batch, Recipe(align=0.5))
    torch.testing.assert_close(more, plain + 0.5 * alignment(row.by_fusion(), found, batch))


def test_a_cell_starts_and_drops_the_same_whatever_stands_beside_it(reader, tmp_path):
    own = config("roberta-resnet50", True)
    few, many = (fresh_row(own, names, Recipe(), tmp_path) for names in (("concat",), ("film", "concat")))
    for (name, one), two in zip(
        few.by_fusion()["concat"].named_parameters(), many.by_fusion()["concat"].parameters(), strict=True
    ):
        assert torch.equal(one, two), name
    _, batch = row_and_batch(reader, tmp_path)
    logits = []
    for row in (few.train(), many.train()):
        with named_dropout(row, 7, 0):
            row(batch)
            logits.append(row(batch)["concat"].logits)
    assert torch.equal(*logits)
    with named_dropout(few, 7, 1):
        assert not torch.equal(few(batch)["concat"].logits, logits[0])


def test_the_cells_parts_train_at_the_rates_of_a_cell(tmp_path):
    recipe = Recipe(text_lr=1e-4, embedding_lr=0.0, image_lr=0.0, fusion_lr=1e-3, head_lr=1e-2)
    own = config("roberta-resnet50", True)
    row = fresh_row(own, ("film", "text-only"), recipe, tmp_path)
    alone = build_model(replace(own, fusion="film"))

    def rates(model) -> dict[str, tuple[float, float]]:
        names = {id(p): n for n, p in model.named_parameters()}
        return {
            names[id(p)]: (group["lr"], group["weight_decay"])
            for group in parameter_groups(model, recipe)
            for p in group["params"]
        }

    of_row = rates(row)
    for name, rate in rates(alone).items():
        assert of_row[name if name.startswith("text_encoder") else f"cells.film.{name}"] == rate
    assert not any(name.startswith("image_encoder") for name in of_row)


def test_padding_between_text_and_words_changes_nothing(reader, tmp_path):
    row, batch = row_and_batch(reader, tmp_path)
    cell = row.by_fusion()["film"]

    def states(chosen: list[int]) -> torch.Tensor:
        fields = {
            name: value[chosen] if isinstance(value, torch.Tensor) else value
            for name, value in vars(batch).items()
        }
        return cell.encode(Batch(**fields)).tokens_BLD[0, batch.mask_BL[0]]

    torch.testing.assert_close(states([0]), states([0, 2]), atol=1e-5, rtol=1e-4)
