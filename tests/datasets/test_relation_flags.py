"""What a record says of a relation beside its types: functional, one way."""

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.datasets.records import read_record, record_of
from mmdemo.datasets.toml_file import read_toml, write_toml
from mmdemo.types import InputError

RECORD = {
    "name": "towns",
    "title": "Towns",
    "tasks": ["relations"],
    "relations": [{"label": "born in", "functional": True}, {"label": "parent", "one_way": True}],
}


def test_the_flags_are_read_and_written(tmp_path):
    towns = read_record(RECORD, "here")
    born, parent = towns.relations
    assert (born.functional, born.one_way, parent.functional, parent.one_way) == (True, False, False, True)
    assert read_record(record_of(towns), "here") == towns
    (tmp_path / "dataset.toml").write_text(write_toml(towns))
    assert read_toml(tmp_path) == towns


def test_a_symmetric_relation_is_not_one_way():
    row = {"label": "friend", "symmetric": True, "one_way": True}
    with pytest.raises(InputError, match="relations.friend.one_way cannot be true of a symmetric relation"):
        read_record({**RECORD, "relations": [row]}, "here")


def test_records_without_the_flags_are_as_they_were():
    for kind in record_of(find_dataset("mnre"))["relations"]:
        assert kind.get("functional", True) is True and kind.get("one_way", True) is True
    assert find_dataset("mnre").relation_type("/per/loc/place_of_birth").functional
