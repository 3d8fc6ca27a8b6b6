"""Share of the target's variance that is explained."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, Prediction, Value
from incumbent.metrics._labels import several


@dataclass(frozen=True, repr=False)
class R2(Value):
    """One less the squared error beside that of always predicting the mean.

    ``R2 = 1 - sum w (y - f)**2 / sum w (y - mean y)**2``; of several values, the mean over those that vary.

    Examples
    --------
    >>> R2().score(np.array([1.0, 2.0, 3.0]), Prediction(np.array([1.0, 2.0, 2.0])))
    0.5
    """

    relative = False
    needs_proba = False
    labels_only = False

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "r2"

    @property
    def greater_is_better(self) -> bool:
        """Larger is better."""
        return True

    @property
    def bound(self) -> float:
        """A row has no loss of its own here."""
        return math.inf

    def losses(self, y: Array, prediction: Prediction) -> None:
        """Return None: a share of variance is not a mean over rows."""
        return None

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows; nan where the target does not vary."""
        rows = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        return float(self.resample(y, prediction, rows[None, :])[0])

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        if not len(y):
            return np.full(len(weight), math.nan)
        truth = np.asarray(y, dtype=np.float64)
        centred = truth - truth.mean(axis=0)  # keeps the difference of large numbers below exact
        total = weight.sum(axis=1)
        error = weight @ np.square(np.asarray(prediction.label, dtype=np.float64) - truth)
        spread = weight @ np.square(centred) - np.square(weight @ centred) / (total[:, None] if several(y) else total)
        share = 1.0 - np.divide(error, spread, out=np.full(spread.shape, math.nan), where=spread > 0)
        return _over_values(share) if several(y) else share


def _over_values(share: Floats) -> Floats:
    """Return the mean over the values (B, m) that vary; nan where none does."""
    told = np.isfinite(share)
    found, count = np.where(told, share, 0.0).sum(axis=1), told.sum(axis=1)
    return np.asarray(np.divide(found, count, out=np.full(len(share), math.nan), where=count > 0))
