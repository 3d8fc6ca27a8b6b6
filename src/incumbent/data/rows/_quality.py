"""Which rows may be held out, and which would make a holdout lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import AnchorSet, Batch, Memory, Task
from incumbent.data.rows._array_keys import Keys
from incumbent.data.rows._keys import labelled, row_keys

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Quality:
    """Which rows of a batch may not be held out, and why.

    Parameters
    ----------
    duplicate : (n,) bool
        Rows whose x and y equal another row's, every copy of them: one copy in training and one in a holdout would
        be a leak, and which of them comes first means nothing.
    contradictory : (n,) bool
        Rows whose x equals another row's while y differs (classification only: two values of a regression target
        for the same x are noise, not a contradiction).
    known : (n,) bool
        Rows whose x and y equal a row in memory: they have been learned from.
    leaked : (n,) bool
        Rows whose x and y equal a row in the anchor set. An update drops them altogether, so that the anchor set
        stays unseen; the other kinds are learned from but never held out.
    """

    duplicate: Mask
    contradictory: Mask
    known: Mask
    leaked: Mask

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind; a row can be of several."""
        kinds = ("duplicate", "contradictory", "known", "leaked")
        return {kind: int(np.count_nonzero(getattr(self, kind))) for kind in kinds}

    @property
    def holdable(self) -> Mask:
        """Rows that may enter a holdout: those of none of the four kinds."""
        return ~(self.duplicate | self.contradictory | self.known | self.leaked)


def examine(batch: Batch, *, memory: Memory, anchor: AnchorSet, task: Task) -> Quality:
    """Find the rows that would make a holdout lie.

    Parameters
    ----------
    batch : Batch
        The new rows, n of them.
    memory : Memory
        What earlier updates remember of the rows they learned from.
    anchor : AnchorSet
        The rows that no version may learn from.
    task : {"classification", "regression"}
        Only classes can contradict each other.

    Returns
    -------
    Quality
        Four masks of length n, and `holdable`.

    Examples
    --------
    >>> rows = Batch(pd.DataFrame({"a": [1, 1, 2, 2, 3]}), np.array(["no", "no", "no", "yes", "no"]))
    >>> found = examine(rows, memory=Memory(), anchor=AnchorSet(), task="classification")
    >>> found.counts
    {'duplicate': 2, 'contradictory': 2, 'known': 0, 'leaked': 0}
    >>> found.holdable.tolist()
    [False, False, False, False, True]
    """
    seen = row_keys(batch, labels=False)
    keys = labelled(seen, batch.y)
    classes = task == "classification" and batch.y is not None
    return Quality(
        duplicate=pd.Series(keys).duplicated(keep=False).to_numpy(),
        contradictory=_contradictory(seen, keys) if classes else np.zeros(len(batch), dtype=bool),
        known=_among(keys, memory.rows),
        leaked=_among(keys, anchor.rows),
    )


def _contradictory(seen: Keys, keys: Keys) -> Mask:
    once = pd.Series(seen[~pd.Series(keys).duplicated().to_numpy()])
    return among(seen, once[once.duplicated()].to_numpy())


def _among(keys: Keys, rows: Batch | None) -> Mask:
    return np.zeros(len(keys), dtype=bool) if rows is None else among(keys, row_keys(rows))


def among(keys: Keys, others: Keys) -> Mask:
    """Return which keys are found among the others (n,)."""
    return pd.Series(keys).isin(others).to_numpy()
