"""Weights in fewer bits: each row of a matrix as small integers and one scale.

A lite trunk is stored as its difference to the shared base weights, whose rows span a narrow range and so
keep the score at 4 bits (`train.cells.run.TRUNK_BITS` has the measurement).
"""

import torch
from torch import Tensor

BITS = (4, 6, 8, 16)
FLOATS = (torch.float16, torch.bfloat16, torch.float32)


def pack(name: str, tensor: Tensor, bits: int) -> dict[str, Tensor]:
    """The stored form of one float tensor.

    Matrices (two axes or more) below 16 bits become ``name.codes`` (uint8; at 4 bits two codes a byte, at 6
    four in three bytes, lowest bits first) and ``name.scale`` (one a row; bfloat16, for small differences
    leave float16's normal range); everything else ``name`` in float16.
    """
    if bits == 16 or tensor.ndim < 2:
        return {name: tensor.to(torch.float16).contiguous()}
    top = 2 ** (bits - 1) - 1
    rows = tensor.detach().float().flatten(1)
    scale = (rows.abs().amax(1, keepdim=True) / top).clamp(min=1e-30).to(torch.bfloat16)
    codes = ((rows / scale.float()).round().clamp(-top, top) + top).to(torch.uint8)
    if bits == 4:
        codes = torch.nn.functional.pad(codes, (0, codes.shape[1] % 2))
        codes = codes[:, ::2] | codes[:, 1::2] << 4
    elif bits == 6:
        codes = _pack_six(codes)
    return {f"{name}.codes": codes.contiguous(), f"{name}.scale": scale.squeeze(1)}


def unpack(name: str, stored: dict[str, Tensor], shape: torch.Size, bits: int) -> Tensor:
    """The float32 tensor that `pack` stored. Raises KeyError or ValueError where the parts do not fit."""
    if bits == 16 or len(shape) < 2:
        return _part(name, stored, tuple(shape), FLOATS).float()
    top, width = 2 ** (bits - 1) - 1, shape[1:].numel()
    codes = _part(f"{name}.codes", stored, (shape[0], -(-width * bits // 8)), (torch.uint8,))
    scale = _part(f"{name}.scale", stored, (shape[0],), FLOATS).float()
    if bits == 4:
        codes = torch.stack([codes & 15, codes >> 4], dim=-1).flatten(1)[:, :width]
    elif bits == 6:
        codes = _unpack_six(codes)[:, :width]
    return ((codes.float() - top) * scale[:, None]).reshape(shape)


def _pack_six(codes: Tensor) -> Tensor:
    """Four codes below 64 in three bytes; a row that ends earlier needs no byte beyond its last bit."""
    width = codes.shape[1]
    a, b, c, d = torch.nn.functional.pad(codes, (0, -width % 4)).unflatten(1, (-1, 4)).unbind(-1)
    packed = torch.stack([a | (b & 3) << 6, b >> 2 | (c & 15) << 4, c >> 4 | d << 2], dim=-1)
    return packed.flatten(1)[:, : -(-width * 6 // 8)]


def _unpack_six(packed: Tensor) -> Tensor:
    padded = torch.nn.functional.pad(packed, (0, -packed.shape[1] % 3))
    x, y, z = padded.unflatten(1, (-1, 3)).unbind(-1)
    return torch.stack([x & 63, x >> 6 | (y & 15) << 2, y >> 4 | (z & 3) << 4, z >> 2], dim=-1).flatten(1)


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
