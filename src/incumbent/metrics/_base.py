"""The two kinds of metrics: a score of all rows together, and a mean over the losses of single rows."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from incumbent.core import Array, Floats, Prediction, Value


class Score(Value):
    """A metric of all rows together: `resample` computes it, and no row has a loss of its own."""

    name: str
    greater_is_better: bool = True
    bound: float = math.inf  # the largest loss of one row
    relative: bool = False  # margins are fractions of the champion's score, for scores without a scale of their own
    needs_proba: bool = False
    labels_only: bool = False  # rows of the same truth and label are interchangeable, so a bootstrap may count them

    def losses(self, y: Array, prediction: Prediction) -> Floats | None:
        """Return None: no row has a loss of its own."""
        return None

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows; nan if they do not define it."""
        if not len(y):
            return math.nan
        rows = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        return float(self.resample(y, prediction, rows[None, :])[0])

    @abstractmethod
    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score (B,) under each of B row weightings (B, n)."""


class MeanLoss(Score):
    """A metric that is a mean over rows: `losses` computes the loss of each row."""

    greater_is_better = False

    @abstractmethod
    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the loss of each row (n,)."""

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score (B,) under each of B row weightings (B, n)."""
        return self.from_mean(weight @ self.losses(y, prediction) / weight.sum(axis=1))

    def from_mean(self, mean: Floats) -> Floats:
        """Return the score that belongs to a mean loss."""
        return mean
