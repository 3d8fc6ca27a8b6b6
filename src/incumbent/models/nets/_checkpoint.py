"""The state of an interrupted training, in one file that runs no code when it is read."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import Array

_FORMAT = 2
_ABOUT = "about"


Arrays = dict[str, dict[str, Array]]  # by group and name


def write_checkpoint(path: Path, key: str, about: Mapping[str, Any], arrays: Arrays) -> None:
    """Replace the file by a new state; a crash while writing leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    text = json.dumps({"format": _FORMAT, "key": key, "groups": list(arrays), **about})
    held = {f"{group}:{name}": value for group, values in arrays.items() for name, value in values.items()}
    with part.open("wb") as file:
        np.savez(file, **{_ABOUT: np.array(text)}, **held)  # type: ignore[arg-type]  # arrays by name, not its options
    os.replace(part, path)


def read_checkpoint(path: Path, key: str) -> tuple[dict[str, Any], Arrays] | None:
    """Return the state that was written for exactly this training; None if there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file[_ABOUT]))
            if about["format"] != _FORMAT or about["key"] != key:
                return None
            arrays: Arrays = {group: {} for group in about["groups"]}
            for group, _, name in (full.partition(":") for full in file.files if full != _ABOUT):
                arrays[group][name] = file[f"{group}:{name}"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # an interrupted training starts again, which is always right
    return about, arrays


def checkpoint_key(recipe: str, arrays: Iterable[Array]) -> str:
    """Return what distinguishes one training from another: its recipe, and the arrays that it starts from."""
    digest = hashlib.sha256(recipe.encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
