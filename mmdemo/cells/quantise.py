"""Weights in fewer bits: small integers, and one scale for each row of a matrix or each group of a row.

A lite trunk is stored as its difference to the shared base weights, whose rows span a narrow range and so
keep the score at 4 bits (`train.cells.run.TRUNK_BITS` has the measurement). Whole weights do not: a few large
ones widen a row's steps for all the others, so they share a scale in groups (Dettmers & Zettlemoyer, "The
case for 4-bit precision", 2023).
"""

import torch
from torch import Tensor

BITS = (4, 5, 6, 8, 16)
FLOATS = (torch.float16, torch.bfloat16, torch.float32)

#: How many neighbours of a row share a scale, where a file is stored in groups. Rows that it does not divide
#: have one scale.
GROUP = 64

#: Shares of a group's largest weight that its largest code may stand for; the one that errs least is taken.
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)


#: What the moments of inputs gain on their diagonal, as a share of its mean: inputs that hardly occur may not
#: decide how others' weights are rounded.
DAMPING = 0.01


def pack(
    name: str, tensor: Tensor, bits: int, *, grouped: bool = False, moments: Tensor | None = None
) -> dict[str, Tensor]:
    """The stored form of one float tensor.

    Matrices (two axes or more) below 16 bits become ``name.codes`` (uint8; below 8 bits the codes follow each
    other bit by bit, lowest first) and ``name.scale`` (one a row, or with ``grouped`` one a group; bfloat16,
    for small differences leave float16's normal range); everything else ``name`` in float16.

    ``moments`` (K, K) are the sums of products of the inputs that a matrix (N, K) multiplies: with them, and
    in groups, codes are chosen for what the matrix gives (`_coded_for_inputs`), not for each weight alone.
    A matrix that fewer bits hold exactly takes those: `unpack` sees it by its width.
    """
    if bits == 16 or tensor.ndim < 2:
        return {name: tensor.to(torch.float16).contiguous()}
    rows = tensor.detach().float().flatten(1)
    grouped = grouped and rows.shape[1] % GROUP == 0
    groups = rows.unflatten(1, (-1, GROUP)) if grouped else rows.unsqueeze(1)
    if grouped and moments is not None:
        codes, scale, bits = _coded_exactly(groups, bits) or (*_coded_for_inputs(groups, bits, moments), bits)
    else:
        codes, scale = _coded(groups, bits, CLIPS if grouped else CLIPS[:1])
    packed = _pack_bits(codes.flatten(1), bits)
    return {f"{name}.codes": packed.contiguous(), f"{name}.scale": scale if grouped else scale.squeeze(1)}


