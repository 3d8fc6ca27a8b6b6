"""The columns of a data frame, read once, with comparisons of all rows at once.

Numbers are compared as they are, and times with texts that are a date or a time. Everything else is compared by its
distinct values, which are few even in a long table.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array, Floats
from incumbent.errors import UsageError
from incumbent.gate.slices._condition import Column, Compare, Joined, Node, Not, literal, parse
from incumbent.words import hint

Mask = NDArray[np.bool_]
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Values(Protocol):
    """The values of one column."""

    @property
    def missing(self) -> Mask:
        """Which rows have no value."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of values: "numbers", "texts", "truth values", "times" or others; empty if all are missing."""

    def where(self, sign: str, value: Any) -> Mask:
        """Return the rows (as a mask) for which the comparison with a value of one of these kinds is true."""

    def plain(self) -> Array:
        """Return the values, to be compared with those of another column."""


class Table:
    """A data frame whose columns are read when they are first used.

    Examples
    --------
    >>> table = Table(pd.DataFrame({"region": ["north", "south", None], "amount": [1, 200, 300]}))
    >>> table.mask('region != "south" and amount >= 1').tolist()
    [True, False, True]
    """

    def __init__(self, frame: Any) -> None:
        if not isinstance(frame, pd.DataFrame):
            raise UsageError(
                "Slices are conditions on columns, so the rows have to be a pandas data frame; "
                f"{type(frame).__name__} was given."
            )
        self.frame = frame
        self.place: dict[str, int] = {}
        for at, name in enumerate(frame.columns):
            self.place.setdefault(str(name), at)  # if two columns share a name, the first counts
        self._read: dict[str, Values] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str, text: str = "") -> Values:
        """Return the values of a column.

        Raises
        ------
        UsageError
            If there is no column of this name.
        """
        if name not in self._read:
            if name not in self.place:
                where = f", in {text!r}" if text and text != name else ""
                known = ", ".join(self.place) if len(self.place) <= 30 else f"{len(self.place)} others"
                raise UsageError(
                    f"There is no column {name!r}{where}.{hint(name, list(self.place))} The columns are {known}."
                )
            self._read[name] = _values(self.frame.iloc[:, self.place[name]])
        return self._read[name]

    def mask(self, text: str) -> Mask:
        """Return which rows a condition holds for, (n,).

        Raises
        ------
        UsageError
            If the table lacks a column of the condition, or its values cannot be compared.
        """
        return self._mask(parse(text), text)

    def _mask(self, node: Node, text: str) -> Mask:
        if isinstance(node, Joined):
            parts = (self._mask(part, text) for part in node.parts)
            return functools.reduce(np.logical_and if node.every else np.logical_or, parts)
        if isinstance(node, Not):
            return ~self._mask(node.part, text)
        values = self.column(node.column, text)
        if isinstance(node.value, Column):
            return _compare_columns(node, values, self.column(node.value.name, text), text)
        return _compare_values(node, values, text)


def _compare_values(node: Compare, values: Values, text: str) -> Mask:
    wanted = node.value if isinstance(node.value, tuple) else (node.value,)
    sign = "==" if node.operator == "in" else node.operator
    found = np.zeros(len(values.missing), dtype=bool)
    for value in wanted:
        found |= values.missing if value is None else values.where(sign, _convert(value, values, node.column, text))
    return found


def _convert(value: Any, values: Values, column: str, text: str) -> Any:
    """Return the value as the column's kind: a text as a time, if the column holds times. Other kinds must match."""
    if values.kinds == {"times"} and isinstance(value, str):
        try:
            return pd.Timestamp(value)
        except ValueError:
            raise UsageError(f"{value!r} is neither a date nor a time, as {column} holds; in {text!r}.") from None
    kind = _kind(value)
    if values.kinds and kind not in values.kinds:
        held = " and ".join(sorted(values.kinds))
        comparable = 'a text that is a time such as "2026-01-31"' if "times" in values.kinds else held
        raise UsageError(
            f"{column} holds {held} and cannot be compared with {literal(value)} (of {kind}), in {text!r}. Compare it "
            f"with {comparable}."
        )
    return value


def _compare_columns(node: Compare, left: Values, right: Values, text: str) -> Mask:
    assert isinstance(node.value, Column), "called only for two columns"
    if left.kinds and right.kinds and left.kinds != right.kinds:
        raise UsageError(
            f"{node.column} holds {' and '.join(sorted(left.kinds))}, {node.value.name} holds "
            f"{' and '.join(sorted(right.kinds))}; they cannot be compared, in {text!r}."
        )
    found = ~(left.missing | right.missing)
    try:
        found[found] = _SIGNS[node.operator](left.plain()[found], right.plain()[found])
    except TypeError:
        raise UsageError(f"{node.column} and {node.value.name} cannot be compared, in {text!r}.") from None
    return found


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "truth values"
    if isinstance(value, int | float | Decimal | np.number):
        return "numbers"
    if isinstance(value, str):
        return "texts"
    return "times" if isinstance(value, pd.Timestamp) else f"{type(value).__name__} values"


