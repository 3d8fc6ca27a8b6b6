"""Test slices for the verdict: each protected slice against its tolerance, and those found by the search."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Metric, PairedPredictions, Reason
from incumbent.errors import DataError
from incumbent.evidence import gain, rows_needed, take_rows
from incumbent.gate._reasons import margin_of, not_worse_reason
from incumbent.gate.slices._confirm import Confirmed, confirm_slices
from incumbent.gate.slices._slice import Slice
from incumbent.gate.slices._table import Table
from incumbent.metrics import MAE, Accuracy
from incumbent.words import counted, forecast

FOUND = "no slice found that is worse"
POWER = 0.8
FEW = 100
"""Fewer rows than this do not show how much the models differ on a slice."""


def check_slices(
    slices: Sequence[Slice],
    x: Any,
    paired: PairedPredictions,
    metric: Metric,
    alpha: float,
    *,
    known: Any = None,
    unless_shown: bool = False,
) -> list[Reason]:
    """Return a reason for each slice: whether the challenger is not worse there by more than the slice's tolerance.

    All must hold, so each is tested at alpha and no correction is needed (the intersection-union test). A slice with
    few rows rarely passes. Its reason gives the number of rows that it needs.

    Parameters
    ----------
    slices : sequence of Slice
        The slices to test.
    x : DataFrame of n rows
        The predicted rows.
    paired : PairedPredictions
        Champion and challenger on these rows.
    metric : Metric
        The score that decides.
    alpha : float
        Level of each test.
    known : DataFrame, optional
        The rows that give the values and quartiles of a slice that is a column; see `Slice.fixed`.
    unless_shown : bool
        Whether a slice holds unless it is shown to be worse, as in a refresh.

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
    True not worse where region == "north": gain 0 points, at least -0.6 (limit: more than -1; paired mean, 500 rows,
    95 %)
    False not shown to be not worse where region == "south": gain 0 points, at least -14 (limit: more than -1; paired
    mean, 20 rows, 95 %); about 810 rows of this slice would show it
    """
    table = _table_of(x, paired)
    parts = [part for each in slices for part in each.fixed(table if known is None else known)]
    return [
        _judged(part, np.flatnonzero(table.mask(part.where)), paired, metric, alpha, unless_shown) for part in parts
    ]


def _judged(
    part: Slice, at: Array, paired: PairedPredictions, metric: Metric, alpha: float, unless_shown: bool
) -> Reason:
    name = f"not worse {'on ' + part.name if part.name else 'where ' + part.where}"
    rows = take_rows(paired, at)
    reason = not_worse_reason(name, rows, metric, part.tolerance, alpha, unless_shown=unless_shown)
    if reason.holds or reason.violated:
        return reason
    return dataclasses.replace(reason, text=reason.text + _needed(part, rows, paired, metric, reason))


def _needed(part: Slice, rows: PairedPredictions, paired: PairedPredictions, metric: Metric, reason: Reason) -> str:
    """Return how many rows of the slice would show that it is not worse.

    A few rows do not show how much the models differ there. Then we assume that they differ as on all rows, and that
    neither is better.
    """
    found, have = reason.interval, len(rows)
    assert found is not None, "the slice was tested"
    room = found.value - reason.limit
    if have < FEW or not math.isfinite(found.lower):
        rows, room = paired, margin_of(part.tolerance, paired, metric)
        found = gain(paired, metric, alpha=found.alpha, margin=-room)
    needed = rows_needed(rows, metric, room, found.alpha, POWER, interval=found)
    if needed is None:
        return "; no number of rows would show it with this gain: allow a larger tolerance, or try another strategy"
    return f"; about {forecast(max(needed, have + 1))} rows of this slice would show it"


def no_slice_worse(
    found: Sequence[Slice],
    x: Any,
    paired: PairedPredictions,
    metric: Metric,
    alpha: float,
) -> tuple[Reason, tuple[Confirmed, ...]]:
    """Return the reason whether no found slice is worse, and the slices that are confirmed as worse.

    Only confirmed slices count, of which at most a fraction alpha is expected to be false. So this condition holds
    unless the opposite is shown. To require proof for a slice, add it to the slices of the gate.

    Parameters
    ----------
    found : sequence of Slice
        Slices that `find_slices` found on other rows.
    x, paired, metric
        Rows that were not used in the search, the predictions of both models, and the score that decides.
    alpha : float
        The fraction of confirmed slices that may be false.
    """
    table = _table_of(x, paired)
    before, after = losses(paired, metric)
    more: dict[str, Any] = {"block": paired.block, "ordered": paired.ordered, "weight": paired.weight}
    confirmed = confirm_slices(found, table, before - after, alpha=alpha, **more)
    how = f"{len(found)} found on other rows, false discoveries at most {100 * alpha:g} %"
    if not confirmed:
        return Reason(FOUND, 0.0, 0.0, True, False, f"{FOUND} ({how})"), ()
    worst = confirmed[0]
    text = (
        f"worse on {counted(len(confirmed), 'slice')}, most surely where {worst.slice.where}: "
        f"mean loss {-worst.interval.value:+.3g}, at least {-worst.interval.upper:+.3g} "
        f"({worst.interval.test}, {worst.interval.rows:,} rows; {how})"
    )
    return Reason(FOUND, float(len(confirmed)), 0.0, False, True, text, worst.interval), confirmed


def losses(paired: PairedPredictions, metric: Metric) -> tuple[Floats, Floats]:
    """Return the losses (n,) of champion and challenger, as `find_slices` and `confirm_slices` take them.

    These are the losses of the metric, limited by the clip. If the metric has no loss per row (AUC, F1, R2), the loss
    is 1 for a wrong label, or the absolute error of a value.
    """
    both = [metric.losses(paired.y, each) for each in (paired.champion, paired.challenger)]
    if any(each is None for each in both):
        values = paired.champion.classes is None and np.asarray(paired.y).dtype.kind == "f"
        by_row: Metric = MAE() if values else Accuracy()
        both = [by_row.losses(paired.y, each) for each in (paired.champion, paired.challenger)]
    first, second = (np.minimum(np.asarray(each, dtype=np.float64), paired.clip) for each in both)
    return first, second


def _table_of(x: Any, paired: PairedPredictions) -> Table:
    table = x if isinstance(x, Table) else Table(x)
    if len(table) != len(paired):
        raise DataError(f"x has {len(table)} rows but {len(paired)} were predicted; they are paired row by row.")
    return table
