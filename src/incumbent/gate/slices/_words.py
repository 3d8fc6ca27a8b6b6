"""Gains of a slice in words: points for scores with a scale of their own, percent of the champion's loss for others."""

from __future__ import annotations

import math

from incumbent.core import Interval, Metric, PairedPredictions
from incumbent.evidence import scale


def gain_in_words(found: Interval, limit: float, paired: PairedPredictions, metric: Metric, *, upper: bool) -> str:
    """Return estimate, bound, limit, test, rows and level, such as "gain -0.2 points, at least -0.6 (limit: ...)"."""
    factor, unit = _unit(paired, metric)
    rows, sure = f"{found.rows:,} row{'' if found.rows == 1 else 's'}", f"{100.0 * (1.0 - found.alpha):.6g} %"
    if not math.isfinite(found.value):
        return f"the gain cannot be told, {found.test} ({rows})"
    bound, side = (found.upper, "at most") if upper else (found.lower, "at least")
    return (
        f"gain {number(found.value * factor)}{unit}, {side} {number(bound * factor, limit * factor)} "
        f"(limit: more than {number(limit * factor)}; {found.test}, {rows}, {sure})"
    )


def _unit(paired: PairedPredictions, metric: Metric) -> tuple[float, str]:
    if getattr(metric, "relative", math.isinf(metric.bound)):
        size = scale(paired, metric) if len(paired) else 0.0
        return (100.0 / size, " % of the champion's mean loss") if math.isfinite(size) and size > 0 else (1.0, "")
    return (1.0, " nats") if metric.name == "log_loss" else (100.0, " points")


def number(value: float, beside: float = math.nan) -> str:
    """Return a signed number with as many digits as tell it from another.

    Examples
    --------
    >>> number(-1.004, beside=-1.0), number(-0.25), number(0.0)
    ('-1.004', '-0.25', '0')
    """
    if not math.isfinite(value):
        return "unknown"
    digits = 3
    while digits < 9 and value != beside and f"{value:.{digits}g}" == f"{beside:.{digits}g}":
        digits += 1
    text = f"{value:+,.{digits}g}"
    return "0" if float(text.replace(",", "")) == 0.0 else text
