"""Functions of release 0.1 that have other arguments now. They go in the next release."""

from __future__ import annotations

import dataclasses
import warnings

from incumbent.core import AnchorSet, Batch, DataCheck, Model, Task
from incumbent.updating._live import drop_trained_rows


def unseen(held: AnchorSet, learned: Batch, check: DataCheck, *, task: Task) -> tuple[AnchorSet, DataCheck]:
    """Return the anchor set without trained rows; `drop_trained_rows` replaces this."""
    _warn("unseen(anchor, rows, check)", "drop_trained_rows(anchor, rows)")
    kept, findings = drop_trained_rows(held, learned, task=task)
    return kept, dataclasses.replace(check, findings=(*check.findings, *findings))


def feature_names(champion: Model) -> list[str] | None:
    """Return `champion.feature_names`."""
    _warn("feature_names(model)", "model.feature_names")
    return champion.feature_names


def takes_tensors(champion: Model) -> bool:
    """Return whether `champion.takes` is "tensors"."""
    _warn("takes_tensors(model)", "model.takes == 'tensors'")
    return champion.takes == "tensors"


def _warn(old: str, new: str) -> None:
    message = f"incumbent.updating: {old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=3)
