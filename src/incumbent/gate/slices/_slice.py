"""A slice: rows that are judged by themselves, with a tolerance of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Value
from incumbent.errors import UsageError
from incumbent.gate.slices._condition import column_of, parse


@dataclass(frozen=True, repr=False)
class Slice(Value):
    """Rows that a challenger must not be worse on, by more than a tolerance.

    Parameters
    ----------
    where : str
        A condition, such as ``'region == "north" and amount > 100'``, or the name of a column, which makes a slice of
        each of its values. A number or a time makes four, cut at the quartiles; what is missing makes one of its own.
        A text with one of the signs ``= < > ! ( ) [ ] { } " ' & | ~`` or a word of ``and or not in is`` is a condition;
        a column that is named so stands in backticks.
    tolerance : float
        How much worse is still good enough, as for `Gate`: one point by default.
    name : str, optional
        How it is called; its condition by default.

    Raises
    ------
    UsageError
        If the condition is none (what a condition may say stands in the error), or the tolerance is negative.

    Notes
    -----
    What is missing is equal to None and to nothing else, and neither above nor below anything; ``not`` turns every
    answer around. Times are compared with texts such as ``"2026-01-31"``.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"region": ["north", "south", "north"], "amount": [50, 70, 200]})
    >>> Slice('region == "north" and amount > 100').masks(rows)
    {'region == "north" and amount > 100': array([False, False,  True])}
    >>> Slice("region", tolerance=0.02).fixed(rows)
    (Slice('region == "north"', tolerance=0.02), Slice('region == "south"', tolerance=0.02))
    """

    where: str
    tolerance: float = 0.01
    name: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.where, str) and self.where.strip()):
            raise UsageError(f"where is a condition or a column, such as 'amount > 100'; {self.where!r} was given.")
        if not 0.0 <= self.tolerance < math.inf:
            raise UsageError(
                f"tolerance is how much worse on {self.where!r} is allowed, 0 or more, such as 0.01; "
                f"{self.tolerance} was given."
            )
        if column_of(self.where) is None:
            parse(self.where)

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or self.where

    def fixed(self, known: Any) -> tuple[Slice, ...]:
        """Return the slices that a column falls into, each with a condition; a condition is itself.

        Fix them once, on rows that the champion was trained on: later rows must not move the quartiles, and a value
        that the champion does not know has no past to protect.

        Parameters
        ----------
        known : DataFrame of n rows
            The champion's known rows.

        Raises
        ------
        UsageError
            If there is no such column, it has more than 50 different values, or a condition does not fit its columns.
        """
        from incumbent.gate.slices._parts import conditions
        from incumbent.gate.slices._table import Table

        table = known if isinstance(known, Table) else Table(known)
        column = column_of(self.where)
        if column is None:
            table.mask(self.where)
            return (self,)
        found = conditions(column, table.column(column))
        return tuple(self.replace(where=text, name=f"{self.name}: {text}" if self.name else None) for text in found)

    def masks(self, x: Any, *, known: Any = None) -> dict[str, NDArray[np.bool_]]:
        """Return which rows are in each slice, by the slice's label.

        Parameters
        ----------
        x : DataFrame of n rows
            The rows.
        known : DataFrame, optional
            Where the values and quartiles of a column are taken from (see `fixed`); by default these rows themselves.

        Returns
        -------
        dict of str to (n,) array of bool
        """
        from incumbent.gate.slices._table import Table

        table = x if isinstance(x, Table) else Table(x)
        return {each.label: table.mask(each.where) for each in self.fixed(table if known is None else known)}
