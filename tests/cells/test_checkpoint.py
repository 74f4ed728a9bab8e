"""A cell's folder: what is written comes back, and whatever else is found there is refused by name."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mmdemo.cells import checkpoint
from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder, load_model, save_trunk
from mmdemo.cells.files import save_tensors
from mmdemo.cells.pretrained_base import TRUNK_PARTS, load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from mmdemo.types import InputError
from tests.tiny import lively_model

#: The entity head's parameters.
HEAD = "heads.entities.layers"

FILM = ModelConfig(dataset=find_dataset("twitter2017"), fusion="film", preset="tiny")
CONCAT = ModelConfig(dataset=find_dataset("twitter2017"), fusion="concat", preset="tiny")


@pytest.fixture
def root(tiny_zoo, tmp_path) -> Path:
    """A copy of the zoo's twitter2017 cells, to be damaged."""
    shutil.copytree(tiny_zoo / "tiny" / "twitter2017", tmp_path / "tiny" / "twitter2017")
    return tmp_path


@pytest.fixture
def folder(root) -> Path:
    return cell_folder(root, FILM)


def load(root: Path, folder: Path):
    return load_model(root, folder, load_card(folder))


def refused(root: Path, folder: Path, match: str) -> None:
    """Loading fails with one sentence that names a file."""
    with pytest.raises(InputError, match=match) as caught:
        load(root, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert any(name in message for name in ("config.json", "metrics.json", ".safetensors"))


def change_json(file: Path, **changes) -> None:
    """Set keys of a JSON file; ... removes one."""
    value = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({k: v for k, v in value.items() if v is not ...}))


def accept_hashes(folder: Path) -> None:
    """Make config.json state the files' hashes as they are now: an attacker can do that too."""
    files = json.loads((folder / "config.json").read_text())["files"]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    change_json(folder / "config.json", files=hashes)


def change_tensors(file: Path, change) -> None:
    with safe_open(file, "pt") as stored:
        metadata = stored.metadata()
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata)


# ---------------------------------------------------------------- what is written


def test_a_cell_states_what_it_is(folder):
    card = load_card(folder)
    assert card.config == FILM
    assert card.training == {"data": "random weights", "commit": "none"}
    stated = {"cell": "tiny/twitter2017/roberta-resnet50/film", "seed": 7}
    assert card.metrics == {**stated, "conditions": {"cleaning": False, "seed": 7}}
    assert set(card.files) == {"model.safetensors", "../trunk.safetensors"}


def test_both_places_of_a_trunk_load(root):
    assert set(load_card(cell_folder(root, CONCAT)).files) == {"model.safetensors", "trunk.safetensors"}
    for config in (FILM, CONCAT):
        assert not load(root, cell_folder(root, config)).training


def test_a_trunk_holds_only_what_training_changed(folder):
    names = {name.removesuffix(".codes") for name in load_file(folder.parent / "trunk.safetensors")}
    assert names and all(name.startswith("text_encoder.bert.encoder.") for name in names)


def test_a_cell_holds_no_encoder(folder):
    assert not [n for n in load_file(folder / "model.safetensors") if n.startswith(TRUNK_PARTS)]


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    """A shared trunk is written again with each fusion: its hash must not change under the other cells."""
    tensors = {"b": torch.ones(3), "a": torch.ones(2, 5)}
    files = [tmp_path / str(i) for i in range(8)]
    for file in files:
        save_tensors(file, tensors, 8, {"part": "cell", "cell": "a/b/c", "note": "é"})
    assert len({file.read_bytes() for file in files}) == 1
    assert load_file(files[0])["b"].tolist() == [1, 1, 1]


def test_no_temporary_file_stays(root):
    assert [p.name for p in root.rglob("*") if p.name.startswith(".") or p.name.endswith(".part")] == []


def test_the_tiny_base_is_the_same_every_time(tmp_path):
    models = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        models.append(build_model(FILM))
        load_base(tmp_path, models[-1], "tiny")
    for (name, a), b in zip(models[0].named_parameters(), models[1].parameters(), strict=True):
        assert torch.equal(a, b) or not name.startswith(TRUNK_PARTS), name


def test_loading_the_tiny_base_leaves_the_random_state_alone(tmp_path):
    model = build_model(FILM)
    before = torch.get_rng_state()
    load_base(tmp_path, model, "tiny")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_parameter_that_the_base_lacks_is_stored_whole(tmp_path):
    model, base = lively_model(FILM, tmp_path)
    name = "text_encoder.feature_embedding.weight"
    del base[name]
    save_trunk(tmp_path / "trunk.safetensors", model, base, 16)
    stored = load_file(tmp_path / "trunk.safetensors")[name]
    torch.testing.assert_close(stored.float(), dict(model.named_parameters())[name], rtol=1e-3, atol=1e-4)


