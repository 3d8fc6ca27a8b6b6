"""Cut columns into parts for the search: the part of each row, and a condition for each part or range of parts."""

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
"""Parts of a number or time. Eighths show well where harm begins, and each part keeps enough rows."""
VALUES = 30
"""How many values of a category are searched, the most frequent ones."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A column that is cut into parts.

    Parameters
    ----------
    codes : (n,) array of int
        The part of each row.
    parts : int
        Number of parts, including parts without a condition.
    ranges : (r, 2) array of int
        First and last part of every condition.
    texts : tuple of str
        The conditions as texts.
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
            continue  # conditions cannot compare its values, such as lists and arrays
        if isinstance(values, Coded):
            cut = _cut_by_value(name, values)
        else:
            assert isinstance(values, Numbers | Times), "a column is read as Coded, Numbers or Times"
            cut = _cut_by_quantile(name, values)
        if len(cut.texts) > 1:
            yield cut


def _cut_by_value(name: str, values: Coded) -> Cut:
    """Make a part of each frequent value, one of all other values (without a condition), and one of missing values."""
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


def _cut_by_quantile(name: str, values: Numbers | Times) -> Cut:
    """Cut at quantiles. Each run of neighbouring parts is a condition, except the whole; so are missing values."""
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
