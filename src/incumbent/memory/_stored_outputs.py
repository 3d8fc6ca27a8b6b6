"""What was said of rows when they were learned."""

from __future__ import annotations

import numpy as np

from incumbent.core import Batch, Floats, HasLogits


def recalled(model: HasLogits, rows: Batch) -> Floats:
    """Return the outputs (n, k) that rows had when they were learned; what nobody noted, the model says now."""
    known = rows.soft
    if known is None:
        return model.logits(rows.x)
    blank = np.flatnonzero(np.isnan(known).all(axis=1))
    if not len(blank):
        return known
    said = model.logits(rows.take(blank).x)
    found = np.full((len(rows), max(known.shape[1], said.shape[1])), np.nan)
    found[:, : known.shape[1]] = known
    found[blank, : said.shape[1]] = said
    return found