# --------------------------------------------------------------------------------------------- columns


def _values(series: pd.Series[Any]) -> Values:
    kind = series.dtype
    if pd.api.types.is_bool_dtype(kind) or isinstance(kind, pd.CategoricalDtype):
        return Coded(series)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return Numbers(series)
    return Times(series) if pd.api.types.is_datetime64_any_dtype(kind) else Coded(series)


class Numbers:
    """Integers as they are, all other numbers as float64; NaN is a missing value."""

    def __init__(self, series: pd.Series[Any]) -> None:
        whole = isinstance(series.dtype, np.dtype) and series.dtype.kind in "iu"
        self.values: Array = series.to_numpy() if whole else series.to_numpy(dtype=np.float64, na_value=np.nan)
        self.missing: Mask = np.zeros(len(series), dtype=bool) if whole else np.isnan(self.values)

    @property
    def kinds(self) -> frozenset[str]:
        """Numbers, if there are any."""
        return frozenset() if self.missing.all() else frozenset({"numbers"})

    def where(self, sign: str, value: Any) -> Mask:
        """Return the rows for which the comparison is true: none if the column has no values."""
        if not self.kinds:
            return np.zeros(len(self.values), dtype=bool)
        return np.asarray(_SIGNS[sign](self.values, value), dtype=bool)

    def plain(self) -> Array:
        """Return the numbers."""
        return self.values


class Times:
    """Points in time."""

    def __init__(self, series: pd.Series[Any]) -> None:
        self.series = series.reset_index(drop=True)
        self.missing: Mask = series.isna().to_numpy(dtype=bool)
        self.zone = getattr(series.dtype, "tz", None)
        self.kinds: frozenset[str] = frozenset() if self.missing.all() else frozenset({"times"})

    def where(self, sign: str, value: Any) -> Mask:
        """Return the rows for which the comparison is true; a time without a zone is in the column's zone."""
        if not self.kinds:
            return self.missing & False
        at = value
        if self.zone is not None:
            if at.tzinfo is None:  # an hour that the clocks skip or repeat must not fail
                at = at.tz_localize(self.zone, ambiguous=False, nonexistent="shift_forward")
            at = at.tz_convert("UTC")
        elif at.tzinfo is not None:
            at = at.tz_convert("UTC").tz_localize(None)
        return np.asarray(_SIGNS[sign](self.series, at), dtype=bool) & ~self.missing

    def plain(self) -> Array:
        """Return the times, those with a zone in UTC."""
        series = self.series if self.zone is None else self.series.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(series.to_numpy())

    @property
    def seconds(self) -> Floats:
        """Seconds since 1970 (in UTC if there is a zone), for quantiles; NaN if missing."""
        found = self.plain().astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(self.missing, np.nan, found)


class Coded:
    """Distinct values, and the index of each row's value among them; -1 if it is missing."""

    def __init__(self, series: pd.Series[Any]) -> None:
        self.ordered = isinstance(series.dtype, pd.CategoricalDtype) and bool(series.dtype.ordered)
        if isinstance(series.dtype, pd.CategoricalDtype):
            self.codes, distinct = series.cat.codes.to_numpy(), series.cat.categories
        else:
            try:
                self.codes, distinct = pd.factorize(series)
            except TypeError:
                raise UsageError(
                    f"Column {series.name!r} holds {_example(series)}, which conditions cannot compare."
                ) from None
        self.distinct: list[Any] = list(distinct.tolist())
        self.missing: Mask = self.codes < 0

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the distinct values."""
        return frozenset(map(_kind, self.distinct))

    def where(self, sign: str, value: Any) -> Mask:
        """Return the rows for which the comparison is true.

        Ordered categories compare by their order. With a value of another kind, the comparison is false.
        """
        if self.ordered and sign != "==" and value in self.distinct:
            at = self.distinct.index(value)
            return self._to_rows(_SIGNS[sign](place, at) for place in range(len(self.distinct)))
        kind = _kind(value)
        return self._to_rows(_kind(each) == kind and _SIGNS[sign](each, value) for each in self.distinct)

    def _to_rows(self, answers: Iterable[bool]) -> Mask:
        return np.array([*answers, False], dtype=bool)[self.codes]

    def plain(self) -> Array:
        """Return the values as objects."""
        table = np.empty(len(self.distinct) + 1, dtype=object)
        table[:-1] = self.distinct
        return np.asarray(table[self.codes])


def _example(series: pd.Series[Any]) -> str:
    known = series.dropna()
    return f"values such as {known.iloc[0]!r}" if len(known) else "no values"
