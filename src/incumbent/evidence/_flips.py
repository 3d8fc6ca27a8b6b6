"""Bounds of a fraction of rows, such as the negative flips: the champion had them right, the challenger wrong."""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Floats, Interval, PairedPredictions
from incumbent.evidence._blocks import block_length, clusters, consecutive
from incumbent.evidence._mean import mean_bounds
from incumbent.metrics._labels import Codes, wrong


def negative_flip_rate(paired: PairedPredictions, *, alpha: float) -> Interval:
    """Return the share of rows that turn from right to wrong, with one-sided bounds.

    Clopper and Pearson's exact bounds for independent rows without weights, else those of a mean over rows, clusters
    or blocks, with room for one that did not turn up.

    Parameters
    ----------
    paired : PairedPredictions
        Champion and challenger on the same rows.
    alpha : float
        Level of each bound.

    References
    ----------
    Yan, S. et al. (2021). Positive-congruent training: towards regression-free model updates. CVPR.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> y = np.zeros(299, dtype=int)
    >>> round(negative_flip_rate(PairedPredictions(y, Prediction(y), Prediction(y)), alpha=0.05).upper, 4)
    0.01
    """
    kept = slice(None) if paired.weight is None else np.asarray(paired.weight) > 0
    y, before, after = (np.asarray(x)[kept] for x in (paired.y, paired.champion.label, paired.challenger.label))
    rows = len(y)
    if not rows:
        return Interval(math.nan, 0.0, 1.0, alpha, "no rows", 0)
    flipped = np.asarray(~wrong(before, y) & wrong(after, y), dtype=np.float64)
    weight = np.ones(rows) if paired.weight is None else np.asarray(paired.weight, dtype=np.float64)[kept]
    value = float(np.average(flipped, weights=weight))
    if paired.block is not None:
        unit = clusters(np.asarray(paired.block)[kept])
        return Interval(value, *_by_unit(flipped, weight, unit, alpha), alpha, "share by cluster", rows)
    if paired.weight is None:
        count = int(flipped.sum())
        lower, upper = clopper_pearson_lower(count, rows, alpha=alpha), clopper_pearson_upper(count, rows, alpha=alpha)
        test = "Clopper-Pearson"
    else:
        worst = float(weight.mean())
        lower, upper = mean_bounds(weight * flipped, weight, worst=0.0, best=worst, alpha=alpha)
        test = "weighted share"
    length = block_length(flipped) if paired.ordered else 1
    if length > 1:
        wide = _by_unit(flipped, weight, consecutive(rows, length), alpha)
        lower, upper = min(lower, wide[0]), max(upper, wide[1])
        test += f" and in blocks of {length} rows"
    return Interval(value, lower, upper, alpha, test, rows)


def _by_unit(flipped: Floats, weight: Floats, unit: Codes, alpha: float) -> tuple[float, float]:
    if unit.max() == 0:
        return 0.0, 1.0  # one unit says nothing about the next
    total, mass = (np.bincount(unit, x).astype(np.float64) for x in (weight * flipped, weight))
    # the unit that did not turn up: one flip, or one standard deviation more than the others
    best = min(max(float(weight.mean()), float(total.mean() + total.std())), float(mass.mean()))
    return mean_bounds(total, mass, worst=0.0, best=best, alpha=alpha, few=True)


def clopper_pearson_upper(count: int, rows: int, *, alpha: float) -> float:
    """Return the Clopper-Pearson upper bound of a share: the largest that would give so few with probability alpha.

    Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits. Biometrika 26.

    Examples
    --------
    >>> round(clopper_pearson_upper(0, 299, alpha=0.05), 4)
    0.01
    """
    from scipy import special

    return float(special.betainccinv(count + 1, rows - count, alpha)) if count < rows else 1.0


def clopper_pearson_lower(count: int, rows: int, *, alpha: float) -> float:
    """Return the Clopper-Pearson lower bound of a share."""
    return 1.0 - clopper_pearson_upper(rows - count, rows, alpha=alpha) if rows else 0.0
