"""Flag duplicates and leaks: rows that cannot be held out to test a challenger."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent._deprecated import renamed_members
from incumbent.core import AnchorSet, Batch, Memory, Task
from incumbent.data.rows._array_keys import Keys
from incumbent.data.rows._keys import add_labels, row_keys

Mask: TypeAlias = NDArray[np.bool_]


@renamed_members({"holdable": "can_hold_out"})
@dataclass(frozen=True, eq=False)
class RowFlags:
    """Which rows of a batch cannot be held out, and why.

    Parameters
    ----------
    duplicate : (n,) bool
        x and y equal those of another row. All copies are flagged: one in training and one in a holdout are a leak.
    contradictory : (n,) bool
        x equals that of another row with a different y. Only for a classification: in a regression this is noise.
    known : (n,) bool
        x and y equal a row in memory, so that the champion was trained on it.
    leaked : (n,) bool
        x and y equal a row in the anchor set. An update drops these rows, so that no model is trained on the anchor
        set. The other kinds are used for training, but never held out.
    """

    duplicate: Mask
    contradictory: Mask
    known: Mask
    leaked: Mask

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows of each kind; a row can be of several kinds."""
        return {each.name: int(np.count_nonzero(getattr(self, each.name))) for each in fields(self)}

    @property
    def can_hold_out(self) -> Mask:
        """Rows of none of the four kinds, which can be held out (n,)."""
        return ~(self.duplicate | self.contradictory | self.known | self.leaked)


def flag_rows(batch: Batch, *, memory: Memory, anchor: AnchorSet, task: Task) -> RowFlags:
    """Flag the rows of a batch that cannot be held out to test a challenger.

    Parameters
    ----------
    batch : Batch
        The new rows, n of them.
    memory : Memory
        Rows that earlier versions were trained on.
    anchor : AnchorSet
        Rows that no version may be trained on.
    task : {"classification", "regression"}
        Only rows of a classification can be contradictory.

    Returns
    -------
    RowFlags
        Four masks (n,), and `can_hold_out`.

    Examples
    --------
    >>> rows = Batch(pd.DataFrame({"a": [1, 1, 2, 2, 3]}), np.array(["no", "no", "no", "yes", "no"]))
    >>> found = flag_rows(rows, memory=Memory(), anchor=AnchorSet(), task="classification")
    >>> found.counts
    {'duplicate': 2, 'contradictory': 2, 'known': 0, 'leaked': 0}
    >>> found.can_hold_out.tolist()
    [False, False, False, False, True]
    """
    seen = row_keys(batch, labels=False)
    keys = add_labels(seen, batch.y)
    classes = task == "classification" and batch.y is not None
    return RowFlags(
        duplicate=pd.Series(keys).duplicated(keep=False).to_numpy(),
        contradictory=_contradictory(seen, keys) if classes else np.zeros(len(batch), dtype=bool),
        known=_among(keys, memory.rows),
        leaked=_among(keys, anchor.rows),
    )


def _contradictory(seen: Keys, keys: Keys) -> Mask:
    distinct = pd.Series(seen[~pd.Series(keys).duplicated().to_numpy()])
    return contained_in(seen, distinct[distinct.duplicated()].to_numpy())


def _among(keys: Keys, rows: Batch | None) -> Mask:
    return np.zeros(len(keys), dtype=bool) if rows is None else contained_in(keys, row_keys(rows))


def contained_in(keys: Keys, others: Keys) -> Mask:
    """Return which keys are among the others (n,)."""
    return pd.Series(keys).isin(others).to_numpy()