# ---------------------------------------------------------------- damaged, missing, foreign files


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "model.safetensors", "../trunk.safetensors"])
def test_a_missing_file_is_named(root, folder, name):
    (folder / name).unlink()
    refused(root, folder, Path(name).name + " is missing or cannot be read")


@pytest.mark.parametrize("name", ["model.safetensors", "../trunk.safetensors"])
@pytest.mark.parametrize("damage", ["flip a bit", "truncate", "empty", "append"])
@pytest.mark.parametrize("hashes_agree", [False, True])
def test_a_damaged_file_is_named(root, folder, name, damage, hashes_agree):
    file = folder / name
    data = bytearray(file.read_bytes())
    if damage == "flip a bit":
        data[12 if hashes_agree else len(data) // 2] ^= 0x80  # in the header, where a hash would not save us
    data = {"truncate": data[: len(data) // 2], "empty": b"", "append": data + b"x"}.get(damage, data)
    file.write_bytes(data)
    if hashes_agree:
        accept_hashes(folder)
    refused(root, folder, Path(name).name + " is (missing or )?damaged")


@pytest.mark.parametrize("name", ["model.safetensors", "../trunk.safetensors"])
def test_another_cells_file_is_refused(root, folder, name):
    other = cell_folder(root, CONCAT)
    shutil.copy(other / Path(name).name, folder / name)
    refused(root, folder, f"{Path(name).name} is damaged or belongs to another checkpoint")


@pytest.mark.parametrize("name", ["model.safetensors", "../trunk.safetensors"])
def test_a_file_replaced_between_check_and_use_is_refused(root, folder, name, monkeypatch):
    file, read = (folder / name).resolve(), checkpoint.read_tensors

    def replace_and_read(asked: Path):
        if asked.resolve() == file:
            (folder / "part").write_bytes(file.read_bytes())
            (folder / "part").rename(file)
        return read(asked)

    monkeypatch.setattr(checkpoint, "read_tensors", replace_and_read)
    with pytest.raises(InputError, match="was replaced while it was read; ask again"):
        load(root, folder)


def test_a_cell_of_another_fusion_does_not_fit(root, folder):
    shutil.copy(cell_folder(root, CONCAT) / "model.safetensors", folder)
    accept_hashes(folder)
    refused(root, folder, "model.safetensors lacks the tensor 'fusion.generator_gamma")


def test_a_pickle_by_another_name_is_refused_and_never_run(root, folder):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (folder / "exploded",))

    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    accept_hashes(folder)
    refused(root, folder, "model.safetensors is missing or damaged")
    assert not (folder / "exploded").exists()


def add_tensor(tensors):
    tensors["heads.entities.surprise"] = torch.zeros(2)


def drop_tensor(tensors):
    del tensors[f"{HEAD}.1.bias"]


def drop_scale(tensors):
    del tensors[f"{HEAD}.1.weight.scale"]


def widen_tensor(tensors):
    tensors[f"{HEAD}.1.bias"] = torch.zeros(33, dtype=torch.float16)


def turn_tensor(tensors):
    tensors[f"{HEAD}.4.weight.codes"] = tensors[f"{HEAD}.4.weight.codes"].T.contiguous()


def retype_codes(tensors):
    tensors[f"{HEAD}.1.weight.codes"] = tensors[f"{HEAD}.1.weight.codes"].to(torch.int32)


def retype_scale(tensors):
    tensors[f"{HEAD}.1.weight.scale"] = tensors[f"{HEAD}.1.weight.scale"].to(torch.float8_e4m3fn)


def put_nan(tensors):
    tensors[f"{HEAD}.1.bias"][3] = float("nan")


def put_infinity(tensors):
    tensors[f"{HEAD}.1.weight.scale"][0] = float("inf")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (add_tensor, "model.safetensors holds tensors that the model lacks: heads.entities.surprise"),
        (drop_tensor, f"model.safetensors lacks the tensor '{HEAD}.1.bias'"),
        (drop_scale, f"model.safetensors lacks the tensor '{HEAD}.1.weight.scale'"),
        (widen_tensor, f"model.safetensors does not fit the model: {HEAD}.1.bias"),
        (turn_tensor, f"model.safetensors does not fit the model: {HEAD}.4.weight.codes"),
        (retype_codes, f"model.safetensors does not fit the model: {HEAD}.1.weight.codes"),
        (retype_scale, f"model.safetensors does not fit the model: {HEAD}.1.weight.scale"),
        (put_nan, rf"model.safetensors holds values that are not finite \({HEAD}.1.bias\)"),
        (
            put_infinity,
            rf"model.safetensors holds values that are not finite \({HEAD}.1.weight\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_refused(root, folder, change, match):
    change_tensors(folder / "model.safetensors", change)
    accept_hashes(folder)
    refused(root, folder, match)


def test_a_trunk_may_not_hold_a_head(root, folder):
    change_tensors(folder / "../trunk.safetensors", lambda t: t.update({f"{HEAD}.1.bias": torch.zeros(32)}))
    accept_hashes(folder)
    refused(root, folder, f"trunk.safetensors holds tensors that the model lacks: {HEAD}.1.bias")


@pytest.mark.parametrize("bits", ["3", "8.0", "many", None])
def test_unknown_bits_are_refused(root, folder, bits):
    file = folder / "model.safetensors"
    save_file(load_file(file), file, {"bits": bits} if bits else {"format": "1"})
    accept_hashes(folder)
    refused(root, folder, "model.safetensors is missing or damaged")


# ---------------------------------------------------------------- config.json and metrics.json


@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b"null",
        b"\xff\xfe\x00",
        b"\x80\x04\x95",
        b"[" * 100_000,
        b'{"a": ' * 100_000,
    ],
    ids=["empty", "words", "list", "null", "UTF-16", "binary", "deep list", "deep object"],
)
def test_json_that_is_none_is_refused(root, folder, name, content):
    (folder / name).write_bytes(content)
    refused(root, folder, f"{name} is damaged")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": 3}, "is of format 3; this version reads formats 1 and 2"),
        ({"format": ...}, "lacks 'format'"),
        ({"labels": {"entities": ["O", "B-PER"]}}, "lists other labels than the record of twitter2017 has"),
        ({"labels": ...}, "lacks 'labels'"),
        ({"labels": None}, "lists other labels"),
        ({"config": ...}, "lacks 'config'"),
        ({"config": []}, "is not a checkpoint's configuration"),
        ({"config": {}}, "lacks 'dataset'"),
        ({"config": {"dataset": "twitter2019"}}, "names the dataset 'twitter2019' and has the record of"),
        ({"config": {"dataset": ["mnre"]}}, "names the dataset"),
        ({"config": {"dataset": "twitter2017", "surprise": 1}}, "surprise"),
        ({"config": {"dataset": "twitter2017", "dropout": "high"}}, "dropout is 'high'"),
        ({"config": {"dataset": "twitter2017", "dropout": 5}}, "dropout is 5"),
        ({"config": {"dataset": "twitter2017", "clean_text": "no"}}, "clean_text is 'no'"),
        ({"training": [1]}, "is not a checkpoint's configuration"),
        ({"training": "x"}, "is not a checkpoint's configuration"),
        ({"files": ...}, "lacks 'files'"),
        ({"files": []}, "is not a checkpoint's configuration"),
        ({"files": {}}, "names other files"),
        ({"files": {"model.safetensors": "0"}}, "names other files"),
        ({"files": {"trunk.safetensors": "0", "../trunk.safetensors": "0"}}, "names other files"),
        ({"files": {"model.safetensors": "0", "../../../../etc/passwd": "0"}}, "names other files"),
        ({"files": {"model.safetensors": "0", "/etc/passwd": "0"}}, "names other files"),
        ({"files": {"model.safetensors": "0", "trunk.safetensors": "0", "x": "0"}}, "names other files"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_is_refused(root, folder, changes, match):
    change_json(folder / "config.json", **changes)
    refused(root, folder, match)


def test_metrics_of_another_cell_are_refused(root, folder):
    shutil.copy(cell_folder(root, CONCAT) / "metrics.json", folder)
    refused(root, folder, "metrics.json belongs to another checkpoint")


def test_another_datasets_configuration_does_not_fit(root, folder, tiny_zoo):
    other = cell_folder(tiny_zoo, ModelConfig(dataset=find_dataset("mnre"), preset="tiny"))
    for name in ("config.json", "metrics.json"):
        shutil.copy(other / name, folder)
    accept_hashes(folder)
    refused(root, folder, "model.safetensors lacks the tensor 'heads.relations.layers.1.")
