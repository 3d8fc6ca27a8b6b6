"""Scores and gains of a metric as people read them: percent and points where the metric has a scale of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from incumbent.core import Comparison
from incumbent.report._words import number


@dataclass(frozen=True)
class Unit:
    """How the values of a metric are written.

    Parameters
    ----------
    factor : float
        What a gain is multiplied by: 100 for points, and for percent of the champion's loss.
    gain : str
        What follows a gain in a table.
    name : str
        What follows a gain in a sentence.
    is_percent : bool
        Whether a score is a fraction that is written in percent.
    """

    factor: float = 1.0
    gain: str = ""
    name: str = ""
    is_percent: bool = False

    def score(self, value: float | None) -> str:
        """Return a score.

        Examples
        --------
        >>> POINTS.score(0.8391), Unit().score(12.5), POINTS.score(None)
        ('83.9 %', '12.50', 'n/a')
        """
        if value is None or not math.isfinite(value) or not self.is_percent:
            return number(value)
        return f"{100 * value:.1f} %"

    def change(self, value: float) -> str:
        """Return a gain or its bound, with its sign and without the name of the unit.

        Examples
        --------
        >>> POINTS.change(0.1187), POINTS.change(-0.0004), POINTS.change(0.0), POINTS.change(float("nan"))
        ('+11.9', '-0.04', '0.0', 'n/a')
        """
        if not math.isfinite(value):
            return "n/a"
        if self.factor == 1.0:
            return number(value, sign=True)
        shown = self.factor * value
        if round(shown, 2) == 0:
            return f"0.0{self.gain}"
        return f"{shown:+,.{2 if abs(shown) < 0.05 else 1}f}{self.gain}"

    def limit(self, value: float) -> str:
        """Return the limit of a gain as it was given.

        Examples
        --------
        >>> POINTS.limit(-0.01), POINTS.limit(0.0), POINTS.limit(0.005)
        ('-1', '0', '0.5')
        """
        return "0" if value == 0 else f"{self.factor * value:.3g}{self.gain}"

    def sentence(self, value: float) -> str:
        """Return a gain with the name of its unit.

        Examples
        --------
        >>> POINTS.sentence(0.0325)
        '+3.2 points'
        """
        return self.change(value).removesuffix(self.gain) + self.name


POINTS = Unit(100.0, "", " points", is_percent=True)
NATS = Unit(name=" nats")


def unit_of(metric: str, comparison: Comparison | None) -> Unit:
    """Return the unit in which the gate compares gains of a metric; see `incumbent.evidence.scale`.

    Squared and absolute errors, costs and functions of users have no scale of their own. Their gains are percent of the
    champion's mean loss on the same rows.
    """
    if metric == "log_loss":
        return NATS
    if metric not in ("rmse", "mae") and ":" not in metric and not metric.startswith("cost"):
        return POINTS
    score = math.nan if comparison is None else comparison.champion.get(metric, math.nan)
    size = score**2 if metric == "rmse" else abs(score)
    if not (math.isfinite(size) and size > 0):
        return Unit()
    return Unit(100.0 / size, " %", " % of the champion's loss")
