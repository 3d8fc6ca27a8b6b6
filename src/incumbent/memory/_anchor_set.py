"""The anchor set: old rows that no version is trained on, so that they show forgetting."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import AnchorSet, Batch
from incumbent.data.rows._flags import contained_in
from incumbent.data.rows._keys import row_keys, scramble, uniform
from incumbent.data.rows._lazy import materialize
from incumbent.errors import UsageError
from incumbent.memory._reservoir import MAX_BYTES, rows_that_fit

Positions: TypeAlias = NDArray[np.intp]
Counts: TypeAlias = NDArray[np.int64]

SELECT_FRACTION = 0.25


def add_to_anchor_set(
    anchor: AnchorSet,
    batch: Batch,
    *,
    seed: int,
    high: int = 5_000,
    share: float = 0.5,
    max_bytes: int = MAX_BYTES,
) -> tuple[AnchorSet, Batch]:
    """Add some test rows of a finished update to the anchor set, and return the others for training.

    Each row draws two numbers. The first, from its content and the seed, adds it with probability `share`. The second,
    from its content alone, decides which of all rows ever added are kept: the `high` smallest (bottom-k sampling [1]_).
    So old and new rows are kept with the same probability. The rows that leave the set can be used for training.

    No row is both in the anchor set and in the rows for training: equal rows draw equal numbers, and a test row that
    equals a row in the set is dropped.

    Parameters
    ----------
    anchor : AnchorSet
        The set before.
    batch : Batch
        The test rows of an update, promoted or not.
    seed : int
        Seed of the random draws.
    high : int
        Maximum number of rows in the set. With 5,000, a drop of one point of accuracy from 90 % is more than two
        standard errors.
    share : float
        Fraction of the test rows to add. They are never trained on, and in a batch that is split by time they are the
        newest; hence half.
    max_bytes : int
        Maximum size of all rows; large rows, such as images, lower `high`.

    Returns
    -------
    AnchorSet
        The new rows are unused and come after the old ones. Lazy rows that are added are read.
    Batch
        The rows that can be used for training.

    Raises
    ------
    UsageError
        If `high` or `max_bytes` is less than 1, or `share` is not a probability.

    References
    ----------
    .. [1] E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.

    Examples
    --------
    >>> gate = Batch(np.arange(1_000.0)[:, None], np.arange(1_000) % 2)
    >>> anchor, free = add_to_anchor_set(AnchorSet(), gate, seed=0, high=300)
    >>> len(anchor), len(free), anchor.seen
    (300, 700, 1000)
    """
    if min(high, max_bytes) < 1 or not 0 <= share <= 1:
        raise UsageError(
            f"add_to_anchor_set needs high >= 1, max_bytes >= 1 and 0 <= share <= 1; got high={high}, "
            f"max_bytes={max_bytes}, share={share}."
        )
    high = rows_that_fit(batch.x, high, max_bytes)
    keys = row_keys(batch)
    held = np.zeros(0, dtype=np.uint64) if anchor.rows is None else row_keys(anchor.rows)
    admitted = (uniform(keys, seed, "admit") < share) & ~contained_in(keys, held)
    both = np.concatenate([held, keys[admitted]])
    stays = _smallest(both, high)
    old, new = stays[: len(held)], np.flatnonzero(admitted)[stays[len(held) :]]

    offered = np.ones(len(batch), dtype=bool)
    offered[new] = False
    offered &= ~contained_in(keys, both[stays])
    kept = [] if anchor.rows is None else [anchor.rows.take(old)]
    moved = [] if anchor.rows is None else [anchor.rows.take(~old)]
    used = np.concatenate([_use_counts(anchor)[old], np.zeros(len(new), dtype=np.int64)])
    set_after = AnchorSet(materialize(Batch.join([*kept, batch.take(new)])), used, anchor.seen + len(batch))
    return set_after, Batch.join([*moved, batch.take(offered)])


def _smallest(keys: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Mark the `count` smallest draws (n,), or a few less, because equal rows are marked together."""
    # Without a seed, a row keeps its number in every update. Otherwise old rows would have to be drawn again and again.
    draws = scramble(keys, 0, "stay")
    return draws < np.partition(draws, count)[count] if len(draws) > count else np.ones(len(draws), dtype=bool)


def _use_counts(anchor: AnchorSet) -> Counts:
    return np.zeros(len(anchor), dtype=np.int64) if anchor.use_counts is None else anchor.use_counts


def anchor_split(anchor: AnchorSet, *, seed: int = 0) -> tuple[Positions, Positions]:
    """Return the positions of the anchor rows that select challengers, a quarter, and of those that test them.

    The side of a row depends on its content and the seed alone, so it never changes: no row that has selected a
    challenger will test one.

    Examples
    --------
    >>> anchor = AnchorSet(Batch(np.arange(1_000.0)[:, None]))
    >>> select, gate = anchor_split(anchor)
    >>> len(select), len(gate)
    (259, 741)
    """
    if anchor.rows is None:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    selects = uniform(row_keys(anchor.rows), seed, "anchor select") < SELECT_FRACTION
    return np.flatnonzero(selects), np.flatnonzero(~selects)


def record_use(anchor: AnchorSet, positions: Positions) -> AnchorSet:
    """Return the set with one more use counted for the rows at `positions`.

    Examples
    --------
    >>> record_use(AnchorSet(Batch(np.zeros((3, 1)))), np.array([0, 2])).use_counts.tolist()
    [1, 0, 1]
    """
    counts = _use_counts(anchor).copy()
    counts[positions] += 1
    return AnchorSet(anchor.rows, counts, anchor.seen)


def merge_use_counts(restored: AnchorSet, current: AnchorSet) -> AnchorSet:
    """Return the restored set with the use counts of the current set: a rollback does not restore the error budget.

    Examples
    --------
    >>> before = AnchorSet(Batch(np.array([[1.0], [2.0]])), np.array([1, 1]))
    >>> after = AnchorSet(Batch(np.array([[2.0], [3.0]])), np.array([4, 2]))
    >>> merge_use_counts(before, after).use_counts.tolist()
    [1, 4]
    """
    if restored.rows is None or current.rows is None:
        return restored
    current_counts = pd.Series(_use_counts(current), index=row_keys(current.rows)).groupby(level=0).max()
    merged = current_counts.reindex(row_keys(restored.rows), fill_value=0).to_numpy(dtype=np.int64)
    return AnchorSet(restored.rows, np.maximum(_use_counts(restored), merged), restored.seen)
