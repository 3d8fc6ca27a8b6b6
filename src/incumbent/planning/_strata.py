"""Strata of unlabelled rows, by how much their label can show of the difference between two models.

For row i and class k let ``d_ik = loss(champion, i, k) - loss(challenger, i, k)`` be the difference if k is the true
class. It needs no label. With q_ik, the mean of both models' probabilities of k,

    mean_i = sum_k q_ik d_ik,    square_i = sum_k q_ik d_ik**2.

For accuracy, d is zero for every class if both models predict the same, so only rows on which they disagree are
informative. For a proper score it is zero if both give the same probabilities. A regression has no classes; the
difference of its errors grows with the distance between the two predictions, which is used instead.

Strata are cut so that the sizes ``sqrt(square_i)`` have the same sum in each. Neyman's allocation then takes about as
many labels from each (Wright 1983). Rows whose difference is zero for every label are a stratum of their own.

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

SMOOTHING = 0.05
"""Fraction of the probability that is spread over all classes, since a confident model can be wrong too."""
MOST = 6
"""Strata of informative rows: more gain next to nothing (Cochran 1977, section 5A.8)."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Expected difference of the losses of each row, and of its square (n,), by both models' probabilities."""

    mean: Floats
    square: Floats


def forecast(champion: Prediction, challenger: Prediction, metric: Metric) -> Forecast:
    """Return the expected differences; raise an error if the metric has no loss per row, or lacks probabilities."""
    if champion.classes is None and np.asarray(champion.label).dtype.kind == "f":
        _losses(metric, champion, champion.label)
        distance = np.asarray(champion.label, dtype=np.float64) - np.asarray(challenger.label, dtype=np.float64)
        square = np.square(distance)
        return Forecast(np.zeros(len(distance)), square.mean(axis=1) if square.ndim > 1 else square)
    if np.ndim(champion.label) > 1:
        raise UsageError(
            "Rows with several labels cannot be chosen by what their labels would show; label some at random."
        )
    rows, classes = len(champion), _classes(champion, challenger)
    mean, square = np.zeros(rows), np.zeros(rows)
    for each in classes:
        truth = np.full(rows, each, dtype=classes.dtype)
        difference = _losses(metric, champion, truth) - _losses(metric, challenger, truth)
        probability = 0.5 * (_probability(champion, each) + _probability(challenger, each))
        probability = (1.0 - SMOOTHING) * probability + SMOOTHING / len(classes)
        mean += probability * difference
        square += probability * np.square(difference)
    return Forecast(mean, square)


def _losses(metric: Metric, prediction: Prediction, truth: Array) -> Floats:
    losses = metric.losses(truth, prediction)
    if losses is None:
        raise UsageError(
            f"{metric.name} has no loss for a single row, so it cannot rank rows; name a metric that has one, such as "
            "--metric accuracy, brier, log_loss, rmse or mae."
        )
    return losses


def _classes(*both: Prediction) -> Array:
    return np.unique(np.concatenate([np.unique(p.label if p.classes is None else p.classes) for p in both]))


def _probability(prediction: Prediction, label: object) -> Floats:
    if prediction.proba is None or prediction.classes is None:
        return np.asarray(prediction.label == label, dtype=np.float64)
    at = np.flatnonzero(prediction.classes == label)
    return np.asarray(prediction.proba[:, at[0]], dtype=np.float64) if len(at) else np.zeros(len(prediction))


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
