"""How much two models differ on some rows, in a few numbers: enough to plan from, long after the rows are gone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Interval, Metric, PairedPredictions, Value
from incumbent.evidence._blocks import block_length
from incumbent.evidence._paired import _losses, _weighed, fixed, gain, scale
from incumbent.evidence._power import _differing, _gain_shown, _quantiles, _rows_for


@dataclass(frozen=True, repr=False)
class PairedVariance(Value):
    """How much the losses of two models differ from row to row.

    Parameters
    ----------
    rows : int
        How many rows were seen.
    variance : float
        Of the difference of the losses of one row; where the test takes rows in blocks or by weight, or the metric
        belongs to the rows as a whole, `rows` times the squared standard error of the gain.
    differing : float, optional
        The share of rows on which one model is right and the other wrong, where the exact test counts rows.
    scale : float
        The unit in which a gain or a tolerance is stated (see `incumbent.metrics.scale`).
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
        """Return how many such rows show a true gain with probability `power`; None where no number does.

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
        if self.differing is not None:
            return _rows_for(self.differing, gain, alpha, power)
        # n gain - worst >= (z_alpha + z_beta) sqrt(n variance)
        spread = sum(_quantiles(alpha, power)) * math.sqrt(self.variance)
        root = (spread + math.sqrt(spread**2 + 4.0 * self.worst * gain)) / (2.0 * gain)
        return max(1, math.ceil(root**2))

    def gain_for(self, rows: int, *, alpha: float, power: float) -> float:
        """Return the smallest true gain that so many such rows show with probability `power`."""
        if rows < 1:
            return math.inf
        if self.differing is not None:
            return _gain_shown(rows, self.differing, alpha, power)
        return (self.worst + sum(_quantiles(alpha, power)) * math.sqrt(rows * self.variance)) / rows


def paired_variance(
    paired: PairedPredictions, metric: Metric, *, interval: Interval | None = None
) -> PairedVariance | None:
    """Return how much champion and challenger differ on these rows; None where they cannot tell.

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
    paired = _weighed(paired)
    if not len(paired):
        return None
    losses, unit = _losses(paired, fixed(metric, paired)), scale(paired, metric)
    plain = losses is not None and paired.weight is None and paired.block is None
    if losses is not None and plain and not (paired.ordered and block_length(losses.gains) > 1):
        variance = float(losses.gains.var())
        found = PairedVariance(len(paired), variance, _differing(paired, metric), unit, losses.reach)
    else:
        found = PairedVariance(len(paired), _from_bounds(interval or gain(paired, metric, alpha=0.05)), None, unit)
    return found if np.isfinite([found.variance, found.scale]).all() else None


def _from_bounds(found: Interval) -> float:
    """Return the variance of one row that bounds as wide as these stand for."""
    error = (found.upper - found.lower) / (2.0 * _quantiles(found.alpha, 0.5)[0])
    return found.rows * error**2
