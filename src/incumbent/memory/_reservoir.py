"""The reservoir: a bounded sample of all rows ever trained on, its update, and sampling from it."""

from __future__ import annotations

import sys
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array, Batch, Floats, Memory
from incumbent.data.rows._lazy import materialize, row_bytes
from incumbent.errors import UsageError

MAX_BYTES = 1 << 28


def reservoir_size(seen: int, low: int = 5_000, high: int = 20_000) -> int:
    """Return how many of `seen` rows to keep: all up to `low`, then growing with the square root, up to `high`.

    Examples
    --------
    >>> [reservoir_size(seen) for seen in (0, 5_000, 20_000, 80_000, 1_000_000)]
    [5000, 5000, 10000, 20000, 20000]
    """
    return int(np.clip(low * np.sqrt(seen / low), low, high))


def update_memory(
    memory: Memory,
    batch: Batch,
    *,
    seed: int,
    low: int = 5_000,
    high: int = 20_000,
    rare: int = 50,
    max_bytes: int = MAX_BYTES,
) -> Memory:
    r"""Return the memory after training on a batch: a uniform sample of all rows ever seen, and rows of rare classes.

    Every row draws a key :math:`u_i \sim U(0, 1)` when it arrives. After n rows the reservoir holds the rows with

    .. math:: u_i \le \tau_n, \qquad \tau_n = \min(\tau_{n'}, \, \mathrm{size}(n) / n)

    where n' is the count before the batch and size is `reservoir_size`. The threshold depends only on counts and never
    rises. So every row seen is kept with the same probability :math:`\tau_n`, independently of the other rows.

    With the k-th smallest key as threshold, as in bottom-k sampling, the probabilities would differ, because the size
    grows [1]_. The price is that the size is met on average only: its standard deviation is below its square root.

    In addition, the `rare` rows with the smallest keys of each class, or of each of several labels, are kept. Otherwise
    a class of one row in ten thousand would vanish. All these rows together are at most half of `low`.

    Parameters
    ----------
    memory : Memory
        The memory before.
    batch : Batch
        The rows of this training, each for the first time.
    seed : int
        Seed of the random draws; the same history and seed give the same memory.
    low, high : int
        Limits of `reservoir_size`.
    rare : int
        Rows to keep of each class whatever the threshold. For a regression on whole numbers, pass 0.
    max_bytes : int
        Maximum size of all rows; large rows, such as images, lower both limits. The size follows from shapes and types
        alone, so that rows are kept with equal probability; a text counts as 64 bytes.

    Returns
    -------
    Memory
        Its rows are in order of arrival. Lazy rows that are kept are read.

    Raises
    ------
    UsageError
        If the limits are not ``1 <= low <= high``, ``rare >= 0`` and ``max_bytes >= 1``.

    References
    ----------
    .. [1] M. Al-Kateb, B. S. Lee and X. S. Wang, "Adaptive-size reservoir sampling over data streams", SSDBM 2007.

    Examples
    --------
    >>> memory = Memory()
    >>> for day in range(30):
    ...     memory = update_memory(memory, Batch(np.full((1_000, 1), day)), seed=day)
    >>> memory.seen, reservoir_size(memory.seen), len(memory)
    (30000, 12247, 12478)
    """
    if not 1 <= low <= high or rare < 0 or max_bytes < 1:
        raise UsageError(
            f"update_memory needs 1 <= low <= high, rare >= 0 and max_bytes >= 1; got low={low}, high={high}, "
            f"rare={rare}, max_bytes={max_bytes}."
        )
    if memory.rows is not None and memory.key is None:
        raise UsageError("This memory has rows without keys; build it with update_memory(Memory(), batch, seed=0).")
    low, high = (rows_that_fit(batch.x, limit, max_bytes, rare=bool(rare)) for limit in (low, high))
    fresh = _rng(seed, memory.seen).random(len(batch))
    seen = memory.seen + len(batch)
    threshold = min(memory.threshold, reservoir_size(seen, low, high) / max(seen, 1))
    key = fresh if memory.key is None else np.concatenate([memory.key, fresh])
    keep = key <= threshold
    keep |= _mark_rare(_labels(memory.rows, batch), key, rare, low)
    old = len(key) - len(batch)
    kept = [] if memory.rows is None else [memory.rows.take(keep[:old])]
    rows = materialize(Batch.join([*kept, batch.take(keep[old:])]))
    return memory.replace(rows=rows, key=key[keep], threshold=threshold, seen=seen)


