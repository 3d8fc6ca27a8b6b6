"""Split new rows into what is learned from, what chooses among challengers, and what the gate sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array, Batch, Task
from incumbent.data.rows._array_keys import Keys
from incumbent.data.rows._keys import column_keys, row_keys, scramble
from incumbent.data.rows._quality import Mask
from incumbent.errors import DataError, UsageError

Positions: TypeAlias = NDArray[np.intp]

FEWEST = 20  # with fewer rows to hold out, the gate would get fewer than five and could show nothing
TRAIN, SELECT, GATE, LEFT = range(4)


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the rows in each part, in the order of the batch, or of time where there is one.

    Parameters
    ----------
    train : array of int
        Rows to learn from.
    select : array of int
        Rows that choose among challengers.
    gate : array of int
        Rows that only the chosen challenger and the champion meet.
    left : array of int
        Rows in no part: those that may not be held out, of a group that is held out. Learning from them would tell
        of their group. Empty without groups.
    by : str
        What placed the rows: "time", "group", "group and time", "class" or "chance".
    """

    train: Positions
    select: Positions
    gate: Positions
    left: Positions
    by: str


def split(
    batch: Batch,
    *,
    task: Task,
    holdable: Mask,
    seed: int,
    shares: tuple[float, float, float] = (0.6, 0.15, 0.25),
) -> Split:
    """Split a batch into train, select and gate; the same content and seed give the same split in any row order.

    - With `group`, whole groups: in the order of a hash, or with `time` those with the newest rows go to the gate. A
      group that alone exceeds the gate's share is learned from. Rows without a group count as one group.
    - With `time`, the newest rows go to the gate, the next ones to select. All rows of one moment stay together; the
      border is the one nearest to the share, the smaller holdout in a tie. Where the moments are so coarse that a
      part would get less than half of its share, time does not order the rows and they are split as if without it.
    - Else each class gives its share to each part, to within a row or two, and at least one row of each class is
      learned from, so that no holdout asks for a class that was there but not taught. A regression, and rows of
      several labels at once, are split by chance.

    Parameters
    ----------
    batch : Batch
        The rows, n of them.
    task : {"classification", "regression"}
        Only classes are stratified.
    holdable : (n,) bool
        Rows that may be held out (`Quality.holdable`); all others are learned from.
    seed : int
        Where randomness enters.
    shares : (float, float, float)
        Of all rows, for train, select and gate. Where too few may be held out, those that may are divided between
        select and gate in proportion; with groups the shares are of the rows that may be held out.

    Returns
    -------
    Split
        Positions into the batch.

    Raises
    ------
    DataError
        If fewer than 20 rows may be held out, or groups are too few or too large to be divided.
    UsageError
        If the shares are not three positive numbers that add up to one.

    Examples
    --------
    >>> rows = Batch(np.arange(100.0)[:, None], np.arange(100) % 2)
    >>> parts = split(rows, task="classification", holdable=np.ones(100, dtype=bool), seed=0)
    >>> len(parts.train), len(parts.select), len(parts.gate), parts.by
    (60, 15, 25, 'class')
    """
    _checked(batch, holdable, shares)
    moments = None if batch.time is None else pd.factorize(batch.time, sort=True)[0]
    if moments is not None:
        holdable = holdable & (moments >= 0)  # a row without a time cannot be among the newest
        _enough(holdable)
    part, by = _placed(batch, task, moments, holdable, seed, shares)
    train, select, gate, left = (_positions(part == which, moments) for which in (TRAIN, SELECT, GATE, LEFT))
    return Split(train, select, gate, left, by)


def _placed(
    batch: Batch, task: Task, moments: Array | None, holdable: Mask, seed: int, shares: tuple[float, float, float]
) -> tuple[NDArray[np.int8], str]:
    if batch.group is not None:
        part = _by_group(batch.group, moments, holdable, seed, shares)
        return part, "group" if moments is None else "group and time"
    if moments is not None:
        timed = _by_time(moments, holdable, shares)
        if timed is not None:
            return timed, "time"
    # Rows of several labels at once have no class: nearly every one of them could be a class of its own.
    labels = batch.y if task == "classification" and batch.y is not None and batch.y.ndim == 1 else None
    part = _by_class(scramble(row_keys(batch), seed, "split"), labels, holdable, seed, shares)
    return part, "chance" if labels is None else "class"


def _checked(batch: Batch, holdable: Mask, shares: tuple[float, float, float]) -> None:
    if len(shares) != 3 or min(shares) <= 0 or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise UsageError(
            f"shares must be three positive numbers that add up to 1, for train, select and gate; got {shares}."
        )
    if len(holdable) != len(batch):
        raise DataError(f"holdable has {len(holdable)} rows but the batch has {len(batch)}; they pair row by row.")
    _enough(holdable)


def _enough(holdable: Mask) -> None:
    count = int(np.count_nonzero(holdable))
    if count < FEWEST:
        raise DataError(
            f"Only {count} of the {len(holdable)} new rows can be held out to judge challengers on, and at least "
            f"{FEWEST} are needed; rows that repeat, contradict each other, lack a time, or were seen before do not "
            f"count. Collect {FEWEST - count} more."
        )


