"""A slice: a part of the rows that the gate tests by itself, with its own tolerance."""

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
    """Rows on which a challenger must not be worse by more than a tolerance.

    Parameters
    ----------
    where : str
        A condition, such as ``'region == "north" and amount > 100'``, or the name of a column, which makes a slice of
        each of its values. A number or a time gives four slices, cut at the quartiles; missing values give one.
        A text with one of the signs ``= < > ! ( ) [ ] { } " ' & | ~`` or a word of ``and or not in is`` is a condition;
        put a column with such a name in backticks.
    tolerance : float
        The largest loss that is allowed, as for `Gate`: one point by default.
    name : str, optional
        The name of the slice; its condition by default.

    Raises
    ------
    UsageError
        If the text is not a condition (the error shows what a condition can contain), or the tolerance is negative.

    Notes
    -----
    A missing value equals only None, and is neither above nor below any value. ``not`` inverts a comparison, also for
    missing values. Times are compared with texts such as ``"2026-01-31"``.

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
            raise UsageError(f"where is a condition or a column, such as 'amount > 100'; got {self.where!r}.")
        if not 0.0 <= self.tolerance < math.inf:
            raise UsageError(
                f"tolerance is how much worse on {self.where!r} is allowed, 0 or more, such as 0.01; "
                f"{self.tolerance} was given."
            )
        if column_of(self.where) is None:
            parse(self.where)

    @property
    def label(self) -> str:
        """The name of the slice, or else its condition."""
        return self.name or self.where

    def fixed(self, known: Any) -> tuple[Slice, ...]:
        """Return one slice by condition for each part of a column; a slice by condition stays as it is.

        Do this once, on rows that the champion was trained on. Later rows must not move the quartiles, and for a value
        that is new to the champion there is nothing to protect.

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
            Rows that give the values and quartiles of a column (see `fixed`); by default `x`.

        Returns
        -------
        dict of str to (n,) array of bool
        """
        from incumbent.gate.slices._table import Table

        table = x if isinstance(x, Table) else Table(x)
        return {each.label: table.mask(each.where) for each in self.fixed(table if known is None else known)}
