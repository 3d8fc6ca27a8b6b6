"""Split new rows into train, select and test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent._deprecated import renamed_arguments
from incumbent.core import Array, Batch, Task
from incumbent.data.rows._array_keys import Keys
from incumbent.data.rows._flags import Mask
from incumbent.data.rows._keys import column_keys, row_keys, scramble
from incumbent.errors import DataError, UsageError
from incumbent.words import counted

Positions: TypeAlias = NDArray[np.intp]

FEWEST = 20  # of fewer rows, fewer than five would be test rows, too few to show anything
TRAIN, SELECT, GATE, LEFT = range(4)


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the rows in each part, in the order of the batch, or of time if the rows have times.

    Parameters
    ----------
    train : array of int
        Rows to train on.
    select : array of int
        Rows to select a challenger on.
    gate : array of int
        Test rows: only the selected challenger and the champion predict them.
    left : array of int
        Rows in no part: those that cannot be held out, of a group that is. Training on them would leak their group.
    by : str
        How the rows were split: "time", "group", "group and time", "class" or "chance".
    """

    train: Positions
    select: Positions
    gate: Positions
    left: Positions
    by: str


@renamed_arguments({"holdable": "can_hold_out"})
def split(
    batch: Batch,
    *,
    task: Task,
    can_hold_out: Mask,
    seed: int,
    shares: tuple[float, float, float] = (0.6, 0.15, 0.25),
) -> Split:
    """Split a batch into train, select and test rows; equal content and seed give an equal split in any row order.

    - With `group`, groups stay whole, in the order of a hash, or with `time` of their newest row; the newest become
      test rows. A group larger than the test fraction is used for training. Rows without a group are one group.
    - With `time`, the newest rows become test rows, and the next ones select rows. Rows of equal time stay together;
      the border is the one closest to the fraction, and in a tie the one with the smaller holdout. If a part would get
      less than half of its fraction, the times are too coarse and are ignored.
    - Otherwise the split is stratified by class, to within a row or two. At least one row of each class is used for
      training. A regression, and rows of several labels, are split at random.

    Parameters
    ----------
    batch : Batch
        The rows, n of them.
    task : {"classification", "regression"}
        Only classes are stratified.
    can_hold_out : (n,) bool
        Rows that can be held out (`RowFlags.can_hold_out`); all others are used for training.
    seed : int
        Seed of the random draws.
    shares : (float, float, float)
        Fractions of all rows for train, select and test; with groups, of the rows that can be held out. If too few rows
        can be held out, these are divided between select and test in proportion.

    Returns
    -------
    Split
        Positions into the batch.

    Raises
    ------
    DataError
        If fewer than 20 rows can be held out, or groups are too few or too large to be divided.
    UsageError
        If `shares` are not three positive numbers that add up to one.

    Examples
    --------
    >>> rows = Batch(np.arange(100.0)[:, None], np.arange(100) % 2)
    >>> parts = split(rows, task="classification", can_hold_out=np.ones(100, dtype=bool), seed=0)
    >>> len(parts.train), len(parts.select), len(parts.gate), parts.by
    (60, 15, 25, 'class')
    """
    _check(batch, can_hold_out, shares)
    moments = None if batch.time is None else pd.factorize(batch.time, sort=True)[0]
    if moments is not None:
        can_hold_out = can_hold_out & (moments >= 0)  # a row without a time cannot be among the newest
        _check_enough(can_hold_out)
    part, by = _place(batch, task, moments, can_hold_out, seed, shares)
    train, select, gate, left = (_positions(part == which, moments) for which in (TRAIN, SELECT, GATE, LEFT))
    return Split(train, select, gate, left, by)


def _place(
    batch: Batch, task: Task, moments: Array | None, can_hold_out: Mask, seed: int, shares: tuple[float, float, float]
) -> tuple[NDArray[np.int8], str]:
    if batch.group is not None:
        part = _by_group(batch.group, moments, can_hold_out, seed, shares)
        return part, "group" if moments is None else "group and time"
    if moments is not None:
        timed = _by_time(moments, can_hold_out, shares)
        if timed is not None:
            return timed, "time"
    # Rows of several labels have no class: nearly every combination could be a class of its own.
    labels = batch.y if task == "classification" and batch.y is not None and batch.y.ndim == 1 else None
    part = _by_class(scramble(row_keys(batch), seed, "split"), labels, can_hold_out, seed, shares)
    return part, "chance" if labels is None else "class"


def _check(batch: Batch, can_hold_out: Mask, shares: tuple[float, float, float]) -> None:
    if len(shares) != 3 or min(shares) <= 0 or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise UsageError(
            f"shares must be three positive numbers that add up to 1, for train, select and test rows; got {shares}."
        )
    if len(can_hold_out) != len(batch):
        raise DataError(
            f"can_hold_out has {len(can_hold_out)} rows but the batch has {len(batch)}; they must pair row by row."
        )
    _check_enough(can_hold_out)


def _check_enough(can_hold_out: Mask) -> None:
    count = int(np.count_nonzero(can_hold_out))
    if count < FEWEST:
        raise DataError(
            f"Too few rows: an update needs at least {FEWEST} rows to test challengers on, and {count} of the "
            f"{len(can_hold_out)} new rows qualify. Add at least {counted(FEWEST - count, 'row')}. (Duplicates, "
            "conflicting labels, rows without a time and rows seen before do not qualify.)"
        )


