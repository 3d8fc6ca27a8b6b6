"""The gain on all rows, from those that were labelled."""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Floats
from incumbent.errors import DataError


def estimate(differences: Floats, weight: Floats, *, rows: int) -> tuple[float, float]:
    """Return the mean difference over all rows and its standard error, from labelled rows and their weights.

    ``mean = sum_i w_i d_i / N``: with ``w_i`` one over the probability that row i was chosen, its expectation is the
    mean of d over all N rows, whatever the rows and however good or bad the models' probabilities were that guided the
    choice (Horvitz and Thompson 1952).

    Parameters
    ----------
    differences : (n,) array
        Loss of the champion less loss of the challenger on each labelled row.
    weight : (n,) array
        The weights that `choose` gave; rows of one weight are taken as one stratum for the standard error.
    rows : int
        N: how many rows the labelled ones were chosen from.

    Raises
    ------
    DataError
        If the two have different lengths, or a weight is below 1: then it is no inverse probability.

    References
    ----------
    Horvitz, D. G. and Thompson, D. J. (1952). A generalization of sampling without replacement from a finite universe.
    JASA 47.

    Examples
    --------
    >>> value, error = estimate(np.array([1.0, 1.0, -1.0, 0.0]), np.array([2.0, 2.0, 2.0, 10.0]), rows=16)
    >>> value, round(error, 3)
    (0.125, 0.177)
    """
    if len(differences) != len(weight):
        raise DataError(f"{len(differences)} differences but {len(weight)} weights; they pair row by row.")
    if len(weight) and not (weight >= 1.0 - 1e-9).all():
        raise DataError(f"A weight is one over a probability, so 1 or more; {float(weight.min()):g} was given.")
    stratum = np.unique(weight, return_inverse=True)[1]
    count = np.bincount(stratum)
    mean = np.bincount(stratum, differences) / count
    squares = np.bincount(stratum, np.square(differences - mean[stratum]))
    each, size = squares / np.maximum(count - 1, 1), np.bincount(stratum, weight)
    variance = np.sum(np.square(size) * each / count * np.maximum(1.0 - count / size, 0.0)) / rows**2
    return float(weight @ differences / rows), math.sqrt(float(variance))
