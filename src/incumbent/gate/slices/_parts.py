"""Conditions that partition a column: one for each value, or ranges of numbers and times between quantiles."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np

from incumbent.core import Array, Floats
from incumbent.errors import UsageError
from incumbent.gate.slices._condition import Scalar, literal, quoted
from incumbent.gate.slices._table import Coded, Numbers, Times, Values

QUARTERS = 4
MOST_VALUES = 50
"""A column with more distinct values than this is an identifier or a text, not a grouping."""


def conditions(name: str, values: Values) -> list[str]:
    """Return conditions that partition a column: each row meets exactly one.

    Numbers and times are cut at the quartiles, but up to four distinct numbers get a condition each, as the values of a
    category do. Missing values form a part of their own.

    Raises
    ------
    UsageError
        If there are more than `MOST_VALUES` distinct values.
    """
    column, parts = quoted(name), []
    if isinstance(values, Coded):
        parts = [f"{column} == {literal(each)}" for each in _distinct(name, values)]
    elif values.kinds:
        measured = amounts(values)
        few = np.unique(measured[np.isfinite(measured)])
        if isinstance(values, Numbers) and 0 < len(few) <= QUARTERS and not np.isinf(measured).any():
            parts = [f"{column} == {literal(number(each))}" for each in few]
        else:
            edges = cuts(measured, QUARTERS)
            parts = [between(column, edges, at, at, values) for at in range(len(edges) + 1)]
    return [*parts, f"{column} == None"] if values.missing.any() else parts


def _distinct(name: str, values: Coded) -> list[Scalar]:
    present = np.unique(values.codes[~values.missing])
    if len(present) > MOST_VALUES:
        raise UsageError(
            f"{name} has {len(present):,} different values; a column makes at most {MOST_VALUES} slices. Name those "
            f'that matter by a condition, such as {quoted(name)} == "{values.distinct[int(present[0])]}".'
        )
    found = [scalar(values.distinct[at]) for at in present]
    if any(each is None for each in found):
        raise UsageError(f"{name} holds {', '.join(sorted(values.kinds))}, which a condition cannot contain.")
    return found if values.ordered else sorted(found, key=lambda each: (str(type(each)), each))


def scalar(value: Any) -> Scalar:
    """Return the value as a plain Python scalar, or None if a condition cannot contain it."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if isinstance(plain, str | bool | int | float) else None


def number(value: Any) -> int | float:
    """Return a whole number as an int, so that a condition shows no needless decimal point."""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def amounts(values: Values) -> Array:
    """Return the numbers of a column, or the seconds of its times."""
    return values.seconds if isinstance(values, Times) else values.plain()


def cuts(values: Array, parts: int) -> Floats:
    """Return at most ``parts - 1`` edges that cut values into equally large parts: each is the last value of its part.

    Edges are rounded to about three digits of the range of the middle 80 % of values, so that a person can read them.

    Examples
    --------
    >>> cuts(np.arange(1000.0), 4).tolist()
    [249.0, 499.0, 749.0]
    """
    known = np.asarray(values[np.isfinite(values)], dtype=np.float64)
    if not len(known):
        return np.empty(0)
    # Take values that occur, not means of two: integers stay integers, and infinity stays infinity.
    shares = np.arange(1, parts) / parts
    low, high = np.quantile(known, [0.1, 0.9], method="inverted_cdf")
    edges = np.quantile(known, shares, method="inverted_cdf")
    if high > low:
        edges = np.round(edges, 2 - math.floor(math.log10(high - low)))
    edges = np.unique(edges)
    return np.asarray(edges[(edges < known.max()) & (edges >= known.min())])


def between(column: str, edges: Floats, first: int, last: int, values: Values) -> str:
    """Return the condition of parts `first` to `last`, where part k ends with edge k."""
    low = _edge(edges[first - 1], values) if first > 0 else None
    high = _edge(edges[last], values) if last < len(edges) else None
    if low is not None and high is not None:
        return f"{low} < {column} <= {high}"
    if low is not None:
        return f"{column} > {low}"
    return f"{column} <= {high}" if high is not None else f"{column} != None"


def _edge(edge: Any, values: Values) -> str:
    if isinstance(values, Times):
        start = datetime.datetime(1970, 1, 1, tzinfo=None if values.zone is None else datetime.UTC)
        return literal((start + datetime.timedelta(seconds=float(edge))).isoformat(sep=" "))
    return literal(number(edge))