def _sizes(total: int, available: int, shares: tuple[float, float, float]) -> tuple[int, int]:
    """Return the numbers of select and of test rows."""
    select, gate = (max(1, round(share * total)) for share in shares[1:])
    if select + gate > available:
        gate = min(available - 1, max(1, round(available * shares[2] / (shares[1] + shares[2]))))
        select = available - gate
    return select, gate


def _positions(mask: Mask, moments: Array | None) -> Positions:
    at = np.flatnonzero(mask)
    return at if moments is None else at[np.argsort(moments[at], kind="stable")]


def _by_class(
    order: Keys, labels: Array | None, can_hold_out: Mask, seed: int, shares: tuple[float, float, float]
) -> NDArray[np.int8]:
    stratum = np.zeros(len(order), dtype=np.uint64)
    if labels is not None:
        # Strata are in the order of a hash. In the order of their names, the last class would always get the row that
        # rounding leaves over.
        stratum = scramble(column_keys(labels), seed, "class")
        can_hold_out = can_hold_out & ~_first_of_each(stratum, can_hold_out, order)
    at = np.flatnonzero(can_hold_out)
    if len(at) < 2:
        raise DataError(
            "Nearly every row has a class of its own, so none is left to test challengers on. "
            "Check the label column; to predict numbers, use the task regression."
        )
    select, gate = _sizes(len(order), len(at), shares)
    at = at[np.lexsort((order[at], stratum[at]))]
    part = np.full(len(order), TRAIN, dtype=np.int8)
    turn = _evenly(len(at), gate)
    part[at[turn]] = GATE
    rest = at[~turn]
    part[rest[_evenly(len(rest), select)]] = SELECT
    return part


def _first_of_each(stratum: Keys, can_hold_out: Mask, order: Keys) -> Mask:
    """Mark one row of each class for training, if possible one that cannot be held out anyway."""
    at = np.lexsort((order, can_hold_out, stratum))
    first = np.zeros(len(at), dtype=bool)
    first[at] = np.r_[True, stratum[at][1:] != stratum[at][:-1]]
    return first


def _evenly(n: int, k: int) -> Mask:
    """Mark exactly k of n places, as evenly as whole numbers allow: a systematic sample."""
    place = np.arange(n)
    return (place + 1) * k // n > place * k // n


def _by_time(moments: Array, can_hold_out: Mask, shares: tuple[float, float, float]) -> NDArray[np.int8] | None:
    counts = np.bincount(moments[can_hold_out])[::-1]  # the newest first
    newest_first = np.flatnonzero(counts)
    select, gate = _sizes(len(moments), int(counts.sum()), shares)
    borders = _borders(counts[newest_first], select, gate)
    if borders is None:
        return None
    part = np.full(len(moments), TRAIN, dtype=np.int8)
    kind = np.full(len(counts), TRAIN, dtype=np.int8)
    kind[newest_first[: borders[0]]] = GATE
    kind[newest_first[borders[0] : borders[1]]] = SELECT
    part[can_hold_out] = kind[::-1][moments[can_hold_out]]
    found = np.bincount(part, minlength=3)
    wanted = np.array([shares[0] * len(part), select, gate])
    return part if (found[:3] >= wanted / 2).all() else None


def _borders(sizes: Array, select: int, gate: int) -> tuple[int, int] | None:
    """Return how many of the ordered units are test rows, and how many are test or select rows."""
    if len(sizes) < 2:
        return None
    held = np.cumsum(sizes)
    first = 1 + int(np.argmin(np.abs(held[:-1] - gate)))
    return first, 1 + first + int(np.argmin(np.abs(held[first:] - gate - select)))


def _by_group(
    group: Array, moments: Array | None, can_hold_out: Mask, seed: int, shares: tuple[float, float, float]
) -> NDArray[np.int8]:
    code, names = pd.factorize(group, use_na_sentinel=False)
    sizes = np.bincount(code[can_hold_out], minlength=len(names))
    newest = np.zeros(len(names), dtype=np.int64)
    if moments is not None:
        np.maximum.at(newest, code, moments)
    units = np.lexsort((scramble(column_keys(names), seed, "group"), -newest))
    units = units[sizes[units] > 0]
    select, gate = _sizes(int(sizes.sum()), int(sizes.sum()), shares)
    if len(names) >= 3 and len(units) >= 2:
        # A group larger than the test part would make it far too large. The two smallest groups always stay in.
        units = units[sizes[units] <= max(gate, np.sort(sizes[units])[1])]
    borders = _borders(sizes[units], select, gate)
    if len(names) < 3 or borders is None or borders[1] == len(names):
        raise DataError(
            f"Groups stay whole, and train, select and test rows need at least one each; the new rows have "
            f"{len(names)} groups, and {len(units)} of them have rows that can be held out. Add rows of more "
            "groups, or leave the group column out."
        )
    kind = np.full(len(names), TRAIN, dtype=np.int8)
    kind[units[: borders[0]]] = GATE
    kind[units[borders[0] : borders[1]]] = SELECT
    part = kind[code]
    part[~can_hold_out & (part != TRAIN)] = LEFT
    return part
