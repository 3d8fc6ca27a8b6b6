"""Slices as reasons of a verdict: each not worse by more than its tolerance, and none found on which it is worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Interval, Metric, PairedPredictions, Reason
from incumbent.errors import DataError
from incumbent.evidence import gain, rows_needed, scale
from incumbent.gate.slices._fdr import Confirmed, confirm_slices
from incumbent.gate.slices._given import rows_of
from incumbent.gate.slices._slice import Slice
from incumbent.gate.slices._table import Table
from incumbent.gate.slices._words import gain_in_words
from incumbent.metrics import MAE, Accuracy

FOUND = "no slice found that is worse"
POWER = 0.8
FEW = 100
"""Below this many rows a slice does not say how far the models differ there."""


def check_slices(
    slices: Sequence[Slice], x: Any, paired: PairedPredictions, metric: Metric, alpha: float, *, known: Any = None
) -> list[Reason]:
    """Return a reason for each slice: that the challenger is not worse there by more than the slice's tolerance.

    All must hold, so each is tested at alpha and no correction is needed (the intersection-union test). A slice with
    too few rows to be sure does not hold, and its reason says how many rows would do.

    Parameters
    ----------
    slices : sequence of Slice
        What to look at.
    x : DataFrame of n rows
        The rows that were predicted.
    paired : PairedPredictions
        Champion and challenger on these rows.
    metric : Metric
        The score that decides.
    alpha : float
        Level of each test.
    known : DataFrame, optional
        Where the values and quartiles of a slice that is a column are taken from; see `Slice.fixed`.

    Raises
    ------
    DataError
        If x and the pairs differ in length.
    UsageError
        If a slice does not fit the columns.
    AbilityError
        If the metric needs probabilities and a model gives none.

    Examples
    --------
    >>> import pandas as pd
    >>> from incumbent.core import Prediction
    >>> rows, y = pd.DataFrame({"region": ["north"] * 500 + ["south"] * 20}), np.ones(520, dtype=int)
    >>> both = PairedPredictions(y, Prediction(y), Prediction(y))
    >>> for reason in check_slices([Slice("region")], rows, both, Accuracy(), 0.05):
    ...     print(reason.holds, reason.text)
    True not worse where region == "north": gain 0 points, at least -0.605 (limit: more than -1; exact unconditional,
    500 rows, 95 %)
    False not shown to be not worse where region == "south": gain 0 points, at least -14 (limit: more than -1; exact
    unconditional, 20 rows, 95 %); about 810 rows of this slice would show it
    """
    table = x if isinstance(x, Table) else Table(x)
    _same_length(table, paired)
    parts = [part for each in slices for part in each.fixed(table if known is None else known)]
    return [_judged(part, np.flatnonzero(table.mask(part.where)), paired, metric, alpha) for part in parts]


def _judged(part: Slice, at: Array, paired: PairedPredictions, metric: Metric, alpha: float) -> Reason:
    rows = rows_of(paired, at)
    limit = -_margin(part.tolerance, rows, metric)
    found = gain(rows, metric, alpha=alpha, margin=limit)
    holds, broken = found.lower > limit, found.upper < limit
    name = f"not worse {'on ' + part.name if part.name else 'where ' + part.where}"
    head = name if holds else name.removeprefix("not ") if broken else f"not shown to be {name}"
    text = f"{head}: {gain_in_words(found, limit, rows, metric, upper=broken)}"
    if not (holds or broken):
        text += _needed(part, rows, paired, metric, found, limit)
    return Reason(name, found.lower, limit, holds, broken, text, found)


def _margin(tolerance: float, rows: PairedPredictions, metric: Metric) -> float:
    size = scale(rows, metric) if tolerance > 0.0 and len(rows) else 1.0
    return tolerance * size if math.isfinite(size) else tolerance


def _needed(
    part: Slice, rows: PairedPredictions, paired: PairedPredictions, metric: Metric, found: Interval, limit: float
) -> str:
    """Return how many rows of the slice would show it.

    A few rows say too little of how far the models differ there: then as far as on all rows, and neither being better.
    """
    have = len(rows)
    few = have < FEW or not math.isfinite(found.lower)
    if few:
        limit = -_margin(part.tolerance, paired, metric)
        rows, found = paired, gain(paired, metric, alpha=found.alpha, margin=limit)
    room = -limit if few else found.value - limit
    needed = rows_needed(rows, metric, room, found.alpha, POWER, interval=found)
    if needed is None:
        return "; no number of rows would show it with this gain: allow a larger tolerance, or try another strategy"
    return f"; about {_round(max(needed, have + 1)):,} rows of this slice would show it"


def _round(rows: int) -> int:
    step = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // step) * step


def no_slice_worse(
    found: Sequence[Slice],
    x: Any,
    paired: PairedPredictions,
    metric: Metric,
    alpha: float,
    *,
    tolerance: float = 0.0,
) -> tuple[Reason, tuple[Confirmed, ...]]:
    """Return the reason that none of the slices that were found is worse, and those that are, confirmed.

    A slice that was found counts only once it is confirmed: of all that are, at most a share alpha is expected to be
    false. So this condition holds until the opposite is shown; protect a slice by name to have it proven.

    Parameters
    ----------
    found : sequence of Slice
        What `find_slices` found on other rows.
    x, paired, metric
        Rows that had no part in the search, and both models' word on them.
    alpha : float
        The share of confirmed slices that may be false.
    tolerance : float
        How much worse does not count, as for `Gate`.
    """
    table = x if isinstance(x, Table) else Table(x)
    _same_length(table, paired)
    before, after = losses(paired, metric)
    limit = tolerance * _scale(before, metric)
    more: dict[str, Any] = {"block": paired.block, "ordered": paired.ordered, "weight": paired.weight}
    confirmed = confirm_slices(found, table, before - after, alpha=alpha, worse_by=limit, **more)
    told = f"{len(found)} searched out on other rows, false discoveries at most {100 * alpha:g} %"
    if not confirmed:
        return Reason(FOUND, 0.0, 0.0, True, False, f"{FOUND} ({told})"), ()
    worst = confirmed[0]
    rows = f"{worst.interval.rows:,} rows"
    text = (
        f"worse on {len(confirmed)} slice{'s' if len(confirmed) > 1 else ''}, most surely where {worst.slice.where}: "
        f"mean loss {-worst.interval.value:+.3g}, at least {-worst.interval.upper:+.3g} "
        f"({worst.interval.test}, {rows}; {told})"
    )
    return Reason(FOUND, float(len(confirmed)), 0.0, False, True, text, worst.interval), confirmed


def losses(paired: PairedPredictions, metric: Metric) -> tuple[Floats, Floats]:
    """Return the losses (n,) of champion and challenger, as `find_slices` and `confirm_slices` take them.

    Those of the metric, cut off at the clip; where it has none per row (AUC, F1, R2), whether the label is wrong, or
    the absolute error of a value.
    """
    both = [metric.losses(paired.y, said) for said in (paired.champion, paired.challenger)]
    if any(each is None for each in both):
        values = paired.champion.classes is None and np.asarray(paired.y).dtype.kind == "f"
        stand_in: Metric = MAE() if values else Accuracy()
        both = [stand_in.losses(paired.y, said) for said in (paired.champion, paired.challenger)]
    first, second = (np.minimum(np.asarray(each, dtype=np.float64), paired.clip) for each in both)
    return first, second


def _scale(champion: Floats, metric: Metric) -> float:
    """Return the unit of a tolerance: the champion's mean loss where losses have no scale of their own."""
    if not getattr(metric, "relative", math.isinf(metric.bound)) or not len(champion):
        return 1.0
    return float(np.mean(champion))


def _same_length(table: Table, paired: PairedPredictions) -> None:
    if len(table) != len(paired):
        raise DataError(f"x has {len(table)} rows but {len(paired)} were predicted; they are paired row by row.")
