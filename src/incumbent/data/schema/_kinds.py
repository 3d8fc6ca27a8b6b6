"""The kind of values in a column, and how a column of one kind is read as another."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from incumbent.core import Array
from incumbent.errors import DataError, SchemaError

Kind: TypeAlias = Literal["number", "boolean", "category", "text", "time"]
Scalar: TypeAlias = str | int | float | bool

_MISSING_WORDS = ["", "na", "n/a", "#n/a", "nan", "null", "none"]
_TRUTH: dict[Any, float] = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}
_OBJECTS: dict[str, Kind] = {
    "string": "text",
    "empty": "text",
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "datetime": "time",
    "datetime64": "time",
    "date": "time",
}


def kind_of(series: pd.Series[Any], *, mixed: bool = False) -> Kind:
    """Return the kind of values in a column. Text is "text" here; the caller decides whether it is a category.

    A column that mixes text and numbers is an error, or with `mixed` is text that still has to be parsed.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "time"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    inferred = types.infer_dtype(series, skipna=True)
    if inferred in _OBJECTS:
        return _OBJECTS[inferred]
    name, examples = series.name, _examples(series)
    if mixed and all(isinstance(value, str | int | float | Decimal | np.number | np.bool_) for value in examples):
        return "text"
    shown = " and ".join(f"{value!r} ({type(value).__name__})" for value in examples[:2])
    if inferred.startswith("mixed") and not any(isinstance(value, list | tuple | dict | set) for value in examples):
        raise DataError(
            f"Column {name!r} mixes types: it holds {shown}; a column must have one type. "
            f"For text, use frame[{name!r}].astype(str)."
        )
    raise DataError(
        f"Column {name!r} holds {inferred if series.dtype == object else series.dtype}, such as {shown}; "
        f"each cell must be one number, text, time or boolean."
    )


def _examples(series: pd.Series[Any]) -> list[Any]:
    """Return one value of each Python type in a column."""
    return list({type(value): value for value in reversed(series[series.notna().to_numpy()].tolist())}.values())[::-1]


def numbers(series: pd.Series[Any]) -> Array:
    """Return a numeric column as a numpy array, without a copy if possible; missing values become NaN."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufb":
        return series.to_numpy()
    if getattr(series.dtype, "kind", "f") in "iu" and not series.isna().any():
        return series.to_numpy(dtype=np.int64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def row_of(wrong: Array) -> int:
    """Return the number of the first marked row, counted from 1."""
    return int(np.argmax(wrong)) + 1


def rejection(series: pd.Series[Any], wrong: Array, expected: str) -> SchemaError:
    """Return the error about the marked rows of a column: the first value, its row, and their number."""
    at, count = row_of(wrong), int(np.sum(wrong))
    others = f" ({count:,} of {len(wrong):,} rows are wrong)" if count > 1 else ""
    return SchemaError(
        f"Column {series.name!r} should hold {expected}, but row {at:,} holds {series.tolist()[at - 1]!r}{others}; "
        f"correct the value, or leave the row out."
    )


def parse_numbers(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers; empty text and the usual words for "missing" become NaN."""
    text = series.astype(object)
    values = pd.to_numeric(text, errors="coerce")
    wrong = (values.isna() & text.notna()).to_numpy()
    if wrong.any():
        wrong = wrong & ~text.astype(str).str.strip().str.lower().isin(_MISSING_WORDS).to_numpy()
    if wrong.any():
        raise rejection(series, wrong, "numbers")
    return values if isinstance(values.dtype, np.dtype) else pd.Series(numbers(values), name=series.name)


def parse_booleans(series: pd.Series[Any], kind: Kind) -> pd.Series[Any]:
    """Return a column as booleans, or as 0.0, 1.0 and NaN if some are missing."""
    if kind == "number":
        values = pd.Series(numbers(series)).astype(np.float64)
    else:
        values = series.astype(str).str.strip().str.lower().map(_TRUTH).astype(np.float64).reset_index(drop=True)
        values[series.isna().to_numpy()] = np.nan
    wrong = (~values.isin([0.0, 1.0])).to_numpy() & series.notna().to_numpy()
    if wrong.any():
        raise rejection(series, wrong, "true or false")
    values.name = series.name
    return values if values.isna().any() else values.astype(bool)


def parse_times(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of times or of text as times in UTC without a zone, to the microsecond.

    Text is read as ISO 8601, else in the one format that all values share. If both orders are possible, the month comes
    first.
    """
    found = series
    if not types.is_datetime64_any_dtype(series.dtype):
        text, fewest = series.astype(object), np.ones(len(series), dtype=bool)
        for style in _styles(text):
            found = pd.to_datetime(text.astype(str), format=style, errors="coerce", utc=True)
            wrong = (found.isna() & text.notna()).to_numpy()
            fewest = min(fewest, wrong, key=np.sum)
            if not wrong.any():
                break
        else:
            raise rejection(series, fewest, "times, such as 2026-01-31 or 2026-01-31T12:00:00Z")
    zone = found.dt.tz
    plain = found if zone is None else found.dt.tz_convert("UTC").dt.tz_localize(None)
    return plain.astype("datetime64[us]")


def _styles(text: pd.Series[Any]) -> Iterator[str]:
    yield "ISO8601"
    first = str(text[text.notna()].iloc[0])
    for day_first in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas warns if a value has the other order, which is tried too
            style = pd.tseries.api.guess_datetime_format(first, dayfirst=day_first)
        if style is not None:
            yield style


def as_text(series: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    """Return a column of text in the stored dtype, if this version of pandas has it as a type of text."""
    if str(series.dtype) == dtype:
        return series
    stored = pd.api.types.pandas_dtype(dtype)
    if isinstance(stored, pd.StringDtype) or stored.kind == "O":
        return series.astype(stored)
    return series
