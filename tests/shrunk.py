"""The preset ``full`` with its real classes at a size for tests, and published weights of that size.

`shrink` patches the tables of sizes; `publish` writes random models as their authors' Hub folders hold them.
"""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet
from transformers import (
    BertConfig,
    BertForPreTraining,
    BlipConfig,
    BlipForQuestionAnswering,
    BlipTextConfig,
    BlipVisionConfig,
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    RobertaConfig,
    RobertaForMaskedLM,
    ViltConfig,
    ViltForMaskedLM,
)

from mmdemo.cells.files import file_hash
from mmdemo.models import config
from mmdemo.models.encoders import full as full_encoders
from mmdemo.models.encoders import published as published_encoders
from tests.tiny import TOKENIZER

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
BERT = {**SMALL, "vocab_size": 30522}
BLIP_VISION = {**SMALL, "image_size": 96, "patch_size": 16, "initializer_range": 0.02}
BLIP_TEXT = {**SMALL, "vocab_size": 30524, "encoder_hidden_size": 32}
VILT = {**SMALL, "image_size": 96, "patch_size": 16}
ROBERTA = {**SMALL, "vocab_size": 30522, "max_position_embeddings": 140, "type_vocab_size": 1}

SIZES = {
    "roberta-large": RobertaConfig(**ROBERTA),
    "bert-base": BertConfig(**BERT),
    "clip-vision": CLIPVisionConfig(**SMALL, image_size=64, patch_size=16),
    "blip-vision": BlipVisionConfig(**BLIP_VISION),
    "blip-text": BlipTextConfig(**BLIP_TEXT, attn_implementation="eager"),
    "vilt": ViltConfig(**VILT, max_position_embeddings=128, attn_implementation="eager"),
}


def small_resnet() -> ResNet:
    """Statistics stay as they are, even where a test forgets to freeze them as `train.fit.loop` does."""
    norm = partial(nn.BatchNorm2d, momentum=0.0)
    return ResNet(Bottleneck, [1, 1, 1, 1], width_per_group=4, norm_layer=norm)


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Let the preset ``full`` build its classes at `SIZES`, 32 wide, for photos of 64x64."""
    for name, sizes in SIZES.items():
        patch.setitem(full_encoders.SIZES, name, sizes)
    patch.setattr(full_encoders, "resnet50", small_resnet)
    patch.setitem(config.PRESETS, "full", config.Preset(width=32, image_size=64, head_hidden=32))


def publish(root: Path, patch: pytest.MonkeyPatch) -> Path:
    """A folder for ``--weights-root``: each source as its own library saves it, in float16's numbers."""
    torch.manual_seed(11)
    vision = {**SMALL, "image_size": 64, "patch_size": 16}
    clip = CLIPConfig(vision_config=vision, text_config={**SMALL, "vocab_size": 99}, projection_dim=16)
    blip = BlipConfig(text_config=BLIP_TEXT, vision_config=BLIP_VISION)
    for name, model in (
        ("roberta-large", RobertaForMaskedLM(RobertaConfig(**ROBERTA))),
        ("bert-base-uncased", BertForPreTraining(BertConfig(**BERT))),
        ("clip-vit-base-patch32", CLIPModel(clip)),
        ("blip-vqa-base", BlipForQuestionAnswering(blip)),
        ("vilt-b32-mlm", ViltForMaskedLM(ViltConfig(**VILT, max_position_embeddings=40))),
    ):
        model.half().save_pretrained(root / name)
        shutil.copy(TOKENIZER, root / name / "tokenizer.json")
    byte_tokenizer().save(str(root / "roberta-large" / "tokenizer.json"))
    (root / "resnet50").mkdir()
    file = root / "resnet50" / "unnamed.pth"
    torch.save(small_resnet().half().state_dict(), file)
    named = file.rename(file.with_name(f"resnet50-{file_hash(file)[:8]}.pth"))
    patch.setattr(published_encoders, "RESNET", _Enum(named.name))
    return root


class _Enum:
    """Stands in for torchvision's enum member: another file, the same way to it."""

    def __init__(self, name: str) -> None:
        self.url = f"https://download.pytorch.org/models/{name}"

    def get_state_dict(self, **options: object) -> dict[str, torch.Tensor]:
        return torch.hub.load_state_dict_from_url(self.url, **options)


def byte_tokenizer() -> Tokenizer:
    """A vocabulary over bytes as RoBERTa's: its special entries, ``madeupword``s, no space at the start."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Kevin Durant visits Oakland"] * 3, trainer)
    stated = json.loads(tokenizer.to_str())
    vocabulary = stated["model"]["vocab"]
    for i in range(3):
        vocabulary[f"madeupword000{i}"] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(stated))
