"""The anchor set: old rows that no version ever learns from, so that forgetting shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import AnchorSet, Batch
from incumbent.data.rows._keys import row_keys, scramble, uniform
from incumbent.data.rows._lazy import in_memory
from incumbent.data.rows._quality import among
from incumbent.errors import UsageError
from incumbent.memory._parquet import FORMAT, damaged, read_about, read_rows, write_rows
from incumbent.memory._reservoir import MAX_BYTES, fitting

Positions: TypeAlias = NDArray[np.intp]
Counts: TypeAlias = NDArray[np.int64]

SELECT_SHARE = 0.25


def admit(
    anchor: AnchorSet,
    batch: Batch,
    *,
    seed: int,
    high: int = 5_000,
    share: float = 0.5,
    max_bytes: int = MAX_BYTES,
) -> tuple[AnchorSet, Batch]:
    """Divide the gate rows of a finished update between the anchor set and the rows that may be learned from.

    Each row draws a number from its content and the seed: with probability `share` it is admitted, else it is free.
    Of all rows ever admitted, those with the `high` smallest of a second number, drawn from the content alone, stay
    (bottom-k sampling, Cohen & Kaplan 2007: for a fixed k, every subset of k is equally likely). So each has the same
    probability of staying, however long ago it came, and the rows that make room are free from then on.

    A row is in the anchor set or free, never both: equal rows draw equal numbers and go the same way, and an offered
    row that equals one that stays is dropped, since learning from it would end the anchor set's being unseen.

    Parameters
    ----------
    anchor : AnchorSet
        The set before.
    batch : Batch
        The gate rows of an update, whatever its verdict.
    seed : int
        Where randomness enters.
    high : int
        The most rows that the set holds: at 5,000, a drop of one point of accuracy from 90 % is more than two standard
        errors.
    share : float
        Of the offered rows. Half, because what is admitted is never learned from, and where time splits a batch
        the gate rows are its newest.
    max_bytes : int
        What the rows of the set may take together; large rows, such as images, lower `high`. A text counts as 64 bytes.

    Returns
    -------
    AnchorSet
        With new rows unused and behind the old ones. Lazy rows that are admitted are read.
    Batch
        The rows that are free to be learned from.

    Raises
    ------
    UsageError
        If `high` or `max_bytes` is less than 1 or `share` is not a probability.

    Examples
    --------
    >>> gate = Batch(np.arange(1_000.0)[:, None], np.arange(1_000) % 2)
    >>> anchor, free = admit(AnchorSet(), gate, seed=0, high=300)
    >>> len(anchor), len(free), anchor.seen
    (300, 700, 1000)
    """
    if min(high, max_bytes) < 1 or not 0 <= share <= 1:
        raise UsageError(
            f"admit needs high >= 1, max_bytes >= 1 and 0 <= share <= 1; got high={high}, max_bytes={max_bytes}, "
            f"share={share}."
        )
    high = fitting(batch.x, high, max_bytes)
    keys = row_keys(batch)
    held = np.zeros(0, dtype=np.uint64) if anchor.rows is None else row_keys(anchor.rows)
    admitted = (uniform(keys, seed, "admit") < share) & ~among(keys, held)
    both = np.concatenate([held, keys[admitted]])
    stays = _smallest(both, high)
    old, new = stays[: len(held)], np.flatnonzero(admitted)[stays[len(held) :]]

    offered = np.ones(len(batch), dtype=bool)
    offered[new] = False
    offered &= ~among(keys, both[stays])
    kept = [] if anchor.rows is None else [anchor.rows.take(old)]
    moved = [] if anchor.rows is None else [anchor.rows.take(~old)]
    used = np.concatenate([_used(anchor)[old], np.zeros(len(new), dtype=np.int64)])
    set_after = AnchorSet(in_memory(Batch.join([*kept, batch.take(new)])), used, anchor.seen + len(batch))
    return set_after, Batch.join([*moved, batch.take(offered)])


def _smallest(keys: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Mark the `count` smallest draws (n,); equal rows stay or go together, so that it may be a few less."""
    # Without a seed: a row must keep its number from update to update, or old rows would have to win again each time.
    draws = scramble(keys, 0, "stay")
    return draws < np.partition(draws, count)[count] if len(draws) > count else np.ones(len(draws), dtype=bool)


