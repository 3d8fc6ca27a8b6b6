"""One column of a schema: what the model was trained on, and the check of new values against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incumbent._deprecated import renamed_members
from incumbent.core import Array, Finding, Value
from incumbent.data.schema._categories import categorical, is_date, is_numeral, match_categories, scalars, spell
from incumbent.data.schema._kinds import (
    Kind,
    Scalar,
    as_text,
    kind_of,
    numbers,
    parse_booleans,
    parse_numbers,
    parse_times,
    row_of,
)
from incumbent.errors import SchemaError
from incumbent.words import counted, listed, percent

_CATEGORIES_AT_LEAST = 20  # up to this many distinct texts are categories, however few rows there are
_CATEGORIES_AT_MOST = 10_000
_ROWS_PER_CATEGORY = 20


@renamed_members({"widened": "extend"})
@dataclass(frozen=True, repr=False)
class Column(Value):
    """What a model was trained on in one column.

    Parameters
    ----------
    name : str
        Its name.
    kind : {"number", "boolean", "category", "text", "time"}
        Kind of its values. Text is a category if it has at most 20 distinct values, or at most one for every 20 rows.
    dtype : str
        The pandas dtype, such as "float64".
    categories : tuple
        Known categories; empty for other kinds.
    low, high : float, optional
        Smallest and largest finite number; None for other kinds.
    missing : float
        The fraction of rows without a value, 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> Column.of(pd.Series([18, 44, 95], name="age"))
    Column('age', kind='number', dtype='int64', low=18.0, high=95.0)
    """

    name: str
    kind: Kind
    dtype: str
    categories: tuple[Scalar, ...] = ()
    low: float | None = None
    high: float | None = None
    missing: float = 0.0

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Column:
        """Return the column that `dataclasses.asdict` wrote."""
        return cls(**stored | {"categories": tuple(stored["categories"])})

    @classmethod
    def of(cls, series: pd.Series[Any]) -> Column:
        """Return the column of a schema that describes `series`."""
        name, kind, dtype = str(series.name), kind_of(series), str(series.dtype)
        missing = float(series.isna().mean())
        if kind == "number":
            low, high = _extent(_numeric(series), finite=True)
            return cls(name, kind, dtype, low=low, high=high, missing=missing)
        if kind == "category":
            return cls(name, kind, "category", scalars(series.cat.categories, name), missing=missing)
        if kind == "text" and missing < 1:
            distinct = pd.unique(series[series.notna().to_numpy()])
            most = max(_CATEGORIES_AT_LEAST, min(len(series) // _ROWS_PER_CATEGORY, _CATEGORIES_AT_MOST))
            if len(distinct) <= most:
                return cls(name, "category", dtype, tuple(sorted(map(str, distinct))), missing=missing)
        return cls(name, kind, dtype, missing=missing)

    def extend(self, series: pd.Series[Any]) -> Column:
        """Return the column of a model that was trained on these checked values too.

        New categories come last, so that the known ones keep their codes.
        """
        missing = max(self.missing, float(series.isna().mean()))
        if self.kind == "category":
            text = not isinstance(series.dtype, pd.CategoricalDtype)
            seen = map(str, series.dropna().unique()) if text else scalars(series.cat.categories, self.name)
            return self.replace(categories=tuple(dict.fromkeys((*self.categories, *seen))), missing=missing)
        low, high = _extent(_numeric(series), finite=True) if self.kind == "number" else (None, None)
        if self.low is None or self.high is None or low is None or high is None or np.isnan(low):
            return self.replace(missing=missing)
        return self.replace(low=min(self.low, low), high=max(self.high, high), missing=missing)

    def check(self, series: pd.Series[Any]) -> tuple[pd.Series[Any], list[Finding]]:
        """Return the values in the form of training, and findings about them.

        Raises
        ------
        SchemaError
            A value cannot be read as this kind, or is infinite.
        """
        empty = series.isna().to_numpy()
        if empty.all():
            return self._all_missing(len(series)), self._gaps(len(series), len(series))
        reading = {
            "number": self._as_number,
            "boolean": self._as_boolean,
            "category": self._as_category,
            "text": self._as_text,
            "time": self._as_time,
        }[self.kind]
        values, findings = reading(series, kind_of(series, mixed=True))
        gaps = int(empty.sum()) if values is series else int(values.isna().sum())
        return values, [*findings, *self._gaps(gaps, len(series))]

    # ---------------------------------------------------------------------------------- by kind

    def _as_number(self, series: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], list[Finding]]:
        findings = []
        if kind == "time":
            raise self._wrong_kind(series, "times")
        if kind in ("text", "category"):
            series = parse_numbers(series)
            findings.append(self._note("was text; all its values are read as numbers"))
        elif kind == "boolean":
            series = series.astype(np.float64)
        elif series.dtype == object:
            series = pd.Series(_numeric(series), name=self.name)
        values = numbers(series)
        low, high = _extent(values)
        if not (np.isfinite(low) and np.isfinite(high)) and not np.isnan(low):
            at = row_of(np.isinf(values))
            raise SchemaError(
                f"Column {self.name!r} holds {values[at - 1]} in row {at:,}; finite numbers were expected. "
                f"Leave the value empty, or leave the row out."
            )
        findings += self._range(values, low, high)
        return self._narrow(series, values, low, high, findings), findings

    def _range(self, values: Array, low: float, high: float) -> list[Finding]:
        if self.low is None or self.high is None or not (low < self.low or high > self.high):
            return []
        span = self.high - self.low
        far = int(np.sum((values < self.low - span) | (values > self.high + span)))
        if not far:
            return []
        seen = f"{counted(far, 'row')} of {len(values):,} ({percent(far, len(values))})"
        if span == 0:
            text = f"{self.name!r} was always {self.low:g} in training and differs in {seen}"
        else:
            text = f"{self.name!r} is far outside the training range, {self.low:g} to {self.high:g}, in {seen}"
        return [Finding("warning", self.name, f"{text}; its range is now {low:g} to {high:g}.")]

    def _narrow(
        self, series: pd.Series[Any], values: Array, low: float, high: float, findings: list[Finding]
    ) -> pd.Series[Any]:
        """Return the numbers in the stored dtype if that loses nothing, so that equal rows stay equal."""
        stored = pd.api.types.pandas_dtype(self.dtype)
        if stored == series.dtype or not isinstance(stored, np.dtype) or stored.kind not in "iuf":
            return series
        if stored.kind == "f":
            fits = max(abs(low), abs(high)) <= float(np.finfo(stored.name).max)
        else:
            fits = low >= np.iinfo(stored.name).min and high <= np.iinfo(stored.name).max
            if fits and values.dtype.kind == "f":
                fits = not np.isnan(values).any()
                present = values if fits else values[~np.isnan(values)]
                if (present != np.rint(present)).any():
                    findings.append(self._note("has fractions, but the model was trained on whole numbers"))
                    fits = False
        return pd.Series(values.astype(stored), name=self.name, copy=False) if fits else series

    def _as_boolean(self, series: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], list[Finding]]:
        if str(series.dtype) == self.dtype:
            return series, []
        if kind == "time":
            raise self._wrong_kind(series, "times")
        if kind == "boolean":
            return parse_booleans(series.astype(np.float64), "number"), []
        return parse_booleans(series, kind), [self._note(f"was {series.dtype} and is read as true or false")]

    def _as_text(self, series: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], list[Finding]]:
        if kind == "text":
            return as_text(series, self.dtype), []
        spelt = (
            series.astype(str).where(series.notna()) if kind == "time" else series.astype(object).map(spell, "ignore")
        )
        text = as_text(spelt, self.dtype)
        return text, [] if kind == "category" else [self._note(f"was {series.dtype} and is read as text")]

    def _as_time(self, series: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], list[Finding]]:
        if kind in ("number", "boolean"):
            raise self._wrong_kind(series, f"{kind}s")
        if str(series.dtype) == self.dtype:
            return series, []
        times = parse_times(series)
        stored = pd.api.types.pandas_dtype(self.dtype)
        return (times.astype(stored) if isinstance(stored, np.dtype) and stored.kind == "M" else times), []

    def _as_category(self, series: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], list[Finding]]:
        given = series.dtype
        if kind == "time":
            # CSV readers turn text into times; the model was trained on text.
            if self.dtype == "category" or not any(map(is_date, self.categories)):
                raise self._wrong_kind(series, "times")
            series = as_text(series.astype(str).where(series.notna()), self.dtype)
        values, unseen, changed = match_categories(series, self.categories, self.dtype, gaps=self.missing > 0)
        foreign = kind in ("number", "boolean") and sum(unseen.values()) == int(series.notna().sum())
        if foreign and self.categories and not any(map(is_numeral, self.categories)):
            raise self._wrong_kind(series, f"{kind}s such as {next(iter(unseen))!r}")
        findings = [self._note(f"was {given} and is read as its categories")] if changed or kind == "time" else []
        return values, [*findings, *self._unseen(unseen, len(series))]

    # --------------------------------------------------------------------------------- messages

    def _unseen(self, unseen: dict[Scalar, int], rows: int) -> list[Finding]:
        if not unseen or not self.categories:
            return []
        held, often = counted(sum(unseen.values()), "row"), sorted(unseen, key=lambda value: -unseen[value])
        text = f"{self.name!r} has categories that the model has not seen, in {held} of {rows:,}: {listed(often, 4)}."
        return [Finding("warning", self.name, text)]

    def _gaps(self, gaps: int, rows: int) -> list[Finding]:
        if not gaps or (self.missing and gaps / rows <= self.missing + 0.1):
            return []
        before = f"{self.missing:.1%} were in training" if self.missing else "none was in training"
        text = f"{self.name!r} is missing in {counted(gaps, 'row')} of {rows:,} ({percent(gaps, rows)}); {before}."
        return [Finding("warning", self.name, text)]

    def _all_missing(self, rows: int) -> pd.Series[Any]:
        if self.kind == "time":
            return pd.Series(np.full(rows, np.datetime64("NaT", "us")), name=self.name)
        if self.dtype == "category":
            return pd.Series(categorical(np.full(rows, -1), self.categories), name=self.name)
        blank = pd.Series(
            np.full(rows, np.nan, dtype="float32" if self.dtype == "float32" else "float64"), name=self.name
        )
        return as_text(blank.astype(object), self.dtype) if self.kind in ("category", "text") else blank

    def _note(self, what: str) -> Finding:
        return Finding("note", self.name, f"{self.name!r} {what}.")

    def _wrong_kind(self, series: pd.Series[Any], held: str) -> SchemaError:
        such = f" such as {listed(self.categories, 3)}" if self.categories else ""
        plural = {"category": "categories", "text": "text"}.get(self.kind, f"{self.kind}s")
        return SchemaError(
            f"Column {self.name!r} holds {held} ({series.dtype}), but the model was trained on "
            f"{plural}{such}; give the column as it was in training."
        )


def _numeric(series: pd.Series[Any]) -> Array:
    return numbers(pd.to_numeric(series) if series.dtype == object else series)


def _extent(values: Array, finite: bool = False) -> tuple[Any, Any]:
    """Return the smallest and largest number without missing ones, and with `finite` without infinite ones."""
    if finite and values.dtype.kind == "f" and not np.isfinite(values).all():
        values = values[np.isfinite(values)]
        if not len(values):
            return None, None
    return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
