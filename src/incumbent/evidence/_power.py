"""What a holdout could have shown, and how many rows would show more.

For right-or-wrong losses with a share pi of differing rows, McNemar's test at level alpha shows a gain delta with
probability 1 - beta once

    n delta - 1 >= z_alpha sqrt(n pi) + z_beta sqrt(n (pi - delta**2)),

where the 1 is the step of a count, which an exact test pays for (Connor 1987; Miettinen 1968). For every other metric
the half-width of the bound and the standard error on these rows stand in,

    delta = half-width + z_beta * standard error,

and rows are needed in proportion to 1 / delta**2.

References
----------
Miettinen, O. S. (1968). The matched pairs design in the case of all-or-none responses. Biometrics 24.
Connor, R. J. (1987). Sample size for testing differences in proportions for the paired-sample design. Biometrics 43.
"""

from __future__ import annotations

import math

from incumbent.core import Interval, Metric, PairedPredictions
from incumbent.evidence._blocks import block_length
from incumbent.evidence._paired import _losses, _weighed, fixed, gain, win_counts


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
        In the unit of `gain`; infinite where nothing could be shown.

    Examples
    --------
    >>> import numpy as np
    >>> from incumbent.core import Prediction
    >>> from incumbent.metrics import Accuracy
    >>> y, champion = np.ones(1000, dtype=int), np.ones(1000, dtype=int)
    >>> champion[:100] = 0
    >>> both = PairedPredictions(y, Prediction(champion), Prediction(champion[::-1].copy()))
    >>> round(smallest_gain(both, Accuracy(), 0.05), 3)
    0.036
    """
    paired = _weighed(paired)
    if not len(paired):
        return math.inf
    differing = _differing(paired, metric)
    if differing is not None:
        return _gain_shown(len(paired), differing, alpha, power)
    found = interval if interval is not None else gain(paired, metric, alpha=alpha)
    return _from_interval(found, power)


def rows_needed(
    paired: PairedPredictions,
    metric: Metric,
    gain_wanted: float,
    alpha: float,
    power: float = 0.8,
    *,
    interval: Interval | None = None,
) -> int | None:
    """Return how many rows like these would show a true gain of `gain_wanted` with probability `power`.

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

    Returns
    -------
    int or None
        None where no number of rows would do: the gain is not positive, or nothing is known.
    """
    paired = _weighed(paired)
    if not len(paired) or not gain_wanted > 0.0:
        return None
    differing = _differing(paired, metric)
    if differing is not None:
        return _rows_for(differing, gain_wanted, alpha, power)
    found = interval if interval is not None else gain(paired, metric, alpha=alpha)
    least = _from_interval(found, power)
    return math.ceil(len(paired) * (least / gain_wanted) ** 2) if math.isfinite(least) else None


def _differing(paired: PairedPredictions, metric: Metric) -> float | None:
    """Return the share of rows that differ, where rows count one by one; one row more than seen, for those unseen."""
    losses = _losses(paired, fixed(metric, paired))
    counts = None if losses is None else win_counts(paired, losses)
    if losses is None or counts is None or (paired.ordered and block_length(losses.gains) > 1):
        return None
    return (sum(counts) + 1) / (len(paired) + 1)


def _rows_for(differing: float, wanted: float, alpha: float, power: float) -> int:
    z_alpha, z_beta = _quantiles(alpha, power)
    share = max(differing, wanted)  # a gain needs at least as many differing rows
    spread = z_alpha * math.sqrt(share) + z_beta * math.sqrt(max(share - wanted**2, 0.0))
    root = (spread + math.sqrt(spread**2 + 4.0 * wanted)) / (2.0 * wanted)
    return max(math.ceil(root**2), math.ceil(_fewest_wins(alpha) / share))


def _gain_shown(rows: int, differing: float, alpha: float, power: float) -> float:
    low, high = 0.0, 1.0
    if _rows_for(differing, high, alpha, power) > rows:
        return math.inf
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _rows_for(differing, middle, alpha, power) <= rows else (middle, high)
    return high


def _fewest_wins(alpha: float) -> int:
    """Return how many wins without a loss an exact test asks for: 0.5**wins <= alpha."""
    return math.ceil(math.log2(1.0 / alpha))


def _from_interval(found: Interval, power: float) -> float:
    z_alpha, z_beta = _quantiles(found.alpha, power)
    below, above = found.value - found.lower, found.upper - found.value
    if not (math.isfinite(below) and math.isfinite(above)):
        return math.inf
    error = (below + above) / (2.0 * z_alpha) if z_alpha > 0 else math.inf
    return below + z_beta * error


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    from scipy import special

    return float(special.ndtri(1.0 - alpha)), float(special.ndtri(power))
