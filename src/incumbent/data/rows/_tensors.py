"""Arrays that pair row by row: the data of a neural network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding
from incumbent.data.rows._lazy import LazyRows, as_lazy
from incumbent.errors import DataError
from incumbent.words import counted


@dataclass(frozen=True, eq=False)
class Tensors:
    """Inputs, labels, times and groups by name: arrays (n, ...), lazy rows or tables of n rows each.

    `read` makes them, and the schema knows which is which.

    Parameters
    ----------
    parts : mapping of str to (n, ...) array, LazyRows or data frame
        The arrays by name; an input without a name is "x".
    source : str
        Where they were read from, for messages.
    named : bool
        Whether a single input has a name, so that the model takes a dict of one array instead of the array.
    notes : tuple of Finding
        Changes made while reading; the check of the rows reports them.

    Examples
    --------
    >>> rows = pair_parts({"image": np.zeros((2, 8, 8, 3), dtype=np.uint8), "target": [0, 1]}, "dict", named=True)
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
        return ", ".join(f"{name} {describe(part)}" for name, part in self.parts.items())


def describe(part: Any) -> str:
    """Format shape and type as "(60000, 28, 28) uint8"."""
    return f"table of {part.shape[1]} columns" if isinstance(part, pd.DataFrame) else f"{part.shape} {part.dtype}"


def pair_parts(parts: Mapping[str, Any], source: str, *, named: bool = False) -> Tensors:
    """Return arrays, lazy rows or tables as tensors; raise a `DataError` if they do not pair row by row."""
    if not parts:
        raise DataError(f"{source} holds no arrays; at least one input with a row for each example was expected.")
    found = {str(name): _to_part(part, str(name)) for name, part in parts.items()}
    lengths = {name: len(part) for name, part in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r} has {counted(length, 'row')}" for name, length in lengths.items())
        raise DataError(f"The arrays of {source} must have one row for each example, but {shown}.")
    if not next(iter(lengths.values())):
        raise DataError(f"{source} has no rows; at least one was expected.")
    return Tensors(found, source, named)


def _to_part(part: Any, name: str) -> Any:
    """Return an array (n, ...), lazy rows or a data frame, without a copy if possible."""
    if isinstance(part, LazyRows):
        return part
    if isinstance(part, pd.DataFrame):
        return part.reset_index(drop=True)
    array = as_array(part, name)
    if array.ndim == 0:
        raise DataError(f"{name!r} is a single number, {array}; an array with a row for each example was expected.")
    return as_lazy(array)


def as_array(value: Any, name: str) -> Array:
    """Return an array, a tensor of any framework, an image or nested lists as a numpy array."""
    if hasattr(value, "detach"):
        tensor = value.detach().cpu()
        try:
            return np.asarray(tensor.numpy())
        except TypeError:  # numpy has no bfloat16; float32 holds all its values
            return np.asarray(tensor.float().numpy())
    if isinstance(value, str | bytes | os.PathLike):
        raise DataError(f"{name!r} is the text {value!r}; an array was expected. For a file, read it first.")
    try:
        return np.asanyarray(value)  # keeps a mapped array mapped
    except ValueError as error:
        raise DataError(f"{name!r} holds rows of different lengths ({error}); pad or cut them.") from error
