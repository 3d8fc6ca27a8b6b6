"""Columns cut into parts: for every row the part it is in, and the conditions that one part or several make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.errors import UsageError
from incumbent.gate.slices._condition import literal, quoted
from incumbent.gate.slices._parts import amounts, between, cuts, scalar
from incumbent.gate.slices._table import Coded, Numbers, Table, Times

PARTS = 8
"""Parts of a number: eighths show where harm begins, and leave rows enough in each."""
VALUES = 30
"""The most frequent values of a category that are looked at."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A column in parts.

    Parameters
    ----------
    codes : (n,) array of int
        The part of each row.
    parts : int
        How many there are.
    ranges : (r, 2) array of int
        First and last part of every condition.
    texts : tuple of str
        How the conditions are spelt.
    """

    codes: NDArray[np.intp]
    parts: int
    ranges: NDArray[np.intp]
    texts: tuple[str, ...]


def columns(table: Table) -> Iterator[Cut]:
    """Yield every column that can be cut into two parts or more."""
    for name in table.place:
        try:
            values = table.column(name)
        except UsageError:
            continue  # it holds what no condition compares: lists, arrays
        if isinstance(values, Coded):
            cut = _of_values(name, values)
        else:
            assert isinstance(values, Numbers | Times), "there are three ways to read a column"
            cut = _of_amounts(name, values)
        if len(cut.texts) > 1:
            yield cut


def _of_values(name: str, values: Coded) -> Cut:
    """Cut by the most frequent values, then all others (no condition), then what is missing."""
    counts = np.bincount(values.codes[~values.missing], minlength=len(values.distinct))
    often = [at for at in np.argsort(-counts, kind="stable")[:VALUES] if counts[at]]
    spelt = [(at, value) for at in often if (value := scalar(values.distinct[at])) is not None]
    part = np.full(len(values.distinct) + 1, len(spelt), dtype=np.intp)
    part[[at for at, _ in spelt]] = np.arange(len(spelt))
    part[-1] = len(spelt) + 1
    ranges = [(k, k) for k in range(len(spelt))]
    texts = [f"{quoted(name)} == {literal(value)}" for _, value in spelt]
    if values.missing.any():
        ranges.append((len(spelt) + 1, len(spelt) + 1))
        texts.append(f"{quoted(name)} == None")
    return Cut(part[values.codes], len(spelt) + 2, np.array(ranges, np.intp).reshape(-1, 2), tuple(texts))


def _of_amounts(name: str, values: Numbers | Times) -> Cut:
    """Cut at quantiles; every run of neighbouring parts but the whole is a condition, and what is missing is one."""
    measured = amounts(values)
    edges = cuts(measured, PARTS)
    codes = np.searchsorted(edges, measured, side="left")
    codes[values.missing] = len(edges) + 1
    last = len(edges)
    runs = [(low, high) for low in range(last + 1) for high in range(low, last + 1)]
    if not values.missing.any():
        runs.remove((0, last))
    texts = [between(quoted(name), edges, low, high, values) for low, high in runs]
    if values.missing.any():
        runs.append((last + 1, last + 1))
        texts.append(f"{quoted(name)} == None")
    return Cut(codes, last + 2, np.array(runs, np.intp).reshape(-1, 2), tuple(texts))
