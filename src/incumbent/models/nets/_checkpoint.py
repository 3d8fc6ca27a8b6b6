"""A training that was interrupted, in one file that runs no code when it is read."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import Array

_FORMAT = 2
_ABOUT = "about"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training: numbers, and arrays by group and name."""

    about: Mapping[str, Any]
    arrays: Mapping[str, Mapping[str, Array]]


def write_checkpoint(path: Path, key: str, state: Checkpoint) -> None:
    """Replace the file by a new state; a crash while writing leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    about = json.dumps({"format": _FORMAT, "key": key, "groups": list(state.arrays), **state.about})
    held = {f"{group}:{name}": value for group, values in state.arrays.items() for name, value in values.items()}
    with part.open("wb") as file:
        np.savez(file, **{_ABOUT: np.array(about)}, **held)  # type: ignore[arg-type]  # arrays by name, not its options
    os.replace(part, path)


def read_checkpoint(path: Path, key: str) -> Checkpoint | None:
    """Return the state that was written for exactly this training; None if there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file[_ABOUT]))
            if about["format"] != _FORMAT or about["key"] != key:
                return None
            arrays: dict[str, dict[str, Array]] = {group: {} for group in about["groups"]}
            for name in file.files:
                if name != _ABOUT:
                    group, _, own = name.partition(":")
                    arrays[group][own] = file[name]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # an interrupted training starts again, which is always right
    return Checkpoint(about, arrays)


def checkpoint_key(recipe: str, arrays: Iterable[Array]) -> str:
    """Return what distinguishes one training from another: its recipe, and the arrays that it starts from."""
    digest = hashlib.sha256(recipe.encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
