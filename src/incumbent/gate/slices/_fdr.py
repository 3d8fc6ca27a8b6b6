"""Which of the slices that were found are real: tested on rows that the search has not seen.

Of m slices, let ``p_(1) <= ... <= p_(m)`` be the one-sided p-values that the challenger is worse there. Benjamini and
Hochberg confirm the R slices with the smallest, where

    R = max {k : p_(k) <= alpha k / m},

and then at most a share alpha of the confirmed is expected to be false, if the p-values are independent or positively
dependent. Slices that overlap share rows, so their mean gains have covariances >= 0, and one-sided tests of such normal
means are positively dependent (Benjamini and Yekutieli 2001, section 3.1).

The interval of a confirmed slice is at level ``alpha R / m``: the expected share of such intervals that miss is at most
alpha (Benjamini and Yekutieli 2005), and every one of them agrees with the decision.

References
----------
Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57.
Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under dependency.
Annals of Statistics 29.
Benjamini, Y. and Yekutieli, D. (2005). False discovery rate-adjusted multiple confidence intervals for selected
parameters. JASA 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Interval, Metric, PairedPredictions
from incumbent.errors import DataError, UsageError
from incumbent.evidence import gain
from incumbent.gate.slices._given import GivenLoss, paired_by, rows_of
from incumbent.gate.slices._slice import Slice
from incumbent.gate.slices._table import Mask, Table


@dataclass(frozen=True)
class Confirmed:
    """A slice on which the challenger is worse.

    Parameters
    ----------
    slice : Slice
        The rows.
    interval : Interval
        The gain there (negative), with bounds adjusted for having been selected.
    p : float
        Its p-value, rounded up to the next of the levels that it was held against.
    """

    slice: Slice
    interval: Interval
    p: float


def benjamini_hochberg(p: Array, alpha: float) -> Mask:
    """Return which p-values are discoveries, at most a share alpha of them expected to be false.

    Parameters
    ----------
    p : (m,) array
        P-values.
    alpha : float
        The share.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.03, 0.001, 0.03, 0.8]), 0.05).tolist()
    [True, True, True, False]
    """
    p = np.asarray(p, dtype=np.float64)
    levels = _levels(len(p), alpha)
    met = np.flatnonzero(np.sort(p) <= levels)
    return np.asarray(p <= levels[met[-1]]) if len(met) else np.zeros(len(p), dtype=bool)


def _levels(count: int, alpha: float) -> Floats:
    """Return what the k-th smallest of `count` p-values is held against, k = 1, 2, ..."""
    if not 0.0 < alpha <= 0.5:
        raise UsageError(f"alpha is the share of false discoveries, in (0, 0.5], such as 0.05; {alpha} was given.")
    return np.asarray(alpha * np.arange(1, count + 1) / max(count, 1))


def confirm_slices(
    slices: Sequence[Slice],
    x: Any,
    d: Floats,
    *,
    alpha: float,
    worse_by: float = 0.0,
    block: Array | None = None,
    ordered: bool = False,
    weight: Floats | None = None,
) -> tuple[Confirmed, ...]:
    """Return the slices on which the challenger is worse, surely so, the worst first.

    The test is that of `incumbent.metrics.gain`: exact McNemar for right-or-wrong losses, else the paired mean with
    room for one worst row, by cluster or in blocks where rows have such.

    Parameters
    ----------
    slices : sequence of Slice
        What `find_slices` found, on other rows than these.
    x : DataFrame of n rows
        Rows that had no part in the search: the gate split.
    d : (n,) array
        Gain of each row: loss of the champion less loss of the challenger, negative where the challenger is worse.
    alpha : float
        The share of the confirmed slices that may be false, in expectation.
    worse_by : float
        Confirm what is worse by more than this, in the unit of `d`; anything at all by default.
    block, ordered, weight
        As for `incumbent.core.PairedPredictions`.

    Returns
    -------
    tuple of Confirmed

    Raises
    ------
    DataError
        If x and d differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"region": ["north"] * 100 + ["south"] * 100})
    >>> d = np.where(np.arange(200) < 12, -1.0, 0.0)
    >>> found = confirm_slices([Slice('region == "north"'), Slice('region == "south"')], rows, d, alpha=0.05)
    >>> [(each.slice, each.interval.value, each.interval.upper < 0) for each in found]
    [(Slice('region == "north"'), -0.12, True)]
    """
    table, d = x if isinstance(x, Table) else Table(x), np.asarray(d, dtype=np.float64)
    if len(d) != len(table):
        raise DataError(f"d has {len(d)} rows but x has {len(table)}; they are paired row by row.")
    d = np.where(np.isnan(d), 0.0, d)  # both losses infinite: no difference
    pairs = paired_by(d, block=block, ordered=ordered, weight=weight)
    metric = GivenLoss(float(np.abs(d).max(initial=0.0)))
    parts = [part for each in slices for part in each.fixed(table)]
    rows = [rows_of(pairs, np.flatnonzero(table.mask(part.where))) for part in parts]
    levels = _levels(len(parts), alpha)
    p = np.array([_p(each, metric, -worse_by, levels) for each in rows])
    real = benjamini_hochberg(p, alpha)
    if not real.any():
        return ()
    level = float(levels[int(real.sum()) - 1])
    bounds = {at: gain(rows[at], metric, alpha=level, margin=-worse_by) for at in np.flatnonzero(real).tolist()}
    found = [Confirmed(parts[at], interval, float(p[at])) for at, interval in bounds.items()]
    return tuple(sorted(found, key=lambda each: each.interval.upper))


def _p(rows: PairedPredictions, metric: Metric, margin: float, levels: Floats) -> float:
    """Return the smallest of the levels at which the test holds, or 1.

    P-values are held against these levels and no other, so rounding them up to the next one changes no decision; and
    the bounds have to be computed a few times only.
    """

    def holds(level: float) -> bool:
        return gain(rows, metric, alpha=level, margin=margin).upper < margin

    with np.errstate(invalid="ignore"):
        value = np.average(rows.champion.label - rows.challenger.label, weights=rows.weight) if len(rows) else 0.0
    if value >= margin or not holds(float(levels[-1])):  # the estimate is cheap, and below its upper bound
        return 1.0
    low, high = -1, len(levels) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(float(levels[middle])) else (middle, high)
    return float(levels[high])
