"""Compare a gain with its limit, and give the result as a `Reason` of a verdict."""

from __future__ import annotations

import math

from incumbent.core import Interval, Metric, PairedPredictions, Reason
from incumbent.evidence import gain, is_relative, scale
from incumbent.words import Unit, percentage


def unit_of(paired: PairedPredictions, metric: Metric) -> Unit:
    """Return the unit of gains: points, nats, or percent of the champion's loss for losses without a scale."""
    if is_relative(metric):
        size = scale(paired, metric) if len(paired) else 0.0
        if not (math.isfinite(size) and size > 0):
            return Unit()
        of = "score" if metric.losses(paired.y[:1], paired.champion.take([0])) is None else "mean loss"
        return Unit(100.0 / size, " %", f" % of the champion's {of}")
    return Unit(100.0, "", " points") if metric.name != "log_loss" else Unit(1.0, "", " nats")


def margin_of(tolerance: float, paired: PairedPredictions, metric: Metric) -> float:
    """Return a tolerance or wanted gain in the unit of the losses."""
    if tolerance == 0.0 or not len(paired):
        return tolerance
    size = scale(paired, metric)
    return tolerance * size if math.isfinite(size) else tolerance


def gain_in_words(found: Interval, unit: Unit, *, limit: float, upper: bool) -> str:
    """Format estimate and bound as "gain +1.9 points, at least +0.7"."""
    if not math.isfinite(found.value):
        return "the gain cannot be computed"
    bound, side = (found.upper, "at most") if upper else (found.lower, "at least")
    value = unit.signed(found.value).removesuffix(unit.short) + unit.name
    return f"gain {value}, {side} {unit.signed(bound, near=limit)}"


def test_in_words(found: Interval) -> str:
    """Format the test, its rows and its confidence as "exact McNemar, 2,400 rows, 95 %"."""
    return f"{found.test}, {found.rows:,} rows, {percentage(1.0 - found.alpha)}"


def not_worse_reason(
    name: str,
    paired: PairedPredictions,
    metric: Metric,
    tolerance: float,
    alpha: float,
    *,
    unless_shown: bool = False,
    also: str = "",
) -> Reason:
    """Judge whether the challenger is not worse on some rows by more than a tolerance.

    Parameters
    ----------
    name : str
        The condition, "not worse ...".
    paired, metric
        Champion and challenger on these rows, and the score that decides.
    tolerance : float
        The loss that is allowed, as `Gate` states it.
    alpha : float
        Level of the test.
    unless_shown : bool
        Whether the condition holds unless the opposite is shown, as in a refresh.
    also : str
        Text to add after the test, such as the source of the rows.
    """
    limit = -margin_of(tolerance, paired, metric)
    found = gain(paired, metric, alpha=alpha, margin=limit)
    shown, violated = found.lower > limit, found.upper < limit
    # If the gain is NaN, we cannot rule out harm, so the condition fails.
    holds = shown or (unless_shown and not violated and math.isfinite(found.value))
    neither = f"not shown to be {name.removeprefix('not ') if holds else name}"
    head = name if shown else name.removeprefix("not ") if violated else neither
    unit, wanted = unit_of(paired, metric), "not shown to be below" if unless_shown else "more than"
    text = (
        f"{head}: {gain_in_words(found, unit, limit=limit, upper=violated or unless_shown)} "
        f"(limit: {wanted} {unit.signed(limit)}; {test_in_words(found)}{also})"
    )
    return Reason(name, found.upper if unless_shown else found.lower, limit, holds, violated, text, found)
