"""Read the columns of a batch that are neither features nor labels: times, groups and sample weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding, Floats
from incumbent.data.schema._kinds import kind_of, numbers, parse_numbers, parse_times, rejection
from incumbent.errors import DataError, SchemaError
from incumbent.words import describe_missing


def check_roles(source: str, names: Sequence[str], roles: Mapping[str, str | None], what: str, hint: str = "") -> None:
    """Raise an error if a source lacks the column or array of a role."""
    for role, name in roles.items():
        if name is not None and name not in names:
            raise SchemaError(describe_missing(source, f"{role} {what}", [name], names) + hint)


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
    _check_gaps(series, "a time")
    kind = kind_of(series, mixed=True)
    if kind in ("text", "category"):
        try:
            series = parse_numbers(series)
        except SchemaError:
            kind = "time"
    if kind == "time":
        return parse_times(series).to_numpy()
    found = numbers(pd.to_numeric(series) if series.dtype == object else series)
    wrong = ~np.isfinite(found) | (found.dtype.kind == "b")
    if wrong.any():
        raise rejection(series, wrong, "times or finite numbers")
    return found


def read_groups(series: pd.Series[Any]) -> Array:
    """Return the group of each row (n,): numbers as they are, everything else as objects."""
    _check_gaps(series, "a group")
    if kind_of(series, mixed=True) == "number":
        return numbers(pd.to_numeric(series) if series.dtype == object else series)
    return series.to_numpy(dtype=object)


def _check_gaps(series: pd.Series[Any], what: str) -> None:
    gaps = series.isna().to_numpy()
    if gaps.any():
        raise rejection(series, gaps, f"{what} in every row")


def read_weights(series: pd.Series[Any]) -> tuple[Floats, Finding]:
    """Return the sample weight of each row (n,), scaled to a mean of one, and a note about the scaling.

    Only the ratios matter within a batch. With a mean of one, these rows can be joined with rows without weights.
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
