"""Numbers as a reader of the metric expects them: points, percent of the champion's loss, or plain."""

from __future__ import annotations

import math
from dataclasses import dataclass

from incumbent.core import Interval, Metric, PairedPredictions


@dataclass(frozen=True)
class Unit:
    """How a gain is written: times `factor`, with `short` after every number and `name` after the first."""

    factor: float = 1.0
    short: str = ""
    name: str = ""


def unit_of(paired: PairedPredictions, metric: Metric) -> Unit:
    """Return the unit in which gains of this metric are written."""
    from incumbent.evidence import scale

    if getattr(metric, "relative", math.isinf(metric.bound)):
        size = scale(paired, metric) if len(paired) else 0.0
        if not (math.isfinite(size) and size > 0):
            return Unit()
        of = "score" if metric.losses(paired.y[:1], paired.champion.take([0])) is None else "mean loss"
        return Unit(100.0 / size, " %", f" % of the champion's {of}")
    return Unit(100.0, "", " points") if metric.name != "log_loss" else Unit(1.0, "", " nats")


def number(value: float, unit: Unit, beside: float = math.nan) -> str:
    """Return a signed number, with as many digits as tell it from `beside`.

    Examples
    --------
    >>> number(0.019, Unit(100.0)), number(-0.01004, Unit(100.0), beside=-0.01), number(0.0, Unit())
    ('+1.9', '-1.004', '0')
    """
    if math.isnan(value) or math.isinf(value):
        return "unknown"
    shown, other = value * unit.factor, beside * unit.factor
    places = _places(shown)
    while places < 9 and shown != other and f"{shown:.{places}f}" == f"{other:.{places}f}":
        places += 1
    text = f"{shown:+,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("0" if text in ("+0", "-0") else text) + unit.short


def amount(value: float, unit: Unit) -> str:
    """Return a size without its sign, with its unit.

    Examples
    --------
    >>> amount(0.01, Unit(100.0, "", " points")), amount(0.015, Unit(100.0, "", " points"))
    ('1 point', '1.5 points')
    """
    text = number(abs(value), unit).lstrip("+").removesuffix(unit.short)
    return text + (" point" if text == "1" and unit.name == " points" else unit.name)


def _places(value: float) -> int:
    """Return how many decimals show one of a number above 1, two digits of a number below."""
    return 1 if abs(value) >= 1.0 or value == 0.0 else min(9, 1 - math.floor(math.log10(abs(value))))


def gain_in_words(found: Interval, unit: Unit, *, limit: float, upper: bool) -> str:
    """Return estimate and bound, such as "gain +1.9 points, at least +0.7"."""
    if not math.isfinite(found.value):
        return f"the gain cannot be told, {found.test}"
    bound = found.upper if upper else found.lower
    value = number(found.value, unit).removesuffix(unit.short) + unit.name
    return f"gain {value}, {'at most' if upper else 'at least'} {number(bound, unit, beside=limit)}"


def test_in_words(found: Interval) -> str:
    """Return which test, on how many rows, how sure, such as "exact McNemar, 2,400 rows, 95 %"."""
    return f"{found.test}, {found.rows:,} rows, {percent(1.0 - found.alpha)}"


def percent(share: float) -> str:
    """Return a share in percent, with enough digits to tell it from 100 %.

    Examples
    --------
    >>> percent(0.95), percent(0.99996), percent(0.0304)
    ('95 %', '99.996 %', '3.04 %')
    """
    return f"{100.0 * share:.6g} %" if share > 0.99 else f"{100.0 * share:.3g} %"
