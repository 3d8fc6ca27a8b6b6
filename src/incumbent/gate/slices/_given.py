"""Losses that are known already, compared by the same tests as those of any metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, PairedPredictions, Prediction, Value


@dataclass(frozen=True, repr=False)
class GivenLoss(Value):
    """A metric whose prediction of a row is its loss.

    Parameters
    ----------
    bound : float
        The largest loss that a row can have.
    """

    bound: float = math.inf

    relative = False
    name = "given_loss"
    greater_is_better = False

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the loss of each row (n,)."""
        return np.asarray(prediction.label, dtype=np.float64)

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the mean loss."""
        return float(np.average(self.losses(y, prediction), weights=weight))

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the mean loss under each of B row weightings (B, n)."""
        return np.asarray(weight @ self.losses(y, prediction) / weight.sum(axis=1))


def paired_by(
    d: Floats, *, block: Array | None = None, ordered: bool = False, weight: Floats | None = None
) -> PairedPredictions:
    """Return rows with these gains: a row that is won costs the champion, one that is lost the challenger."""
    champion, challenger = Prediction(np.maximum(d, 0.0)), Prediction(np.maximum(-d, 0.0))
    return PairedPredictions(np.zeros(len(d)), champion, challenger, weight=weight, block=block, ordered=ordered)


def rows_of(paired: PairedPredictions, at: Array) -> PairedPredictions:
    """Return the pairs at these positions, with the same clip."""
    return PairedPredictions(
        np.asarray(paired.y)[at],
        paired.champion.take(at),
        paired.challenger.take(at),
        paired.source,
        None if paired.weight is None else np.asarray(paired.weight)[at],
        None if paired.block is None else np.asarray(paired.block)[at],
        paired.ordered,
        paired.clip,
    )
