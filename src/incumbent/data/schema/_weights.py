"""The column that says how much each row counts, such as one over the probability that it was chosen for labelling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Finding, Floats
from incumbent.data.schema._kinds import refuse
from incumbent.errors import SchemaError


def weights(series: pd.Series[Any]) -> tuple[Floats, Finding]:
    """Return the weight of each row (n,), scaled to a mean of one, and the note that says so.

    Only their ratios matter within a batch; with a mean of one, a row counts as one beside rows that have no weight.

    Raises
    ------
    SchemaError
        A weight is absent, no number, negative or infinite, or all are zero.
    """
    found = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~(np.isfinite(found) & (found >= 0.0))
    if wrong.any():
        raise refuse(series, wrong, "a weight of 0 or more in every row")
    if not found.any():
        raise SchemaError(f"Every weight in {series.name!r} is 0, so no row counts; leave the column out.")
    scaled = found / found.mean()
    told = f"{series.name!r} weighs the rows, from {scaled.min():.3g} to {scaled.max():.3g} where 1 is the mean."
    return scaled, Finding("note", str(series.name), told)
