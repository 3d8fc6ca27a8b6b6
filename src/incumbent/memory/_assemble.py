"""The rows that a recipe trains on: replay rows, then new rows, within a window and weighted by age."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from incumbent.core import Array, Batch, Data, Floats, Memory
from incumbent.errors import DataError, UsageError
from incumbent.memory._reservoir import sample_memory, sample_rows

SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def assemble(data: Data, new: Batch, memory: Memory, *, seed: int) -> Batch:
    """Assemble the rows that the `data` part of a recipe describes.

    The steps, in this order:

    1. Replay rows are drawn from memory, unless the adapter draws them for each mini-batch (`per_batch`).
    2. New rows come after them, with `new_row_weight` times the weight; all are sorted by time if all have one.
    3. `window` keeps the newest rows.
    4. `half_life` multiplies each weight by ``2 ** (-age / half_life)``, with age the number of newer rows or, for a
       span of time, the time since the newest row.
    5. `max_rows` draws from the rows that are left.

    For dates, a span is a text with a unit, such as "30d" or "12h" (s, min, h, d, w). For times that are
    numbers, it is a text without a unit, such as "500". A window of "30d" leaves out rows of exactly 30 days and older.

    Parameters
    ----------
    data : Data
        Which rows to train on.
    new : Batch
        The new rows, oldest first.
    memory : Memory
        The rows to replay.
    seed : int
        Seed of the random draws.

    Returns
    -------
    Batch
        Rows from the oldest to the newest, even if `ordered` is false: adapters shuffle.

    Raises
    ------
    DataError
        If a window or half-life is a span of time, but the rows have no times, or its unit does not fit them.
    UsageError
        If a window, half-life or row limit is not positive, or a span of time is malformed.

    Examples
    --------
    >>> rows = assemble(Data(half_life=2), Batch(np.arange(5)[:, None]), Memory(), seed=0)
    >>> rows.weight.round(3).tolist()
    [0.25, 0.354, 0.5, 0.707, 1.0]
    """
    replay, old = data.replay, Batch([])
    if replay is not None and not replay.per_batch:
        old = sample_memory(memory, replay.rows, sample=replay.sample, seed=seed)
    rows = _by_time(Batch.join([old, scale_weights(new, data.new_row_weight)]))
    if data.window is not None:
        rows = _within(rows, data.window)
    if data.half_life is not None and len(rows):
        rows = _weighted(rows, data.half_life)
    if data.max_rows is not None:
        _positive("max_rows", data.max_rows)
        sample = "reservoir" if replay is None else replay.sample
        rows = sample_rows(rows, data.max_rows, sample=sample, rng=np.random.default_rng([seed % 2**63, 2]))
    return rows


def scale_weights(rows: Batch, factor: float) -> Batch:
    """Return the rows with their weights multiplied by `factor`."""
    if factor == 1:
        return rows
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    return rows.replace(weight=weight * factor)


def _by_time(rows: Batch) -> Batch:
    if rows.time is None:
        return rows
    clock = _clock(rows.time)
    return rows if (clock[1:] >= clock[:-1]).all() else rows.take(np.argsort(clock, kind="stable"))


def _within(rows: Batch, window: int | str) -> Batch:
    if not isinstance(window, str):
        _positive("window", window)
        return rows.take(np.arange(max(0, len(rows) - window), len(rows)))
    return rows.take(_age(rows, window, "window") < 1.0)


def _weighted(rows: Batch, half_life: float | str) -> Batch:
    if isinstance(half_life, str):
        age = _age(rows, half_life, "half_life")
    else:
        _positive("half_life", half_life)
        age = np.arange(len(rows) - 1, -1, -1) / half_life
    weight = 2.0**-age
    return rows.replace(weight=weight if rows.weight is None else rows.weight * weight)


def _age(rows: Batch, span: str, name: str) -> Floats:
    """Return the time since the newest row, in spans (n,)."""
    if rows.time is None:
        raise DataError(
            f"{name}={span!r} is a span of time, but the rows have no times; name the time column, or give {name} as "
            "a number of rows."
        )
    dated = rows.time.dtype.kind not in "iuf"
    clock = _clock(rows.time)
    newest = clock.max(initial=-np.inf)
    since: Floats = np.subtract(newest, clock, where=clock < newest, out=np.zeros(len(clock)))
    return since / _parse_span(span, name, dated)


def _parse_span(span: str, name: str, dated: bool) -> float:
    """Return a span in seconds, or in the units of a time column that holds numbers."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", span.lower())
    if found is None or (found[2] and found[2] not in SECONDS) or float(found[1]) <= 0:
        raise UsageError(f'{name}={span!r} is not a span of time; write a number and s, min, h, d or w, such as "30d".')
    if dated and not found[2]:
        raise DataError(f'{name}={span!r} lacks a unit, and the times are dates; write for example "{found[1]}d".')
    if not dated and found[2]:
        raise DataError(
            f'{name}={span!r} has a unit, but the times are numbers without one; write a number alone, such as "500".'
        )
    return float(found[1]) * SECONDS.get(found[2], 1.0)


def _clock(time: Array) -> Floats:
    """Return times as numbers (n,), dates in seconds; a row without a time is older than all others."""
    if time.dtype.kind in "iuf":
        clock = time.astype(np.float64)
    else:
        try:
            ticks = pd.DatetimeIndex(pd.to_datetime(time, utc=True, format="ISO8601")).to_numpy("datetime64[us]")
        except (ValueError, TypeError) as error:
            raise DataError(f"The time column holds values that are not times: {error}.") from error
        clock = np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e6)
    return np.where(np.isnan(clock), -np.inf, clock)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise UsageError(f"{name} must be positive; got {value!r}.")
