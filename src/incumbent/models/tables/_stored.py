"""Estimators in skops files, and attributes that version 0.1 wrote into the estimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from incumbent.models.files._safe import load_native, save_native


def save_estimator(native: Any, folder: Path) -> None:
    """Write an estimator or Pipeline as a skops file, which runs no code when it is read."""
    save_native(native, folder / "model.skops")


def load_estimator(folder: Path) -> Any:
    """Read what `save_estimator` wrote."""
    native = load_native(folder / "model.skops")
    last = native.steps[-1][1] if hasattr(native, "steps") else native
    rounds = vars(last).pop("_incumbent_rounds", None)  # 0.1: the number of trees that the user had set
    if rounds is not None and not type(last).__name__.startswith("Bagging"):
        last.set_params(n_estimators=rounds)
    return native
