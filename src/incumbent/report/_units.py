"""Scores and gains as people read them: in percent and points if the metric has a scale of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from incumbent.core import Comparison
from incumbent.words import format_number


@dataclass(frozen=True)
class Unit:
    """How the values of a metric are written.

    Parameters
    ----------
    factor : float
        What a gain is multiplied by: 100 for points, and for percent of the champion's loss.
    symbol : str
        What follows a gain.
    is_percent : bool
        Whether a score is a fraction that is written in percent.
    is_signed : bool
        Whether a gain has its sign.
    """

    factor: float = 1.0
    symbol: str = ""
    is_percent: bool = False
    is_signed: bool = True

    def score(self, value: float | None) -> str:
        """Return a score.

        Examples
        --------
        >>> POINTS.score(0.8391), Unit().score(12.5), POINTS.score(None)
        ('83.9 %', '12.50', 'n/a')
        """
        if value is None or not math.isfinite(value) or not self.is_percent:
            return format_number(value)
        return f"{100 * value:.1f} %"

    def change(self, value: float) -> str:
        """Return a gain or its bound.

        Examples
        --------
        >>> POINTS.change(0.1187), POINTS.change(-0.0004), POINTS.change(0.0), POINTS.change(float("nan"))
        ('+11.9', '-0.04', '0.0', 'n/a')
        """
        if not math.isfinite(value):
            return "n/a"
        if self.factor == 1.0:
            return format_number(value, sign=self.is_signed)
        shown = self.factor * value
        if round(shown, 2) == 0:
            return f"0.0{self.symbol}"
        sign = "+" if self.is_signed else ""
        return f"{shown:{sign},.{2 if abs(shown) < 0.05 else 1}f}{self.symbol}"

    def limit(self, value: float) -> str:
        """Return a limit as it was given.

        Examples
        --------
        >>> POINTS.limit(-0.01), POINTS.limit(0.0), POINTS.limit(0.005)
        ('-1', '0', '0.5')
        """
        if not math.isfinite(value):
            return "n/a"
        digits = 4 if self.factor == 1.0 else 3
        return "0" if value == 0 else f"{self.factor * value:,.{digits}g}{self.symbol}"


POINTS = Unit(100.0, is_percent=True)
RATE = Unit(100.0, " %", is_signed=False)


def unit_of(metric: str, comparison: Comparison | None) -> Unit:
    """Return the unit in which the gate compares gains of a metric; see `incumbent.evidence.scale`.

    Squared and absolute errors, costs and functions of users have no scale of their own. Their gains are percent of the
    champion's mean loss on the same rows.
    """
    if metric == "log_loss":
        return Unit()
    if metric not in ("rmse", "mae") and ":" not in metric and not metric.startswith("cost"):
        return POINTS
    score = math.nan if comparison is None else comparison.champion.get(metric, math.nan)
    size = score**2 if metric == "rmse" else abs(score)
    return Unit(100.0 / size, " %") if math.isfinite(size) and size > 0 else Unit()


def finite(values: Iterable[Any]) -> list[float]:
    """Return the finite numbers among `values`."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]
