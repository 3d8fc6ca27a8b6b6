"""Bounds for the difference of two AUCs on the same rows, by DeLong's variance: exact to the last rank, no resampling.

An AUC is a mean over all pairs of a positive and a negative row. With m positives and n negatives, let ``V10_i`` be the
share of negatives that positive i is ranked above, and ``V01_j`` the share of positives that are ranked above negative
j (ties count half). Both means are the AUC, and for the differences D10, D01 of two models

    var(AUC_b - AUC_a) = var(D10) / m + var(D01) / n.

Sun and Xu read all of them off midranks, in O((m + n) log(m + n)): with the midrank R_i of positive i among all rows
and R+_i among positives, ``V10_i = (R_i - R+_i) / n``; ``V01_j = 1 - (R_j - R-_j) / m`` likewise.

A variance knows nothing of rows that did not turn up: if ten rows in ten thousand are ruined, and none of them is
here, it is too small. The bootstrap leaves room for one such row (see `_bootstrap`), which costs power that need not be
paid where one row more or less is nothing. So DeLong's test is used only if that row could not move the difference by
more than a quarter of its standard error; ruined rows can then raise a level of 5 % by about half a point at most. Nor
is it used if skewness would move the quantile by more than a tenth, or a class has fewer than `FEWEST` rows. So models
that agree on all but a few rows are left to the bootstrap, whatever the number of rows.

References
----------
DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
operating characteristic curves: a nonparametric approach. Biometrics 44.
Sun, X. and Xu, W. (2014). Fast implementation of DeLong's algorithm for comparing the areas under correlated receiver
operating characteristic curves. IEEE Signal Processing Letters 21.
Hall, P. (1992). The Bootstrap and Edgeworth Expansion. Springer. (What skewness does to a studentised mean.)
"""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Array, Floats, PairedPredictions
from incumbent.metrics._labels import column
from incumbent.metrics._rank import AUC

FEWEST = 30
"""Rows that either class must have: of fewer, a variance says little."""
ROW = 0.25
"""The most that one ruined row may move the difference, in standard errors."""
SHIFT = 0.1
"""The most that skewness may move the quantile, in standard errors: at 5 % the level is then within one point."""


def delong_bounds(paired: PairedPredictions, metric: AUC, *, alpha: float) -> tuple[float, float] | None:
    """Return one-sided bounds of challenger's AUC less champion's, each at level `alpha`; None where they do not fit.

    Parameters
    ----------
    paired : PairedPredictions
        Independent rows without weights.
    metric : AUC
        Its classes are known.
    alpha : float
        Level of each bound.
    """
    from scipy import special

    classes = metric.classes or ()
    positive = classes[-1] if metric.positive is None and len(classes) == 2 else metric.positive
    if positive is None or np.ndim(paired.y) > 1:  # a mean over several classes or labels, each against the rest
        return None
    each = differences(paired, positive)
    z = float(special.ndtri(1.0 - alpha))
    error = standard_error(each)
    if not _fits(each, error, z):
        return None
    value = float(each[0].mean())
    return value - z * error, value + z * error


def differences(paired: PairedPredictions, positive: object) -> tuple[Floats, Floats]:
    """Return for each positive and each negative row how much higher the challenger places it on its right side.

    Each lies in [-1, 1], and the mean of either is challenger's AUC less champion's.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> def predicted(p):
    ...     return Prediction(np.zeros(4), np.column_stack([1 - p, p]), np.array([0, 1]))
    >>> first = predicted(np.array([0.1, 0.4, 0.4, 0.8]))
    >>> second = predicted(np.array([0.1, 0.2, 0.3, 0.8]))
    >>> [found.tolist() for found in differences(PairedPredictions(np.array([0, 0, 1, 1]), first, second), 1)]
    [[0.25, 0.0], [0.0, 0.25]]
    """
    truth = np.asarray(np.asarray(paired.y) == positive)
    before, after = (
        _placed(column(prediction, positive, "auc"), truth) for prediction in (paired.champion, paired.challenger)
    )
    return after[0] - before[0], after[1] - before[1]


def _placed(score: Floats, positive: Array) -> tuple[Floats, Floats]:
    """Return the share of the other side that each positive, and each negative, is on the right side of."""
    ranks, above, below = midranks(score), score[positive], score[~positive]
    return (
        (ranks[positive] - midranks(above)) / len(below),
        1.0 - (ranks[~positive] - midranks(below)) / len(above),
    )


def midranks(values: Floats) -> Floats:
    """Return the rank (n,) of each value, counted from 1; equal values share the mean of their ranks.

    Examples
    --------
    >>> midranks(np.array([0.3, 0.1, 0.3, 0.9])).tolist()
    [2.5, 1.0, 2.5, 4.0]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - 0.5 * (count - 1.0))[place])


def standard_error(each: tuple[Floats, Floats]) -> float:
    """Return the standard error of the mean difference, from what `differences` returned."""
    return math.sqrt(sum(float(side.var(ddof=1)) / len(side) for side in each)) if _smaller(each) > 1 else math.nan


def _smaller(each: tuple[Floats, Floats]) -> int:
    return min(len(side) for side in each)


def _fits(each: tuple[Floats, Floats], error: float, z: float) -> bool:
    if _smaller(each) < FEWEST or not 1.0 / _smaller(each) <= ROW * error:  # what is not a number is not small either
        return False
    third = sum(float(np.power(side - side.mean(), 3).mean()) / len(side) ** 2 for side in each)
    # the first term of Edgeworth's expansion of a studentised mean (Hall 1992, section 2.6)
    return abs(third) / error**3 * (2.0 * z * z + 1.0) / 6.0 <= SHIFT