def _used(anchor: AnchorSet) -> Counts:
    return np.zeros(len(anchor), dtype=np.int64) if anchor.used is None else anchor.used


def anchor_split(anchor: AnchorSet, *, seed: int = 0) -> tuple[Positions, Positions]:
    """Return which anchor rows serve the choice among challengers, a quarter, and which serve the gate.

    A row's side depends on its content and the seed alone, so it never changes as the set grows: no row that chose a
    challenger ever judges one.

    Examples
    --------
    >>> anchor = AnchorSet(Batch(np.arange(1_000.0)[:, None]))
    >>> select, gate = anchor_split(anchor)
    >>> len(select), len(gate)
    (259, 741)
    """
    if anchor.rows is None:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    chooses = uniform(row_keys(anchor.rows), seed, "anchor select") < SELECT_SHARE
    return np.flatnonzero(chooses), np.flatnonzero(~chooses)


def spend(anchor: AnchorSet, positions: Positions) -> AnchorSet:
    """Return the set with one more use of the rows at `positions`.

    Examples
    --------
    >>> spend(AnchorSet(Batch(np.zeros((3, 1)))), np.array([0, 2])).used.tolist()
    [1, 0, 1]
    """
    used = _used(anchor).copy()
    used[positions] += 1
    return AnchorSet(anchor.rows, used, anchor.seen)


def carry_uses(restored: AnchorSet, current: AnchorSet) -> AnchorSet:
    """Return the restored set with the uses that its rows have had since: a rollback gives no error budget back.

    Examples
    --------
    >>> before = AnchorSet(Batch(np.array([[1.0], [2.0]])), np.array([1, 1]))
    >>> after = AnchorSet(Batch(np.array([[2.0], [3.0]])), np.array([4, 2]))
    >>> carry_uses(before, after).used.tolist()
    [1, 4]
    """
    if restored.rows is None or current.rows is None:
        return restored
    since = pd.Series(_used(current), index=row_keys(current.rows)).groupby(level=0).max()
    spent = since.reindex(row_keys(restored.rows), fill_value=0).to_numpy(dtype=np.int64)
    return AnchorSet(restored.rows, np.maximum(_used(restored), spent), restored.seen)


def save_anchor(anchor: AnchorSet, folder: Path) -> None:
    """Write an anchor set into a folder, made if need be; `load_anchor` gives back exactly the same.

    Raises
    ------
    DataError
        If a column holds values of several kinds, or of a kind that a table cannot store.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = write_rows(folder / "anchor.parquet", anchor.rows, used=anchor.used)
    about = {"format": FORMAT, "seen": int(anchor.seen), "rows": rows}
    (folder / "anchor.json").write_text(json.dumps(about), encoding="utf-8")


def load_anchor(folder: Path) -> AnchorSet:
    """Read the anchor set that `save_anchor` wrote.

    Raises
    ------
    DataError
        If the files are missing, damaged, or of a format that this version does not read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> anchor, _ = admit(AnchorSet(), Batch(pd.DataFrame({"a": range(20)})), seed=0)
    >>> with TemporaryDirectory() as folder:
    ...     save_anchor(anchor, Path(folder))
    ...     again = load_anchor(Path(folder))
    >>> again.rows.x.a.tolist() == anchor.rows.x.a.tolist(), again.seen
    (True, 20)
    """
    about = read_about(folder / "anchor.json")
    try:
        rows, extra = read_rows(folder / "anchor.parquet", about["rows"])
        return AnchorSet(rows, extra.get("used"), about["seen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder / "anchor.json", error) from error
