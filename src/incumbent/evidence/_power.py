"""What some rows could have shown, and how many rows would show more.

For right-or-wrong losses with a fraction pi of differing rows, McNemar's test at level alpha shows a gain delta with
probability 1 - beta once

    n delta - 1 >= z_alpha sqrt(n pi) + z_beta sqrt(n (pi - delta**2)),

where the 1 is the step of a count, which an exact test pays for (Connor 1987; Miettinen 1968). For every other metric
the bound on these rows shows it, with rows in proportion to 1 / delta**2:

    delta = half-width + z_beta * standard error.

A plan has no rows yet. It uses ``n delta - worst >= (z_alpha + z_beta) sqrt(n variance)``, where `worst` is the room
that the bound leaves for one row that did not turn up.

References
----------
Miettinen, O. S. (1968). The matched pairs design in the case of all-or-none responses. Biometrics 24.
Connor, R. J. (1987). Sample size for testing differences in proportions for the paired-sample design. Biometrics 43.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Interval, Metric, PairedPredictions, Value
from incumbent.evidence._blocks import block_length
from incumbent.evidence._paired import fixed, gain, losses_of, scale, weighed, win_counts


@dataclass(frozen=True, repr=False)
class PairedVariance(Value):
    """How much the losses of two models differ from row to row: enough to plan from when the rows are gone.

    Parameters
    ----------
    rows : int
        Number of rows.
    variance : float
        Variance of the difference of the losses of one row. If the test takes rows in blocks or by weight, or the
        metric belongs to the rows as a whole: `rows` times the squared standard error of the gain.
    differing : float, optional
        The fraction of rows on which one model is right and the other wrong, if McNemar's test counts rows.
    scale : float
        The unit of a gain or a tolerance (see `incumbent.evidence.scale`).
    worst : float
        The room that the bound leaves for one row that did not turn up.

    Examples
    --------
    >>> PairedVariance(1000, 0.04, 0.04).rows_for(0.01, alpha=0.05, power=0.8)
    2668
    >>> round(PairedVariance(1000, 0.04, 0.04).gain_for(2668, alpha=0.05, power=0.8), 4)
    0.01
    """

    rows: int
    variance: float
    differing: float | None = None
    scale: float = 1.0
    worst: float = 0.0

    def rows_for(self, gain: float, *, alpha: float, power: float) -> int | None:
        """Return how many such rows show a true gain with probability `power`; None if no number does.

        Parameters
        ----------
        gain : float
            The gain, or the distance from a margin, in the unit of the losses.
        alpha : float
            Level of the test.
        power : float
            Probability of showing it.
        """
        if not (gain > 0.0 and math.isfinite(self.variance)):
            return None
        z_alpha, z_beta = quantiles(alpha, power)
        if self.differing is None:
            spread, step, fewest = (z_alpha + z_beta) * math.sqrt(self.variance), self.worst, 1
        else:
            share = max(self.differing, gain)  # a gain needs at least as many differing rows
            spread, step = z_alpha * math.sqrt(share) + z_beta * math.sqrt(max(share - gain**2, 0.0)), 1.0
            fewest = math.ceil(math.ceil(math.log2(1.0 / alpha)) / share)  # wins without a loss: 0.5**wins <= alpha
        root = (spread + math.sqrt(spread**2 + 4.0 * step * gain)) / (2.0 * gain)
        return max(math.ceil(root**2), fewest)

    def gain_for(self, rows: int, *, alpha: float, power: float) -> float:
        """Return the smallest true gain that so many such rows show with probability `power`; infinite if none."""
        if rows < 1:
            return math.inf
        if self.differing is None:
            return (self.worst + sum(quantiles(alpha, power)) * math.sqrt(rows * self.variance)) / rows
        low, high = 0.0, 1.0
        if not self._show(rows, high, alpha, power):
            return math.inf
        while high - low > 1e-6:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._show(rows, middle, alpha, power) else (middle, high)
        return high

    def _show(self, rows: int, gain: float, alpha: float, power: float) -> bool:
        needed = self.rows_for(gain, alpha=alpha, power=power)
        return needed is not None and needed <= rows


def paired_variance(
    paired: PairedPredictions, metric: Metric, *, interval: Interval | None = None
) -> PairedVariance | None:
    """Return how much champion and challenger differ on these rows; None if the rows cannot tell.

    Parameters
    ----------
    paired : PairedPredictions
        Champion and challenger on the same rows.
    metric : Metric
        Whose losses, or whose score.
    interval : Interval, optional
        The gain on these rows, if it is known already; saves computing it again.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> from incumbent.metrics import Accuracy
    >>> y, champion = np.ones(999, dtype=int), np.ones(999, dtype=int)
    >>> champion[:99] = 0
    >>> paired_variance(PairedPredictions(y, Prediction(champion), Prediction(y)), Accuracy())
    PairedVariance(999, variance=0.0892..., differing=0.1, worst=1.0)
    """
    paired = weighed(paired)
    rows = len(paired)
    if not rows:
        return None
    losses, unit = losses_of(paired, fixed(metric, paired)), scale(paired, metric)
    if losses is not None and not np.isfinite(losses.champion + losses.challenger).all():
        return None
    plain = losses is not None and paired.weight is None and paired.block is None
    if losses is not None and plain and not (paired.ordered and block_length(losses.gains) > 1):
        counts = win_counts(paired, losses)
        differing = None if counts is None else (sum(counts) + 1) / (rows + 1)  # one more than seen, for those unseen
        found = PairedVariance(rows, float(losses.gains.var()), differing, unit, losses.reach)
    else:
        bounds = interval or gain(paired, metric, alpha=0.05)
        error = (bounds.upper - bounds.lower) / (2.0 * quantiles(bounds.alpha, 0.5)[0])
        found = PairedVariance(rows, bounds.rows * error**2, None, unit)
    return found if np.isfinite([found.variance, found.scale]).all() else None


def smallest_gain(
    paired: PairedPredictions, metric: Metric, alpha: float, power: float = 0.8, *, interval: Interval | None = None
) -> float:
    """Return the smallest true gain that these rows would have shown with probability `power`.

    Parameters
    ----------
    paired : PairedPredictions
        The holdout.
    metric : Metric
        The score that decides.
    alpha : float
        Level of the test.
    power : float
        Probability of showing it; 0.8 by custom.
    interval : Interval, optional
        The gain on these rows at this level, if it is known already; saves computing it again.

    Returns
    -------
    float
        In the unit of `gain`; infinite if nothing could be shown.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> from incumbent.metrics import Accuracy
    >>> y, champion = np.ones(1000, dtype=int), np.ones(1000, dtype=int)
    >>> champion[:100] = 0
    >>> both = PairedPredictions(y, Prediction(champion), Prediction(champion[::-1].copy()))
    >>> round(smallest_gain(both, Accuracy(), 0.05), 3)
    0.036
    """
    found = paired_variance(paired, metric, interval=interval)
    if found is None:
        return math.inf
    if found.differing is None:
        return _gain_from_interval(interval or gain(paired, metric, alpha=alpha), power)
    return found.gain_for(found.rows, alpha=alpha, power=power)


def rows_needed(
    paired: PairedPredictions,
    metric: Metric,
    gain_wanted: float,
    alpha: float,
    power: float = 0.8,
    *,
    interval: Interval | None = None,
) -> int | None:
    """Return how many rows like these would show a true gain with probability `power`; None if no number would.

    Parameters
    ----------
    paired : PairedPredictions
        Rows that show how often and by how much the models differ.
    metric : Metric
        The score that decides.
    gain_wanted : float
        The gain, or the distance from a margin, in the unit of `gain`.
    alpha, power, interval
        As for `smallest_gain`.
    """
    found = paired_variance(paired, metric, interval=interval)
    if found is None or not gain_wanted > 0.0:
        return None
    if found.differing is None:
        least = _gain_from_interval(interval or gain(paired, metric, alpha=alpha), power)
        return math.ceil(found.rows * (least / gain_wanted) ** 2) if math.isfinite(least) else None
    return found.rows_for(gain_wanted, alpha=alpha, power=power)


def _gain_from_interval(found: Interval, power: float) -> float:
    """Return ``half-width + z_beta * standard error``: skewed losses have a wider bound than their variance shows."""
    z_alpha, z_beta = quantiles(found.alpha, power)
    below, above = found.value - found.lower, found.upper - found.value
    if not (math.isfinite(below) and math.isfinite(above) and z_alpha > 0):
        return math.inf
    return below + z_beta * (below + above) / (2.0 * z_alpha)


def quantiles(alpha: float, power: float) -> tuple[float, float]:
    """Return the normal quantiles of level and power."""
    from scipy import special

    return float(special.ndtri(1.0 - alpha)), float(special.ndtri(power))
