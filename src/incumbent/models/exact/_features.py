"""Features of the frozen part of a model, cached during an update, so that no row passes through it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Batch, Model, Prediction, SplitModel, is_split
from incumbent.models.exact._grid import Grid

MOST_BYTES = 1 << 30
"""Features that would take more are not cached: they are computed again for each prediction."""
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Features:
    """Features of rows that were taken from one batch.

    `made` has the features of every row of the batch, as bytes if they lie on a `grid`. `at` are the positions of these
    rows in it. `by` is the identity of the frozen part that computed them: `SplitModel.body` or `SplitModel.frozen`.
    """

    made: Any
    by: object
    at: NDArray[np.intp]
    grid: Grid | None = None

    @staticmethod
    def of(made: Any, by: object, grid: Grid | None = None) -> Features:
        """Return the features of a whole batch, given in bytes if they have a grid."""
        return Features(made, by, np.arange(made.shape[0]), grid)

    def __len__(self) -> int:
        return len(self.at)

    def take(self, at: NDArray[np.intp]) -> Features:
        """Return those of some of the rows; nothing is copied."""
        return Features(self.made, self.by, self.at[at], self.grid)

    def join(self, parts: Sequence[Features]) -> Features | None:
        """Return those of all parts; None if the parts are of different batches."""
        if any(part.made is not self.made for part in parts):
            return None
        return Features(self.made, self.by, np.concatenate([part.at for part in parts]), self.grid)

    def read(self) -> Any:
        """Return the features (n, d) as they were computed."""
        taken = self.made.iloc[self.at] if hasattr(self.made, "iloc") else self.made[self.at]
        return taken if self.grid is None else self.grid.unpack(taken)


def predict_and_cache(model: Model, rows: Batch) -> tuple[Batch, Prediction]:
    """Predict rows and cache the features computed by the model's frozen part.

    Challengers that share this part reuse the cache to predict and train, also on a subset of the rows. Nothing is
    cached if it needs too much memory.

    Parameters
    ----------
    model : Model
        The model.
    rows : Batch
        Rows that it can predict.

    Returns
    -------
    Batch
        The same rows, with `Batch.features` if they are cached.
    Prediction
        The prediction of each row.
    """
    if not is_split(model) or len(rows) < 2 or not _can_cache(model, rows):
        return rows, model.predict(rows.x)
    if model.grid is not None:
        return _predict_in_blocks(model, rows, model.grid)
    inputs = model.head_input(rows.x)
    if inputs.shape[0] != len(rows):  # a step drops or adds rows
        return rows, model.predict(rows.x)
    return rows.replace(features=Features.of(inputs, model.frozen)), model.predict_from(inputs)


def _predict_in_blocks(model: SplitModel, rows: Batch, grid: Grid) -> tuple[Batch, Prediction]:
    """Pack a few thousand rows at a time: all of them as float32 would take four times as much memory."""
    codes: list[Array] = []
    predictions: list[Prediction] = []
    for start in range(0, len(rows), _BLOCK):
        inputs = model.head_input(rows.take(np.arange(start, min(start + _BLOCK, len(rows)))).x)
        predictions.append(model.predict_from(inputs))
        codes.append(grid.pack(inputs))
    label = np.concatenate([part.label for part in predictions])
    probas = [part.proba for part in predictions if part.proba is not None]
    prediction = Prediction(label, np.concatenate(probas) if probas else None, predictions[0].classes)
    return rows.replace(features=Features.of(np.concatenate(codes), model.frozen, grid)), prediction


def predict(model: Model, rows: Batch) -> Prediction:
    """Predict rows, from their cached features if the model's own frozen part computed them."""
    if not is_split(model):
        return model.predict(rows.x)
    inputs = cached_features(rows, model.frozen)
    if inputs is not None:
        return model.predict_from(inputs)
    features = cached_features(rows, model.body)
    return model.predict(rows.x) if features is None else model.predict_from(model.project(features))


def cached_features(rows: Batch, by: object) -> Any | None:
    """Return the cached features of rows if this frozen part computed them, else None."""
    return rows.features.read() if rows.features is not None and rows.features.by == by else None


def cache_features(model: Model, rows: Batch) -> Batch:
    """Return rows with their features before the projection cached, unless that needs too much memory."""
    if not is_split(model) or len(rows) < 2 or (rows.features is not None and rows.features.by == model.body):
        return rows
    if len(rows) * _bytes_per_row(model.features(rows.take(np.arange(2)).x)) > MOST_BYTES:
        return rows
    return rows.replace(features=Features.of(model.features(rows.x), model.body))


def _can_cache(model: SplitModel, rows: Batch) -> bool:
    two = rows.take(np.arange(2)).x
    if not model.can_split(two):
        return False
    size = _bytes_per_row(model.head_input(two))
    return len(rows) * (size if model.grid is None else size / 4) <= MOST_BYTES


def _bytes_per_row(two: Any) -> float:
    """Return the bytes of one row, from two rows of features."""
    if hasattr(two, "tocsr"):
        return float(two.tocsr().data.nbytes)  # the positions take about as much as the numbers
    return float(8 * two.shape[1] if hasattr(two, "iloc") else two.nbytes / 2)
