"""Find the rows of a deletion request in memory and anchor set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent.core import AnchorSet, Batch, Memory
from incumbent.data import row_keys
from incumbent.errors import DataError
from incumbent.registry._folders import State

Mask: TypeAlias = NDArray[np.bool_]
Keys: TypeAlias = NDArray[np.uint64]
_SHOWN = 8  # columns of the row that a message shows


@dataclass(frozen=True, eq=False)
class RowMatches:
    """Where the rows of a deletion request were found.

    Parameters
    ----------
    rows : int
        Number of rows in the request.
    learned, anchored : (n,) and (m,) array of bool
        Which remembered rows, and which anchor rows, are among them.
    unremembered : Batch
        Rows of the request that are in neither. If they were learned, memory has dropped them since.
    at : (k,) array
        Their positions in the request.
    """

    rows: int
    learned: Mask
    anchored: Mask
    unremembered: Batch
    at: NDArray[np.intp]

    @property
    def known_to_model(self) -> bool:
        """Whether the model has learned any of them. It has learned no anchor row."""
        return bool(self.learned.any()) or len(self.unremembered) > 0


def is_complete(memory: Memory) -> bool:
    """Whether memory has dropped no row. Then a row that is not in it was never learned."""
    return memory.threshold >= 1.0


def find_rows(batch: Batch, state: State, *, trusted: bool, who: str) -> RowMatches:
    """Find rows by their features and label. Numbers of a table may differ in their last digits.

    Parameters
    ----------
    batch : Batch
        The rows to delete.
    state : State
        The present memory and anchor set.
    trusted : bool
        Whether rows that memory lacks were learned too. A memory that has dropped rows cannot show that itself.
    who : str
        The model, for messages.

    Raises
    ------
    DataError
        Some of the rows were never learned, or nothing shows that they were.
    """
    found = _match(batch, state, row_keys)
    if len(found.unremembered):  # another program may have cut the last digits of numbers
        found = _match(batch, state, _rounded_keys)
    if len(found.unremembered) and (is_complete(state.memory) or not trusted):
        raise DataError(_never(batch, found.at, state, who))
    return found


def _match(batch: Batch, state: State, keys_of: Callable[[Batch], Keys]) -> RowMatches:
    keys, held, kept = keys_of(batch), _keys_in(state.memory, keys_of), _keys_in(state.anchor, keys_of)
    known, counts = np.unique(held, return_counts=True)
    there = np.zeros(len(keys), dtype=int)
    if len(known):
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        there = np.where(known[at] == keys, counts[at], 0)
    # a row given twice may have been learned twice, with one copy dropped; a complete memory has dropped none
    copies = 0 if is_complete(state.memory) else _rank_among_equals(keys)
    absent = (there <= copies) & ~np.isin(keys, kept)
    return RowMatches(len(batch), np.isin(held, keys), np.isin(kept, keys), batch.take(absent), np.flatnonzero(absent))


def _keys_in(part: Memory | AnchorSet, keys_of: Callable[[Batch], Keys]) -> Keys:
    return np.zeros(0, dtype=np.uint64) if part.rows is None or not len(part.rows) else keys_of(part.rows)


def _rounded_keys(batch: Batch) -> Keys:
    """Return keys of rows whose numbers are rounded to 40 bits, some twelve digits."""
    x, y = batch.x, batch.y
    if hasattr(x, "iloc"):
        x = x.assign(**{name: _rounded(x[name]) for name in x.select_dtypes("float64").columns})
    return row_keys(Batch(x, y if y is None or y.dtype != np.float64 else _rounded(y)))


def _rounded(values: Any) -> Any:
    part, power = np.frexp(np.asarray(values))
    return np.ldexp(np.round(part * 2.0**40) * 2.0**-40, power)


def _rank_among_equals(keys: Keys) -> NDArray[np.intp]:
    """Return how many equal ones come before each (n,)."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    place = np.empty(len(keys), dtype=np.intp)
    place[order] = np.arange(len(keys)) - np.searchsorted(ordered, ordered)
    return place


def _never(batch: Batch, absent: NDArray[np.intp], state: State, who: str) -> str:
    memory, first = state.memory, int(absent[0])
    shown = _shown(batch, first)
    if len(batch) == 1:
        subject, one = f"The row ({shown}) was", ""
    else:
        some = f"Of the {len(batch):,} rows, {len(absent):,} {'was' if len(absent) == 1 else 'were'}"
        subject = f"None of the {len(batch):,} rows was" if len(absent) == len(batch) else some
        one = f" The first is row {first + 1:,}: {shown}."
    no = "" if subject.startswith("None") else " not"
    if is_complete(memory):
        text = f"{subject}{no} learned by {who}, nor held in its anchor set; nothing was changed."
        todo = "Rows are found by features and label, as they were learned: correct these, or leave them out."
    else:
        text = f"{subject}{no} found in memory or anchor set of {who}; nothing was changed."
        todo = (
            f"It remembers {len(memory):,} of the {memory.seen:,} rows that it has learned, so it may have learned "
            "these and dropped them since. If it has, add --learned (learned=True)."
        )
    return f"{text}{one}{_other_label(batch, first, state)} {todo}"


def _other_label(batch: Batch, first: int, state: State) -> str:
    """Return a hint if a row with the same features but another label is known, the likeliest mistake."""
    key = row_keys(batch.take([first]), labels=False)
    for part in (state.memory, state.anchor):
        if part.rows is not None and len(part.rows):
            at = np.flatnonzero(row_keys(part.rows, labels=False) == key)
            if len(at):
                return f" Its features are known with the label {_plain(part.rows.labels[at[0]])}."
    return ""


def _shown(batch: Batch, at: int) -> str:
    """Return one row for a message; only the label of an array."""
    label = f"label {_plain(batch.labels[at])}"
    if not hasattr(batch.x, "iloc"):
        return label
    row = batch.x.iloc[at]
    cells = [f"{name}={_plain(value)}" for name, value in list(row.items())[:_SHOWN]]
    more = [] if len(row) <= _SHOWN else [f"and {len(row) - _SHOWN} more columns"]
    return ", ".join([*cells, *more, label])


def _plain(value: Any) -> str:
    value = value.tolist() if hasattr(value, "tolist") else value
    return f"{value:.6g}" if isinstance(value, float) else str(value)
