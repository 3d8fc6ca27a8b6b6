"""Make an anchor set of old rows that no version was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from incumbent.core import AnchorSet, Batch, Finding, Memory, Task
from incumbent.data import Schema, flag_rows


def anchor_set(schema: Schema, frame: Any) -> AnchorSet:
    """Return an anchor set of rows that have served in no decision yet."""
    rows, _ = schema.check(frame)
    return AnchorSet(rows, np.zeros(len(rows), dtype=np.int64), len(rows))


def drop_trained_rows(anchor: AnchorSet, trained: Batch, *, task: Task) -> tuple[AnchorSet, tuple[Finding, ...]]:
    """Return the anchor set without the rows that the model was trained on, and a warning if there were any.

    Parameters
    ----------
    anchor : AnchorSet
        The old rows.
    trained : Batch
        The rows that the model was trained on.
    task : {"classification", "regression"}
        What the model predicts.
    """
    if anchor.rows is None or anchor.use_counts is None:
        return anchor, ()
    seen = flag_rows(anchor.rows, memory=Memory(trained), anchor=AnchorSet(), task=task).known
    if not seen.any():
        return anchor, ()
    text = f"{seen.sum():,} of {len(anchor):,} old rows are also in the training data and were left out."
    kept = AnchorSet(anchor.rows.take(~seen), anchor.use_counts[~seen], int((~seen).sum()))
    return kept, (Finding("warning", "", text),)
