"""Stratified sampling: how many rows of each stratum to label, and the mean over all rows from those.

*Neyman allocation* (1934). With strata of N_h rows and standard deviation S_h, the variance of the stratified mean
``sum_h (N_h / N)**2 S_h**2 / n_h (1 - n_h / N_h)`` under ``sum_h n_h = n`` is least at

    n_h = n N_h S_h / sum_k N_k S_k.

A fraction of the labels may be spread over all rows alike instead (``n_h = n N_h / N``). Then no chosen row weighs more
than ``1 / fraction`` times what it would in a random sample (defensive sampling; Hesterberg 1995).

References
----------
Neyman, J. (1934). On the two different aspects of the representative method. JRSS 97.
Hesterberg, T. (1995). Weighted average importance sampling and defensive mixture distributions. Technometrics 37.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Floats
from incumbent.errors import DataError, UsageError

Counts: TypeAlias = NDArray[np.int64]

FLOOR = 2
"""Fewest labels of a stratum whose rows can differ: one label shows no variance."""


def allocate(sizes: Counts, stds: Floats, rows: int, *, uniform: float = 0.0) -> Counts:
    """Return how many rows of each stratum to label.

    Parameters
    ----------
    sizes : (h,) array of int
        Rows of each stratum.
    stds : (h,) array
        Standard deviation of the differences in each stratum. If it is 0, no label there is informative.
    rows : int
        Number of labels.
    uniform : float
        Fraction of them that is spread over all rows alike.

    Returns
    -------
    (h,) array of int
        They add up to `rows`, or to all informative rows if those are fewer. A stratum gets at least 2 if its standard
        deviation is above 0, and at least 1 if `uniform` is above 0.

    Raises
    ------
    UsageError
        `rows` is too few for the strata.

    Examples
    --------
    >>> allocate(np.array([9000, 900, 100]), np.array([0.0, 0.5, 1.0]), 110).tolist()
    [0, 90, 20]
    >>> allocate(np.array([9000, 900, 100]), np.array([0.0, 0.5, 1.0]), 110, uniform=0.5).tolist()
    [49, 50, 11]
    """
    least = np.minimum(np.where(stds > 0.0, FLOOR, int(uniform > 0.0)), sizes)
    most = np.where((stds > 0.0) | (uniform > 0.0), sizes, 0)
    if rows < least.sum():
        raise UsageError(f"{rows:,} labels are too few for {len(sizes)} strata; give at least {int(least.sum()):,}.")
    rows = min(rows, int(most.sum()))
    product = sizes * stds
    wanted = uniform * sizes / sizes.sum() + (1.0 - uniform) * product / max(float(product.sum()), 1e-300)
    return _round(_scale(wanted, rows, least, most), rows, least, most)


def _scale(wanted: Floats, rows: int, least: Counts, most: Counts) -> Floats:
    """Scale `wanted` so that it adds up to `rows` between its bounds; bisection finds the factor."""
    low, high = 0.0, 1.0
    while np.clip(high * wanted, least, most).sum() < rows - 1e-9 and high < 1e300:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.clip(middle * wanted, least, most).sum() < rows else (low, middle)
    return np.clip(high * wanted, least, most)


def _round(counts: Floats, rows: int, least: Counts, most: Counts) -> Counts:
    """Round to whole numbers that add up to `rows`: the largest remainders first."""
    found = np.clip(np.floor(counts + 1e-9).astype(np.int64), least, most)
    order = np.argsort(found - counts, kind="stable")
    while (missing := rows - int(found.sum())) > 0:
        room = order[found[order] < most[order]][:missing]
        found[room] += 1
    return found


def estimate(differences: Floats, weight: Floats, *, rows: int) -> tuple[float, float]:
    """Return the mean difference over all rows and its standard error, from labelled rows and their weights.

    ``mean = sum_i w_i d_i / N``. With ``w_i`` one over the probability that row i was chosen, its expectation is the
    mean of d over all N rows, however good the models' probabilities were that guided the choice (Horvitz and Thompson
    1952).

    Parameters
    ----------
    differences : (n,) array
        Loss of the champion minus loss of the challenger on each labelled row.
    weight : (n,) array
        The weights that `choose` gave. Rows of one weight count as one stratum for the standard error.
    rows : int
        Number N of rows that the labelled ones were chosen from.

    Raises
    ------
    DataError
        The two have different lengths, or a weight is below 1, so that it is no inverse probability.

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
    count, size = np.bincount(stratum), np.bincount(stratum, weight)
    mean = np.bincount(stratum, differences) / count
    variance = np.bincount(stratum, np.square(differences - mean[stratum])) / np.maximum(count - 1, 1)
    of_mean = np.sum(np.square(size) * variance / count * np.maximum(1.0 - count / size, 0.0)) / rows**2
    return float(weight @ differences / rows), math.sqrt(float(of_mean))
