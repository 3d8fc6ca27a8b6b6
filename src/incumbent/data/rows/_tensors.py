"""Arrays that pair row by row, as they came in: what a neural network learns from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding
from incumbent.data.rows._lazy import LazyRows, lazily
from incumbent.errors import DataError
from incumbent.words import counted


@dataclass(frozen=True, eq=False)
class Tensors:
    """Inputs, labels, times and groups by name: arrays (n, ...), lazy rows or tables of n rows each.

    Which of them is what, the schema says. Made by `read`.

    Parameters
    ----------
    parts : mapping of str to (n, ...) array, LazyRows or data frame
        By name; an input that came without one is called "x".
    source : str
        Where they came from.
    named : bool
        Whether a single input was given by name, so that the model is given a dict of one instead of the array alone.
    notes : tuple of Finding
        What was done to them when they were read; the check of the rows tells it on.

    Examples
    --------
    >>> rows = together({"image": np.zeros((2, 8, 8, 3), dtype=np.uint8), "target": [0, 1]}, "dict", named=True)
    >>> rows
    image (2, 8, 8, 3) uint8, target (2,) int64
    """

    parts: Mapping[str, Any]
    source: str
    named: bool = False
    notes: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __repr__(self) -> str:
        return ", ".join(f"{name} {described(part)}" for name, part in self.parts.items())


def described(part: Any) -> str:
    """Return such as "(60000, 28, 28) uint8"."""
    return f"table of {part.shape[1]} columns" if isinstance(part, pd.DataFrame) else f"{part.shape} {part.dtype}"


def together(parts: Mapping[str, Any], source: str, *, named: bool = False) -> Tensors:
    """Return parts that pair row by row, each as an array, lazy rows or a table.

    Raises
    ------
    DataError
        There is none, one is no array, they have no rows or not the same number of them.
    """
    if not parts:
        raise DataError(f"{source} holds no arrays; at least one input with a row for each example was expected.")
    found = {str(name): part_of(part, str(name)) for name, part in parts.items()}
    lengths = {name: len(part) for name, part in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r} has {counted(length, 'row')}" for name, length in lengths.items())
        raise DataError(f"The arrays of {source} must have one row for each example, but {shown}.")
    if not next(iter(lengths.values())):
        raise DataError(f"{source} has no rows; at least one was expected.")
    return Tensors(found, source, named)


def part_of(part: Any, name: str) -> Any:
    """Return what was given for one name as an array (n, ...), lazy rows or a data frame, without a copy if it can be.

    Raises
    ------
    DataError
        It is no array of one row for each example.
    """
    if isinstance(part, LazyRows | pd.DataFrame):
        return part.reset_index(drop=True) if isinstance(part, pd.DataFrame) else part
    array = as_array(part, name)
    if array.ndim == 0:
        raise DataError(f"{name!r} is one number, {array}; an array with a row for each example was expected.")
    return lazily(array)


def as_array(value: Any, name: str) -> Array:
    """Return an array, a tensor of any framework, a picture or nested lists as a numpy array."""
    if hasattr(value, "detach"):
        return _numpy(value.detach().cpu())
    if isinstance(value, str | bytes | os.PathLike):
        raise DataError(f"{name!r} is the text {value!r}; an array was expected. For a file, read it first.")
    try:
        # asanyarray, because a mapped array must still be known as one
        return np.asanyarray(value)
    except ValueError as error:
        raise DataError(f"{name!r} holds rows of different lengths ({error}); pad or cut them to one.") from error


def _numpy(tensor: Any) -> Array:
    try:
        return np.asarray(tensor.numpy())
    except TypeError:  # numpy has no bfloat16, and float32 holds all its values
        return np.asarray(tensor.float().numpy())
