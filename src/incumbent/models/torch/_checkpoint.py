"""A training that was interrupted, in one file that runs no code when it is read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_FORMAT = 1


def put_away(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a training in the place of the one before; a crash while writing leaves that one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    torch.save({"format": _FORMAT, **state}, beside)
    os.replace(beside, path)


def read_back(path: Path, key: str) -> dict[str, Any] | None:
    """Return the state that was put away for exactly this training; None if there is none, or it is damaged."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None  # what was interrupted is begun again, which is always right
    return state if state.get("format") == _FORMAT and state.get("key") == key else None


def remove(path: Path) -> None:
    """Remove the state of a training that is over."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def key_of(told: str, tensors: Iterable[Tensor]) -> str:
    """Return what tells one training from another: its recipe, and the tensors that it starts from."""
    digest = hashlib.sha256(told.encode())
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
