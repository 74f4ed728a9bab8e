"""Weights in fewer bits: each row of a matrix as small integers and one scale.

A lite trunk is stored as its difference to the shared base weights, whose rows span a narrow range and so
keep the score at 4 bits (`train.cells.run.TRUNK_BITS` has the measurement).
"""

import torch
from torch import Tensor

BITS = (4, 8, 16)
FLOATS = (torch.float16, torch.bfloat16, torch.float32)


def pack(name: str, tensor: Tensor, bits: int) -> dict[str, Tensor]:
    """The stored form of one float tensor.

    Matrices (two axes or more) at 4 or 8 bits become ``name.codes`` (uint8; at 4 bits two codes a byte,
    low half first) and ``name.scale`` (one a row; bfloat16, for small differences leave float16's normal
    range); everything else ``name`` in float16.
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
    return ((codes.float() - top) * scale[:, None]).reshape(shape)


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
