"""Weights in few bits: how far a stored value may be off, and what is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mmdemo.cells.quantise import BITS, GROUP, pack, stored_names, unpack, unpack_all

#: Values from far below float16's range to the size of any weight.
VALUES = st.one_of(st.floats(-8, 8, width=32), st.floats(-(2.0**-20), 2.0**-20, width=32))
MATRICES = arrays("float32", array_shapes(min_dims=2, max_dims=4, max_side=7), elements=VALUES)


@given(MATRICES, st.sampled_from([4, 5, 6, 8]))
def test_each_value_is_off_by_half_a_step_at_most(matrix, bits):
    tensor = torch.from_numpy(matrix)
    found = unpack("w", pack("w", tensor, bits), tensor.shape, bits)
    assert found.shape == tensor.shape and found.dtype == torch.float32
    rows, off = tensor.flatten(1), (found - tensor).flatten(1).abs()
    step = (
        rows.abs().amax(1) / {4: 7, 5: 15, 6: 31, 8: 127}[bits]
    )  # the row's largest value takes the largest code
    assert (off.amax(1) <= 0.505 * step + 1e-30).all()  # 0.005: the scale itself is rounded


@given(MATRICES, st.sampled_from(BITS))
def test_a_second_time_changes_nothing(matrix, bits):
    tensor = torch.from_numpy(matrix)
    once = unpack("w", pack("w", tensor, bits), tensor.shape, bits)
    assert torch.equal(unpack("w", pack("w", once, bits), tensor.shape, bits), once)


@given(MATRICES, st.sampled_from(BITS))
def test_stored_names_are_what_is_stored(matrix, bits):
    tensor = torch.from_numpy(matrix)
    assert pack("w", tensor, bits).keys() == stored_names("w", tensor.ndim, bits)
    assert pack("b", tensor.flatten(), bits).keys() == stored_names("b", 1, bits) == {"b"}


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_four_bits_take_half_a_byte_each(width):
    tensor = torch.linspace(-1, 1, 3 * width).reshape(3, width)
    stored = pack("w", tensor, 4)
    assert stored["w.codes"].shape == (3, (width + 1) // 2)
    assert (unpack("w", stored, tensor.shape, 4) - tensor).abs().max() <= 1 / 14 + 1e-3


@pytest.mark.parametrize(
    ("bits", "width", "held"),
    [
        (6, 1, 1),
        (6, 2, 2),
        (6, 3, 3),
        (6, 4, 3),
        (6, 5, 4),
        (5, 1, 1),
        (5, 2, 2),
        (5, 3, 2),
        (5, 8, 5),
        (5, 9, 6),
    ],
)
def test_codes_follow_each_other_bit_by_bit(bits, width, held):
    tensor = torch.linspace(-1, 1, 3 * width).reshape(3, width)
    stored = pack("w", tensor, bits)
    assert stored["w.codes"].shape == (3, held)
    half_a_step = 1 / (2**bits - 2)
    assert (unpack("w", stored, tensor.shape, bits) - tensor).abs().max() <= half_a_step + 5e-3


@pytest.mark.parametrize("bits", [4, 5, 6, 8])
def test_a_large_weight_widens_the_steps_of_its_group_alone(bits):
    tensor = torch.randn(3, 4 * GROUP, generator=torch.Generator().manual_seed(0))
    tensor[:, 5] = 100
    stored = pack("w", tensor, bits, grouped=True)
    assert stored["w.scale"].shape == (3, 4) and stored.keys() == stored_names("w", 2, bits)
    found = unpack("w", stored, tensor.shape, bits)
    rows = unpack("w", pack("w", tensor, bits), tensor.shape, bits)
    others = slice(GROUP, None)
    assert (found - tensor)[:, others].square().mean() < (rows - tensor)[:, others].square().mean() / 50
    assert torch.equal(unpack("w", pack("w", found, bits, grouped=True), tensor.shape, bits), found)
    assert torch.equal(unpack_all(stored, bits)["w"], found)


def test_clipping_a_group_errs_less_than_its_largest_weight_would():
    values = torch.randn(1, GROUP, generator=torch.Generator().manual_seed(1))
    top, found = 7, unpack("w", pack("w", values, 4, grouped=True), values.shape, 4)
    step = values.abs().max() / top
    assert (found - values).square().sum() < ((values / step).round() * step - values).square().sum()


@pytest.mark.parametrize("bits", [4, 5, 6])
def test_codes_for_known_inputs_change_less_of_what_a_matrix_gives(bits):
    chosen = torch.Generator().manual_seed(2)
    tensor = torch.randn(16, 3 * GROUP, generator=chosen)
    inputs = torch.randn(900, 12, generator=chosen) @ torch.randn(12, 3 * GROUP, generator=chosen)
    inputs += 0.1 * torch.randn(inputs.shape, generator=chosen)  # many inputs go along with each other

    def changed(stored: dict[str, torch.Tensor]) -> float:
        found = unpack("w", stored, tensor.shape, bits)
        return float((inputs @ (found - tensor).T).square().mean())

    plain, moments = pack("w", tensor, bits, grouped=True), inputs.T @ inputs
    chosen_for_them = pack("w", tensor, bits, grouped=True, moments=moments)
    assert changed(chosen_for_them) < changed(plain) / 4
    assert {k: (v.shape, v.dtype) for k, v in chosen_for_them.items()} == {
        k: (v.shape, v.dtype) for k, v in plain.items()
    }


@pytest.mark.parametrize("fewer", [4, 5])
def test_what_came_from_fewer_bits_is_kept_exactly_in_as_few(fewer):
    tensor = torch.randn(6, 2 * GROUP, generator=torch.Generator().manual_seed(4))
    before = unpack("w", pack("w", tensor, fewer, grouped=True), tensor.shape, fewer)
    stored = pack("w", before, 6, grouped=True, moments=torch.eye(2 * GROUP))
    assert stored["w.codes"].shape == (6, 2 * GROUP * fewer // 8)
    assert torch.equal(unpack("w", stored, tensor.shape, 6), before)


def test_inputs_that_never_occur_decide_nothing():
    tensor = torch.randn(4, 2 * GROUP, generator=torch.Generator().manual_seed(3))
    plain = pack("w", tensor, 5, grouped=True)
    for moments in (torch.zeros(2 * GROUP, 2 * GROUP), torch.eye(2 * GROUP)):
        found = pack("w", tensor, 5, grouped=True, moments=moments)
        assert torch.equal(found["w.codes"], plain["w.codes"])
        assert torch.equal(found["w.scale"], plain["w.scale"])


@pytest.mark.parametrize("width", [1, 63, 65, 100])
def test_rows_that_make_no_whole_groups_have_one_scale(width):
    stored = pack("w", torch.ones(2, width), 5, grouped=True)
    assert stored["w.scale"].shape == (2,)
    assert unpack("w", stored, torch.Size([2, width]), 5).allclose(torch.ones(2, width), rtol=0.01)


def test_group_scales_that_do_not_fit_are_refused():
    stored = pack("w", torch.ones(2, 2 * GROUP), 5, grouped=True)
    with pytest.raises(ValueError, match=r"w\.scale"):
        unpack("w", stored | {"w.scale": stored["w.scale"][:, :1]}, torch.Size([2, 2 * GROUP]), 5)


@pytest.mark.parametrize("bits", BITS)
def test_a_file_is_unpacked_without_its_shapes(bits):
    tensors = {"a.scale": torch.rand(3), "w": torch.rand(3, 8), "b": torch.rand(4)}
    stored = {key: value for name, own in tensors.items() for key, value in pack(name, own, bits).items()}
    found = unpack_all(stored, bits)
    assert found.keys() == tensors.keys()
    assert torch.equal(found["w"], unpack("w", stored, tensors["w"].shape, bits))
    assert all(value.dtype == torch.float32 for value in found.values())


def test_golden_codes():
    stored = pack("w", torch.tensor([[7.0, -7.0, 3.2], [0.0, 0.0, 0.0]]), 4)
    assert stored["w.scale"].tolist() == [1.0, pytest.approx(0, abs=1e-20)]
    assert stored["w.codes"].tolist() == [[14 + (0 << 4), 10], [7 + (7 << 4), 7]]
    assert unpack("w", stored, torch.Size([2, 3]), 4).tolist() == [[7.0, -7.0, 3.0], [0.0, 0.0, 0.0]]


def test_vectors_and_16_bits_are_float16():
    vector = torch.tensor([0.1, 3.0])
    assert pack("b", vector, 4)["b"].dtype == torch.float16
    assert pack("w", torch.ones(2, 2), 16)["w"].dtype == torch.float16
    assert unpack("b", pack("b", vector, 8), vector.shape, 8).tolist() == pytest.approx([0.1, 3.0], rel=1e-3)


def test_float16_scales_of_older_files_are_read():
    stored = pack("w", torch.tensor([[1.0, -2.0]]), 8)
    stored["w.scale"] = stored["w.scale"].to(torch.float16)
    assert unpack("w", stored, torch.Size([1, 2]), 8).tolist()[0] == pytest.approx([1.0, -2.0], rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"w.codes": torch.zeros(2, 4, dtype=torch.uint8)},
        {"w.codes": torch.zeros(3, 2, dtype=torch.uint8)},
        {"w.codes": torch.zeros(6, dtype=torch.uint8)},
        {"w.codes": torch.zeros(2, 3)},
        {"w.codes": torch.zeros(2, 3, dtype=torch.int64)},
        {"w.scale": torch.zeros(3, dtype=torch.float16)},
        {"w.scale": torch.tensor(1.0)},
        {"w.scale": torch.zeros(2, 1)},
        {"w.scale": torch.zeros(2, dtype=torch.complex64)},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused(change):
    stored = pack("w", torch.ones(2, 3), 8) | change
    with pytest.raises(ValueError, match="w"):
        unpack("w", stored, torch.Size([2, 3]), 8)


def test_a_transposed_matrix_is_refused():
    with pytest.raises(ValueError, match="w"):
        unpack("w", pack("w", torch.ones(3, 2), 16), torch.Size([2, 3]), 16)


def test_a_missing_part_is_named():
    with pytest.raises(KeyError, match=r"w\.scale"):
        unpack("w", {"w.codes": torch.zeros(2, 3, dtype=torch.uint8)}, torch.Size([2, 3]), 8)