def rows_that_fit(x: Any, rows: int, max_bytes: int = MAX_BYTES, *, rare: bool = False) -> int:
    """Return how many rows of this size to keep: `rows`, or as many as fit, also with half as many `rare` ones."""
    room = max_bytes * 2 // 3 if rare else max_bytes
    return min(rows, max(1, room // max(1, row_bytes(x))))


def sample_memory(memory: Memory, rows: int | None, *, sample: Literal["reservoir", "balanced"], seed: int) -> Batch:
    """Sample rows of a memory to replay, in order of arrival.

    Parameters
    ----------
    memory : Memory
        The memory.
    rows : int or None
        How many, at most all; None means all.
    sample : {"reservoir", "balanced"}
        Uniformly over the rows, or the same number of each class, as in GDumb [1]_. If a class has too few rows, the
        others get more.
    seed : int
        Seed of the random draws.

    Returns
    -------
    Batch
        The rows; if the memory is empty, an empty batch, which can be joined with any other.

    Raises
    ------
    UsageError
        If `rows` is negative, or if `sample` is "balanced" and the rows have no classes.

    References
    ----------
    .. [1] A. Prabhu, P. H. S. Torr and P. K. Dokania, "GDumb: A simple approach that questions our progress in
       continual learning", ECCV 2020.

    Examples
    --------
    >>> memory = update_memory(Memory(), Batch(np.arange(100)[:, None], np.repeat([0, 1], [90, 10])), seed=0)
    >>> np.bincount(sample_memory(memory, 30, sample="balanced", seed=0).y).tolist()
    [20, 10]
    """
    if memory.rows is None:
        return Batch([])
    return sample_rows(memory.rows, rows, sample=sample, rng=_rng(seed, memory.seen, 1))


def sample_rows(
    rows: Batch, count: int | None, *, sample: Literal["reservoir", "balanced"], rng: np.random.Generator
) -> Batch:
    """Sample `count` rows, uniformly or balanced by class, and keep their order; None means all rows."""
    if count is not None and count < 0:
        raise UsageError(f"The number of rows to draw must not be negative; got {count}.")
    if sample not in ("reservoir", "balanced"):
        raise UsageError(f'sample must be "reservoir" or "balanced"; got {sample!r}.')
    if count is None or count >= len(rows):
        return rows
    chance = rng.random(len(rows))
    if sample == "reservoir":
        return rows.take(np.sort(np.argsort(chance, kind="stable")[:count]))
    classes = _classes(rows.y)
    if classes is None:
        why = "several labels each" if rows.y is not None and rows.y.ndim == 2 else "none"
        raise UsageError(f'sample="balanced" needs classes, but these rows have {why}; use sample="reservoir".')
    # The first row of every class, then the second of every class, and so on; larger classes fill up the rest.
    return rows.take(np.sort(np.lexsort((chance, _rank_in_class(classes, chance)))[:count]))


def _rng(seed: int, *more: int) -> np.random.Generator:
    return np.random.default_rng([seed % 2**63, *more])


def _labels(old: Batch | None, new: Batch) -> Array | None:
    if old is None or not len(old):
        return new.y
    return None if old.y is None or new.y is None else np.concatenate([old.y, new.y])


def _classes(y: Array | None) -> NDArray[np.intp] | None:
    """Return the class of each row as a number (n,), or None for numbers with fractions and for several labels."""
    if y is None or y.ndim > 1 or (y.dtype.kind == "f" and not np.array_equal(y, np.floor(y), equal_nan=True)):
        return None
    return pd.factorize(y, use_na_sentinel=False)[0]


def _mark_rare(y: Array | None, key: Floats, rare: int, low: int) -> NDArray[np.bool_]:
    """Mark the rows (n,) with the smallest keys of each class, or of those with each of several labels."""
    kept, classes = np.zeros(len(key), dtype=bool), _classes(y)
    if classes is not None and len(key):
        return _rank_in_class(classes, key) < min(rare, low // (2 * (int(classes.max()) + 1)))
    if rare and y is not None and y.ndim == 2 and y.dtype.kind in "biu":
        for label in y.T:
            on = np.flatnonzero(label == 1)
            kept[on[np.argsort(key[on], kind="stable")[: min(rare, low // (2 * y.shape[1]))]]] = True
    return kept


def _rank_in_class(classes: NDArray[np.intp], key: Floats) -> NDArray[np.intp]:
    """Return the rank of each row in its class, by key, from 0 (n,)."""
    order = np.lexsort((key, classes))
    lined = classes[order]
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order)) - np.searchsorted(lined, lined)
    return rank


def nbytes(memory: Memory) -> int:
    """Return the size of a memory in bytes: its rows, keys, importances and statistics.

    Examples
    --------
    >>> nbytes(Memory(rows=Batch(np.zeros((10, 2))), key=np.zeros(10)))
    240
    """
    rows = memory.rows
    columns = [] if rows is None else [rows.x, rows.y, rows.weight, rows.soft, rows.time, rows.group]
    return sum(map(_size, (*columns, memory.key, *memory.importance.values(), *memory.statistics.values())))


def _size(part: Any) -> int:
    if part is None:
        return 0
    if isinstance(part, dict):
        return sum(_size(inner) for inner in part.values())
    if isinstance(part, pd.DataFrame):
        return int(part.memory_usage(index=False, deep=True).sum())
    return sum(sys.getsizeof(row) for row in part) if isinstance(part, list) else int(part.nbytes)
