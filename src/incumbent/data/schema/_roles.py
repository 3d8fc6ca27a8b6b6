"""The columns of a batch that are neither features nor labels: times, groups and sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding, Floats
from incumbent.data.schema._kinds import Kind, kind_of, numbers, parse_numbers, parse_times, rejection
from incumbent.errors import DataError, SchemaError


def get_column(parts: Any, name: str | None) -> pd.Series[Any]:
    """Return the labels, times, groups or weights (n,) as a column."""
    values = parts[name]
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, pd.DataFrame) or values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1):
        raise DataError(f"{name!r} has shape {values.shape}; one value for each row was expected.")
    flat = np.asarray(values).reshape(len(values))
    # pandas has no type for text of a fixed length.
    return pd.Series(flat.astype(object) if flat.dtype.kind in "US" else flat, name=name).infer_objects()


def read_times(series: pd.Series[Any]) -> Array:
    """Return when each row was observed: numbers as they are, times and text as datetime64[us] in UTC."""
    gaps = series.isna().to_numpy()
    if gaps.any():
        raise rejection(series, gaps, "a time in every row")
    kind: Kind = kind_of(series, mixed=True)
    if kind in ("text", "category"):
        try:
            series, kind = parse_numbers(series), "number"
        except SchemaError:
            series, kind = parse_times(series), "time"
    if kind == "time":
        return parse_times(series).to_numpy()
    found = numbers(pd.to_numeric(series) if series.dtype == object else series)
    if found.dtype.kind == "b" or not np.isfinite(found).all():
        wrong = np.ones(len(series), bool) if found.dtype.kind == "b" else ~np.isfinite(found)
        raise rejection(series, wrong, "times or finite numbers")
    return found


def read_groups(series: pd.Series[Any]) -> Array:
    """Return the group of each row (n,): numbers as they are, everything else as objects."""
    gaps = series.isna().to_numpy()
    if gaps.any():
        raise rejection(series, gaps, "a group in every row")
    if kind_of(series, mixed=True) == "number":
        return numbers(pd.to_numeric(series) if series.dtype == object else series)
    return series.to_numpy(dtype=object)


def read_weights(series: pd.Series[Any]) -> tuple[Floats, Finding]:
    """Return the sample weight of each row (n,), scaled to a mean of one, and a note about the scaling.

    Only the ratios matter within a batch. With a mean of one, these rows can be joined with rows without weights.

    Raises
    ------
    SchemaError
        A weight is missing, not a number, negative or infinite, or all weights are zero.
    """
    found = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~(np.isfinite(found) & (found >= 0.0))
    if wrong.any():
        raise rejection(series, wrong, "a weight of 0 or more in every row")
    if not found.any():
        raise SchemaError(f"Every weight in {series.name!r} is 0, so no row counts; leave the column out.")
    scaled = found / found.mean()
    text = f"{series.name!r} weights the rows, from {scaled.min():.3g} to {scaled.max():.3g} with a mean of 1."
    return scaled, Finding("note", str(series.name), text)
