"""Rows without labels, sorted by how much their label could tell of the difference between two models.

For row i and class k let ``d_ik = loss(champion, i, k) - loss(challenger, i, k)`` be the difference if k is the truth.
It needs no label. With q_ik, how probable both models together hold k to be,

    mean_i = sum_k q_ik d_ik,    square_i = sum_k q_ik d_ik**2.

For right and wrong, d is zero whatever the truth where both say the same: only rows on which they disagree can tell
anything. For a proper score it is zero where both give the same probabilities. For values there are no classes; the
difference of squared or absolute errors grows with the distance between the two predictions, which stands in.

Strata are cut so that the sizes ``sqrt(square_i)`` add up to the same in each, after which Neyman's allocation asks
for about as many labels from each (Wright 1983). Rows whose difference is zero whatever their label are one by
themselves.

References
----------
Wright, R. L. (1983). Finite population sampling with multivariate auxiliary information. JASA 78.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, Metric, Prediction
from incumbent.errors import UsageError

DOUBT = 0.05
"""How much of the probability is spread over all classes: a model that is sure of a row can be wrong all the same."""
MOST = 6
"""Strata of rows that can differ: more gain next to nothing (Cochran 1977, section 5A.8)."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What the label of each row may tell: mean and square of the difference (n,), in the models' own view."""

    mean: Floats
    square: Floats

    @property
    def size(self) -> Floats:
        """Root of the expected square of the difference; exactly 0 where no label could tell anything."""
        return np.sqrt(self.square)


def forecast(champion: Prediction, challenger: Prediction, metric: Metric) -> Forecast:
    """Return what the label of each row may tell of the difference between the two.

    Raises
    ------
    UsageError
        If the metric has no loss for a single row.
    AbilityError
        If it needs probabilities and a model gives none.
    """
    if champion.classes is None and np.asarray(champion.label).dtype.kind == "f":
        _checked(metric, champion, champion.label)
        apart = np.asarray(champion.label, dtype=np.float64) - np.asarray(challenger.label, dtype=np.float64)
        square = np.square(apart)
        return Forecast(np.zeros(len(apart)), square.mean(axis=1) if square.ndim > 1 else square)
    if np.ndim(champion.label) > 1:
        raise UsageError(
            "Rows with several labels at once cannot be chosen by what their labels would tell; label some at random."
        )
    rows, classes = len(champion), _classes(champion, challenger)
    mean, square = np.zeros(rows), np.zeros(rows)
    for each in classes:
        truth = np.full(rows, each, dtype=classes.dtype)
        apart = _checked(metric, champion, truth) - _checked(metric, challenger, truth)
        share = 0.5 * (_belief(champion, each) + _belief(challenger, each))
        share = (1.0 - DOUBT) * share + DOUBT / len(classes)
        mean += share * apart
        square += share * np.square(apart)
    return Forecast(mean, square)


def _checked(metric: Metric, said: Prediction, truth: Array) -> Floats:
    losses = metric.losses(truth, said)
    if losses is None:
        raise UsageError(
            f"{metric.name} has no loss for a single row, so no row is worth more than another; name a metric that "
            "has, such as --metric accuracy, brier, log_loss, rmse or mae."
        )
    return losses


def _classes(champion: Prediction, challenger: Prediction) -> Array:
    both = (champion, challenger)
    known = [said.label if said.classes is None else said.classes for said in both]
    return np.unique(np.concatenate([np.unique(classes) for classes in known]))


def _belief(said: Prediction, label: object) -> Floats:
    if said.proba is None or said.classes is None:
        return np.asarray(said.label == label, dtype=np.float64)
    at = np.flatnonzero(said.classes == label)
    return np.asarray(said.proba[:, at[0]], dtype=np.float64) if len(at) else np.zeros(len(said))


def cut(size: Floats, most: int = MOST) -> NDArray[np.intp]:
    """Return the stratum (n,) of each row: 0, 1, ... from small to large sizes; rows of size 0 are alone in theirs.

    Examples
    --------
    >>> cut(np.array([0.0, 0.0, 1.0, 1.0, 1.0, 3.0]), most=2).tolist()
    [0, 0, 1, 1, 1, 2]
    >>> cut(np.array([0.5, 0.5, 0.5]), most=4).tolist()
    [0, 0, 0]
    """
    values, code, count = np.unique(size, return_inverse=True, return_counts=True)
    total = np.cumsum(values * count)
    before = np.concatenate([[0.0], total[:-1]]) / max(float(total[-1]), 1e-300)
    part = np.where(values > 0.0, 1 + np.minimum((before * most + 1e-9).astype(np.intp), most - 1), 0)
    return np.asarray(np.unique(part[code], return_inverse=True)[1], dtype=np.intp)