def _coded(groups: Tensor, bits: int, clips: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Codes (as ``groups``, uint8) and scales (the same without its last axis) of least squared error."""
    top = 2 ** (bits - 1) - 1
    widest = groups.abs().amax(-1, keepdim=True) / top
    codes, scale = torch.zeros_like(groups, dtype=torch.uint8), widest.to(torch.bfloat16)
    least = torch.full_like(widest, torch.inf)
    for clip in clips:
        tried = (widest * clip).clamp(min=1e-30).to(torch.bfloat16)
        steps = (groups / tried.float()).round().clamp(-top, top)
        error = (steps * tried.float() - groups).square().sum(-1, keepdim=True)
        better = error < least
        codes = torch.where(better, (steps + top).to(torch.uint8), codes)
        scale, least = torch.where(better, tried, scale), torch.where(better, error, least)
    return codes, scale.squeeze(-1)


def _coded_exactly(groups: Tensor, bits: int) -> tuple[Tensor, Tensor, int] | None:
    """As `_coded`, and the fewest bits that hold weights which came from so few, if any do."""
    for fewer in BITS[: BITS.index(bits) + 1]:
        codes, scale = _coded(groups, fewer, CLIPS)
        if torch.equal((codes.float() - (2 ** (fewer - 1) - 1)) * scale.float()[..., None], groups):
            return codes, scale, fewer
    return None


def _coded_for_inputs(groups: Tensor, bits: int, moments: Tensor) -> tuple[Tensor, Tensor]:
    """As `_coded`, of least squared error of what the rows give for such inputs (GPTQ, Frantar et al. 2023).

    Weights are rounded from left to right, and those that are still to come make up for the error as far as
    their inputs go along with it.
    """
    top, count = 2 ** (bits - 1) - 1, groups.shape[1]
    left = groups.flatten(1).clone()
    spread = moments.double()
    spread = spread + DAMPING * spread.diagonal().mean().clamp(min=1e-9) * torch.eye(len(spread))
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(spread))
    makes_up = torch.linalg.cholesky(inverse, upper=True).float()
    codes, scales = torch.zeros_like(groups, dtype=torch.uint8), []
    for number in range(count):
        here, later = slice(number * GROUP, (number + 1) * GROUP), slice((number + 1) * GROUP, None)
        own, errors = left[:, here].clone(), torch.zeros(len(left), GROUP)
        scale = _coded(own[:, None], bits, CLIPS)[1].flatten()
        scales.append(scale)
        for i, row in enumerate(makes_up[here, here]):
            step = (own[:, i] / scale.float()).round().clamp(-top, top)
            codes[:, number, i] = (step + top).to(torch.uint8)
            errors[:, i] = (own[:, i] - step * scale.float()) / row[i]
            own[:, i:] -= errors[:, i : i + 1] * row[i:]
        left[:, later] -= errors @ makes_up[here, later]
    return codes, torch.stack(scales, dim=1)


def unpack(name: str, stored: dict[str, Tensor], shape: torch.Size, bits: int) -> Tensor:
    """The float32 tensor that `pack` stored. Raises KeyError or ValueError where the parts do not fit."""
    if bits == 16 or len(shape) < 2:
        return _part(name, stored, tuple(shape), FLOATS).float()
    width = shape[1:].numel()
    if stored[f"{name}.scale"].ndim == 2:
        held = stored[f"{name}.codes"].shape[-1]
        bits = next((fewer for fewer in BITS if fewer < bits and held == -(-width * fewer // 8)), bits)
    top = 2 ** (bits - 1) - 1
    codes = _part(f"{name}.codes", stored, (shape[0], -(-width * bits // 8)), (torch.uint8,))
    values = _unpack_bits(codes, bits, width).float() - top
    if stored[f"{name}.scale"].ndim == 2 and width % GROUP == 0:
        scale = _part(f"{name}.scale", stored, (shape[0], width // GROUP), FLOATS).float()
        return (values.unflatten(1, (-1, GROUP)) * scale[:, :, None]).reshape(shape)
    scale = _part(f"{name}.scale", stored, (shape[0],), FLOATS).float()
    return (values * scale[:, None]).reshape(shape)


def _pack_bits(codes: Tensor, bits: int) -> Tensor:
    """Codes below 2**bits, eight in ``bits`` bytes; a row needs no byte beyond its last bit."""
    if bits == 8:
        return codes
    width = codes.shape[1]
    eights = torch.nn.functional.pad(codes, (0, -width % 8)).unflatten(1, (-1, 8)).long()
    word = sum(eights[..., place] << place * bits for place in range(8))
    packed = torch.stack([(word >> 8 * byte & 255).to(torch.uint8) for byte in range(bits)], dim=-1)
    return packed.flatten(1)[:, : -(-width * bits // 8)]


def _unpack_bits(packed: Tensor, bits: int, width: int) -> Tensor:
    if bits == 8:
        return packed
    padded = torch.nn.functional.pad(packed, (0, -packed.shape[1] % bits)).unflatten(1, (-1, bits))
    word = sum(padded[..., byte].long() << 8 * byte for byte in range(bits))
    mask = 2**bits - 1
    codes = torch.stack([(word >> place * bits & mask).to(torch.uint8) for place in range(8)], dim=-1)
    return codes.flatten(1)[:, :width]


def unpack_all(stored: dict[str, Tensor], bits: int) -> dict[str, Tensor]:
    """All tensors of a file by name, of which no shape is known: matrices whose rows fill whole bytes.

    Raises:
        KeyError, ValueError: as `unpack`.
    """
    if bits == 16:
        return {name: value.float() for name, value in stored.items()}
    found = {}
    for name, value in stored.items():
        plain = name.removesuffix(".codes")
        if plain != name:
            shape = torch.Size((value.shape[0], value.shape[1] * 8 // bits))
            found[plain] = unpack(plain, stored, shape, bits)
        elif not name.endswith(".scale") or f"{name.removesuffix('.scale')}.codes" not in stored:
            found[name] = value.float()
    return found


def _part(
    name: str, stored: dict[str, Tensor], shape: tuple[int, ...], kinds: tuple[torch.dtype, ...]
) -> Tensor:
    tensor = stored[name]
    if tuple(tensor.shape) != shape or tensor.dtype not in kinds:
        raise ValueError(f"{name} is {tensor.dtype} of shape {tuple(tensor.shape)}, not {shape}")
    return tensor


def stored_names(name: str, ndim: int, bits: int) -> set[str]:
    """Which entries `pack` writes for a tensor."""
    return {name} if bits == 16 or ndim < 2 else {f"{name}.codes", f"{name}.scale"}
