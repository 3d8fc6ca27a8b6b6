"""Neyman allocation: labels go where there is much to learn, in proportion to size times standard deviation.

With strata of N_h rows and standard deviation S_h, the variance of the stratified mean
``sum_h (N_h / N)**2 S_h**2 / n_h (1 - n_h / N_h)`` under ``sum_h n_h = n`` is least at

    n_h = n N_h S_h / sum_k N_k S_k.

A share of the labels may be spread over all rows alike instead (``n_h = n N_h / N``), so that no row that was chosen
weighs more than ``1 / share`` times what it would in a random sample (defensive sampling; Hesterberg 1995).

References
----------
Neyman, J. (1934). On the two different aspects of the representative method. JRSS 97.
Hesterberg, T. (1995). Weighted average importance sampling and defensive mixture distributions. Technometrics 37.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Floats
from incumbent.errors import UsageError

FLOOR = 2
"""Rows of each stratum that can differ at all: with one, nobody could see how much they do."""


def allocate(sizes: NDArray[np.int64], spreads: Floats, rows: int, *, uniform: float = 0.0) -> NDArray[np.int64]:
    """Return how many rows of each stratum to label.

    Parameters
    ----------
    sizes : (h,) array of int
        Rows of each stratum.
    spreads : (h,) array
        Standard deviation of the differences in each; where it is 0, no label could tell anything.
    rows : int
        Labels in all.
    uniform : float
        The share of them that is spread over all rows alike.

    Returns
    -------
    (h,) array of int
        They add up to `rows`, or to all that can tell anything. A stratum with a spread gets at least 2, and any at
        least 1 if `uniform` is above 0.

    Raises
    ------
    UsageError
        If `rows` is too few for the strata.

    Examples
    --------
    >>> allocate(np.array([9000, 900, 100]), np.array([0.0, 0.5, 1.0]), 110).tolist()
    [0, 90, 20]
    >>> allocate(np.array([9000, 900, 100]), np.array([0.0, 0.5, 1.0]), 110, uniform=0.5).tolist()
    [49, 50, 11]
    """
    least = np.minimum(np.where(spreads > 0.0, FLOOR, int(uniform > 0.0)), sizes)
    most = np.where((spreads > 0.0) | (uniform > 0.0), sizes, 0)
    if rows < least.sum():
        raise UsageError(f"{rows:,} labels are too few for {len(sizes)} strata; give at least {int(least.sum()):,}.")
    rows = min(rows, int(most.sum()))
    apart = sizes * spreads
    wanted = uniform * sizes / sizes.sum() + (1.0 - uniform) * apart / max(float(apart.sum()), 1e-300)
    return _whole(_within(wanted, rows, least, most), rows, least, most)


def _within(wanted: Floats, rows: int, least: NDArray[np.int64], most: NDArray[np.int64]) -> Floats:
    """Scale `wanted` so that it adds up to `rows` between its bounds: the scale is found by bisection."""
    low, high = 0.0, 1.0
    while np.clip(high * wanted, least, most).sum() < rows - 1e-9 and high < 1e300:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.clip(middle * wanted, least, most).sum() < rows else (low, middle)
    return np.clip(high * wanted, least, most)


def _whole(shares: Floats, rows: int, least: NDArray[np.int64], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round to whole numbers that add up to `rows`: the largest remainders first."""
    found = np.clip(np.floor(shares + 1e-9).astype(np.int64), least, most)
    order = np.argsort(found - shares, kind="stable")
    while (missing := rows - int(found.sum())) > 0:
        room = order[found[order] < most[order]][:missing]
        found[room] += 1
    return found
