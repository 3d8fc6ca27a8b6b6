"""Bounds for the mean of bounded losses: every row seen, and one more that is as bad as a row can be.

A paired t interval knows only what was seen. If one row in a thousand costs a fortune and none is among 500, it sees no
variance and promotes. A bound that holds for every bounded loss must leave room for the row that did not turn up. Ours
is Gaffke's: give the rows and one row at the worst value uniformly random weights, and take the quantile of the mean,

    lower = alpha-quantile of (sum_i E_i x_i + E_0 x_worst) / (sum_i E_i + E_0),   E ~ independent Exp(1).

It is Clopper and Pearson's bound if the losses are 0 and 1 (three in n where none was seen), and the paired t bound as
n grows; in between it corrects for skewness, so there is no rule for when to use which. That its level holds for all
bounded losses and all n is proven for two values and, as far as we know, a conjecture else that no search has broken.

The probability is not simulated. ``sum E_i (x_i - m)`` has the cumulants of ``K(s) = -sum log(1 - s (x_i - m))``, and
the saddlepoint gives its tail to a few parts in a hundred or better, the same at every run:

    P(mean <= m) = Phi(r + log(u / r) / r),   r = sign(s) sqrt(-2 K(s)),   u = s sqrt(K''(s)),   K'(s) = 0.

References
----------
Gaffke, N. (2005). Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable.
Mathematical Methods of Statistics 14.
Learned-Miller, E. and Thomas, P. S. (2019). A new confidence interval for the mean of a bounded random variable.
arXiv:1905.06208.
Barndorff-Nielsen, O. E. (1986). Inference on full or partial parameters based on the standardized signed log likelihood
ratio. Biometrika 73.
"""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Floats


def mean_bounds(
    total: Floats, weight: Floats, *, worst: float, best: float, alpha: float, few: bool = False
) -> tuple[float, float]:
    """Return one-sided bounds of ``sum(total) / sum(weight)``, each at level `alpha`.

    Parameters
    ----------
    total : (g,) array
        Weighted sum of each unit of evidence: a row, a cluster or a block.
    weight : (g,) array
        Weight of each unit.
    worst, best : float
        Sum of the one unit more, of average weight, that leaves room below and above.
    alpha : float
        Level of each bound.
    few : bool
        Use Student's quantile instead of the normal one, as units that are means of many rows ask for.

    Examples
    --------
    >>> low, high = mean_bounds(np.zeros(1000), np.ones(1000), worst=-1.0, best=1.0, alpha=0.05)
    >>> round(low, 4), round(high, 4)
    (-0.003, 0.003)
    """
    lower = _lower(total, weight, worst, alpha, few)
    return lower, -_lower(-total, weight, -best, alpha, few)


def _lower(total: Floats, weight: Floats, worst: float, alpha: float, few: bool) -> float:
    from scipy import special

    units, typical = len(total), float(weight.mean())
    target = float(special.stdtrit(units - 1, alpha) if few and units > 1 else special.ndtri(alpha))
    sums, weights = np.append(total, worst), np.append(weight, typical)
    floor, high = float(np.min(sums / weights)), float(sums.sum() / weights.sum())
    if not high > floor:
        return floor
    spread = math.sqrt(float(np.square(sums - high * weights).sum())) / float(weights.sum())
    return _root(sums, weights, target, floor, high, min(high, high + target * spread))


def _root(sums: Floats, weights: Floats, target: float, low: float, high: float, start: float) -> float:
    """Return the mean at which the signed root reaches `target`: secant steps, kept inside a bracket by bisection."""
    width, at = high - low, start if low < start < high else 0.5 * (low + high)
    before: tuple[float, float] = (high, 0.0)
    for _ in range(60):
        value = _signed_root(sums - at * weights)
        low, high = (at, high) if value <= target else (low, at)
        if abs(value - target) < 1e-4 or high - low < 1e-9 * width:
            break
        slope = (value - before[1]) / (at - before[0]) if at != before[0] else 0.0
        before = (at, value)
        step = at + (target - value) / slope if slope > 0.0 else math.nan
        at = step if low < step < high else 0.5 * (low + high)
    return at


def _signed_root(values: Floats) -> float:
    """Return the normal quantile of ``P(sum E_i values_i <= 0)``."""
    least, most = float(values.min()), float(values.max())
    if least >= 0.0 or most <= 0.0:
        return -math.inf if least >= 0.0 else math.inf
    s = _saddlepoint(values, 1.0 / least, 1.0 / most)
    room = 1.0 - s * values
    r = math.copysign(math.sqrt(max(0.0, 2.0 * float(np.log(room).sum()))), s)
    ratio = values / room
    u = s * math.sqrt(float(np.square(ratio).sum()))
    if abs(r) < 1e-3:  # at the mean: the limit of log(u / r) / r
        return r + float(np.power(ratio, 3).sum()) / (3.0 * math.pow(float(np.square(ratio).sum()), 1.5))
    return r + math.log(u / r) / r


def _saddlepoint(values: Floats, low: float, high: float) -> float:
    """Solve ``K'(s) = sum values / (1 - s values) = 0`` in (low, high) by Newton's method, kept inside its bracket."""
    s = min(max(-float(values.sum()) / float(np.square(values).sum()), 0.5 * low), 0.5 * high)
    for _ in range(100):
        ratio = values / (1.0 - s * values)
        slope = float(ratio.sum())
        low, high = (s, high) if slope < 0.0 else (low, s)
        step = s - slope / float(np.square(ratio).sum())
        if abs(step - s) < 1e-9 * max(abs(s), 1e-300) or slope == 0.0:
            break
        s = step if low < step < high else 0.5 * (low + high)
    return s
