"""Test the slices that were found on rows that the search did not use.

Benjamini and Hochberg's procedure confirms the R slices with the smallest p-values. Here it is written with the bounds
of the gain, which reject exactly if the p-value is at most their level: of m slices,

    R = max {k : at least k slices have an upper bound below the margin at level alpha k / m}.

At most a fraction alpha of the confirmed slices is expected to be false, if the p-values are independent or positively
dependent. Slices that overlap share rows, so their mean gains have covariances >= 0, and one-sided tests of such normal
means are positively dependent (Benjamini and Yekutieli 2001, section 3.1).

The interval of a confirmed slice is at level ``alpha R / m``. The expected fraction of such intervals that do not cover
is at most alpha (Benjamini and Yekutieli 2005), and every one of them agrees with the decision.

References
----------
Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57.
Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under dependency.
Annals of Statistics 29.
Benjamini, Y. and Yekutieli, D. (2005). False discovery rate-adjusted multiple confidence intervals for selected
parameters. JASA 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Interval, PairedPredictions, Prediction, Value
from incumbent.errors import DataError, UsageError
from incumbent.evidence import gain, take_rows
from incumbent.gate.slices._slice import Slice
from incumbent.gate.slices._table import Table


@dataclass(frozen=True)
class Confirmed:
    """A slice on which the challenger is worse.

    Parameters
    ----------
    slice : Slice
        The rows.
    interval : Interval
        The gain there (negative), with bounds adjusted for the selection.
    """

    slice: Slice
    interval: Interval


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
    """Return the slices on which the challenger is shown to be worse, the worst first.

    The test is that of `incumbent.evidence.gain`: exact McNemar for right-or-wrong losses, else the paired mean with
    room for one worst row, by cluster or in blocks if the rows have any.

    Parameters
    ----------
    slices : sequence of Slice
        Slices that `find_slices` found on other rows.
    x : DataFrame of n rows
        Rows that were not used in the search.
    d : (n,) array
        Gain of each row: loss of the champion less loss of the challenger, negative if the challenger is worse.
    alpha : float
        The fraction of the confirmed slices that may be false, in expectation.
    worse_by : float
        Confirm slices that are worse by more than this, in the unit of `d`.
    block, ordered, weight
        As for `incumbent.core.PairedPredictions`.

    Raises
    ------
    DataError
        If x and d differ in length.
    UsageError
        If alpha is not in (0, 0.5].

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"region": ["north"] * 100 + ["south"] * 100})
    >>> d = np.where(np.arange(200) < 12, -1.0, 0.0)
    >>> found = confirm_slices([Slice('region == "north"'), Slice('region == "south"')], rows, d, alpha=0.05)
    >>> [(each.slice, each.interval.value, each.interval.upper < 0) for each in found]
    [(Slice('region == "north"'), -0.12, True)]
    """
    if not 0.0 < alpha <= 0.5:
        raise UsageError(f"alpha is the fraction of false discoveries, in (0, 0.5], such as 0.05; got {alpha}.")
    table, d = x if isinstance(x, Table) else Table(x), np.asarray(d, dtype=np.float64)
    if len(d) != len(table):
        raise DataError(f"d has {len(d)} rows but x has {len(table)}; they are paired row by row.")
    d = np.where(np.isnan(d), 0.0, d)  # both losses infinite: no difference
    pairs = pairs_with_gains(d, block=block, ordered=ordered, weight=weight)
    metric = GivenLoss(float(np.abs(d).max(initial=0.0)))
    parts = [part for each in slices for part in each.fixed(table)]
    rows = [take_rows(pairs, np.flatnonzero(table.mask(part.where))) for part in parts]

    left, worse = list(range(len(parts))), dict[int, Interval]()
    while left:  # a slice that is not worse at one level is not worse at a smaller one
        level = alpha * len(left) / len(parts)
        bounds = {at: gain(rows[at], metric, alpha=level, margin=-worse_by) for at in left}
        worse = {at: found for at, found in bounds.items() if found.upper < -worse_by}
        if len(worse) == len(left):
            break
        left = list(worse)
    return tuple(sorted((Confirmed(parts[at], worse[at]) for at in left), key=lambda each: each.interval.upper))


@dataclass(frozen=True, repr=False)
class GivenLoss(Value):
    """A metric whose prediction of a row is its loss.

    Parameters
    ----------
    bound : float
        The largest loss that a row can have.
    """

    bound: float = math.inf

    relative = False
    name = "given_loss"
    greater_is_better = False

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the loss of each row (n,)."""
        return np.asarray(prediction.label, dtype=np.float64)

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the mean loss."""
        return float(np.average(self.losses(y, prediction), weights=weight))

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the mean loss under each of B row weightings (B, n)."""
        return np.asarray(weight @ self.losses(y, prediction) / weight.sum(axis=1))


def pairs_with_gains(
    d: Floats, *, block: Array | None = None, ordered: bool = False, weight: Floats | None = None
) -> PairedPredictions:
    """Return predictions for `GivenLoss` with gains `d`: a positive gain is a loss of the champion."""
    champion, challenger = Prediction(np.maximum(d, 0.0)), Prediction(np.maximum(-d, 0.0))
    return PairedPredictions(np.zeros(len(d)), champion, challenger, weight=weight, block=block, ordered=ordered)
