"""The outputs that a model had for rows when it was trained on them."""

from __future__ import annotations

import numpy as np

from incumbent.core import Batch, Floats, HasLogits


def stored_logits(model: HasLogits, rows: Batch) -> Floats:
    """Return the outputs (n, k) that are stored with rows; missing ones are computed with `model`."""
    stored = rows.soft
    if stored is None:
        return model.logits(rows.x)
    missing = np.flatnonzero(np.isnan(stored).all(axis=1))
    if not len(missing):
        return stored
    computed = model.logits(rows.take(missing).x)
    outputs = np.full((len(rows), max(stored.shape[1], computed.shape[1])), np.nan)
    outputs[:, : stored.shape[1]] = stored
    outputs[missing, : computed.shape[1]] = computed
    return outputs
