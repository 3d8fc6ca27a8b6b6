"""From rows to the features that an exact head reads, and to their sums."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats, HasFeatures, is_split
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.exact._features import known
from incumbent.models.exact._statistics import ROWS, Statistics, gather


def gathered(model: HasFeatures, lift: Any, batch: Batch, *, deadline: float = np.inf) -> Statistics:
    """Return the statistics of a batch, its rows passed through the frozen features once, block by block."""

    def blocks() -> Iterator[tuple[Array, Array, Floats | None]]:
        for start in range(0, len(batch), ROWS):
            if time.monotonic() > deadline:
                raise BudgetSpent(
                    "The budget ended while rows were passed through the features; give a longer --budget."
                )
            part = batch.take(np.arange(start, min(start + ROWS, len(batch))))
            yield lifted(model, lift, part), part.labels, part.weight

    return sums(model, lift, blocks())


def sums(model: HasFeatures, lift: Any, blocks: Iterable[tuple[Array, Array, Floats | None]]) -> Statistics:
    """Return the statistics of blocks of features that are projected already."""
    return gather(blocks, classification=model.task == "classification", grid=getattr(lift, "grid", None))


def features_of(model: HasFeatures, batch: Batch) -> Any:
    """Return the features of rows, from the cache of the champion's predictions if they are there."""
    kept = known(batch, model.body) if is_split(model) else None
    return model.features(batch.x) if kept is None else kept


def lifted(model: HasFeatures, lift: Any, batch: Batch) -> Array:
    """Return the input (n, m) of an exact head, from the cache of the champion's predictions if it is there."""
    if lift is not None and model.head is not None and model.head.lift is lift and is_split(model):
        kept = known(batch, model.frozen)
        if kept is not None:
            return np.asarray(kept)
    features = features_of(model, batch)
    if lift is not None:
        features = lift.transform(checked(features))
    dense = features.toarray() if hasattr(features, "toarray") else features
    return np.asarray(dense if lift is not None else checked(dense))


def checked(features: Any) -> Any:
    """Return features as they are.

    Raises
    ------
    ModelError
        They are no finite numbers.
    """
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
