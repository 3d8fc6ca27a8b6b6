"""What of a source is an input of a neural network as it is: the part of the door that tables do not take."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array
from incumbent.data.reading._arrays import has_arrays, read_arrays
from incumbent.data.reading._dataset import is_dataset, read_dataset
from incumbent.data.reading._images import Size
from incumbent.data.rows._lazy import LazyRows
from incumbent.data.rows._tensors import Tensors, as_array, pair_parts
from incumbent.errors import DataError


def read_tensors(source: Any, *, target: str, size: Size | None = None, channels: int | None = None) -> Tensors | None:
    """Return a source as tensors, or None where it is a table or nothing that holds arrays."""
    if isinstance(source, Tensors):
        return source
    if isinstance(source, tuple) and len(source) == 2:
        return _pair(source[0], source[1], target, size, channels)
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        return read_arrays(path, target=target, size=size, channels=channels) if has_arrays(path) else None
    if isinstance(source, Mapping):
        return pair_parts(source, "dict of arrays", named=True)
    if _is_array(source):
        return pair_parts({"x": source}, _described(source))
    return read_dataset(source, target=target) if is_dataset(source) else None


def _is_array(source: Any) -> bool:
    if isinstance(source, LazyRows):
        return True
    table = isinstance(source, pd.DataFrame | pd.Series) or hasattr(source, "__arrow_c_stream__")
    structured = getattr(getattr(source, "dtype", None), "names", None) is not None
    return not table and not structured and (hasattr(source, "detach") or hasattr(source, "__array__"))


def _described(source: Any) -> str:
    if isinstance(source, LazyRows):
        return "lazy rows"
    return "mapped array" if isinstance(source, np.memmap) else f"{type(source).__module__.partition('.')[0]} array"


def _pair(x: Any, y: Any, target: str, size: Size | None, channels: int | None) -> Tensors | None:
    """Return inputs with their labels under the name of the target; None where the inputs are a table."""
    if isinstance(x, list):
        x = as_array(x, "x")
    inputs = read_tensors(x, target=target, size=size, channels=channels)
    if inputs is None:
        return None
    if target in inputs.parts:
        raise DataError(f"x already has an array {target!r}, which is what y would be called; name y with target=...")
    labels = _labels(y, target)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.ndim or len(labels) != len(inputs):
        raise DataError(f"y has shape {labels.shape} but x has {len(inputs)} rows; give one label for each row.")
    return Tensors({**inputs.parts, target: labels}, inputs.source, inputs.named, inputs.notes)


def _labels(y: Any, target: str) -> Array:
    if isinstance(y, str | os.PathLike):
        found = read_tensors(y, target=target)
        if found is None or len(found.parts) != 1:
            raise DataError(f"{y} holds no single array of labels; give an .npy file or an array.")
        return np.asarray(next(iter(found.parts.values())))
    return np.asarray(as_array(y, target))
