"""The weights of a module in files: safetensors, which run no code when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.errors import MissingDependency, ModelError
from incumbent.models.torch._layers import put_rows

UPDATES = "lora_"
"""In the names of low-rank updates."""


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a module, whose heads and tables are widened to fit them."""
    mine = module.state_dict()
    lacking, strange = sorted(set(mine) - set(tensors)), sorted(set(tensors) - set(mine))
    if lacking or strange:
        parts = [f"lack {', '.join(lacking[:5])}"] if lacking else []
        parts += [f"hold {', '.join(strange[:5])}, which it does not have"] if strange else []
        raise ModelError(f"The weights do not fit {type(module).__name__}: they {' and '.join(parts)}.")
    with torch.no_grad():
        for name, value in tensors.items():
            if mine[name].shape == value.shape and mine[name].dtype == value.dtype:
                mine[name].copy_(value)
            else:
                _put(module, name, value, mine[name])


def _put(module: nn.Module, name: str, value: Tensor, mine: Tensor) -> None:
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    if mine.shape[1:] != value.shape[1:] or value.ndim != mine.ndim or last in owner._buffers:
        raise ModelError(
            f"The weights do not fit {type(module).__name__}: {name} has shape {tuple(value.shape)} in the file and "
            f"{tuple(mine.shape)} in the net."
        )
    if last == "weight" and mine.shape != value.shape:
        put_rows(owner, value.clone())
    else:
        setattr(owner, last, nn.Parameter(value.clone(), requires_grad=owner.get_parameter(last).requires_grad))


def save_weights(module: nn.Module, folder: Path) -> dict[str, str]:
    """Write the weights of a net; low-rank updates that are kept apart go into a small file of their own.

    Return the names that hold the same tensor as another, which is written once.
    """
    from safetensors.torch import save_file

    held = module.state_dict()
    firsts: dict[Any, str] = {}
    same: dict[str, str] = {}
    files: dict[str, dict[str, Tensor]] = {"model.safetensors": {}, "updates.safetensors": {}}
    for name, value in held.items():
        if not isinstance(value, Tensor):
            raise ModelError(
                f"{type(module).__name__} keeps {name}, which is no tensor, in its state; it cannot be stored."
            )
        place = (value.data_ptr(), value.shape, value.stride()) if value.numel() else name
        first = firsts.setdefault(place, name)
        if first != name and torch.equal(held[first], value):
            same[name] = first
            continue
        file = "updates.safetensors" if UPDATES in name else "model.safetensors"
        files[file][name] = value.cpu().contiguous().clone()
    for file, tensors in files.items():
        if tensors or file == "model.safetensors":
            save_file(tensors, folder / file)
    return same


def read_weights(folder: Path, same: Mapping[str, str]) -> dict[str, Tensor]:
    """Read what `save_weights` wrote."""
    tensors = read_safetensors(folder / "model.safetensors")
    if (folder / "updates.safetensors").exists():
        tensors |= read_safetensors(folder / "updates.safetensors")
    return tensors | {name: tensors[first] for name, first in same.items()}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file."""
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingDependency("Nets need safetensors. Install it with: pip install 'incumbent[torch]'") from error
    try:
        found: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as a safetensors file: {str(error).splitlines()[0]}.") from error
    return found
