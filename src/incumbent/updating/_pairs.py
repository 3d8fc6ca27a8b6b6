"""Predictions of champion and challenger on the same rows, from one source or joined from several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Batch, Floats, Model, PairedPredictions, Prediction
from incumbent.models import predict_and_cache
from incumbent.updating._predict import as_data_error


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """Rows with the champion's predictions, which are made once and used in every comparison."""

    rows: Batch
    champion: Prediction
    can_hold_out: Array  # (n,): whether a row can serve as evidence, because no model learns from a copy of it

    @staticmethod
    def of(model: Model, rows: Batch, *, can_hold_out: Array | None = None, named: str) -> PredictedRows:
        """Return the rows with the predictions of the champion."""
        with as_data_error(model, named):
            rows, predictions = predict_and_cache(model, rows)  # and cache its frozen features
        return PredictedRows(rows, predictions, np.ones(len(rows), bool) if can_hold_out is None else can_hold_out)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, at: Array) -> PredictedRows:
        """Return the rows at some positions, or where a mask is true."""
        at = np.flatnonzero(at) if at.dtype == bool else at
        return PredictedRows(self.rows.take(at), self.champion.take(at), self.can_hold_out[at])

    def pair(self, challenger: Prediction, source: str = "holdout") -> PairedPredictions:
        """Return the predictions of both models on these rows."""
        return pair(self.rows, self.champion, challenger, source)


def pair(rows: Batch, champion: Prediction, challenger: Prediction, source: str) -> PairedPredictions:
    """Return the predictions of two models on the same rows; rows of one group are one block."""
    block = None if rows.group is None else np.unique(rows.group, return_inverse=True)[1]
    return PairedPredictions(rows.labels, champion, challenger, source, rows.weight, block, x=rows.x)


def assign_folds(rows: Batch, count: int, seed: int) -> Array:
    """Return the fold of each row, 0 to `count` - 1; rows of one group share theirs."""
    rng = np.random.default_rng(seed)
    if rows.group is None:
        return rng.permutation(np.arange(len(rows)) % count)
    names, at = np.unique(rows.group, return_inverse=True)
    folds: Array = rng.permutation(np.arange(len(names)) % count)[at]
    return folds


def join_pairs(
    parts: Sequence[PairedPredictions], clip: float, *, with_x: bool, ordered: bool = False
) -> PairedPredictions:
    """Return all pairs as one that names the source of each, with losses cut off at `clip`."""
    source = "+".join(dict.fromkeys(p.source for p in parts))
    weights = [np.ones(len(p)) if p.weight is None else p.weight for p in parts]
    return PairedPredictions(
        np.concatenate([p.y for p in parts]),
        _join_predictions([p.champion for p in parts]),
        _join_predictions([p.challenger for p in parts]),
        source,
        np.concatenate(weights) if any(p.weight is not None for p in parts) else None,
        _join_blocks([p.block for p in parts]),
        ordered=ordered,
        clip=clip,
        x=Batch.join([Batch(p.x) for p in parts]).x if with_x else None,
    )


def _join_predictions(parts: Sequence[Prediction]) -> Prediction:
    """Join predictions of models that may have different classes."""
    label = np.concatenate([p.label for p in parts])
    if any(p.proba is None or p.classes is None for p in parts):
        return Prediction(label, None, parts[0].classes)
    if label.ndim == 2:  # with several labels at once, every model has the same labels in the same order
        return Prediction(label, np.vstack([p.proba for p in parts if p.proba is not None]), parts[0].classes)
    classes = np.unique(np.concatenate([p.classes for p in parts if p.classes is not None]))
    return Prediction(label, np.vstack([_align(p, classes) for p in parts]), classes)


def _align(part: Prediction, classes: Array) -> Floats:
    """Return the probabilities with one column for each of `classes`, 0 for those that the model lacks."""
    assert part.proba is not None and part.classes is not None, "checked by the caller"
    proba = np.zeros((len(part), len(classes)))
    proba[:, np.searchsorted(classes, part.classes)] = part.proba
    return proba


def _join_blocks(parts: Sequence[Array | None]) -> Array | None:
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    start = np.cumsum([0, *(int(p.max(initial=-1)) + 1 for p in known[:-1])])
    return np.concatenate([p + s for p, s in zip(known, start, strict=True)])
