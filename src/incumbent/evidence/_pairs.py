"""Bounds for right-or-wrong losses: only the rows on which the two models differ carry information.

Of n rows, b are won (champion wrong, challenger right) and c are lost. The gain is ``delta = P(win) - P(loss)``.

*No margin* (``delta > 0``): McNemar's exact test. Given ``b + c``, the wins are binomial with probability 1/2, so

    p = P(Binomial(b + c, 1/2) >= b).

*A margin* (``delta > margin``, as for "not worse by more than a point"): the loss rate stays unknown under the
hypothesis. Tango's score statistic

    z(margin) = (b - c - n margin) / sqrt(n (2 q + margin (1 - margin))),

with q the restricted maximum-likelihood loss rate, is close to normal, but not where few rows differ: with no loss seen
it lets a challenger at a margin of one point pass in 6.8 % of the cases at the 5 % level (n = 268). With fewer than
`FEW` differing rows the probability of a statistic as large is therefore computed exactly and maximised over the loss
rates that the rows leave possible (Berger and Boos), which keeps the level for every loss rate.

References
----------
McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions. Psychometrika 12.
Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample
design. Statistics in Medicine 17.
Lloyd, C. J. and Moldovan, M. V. (2008). A more powerful exact test of noninferiority from binary matched-pairs data.
Statistics in Medicine 27. We maximise over their nuisance interval and order tables by the score statistic itself.
Berger, R. L. and Boos, D. D. (1994). P values maximized over a confidence set for the nuisance parameter. JASA 89.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats

FEW = 200
"""With fewer differing rows than this, the test at a margin is computed exactly."""
_GRID = 48
"""Loss rates tried: eight to a standard deviation, finer than the p-value varies."""


def mcnemar(wins: int, losses: int) -> float:
    """Return the exact one-sided p-value that wins are no likelier than losses; 1 where no row differs.

    Examples
    --------
    >>> mcnemar(5, 0)
    0.03125
    """
    from scipy import special

    return float(special.bdtrc(wins - 1, wins + losses, 0.5)) if wins > 0 else 1.0


def tango(wins: Array | int, losses: Array | int, rows: int, margin: float) -> Floats:
    """Return the score statistic that the gain is `margin`; it is large where the gain is larger."""
    b, c = np.asarray(wins, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    # 2 n q**2 - (b + c - (2 n - b + c) margin) q - c margin (1 - margin) = 0 has the restricted estimate as its root
    middle = b + c - (2 * rows - b + c) * margin
    inner = np.square(middle) + 8.0 * rows * c * margin * (1.0 - margin)
    q = (middle + np.sqrt(np.maximum(inner, 0.0))) / (4.0 * rows)
    variance = rows * (2.0 * q + margin * (1.0 - margin))
    distance = b - c - rows * margin
    usable = variance > 1e-12  # without variance the statistic is infinite on the side of the estimate
    return distance / np.sqrt(np.where(usable, variance, 1e-300))


def unconditional(wins: int, losses: int, rows: int, margin: float, *, alpha: float) -> float:
    """Return the p-value that the gain is at most `margin`, whatever the loss rate; valid for any number of rows.

    Parameters
    ----------
    wins, losses, rows : int
        Rows won, rows lost, all rows.
    margin : float
        The gain under the hypothesis, in (-1, 1).
    alpha : float
        The level that the p-value will be held against. A hundredth of it is spent on the interval of loss rates.
    """
    from scipy import special

    spent = alpha / 100.0
    low, high = _loss_rates(wins + losses, rows, margin, spent)
    lost = np.linspace(low, high, _GRID)[:, None]
    won = lost + margin
    reach = 8.0 * math.sqrt(rows * high) + 12.0
    c = np.arange(max(0, math.floor(rows * low - reach)), min(rows, math.ceil(rows * high + reach)) + 1)
    least = _least_wins(c, rows, margin, float(tango(wins, losses, rows, margin)))
    with np.errstate(divide="ignore"):
        mass = special.xlogy(c, lost) + special.xlog1py(rows - c, -lost)
    mass = np.exp(mass + special.gammaln(rows + 1) - special.gammaln(c + 1) - special.gammaln(rows - c + 1))
    share = np.clip(won / np.maximum(1.0 - lost, 1e-300), 0.0, 1.0)
    tail = np.where(least <= 0, 1.0, special.betainc(np.maximum(least, 1), np.maximum(rows - c - least + 1, 1), share))
    tail = np.where(least > rows - c, 0.0, tail)
    return min(1.0, float((mass * tail).sum(axis=1).max()) + spent)


def _loss_rates(differing: int, rows: int, margin: float, spent: float) -> tuple[float, float]:
    """Return the loss rates within the Clopper-Pearson interval of the share of differing rows."""
    from scipy import special

    low = special.betaincinv(differing, rows - differing + 1, spent / 2) if differing else 0.0
    high = special.betainccinv(differing + 1, rows - differing, spent / 2) if differing < rows else 1.0
    least, most = max(0.0, -margin), (1.0 - margin) / 2.0
    rates = sorted(min(max((share - margin) / 2.0, least), most) for share in (float(low), float(high)))
    return rates[0], rates[1]


def _least_wins(losses: NDArray[np.intp], rows: int, margin: float, statistic: float) -> NDArray[np.intp]:
    """Return for each number of losses the fewest wins that give a statistic as large; more losses never need fewer."""
    low, high = np.full(len(losses), -1), rows - losses + 1
    while (open_ := high - low > 1).any():
        middle = np.where(open_, (low + high) // 2, high)
        enough = tango(np.maximum(middle, 0), losses, rows, margin) >= statistic - 1e-9
        high, low = np.where(open_ & enough, middle, high), np.where(open_ & ~enough, middle, low)
    return np.asarray(np.maximum.accumulate(high))


@functools.lru_cache(maxsize=4096)
def gain_bounds(wins: int, losses: int, rows: int, *, alpha: float, margin: float = 0.0) -> tuple[float, float]:
    """Return one-sided bounds of ``P(win) - P(loss)``, each at level `alpha`.

    The lower bound lies above `margin` exactly if the test there rejects: McNemar's where the margin is zero. The same
    holds of the upper bound and zero.

    Examples
    --------
    >>> low, high = gain_bounds(0, 0, 1000, alpha=0.05)
    >>> round(low, 4), round(high, 4)
    (-0.003, 0.003)
    """
    return _lower(wins, losses, rows, alpha, margin), -_lower(losses, wins, rows, alpha, -margin)


def _lower(wins: int, losses: int, rows: int, alpha: float, margin: float) -> float:
    from scipy import special

    critical = float(special.ndtri(1.0 - alpha))
    estimate = (wins - losses) / rows

    def by_score(at: float) -> bool:
        return float(tango(wins, losses, rows, at)) >= critical

    def by_count(at: float) -> bool:
        return at <= -1.0 or unconditional(wins, losses, rows, at, alpha=alpha) <= alpha

    bound = _bisect(by_score, -1.0, estimate, 1e-9)
    if few := wins + losses < FEW:
        bound = _from_near(by_count, bound, estimate, 1.0 / rows)
    if margin == 0.0:
        passed = mcnemar(wins, losses) <= alpha
    else:
        passed = margin < estimate and (by_count if few else by_score)(margin)
    return max(bound, math.nextafter(margin, 1.0)) if passed else min(bound, margin)


def _from_near(rejected: Callable[[float], bool], near: float, estimate: float, least: float) -> float:
    """Return the largest value that the exact test rejects, starting from a bound that is nearly right."""
    step = max(estimate - near, least) / 8.0
    low, high = near, estimate
    while not rejected(low):
        low, high, step = max(-1.0, low - step), low, 2.0 * step
    return _bisect(rejected, low, high, max(estimate - low, least) / 64.0)


def _bisect(rejected: Callable[[float], bool], low: float, high: float, width: float) -> float:
    """Return the largest value found to be rejected, given that `low` is."""
    while high - low > width:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rejected(middle) else (low, middle)
    return low


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
