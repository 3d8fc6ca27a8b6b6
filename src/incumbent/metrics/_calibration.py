"""Whether probabilities agree with observed frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._base import Score
from incumbent.metrics._labels import Codes, column, encode, encode_truth, probabilities, several, tallies

BINS = 15


@dataclass(frozen=True, repr=False)
class CalibrationError(Score):
    """Expected calibration error: mean distance of predicted probabilities from observed frequencies.

    Rows are put into bins of equal size by their confidence: the probability of the positive class if there are two
    classes, else that of the most probable class. If rows have several labels, each label of each row counts by itself.

    Parameters
    ----------
    bins : int
        Number of bins; 15 as in the reference. With equal sizes, the frequencies of all bins are about equally precise.
    positive : label, optional
        The positive class; None takes the last of two classes in sorted order.
    classes : tuple, optional
        The classes; None takes those that occur.

    References
    ----------
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML. We use equal-mass bins (Nixon et al. 2019).

    ``ECE = sum_b |sum_{i in b} w_i (hit_i - confidence_i)| / sum_i w_i``

    Examples
    --------
    >>> sure = Prediction(np.array([1, 1]), np.array([[0.2, 0.8], [0.2, 0.8]]), np.array([0, 1]))
    >>> round(CalibrationError().score(np.array([1, 0]), sure), 3)
    0.3
    """

    bins: int = BINS
    positive: Any = None
    classes: tuple[Any, ...] | None = None

    name = "calibration_error"
    greater_is_better = False
    needs_proba = True

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        confidence, hit = _confidence(y, prediction, self.positive, self.classes)
        code, size = _equal_mass(confidence, self.bins)
        if several(y):
            return _gap_of_labels(code, size, hit - confidence, weight)
        gap = tallies(code, size, weight * (hit - confidence))
        return np.asarray(np.abs(gap).sum(axis=1) / weight.sum(axis=1))


def _confidence(
    y: Array, prediction: Prediction, positive: Any, classes: tuple[Any, ...] | None
) -> tuple[Floats, Floats]:
    proba, known = probabilities(prediction, "calibration_error")
    if several(y):
        return proba.ravel(), np.asarray(np.asarray(y).ravel() == 1, dtype=np.float64)
    every, truth = encode_truth(classes, y, prediction)
    if positive is None and len(every) == 2:
        positive = every[-1]
    if positive is not None:
        hit = truth == encode(np.asarray([positive]), every)[0]
        return column(prediction, positive, "calibration_error"), np.asarray(hit, dtype=np.float64)
    top = proba.argmax(axis=1)
    return proba.max(axis=1), np.asarray(encode(known, every)[top] == truth, dtype=np.float64)


def _gap_of_labels(code: Codes, size: int, gap: Floats, weight: Floats) -> Floats:
    """Return the error (B,) from the gap of each label of each row: summed by row and bin before rows are weighted."""
    rows = weight.shape[1]
    width = len(gap) // rows
    at = np.repeat(np.arange(rows), width) * size + code
    by_bin = np.bincount(at, weights=gap, minlength=rows * size).reshape(rows, size)
    return np.asarray(np.abs(weight @ by_bin).sum(axis=1) / (width * weight.sum(axis=1)))


def _equal_mass(confidence: Floats, bins: int) -> tuple[Codes, int]:
    """Return each row's bin; rows of equal confidence share one."""
    if not len(confidence):
        return np.zeros(0, dtype=np.intp), bins
    edges = np.unique(np.quantile(confidence, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    return np.searchsorted(edges, confidence, side="right"), bins
