"""Rows with several labels, each on or off, or several values at once (n, m): what a network may be trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from incumbent.core import Array, Task
from incumbent.errors import SchemaError
from incumbent.words import counted


def labels_of(target: Any) -> int:
    """Return how many labels or values a row has."""
    return int(target.shape[1]) if target.ndim == 2 and not hasattr(target, "iloc") else 1


def task_of(target: Any) -> Task:
    """Return what such labels ask for: labels that are on or off are classes, all else is values."""
    return "classification" if np.isin(np.asarray(target), (0, 1)).all() else "regression"


def several(target: Any, name: str, width: int, task: Task) -> Array:
    """Return labels (n, m) as whole numbers 0 and 1, or values (n, m) as float64.

    Raises
    ------
    SchemaError
        They are not m a row, not on or off, or not finite.
    """
    if labels_of(target) != width or target.ndim != 2:
        raise SchemaError(
            f"{name!r} has shape {target.shape}, and the model was trained on {counted(width, 'label')} a row; give "
            "one column for each."
        )
    y = np.asarray(target)
    wanted = "0 or 1" if task == "classification" else "finite numbers"
    sound = np.zeros(y.shape, bool) if y.dtype.kind not in "biuf" else np.isfinite(y)
    if task == "classification":
        sound &= np.isin(y, (0, 1))
    if not sound.all():
        row = int(np.argmin(sound.all(axis=1)))
        raise SchemaError(
            f"{name!r} should hold {wanted} in every column, but row {row + 1:,} holds {y[row].tolist()}."
        )
    return y.astype(np.int64 if task == "classification" else np.float64)
