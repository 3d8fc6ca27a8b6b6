"""Compute the input of an exact head from rows, and the sums that the head is solved from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats, HasFeatures, is_split
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.exact._features import cached_features
from incumbent.models.exact._statistics import ROWS, Statistics, gather


def compute_statistics(model: HasFeatures, lift: Any, batch: Batch, *, deadline: float = np.inf) -> Statistics:
    """Return the statistics of a batch; its rows pass through the frozen features once, block by block."""

    def blocks() -> Iterator[tuple[Array, Array, Floats | None]]:
        for start in range(0, len(batch), ROWS):
            if time.monotonic() > deadline:
                raise BudgetSpent("The budget ended while features were computed; give a longer --budget.")
            part = batch.take(np.arange(start, min(start + ROWS, len(batch))))
            yield compute_head_input(model, lift, part), part.labels, part.weight

    return gather(blocks(), classification=model.task == "classification", grid=getattr(lift, "grid", None))


def compute_features(model: HasFeatures, batch: Batch) -> Any:
    """Return the features of rows, from the cache if they are in it."""
    cached = cached_features(batch, model.body) if is_split(model) else None
    return model.features(batch.x) if cached is None else cached


def compute_head_input(model: HasFeatures, lift: Any, batch: Batch) -> Array:
    """Return the input (n, m) of an exact head, from the cache if it is in it."""
    if lift is not None and model.head is not None and model.head.lift is lift and is_split(model):
        cached = cached_features(batch, model.frozen)
        if cached is not None:
            return np.asarray(cached)
    features = check_features(compute_features(model, batch))
    if lift is not None:
        return np.asarray(lift.transform(features))
    return np.asarray(features.toarray() if hasattr(features, "toarray") else features)


def check_features(features: Any) -> Any:
    """Return features as they are; raise `ModelError` if they are not finite numbers."""
    numbers = features.data if hasattr(features, "tocsr") else np.asarray(features)
    if numbers.dtype.kind not in "biuf":
        raise ModelError(
            "Analytic computes with numbers, and the features hold text or other objects. Put the model into a "
            "Pipeline whose earlier steps turn its columns into numbers."
        )
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ModelError(
            "Analytic computes with finite numbers, and a feature is missing or infinite. Put the model into a "
            "Pipeline whose earlier steps fill them in."
        )
    return features