def _sizes(total: int, available: int, shares: tuple[float, float, float]) -> tuple[int, int]:
    """How many rows go to select and to gate."""
    select, gate = (max(1, round(share * total)) for share in shares[1:])
    if select + gate > available:
        gate = min(available - 1, max(1, round(available * shares[2] / (shares[1] + shares[2]))))
        select = available - gate
    return select, gate


def _positions(mask: Mask, moments: Array | None) -> Positions:
    at = np.flatnonzero(mask)
    return at if moments is None else at[np.argsort(moments[at], kind="stable")]


def _by_class(
    order: Keys, labels: Array | None, holdable: Mask, seed: int, shares: tuple[float, float, float]
) -> NDArray[np.int8]:
    stratum = np.zeros(len(order), dtype=np.uint64)
    if labels is not None:
        # Strata follow each other in the order of a hash: in that of their names, the last class would always win
        # the turn that rounding leaves over.
        stratum = scramble(column_keys(labels), seed, "class")
        holdable = holdable & ~_first_of_each(stratum, holdable, order)
    at = np.flatnonzero(holdable)
    if len(at) < 2:
        raise DataError(
            "Nearly every row has a class of its own, so none is left to judge challengers on. "
            "Check the label column; for numbers to be predicted, use the task regression."
        )
    select, gate = _sizes(len(order), len(at), shares)
    at = at[np.lexsort((order[at], stratum[at]))]
    part = np.full(len(order), TRAIN, dtype=np.int8)
    turn = _evenly(len(at), gate)
    part[at[turn]] = GATE
    rest = at[~turn]
    part[rest[_evenly(len(rest), select)]] = SELECT
    return part


def _first_of_each(stratum: Keys, holdable: Mask, order: Keys) -> Mask:
    """One row of each class, which is to be learned from; one that cannot be held out anyway costs nothing."""
    at = np.lexsort((order, holdable, stratum))
    first = np.zeros(len(at), dtype=bool)
    first[at] = np.r_[True, stratum[at][1:] != stratum[at][:-1]]
    return first


def _evenly(n: int, k: int) -> Mask:
    """Mark exactly k of n places, as evenly as whole numbers allow: a systematic sample."""
    place = np.arange(n)
    return (place + 1) * k // n > place * k // n


def _by_time(moments: Array, holdable: Mask, shares: tuple[float, float, float]) -> NDArray[np.int8] | None:
    counts = np.bincount(moments[holdable])[::-1]  # the newest first
    newest_first = np.flatnonzero(counts)
    select, gate = _sizes(len(moments), int(counts.sum()), shares)
    borders = _borders(counts[newest_first], select, gate)
    if borders is None:
        return None
    part = np.full(len(moments), TRAIN, dtype=np.int8)
    kind = np.full(len(counts), TRAIN, dtype=np.int8)
    kind[newest_first[: borders[0]]] = GATE
    kind[newest_first[borders[0] : borders[1]]] = SELECT
    part[holdable] = kind[::-1][moments[holdable]]
    found = np.bincount(part, minlength=3)
    wanted = np.array([shares[0] * len(part), select, gate])
    return part if (found[:3] >= wanted / 2).all() else None


def _borders(sizes: Array, select: int, gate: int) -> tuple[int, int] | None:
    """How many of the units that follow each other go to the gate, and how many to gate and select together."""
    if len(sizes) < 2:
        return None
    held = np.cumsum(sizes)
    first = 1 + int(np.argmin(np.abs(held[:-1] - gate)))
    return first, 1 + first + int(np.argmin(np.abs(held[first:] - gate - select)))


def _by_group(
    group: Array, moments: Array | None, holdable: Mask, seed: int, shares: tuple[float, float, float]
) -> NDArray[np.int8]:
    code, names = pd.factorize(group, use_na_sentinel=False)
    sizes = np.bincount(code[holdable], minlength=len(names))
    newest = np.zeros(len(names), dtype=np.int64)
    if moments is not None:
        np.maximum.at(newest, code, moments)
    units = np.lexsort((scramble(column_keys(names), seed, "group"), -newest))
    units = units[sizes[units] > 0]
    select, gate = _sizes(int(sizes.sum()), int(sizes.sum()), shares)
    if len(names) >= 3 and len(units) >= 2:
        # A group larger than the gate would make it far too large; but the two smallest must do where all are large.
        units = units[sizes[units] <= max(gate, np.sort(sizes[units])[1])]
    borders = _borders(sizes[units], select, gate)
    if len(names) < 3 or borders is None or borders[1] == len(names):
        raise DataError(
            f"Groups are kept whole, and train, select and gate need at least one each; the new rows have "
            f"{len(names)} groups, {len(units)} of them with rows that can be held out. Collect rows of more groups, "
            "or leave the group column out."
        )
    kind = np.full(len(names), TRAIN, dtype=np.int8)
    kind[units[: borders[0]]] = GATE
    kind[units[borders[0] : borders[1]]] = SELECT
    part = kind[code]
    part[~holdable & (part != TRAIN)] = LEFT
    return part
