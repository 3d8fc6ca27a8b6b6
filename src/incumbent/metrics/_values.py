"""Metrics of a regression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._base import MeanLoss, Score
from incumbent.metrics._labels import averaged, several


@dataclass(frozen=True, repr=False)
class RMSE(MeanLoss):
    """Root of the mean squared error, in the unit of the target. The loss of a row is its squared error.

    With several values it is the root of the squared error averaged over them, so they should have one scale. `R2`
    weighs them alike.

    Examples
    --------
    >>> RMSE().score(np.array([0.0, 0.0]), Prediction(np.array([3.0, 4.0])))
    3.5355339059327378
    """

    name = "rmse"
    relative = True

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the squared error of each row."""
        return averaged(np.square(_errors(y, prediction)))

    def from_mean(self, mean: Floats) -> Floats:
        """Return the root of the mean."""
        return np.asarray(np.sqrt(mean))


@dataclass(frozen=True, repr=False)
class MAE(MeanLoss):
    """Mean absolute error, in the unit of the target; with several values, averaged over them.

    Examples
    --------
    >>> MAE().score(np.array([0.0, 0.0]), Prediction(np.array([3.0, 4.0])))
    3.5
    """

    name = "mae"
    relative = True

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the absolute error of each row."""
        return averaged(np.abs(_errors(y, prediction)))


@dataclass(frozen=True, repr=False)
class R2(Score):
    """Fraction of the variance of the target that is explained; nan if the target does not vary.

    ``R2 = 1 - sum w (y - f)**2 / sum w (y - mean y)**2``. With several values, the mean over those that vary.

    Examples
    --------
    >>> R2().score(np.array([1.0, 2.0, 3.0]), Prediction(np.array([1.0, 2.0, 2.0])))
    0.5
    """

    name = "r2"

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        if not len(y):
            return np.full(len(weight), math.nan)
        truth = np.asarray(y, dtype=np.float64)
        centred = truth - truth.mean(axis=0)  # keeps the difference of large numbers below exact
        total = weight.sum(axis=1)
        error = weight @ np.square(_errors(y, prediction))
        squares = weight @ np.square(centred) - np.square(weight @ centred) / (total[:, None] if several(y) else total)
        explained = 1.0 - np.divide(error, squares, out=np.full(squares.shape, math.nan), where=squares > 0)
        return _mean_of_known(explained) if several(y) else explained


def _mean_of_known(explained: Floats) -> Floats:
    """Return the mean (B,) over the values (B, m) that vary; nan if none does."""
    known = np.isfinite(explained)
    total, count = np.where(known, explained, 0.0).sum(axis=1), known.sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(explained), math.nan), where=count > 0))


def _errors(y: Array, prediction: Prediction) -> Floats:
    return np.asarray(prediction.label, dtype=np.float64) - np.asarray(y, dtype=np.float64)
