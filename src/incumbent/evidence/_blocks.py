"""Units of evidence where rows are not independent: clusters that share a group, and blocks of consecutive rows."""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Array, Floats
from incumbent.metrics._labels import Codes

STANDS_OUT = 1.5
"""How many standard errors a sum of autocorrelations must lie above zero to count. Low on purpose: blocks that were not
needed (a fifth of the independent streams) cost a little power, autocorrelation that is missed costs the guarantee."""
FEWEST = 12
"""Blocks are never so long that there are fewer than this: their spread could not be estimated."""


def clusters(block: Array) -> Codes:
    """Return the number of each row's cluster, from 0."""
    return np.asarray(np.unique(np.asarray(block), return_inverse=True)[1], dtype=np.intp)


def block_length(values: Floats) -> int:
    """Return how many consecutive rows to take as one unit of evidence; 1 where the rows look independent.

    With the autocorrelations ``rho_k`` of the values, the sum ``S_L = sqrt(n / L) sum_{k <= L} (rho_k + 1 / n)`` is
    close to standard normal for independent rows. It is looked at for L = 1, 2, 4, ... up to two sqrt(n). If none is
    above `STANDS_OUT`, rows are independent as far as one can see. Otherwise the length is four times the largest such
    L, at least sqrt(n), so that neighbouring blocks are nearly independent, and at most n / 12.

    Parameters
    ----------
    values : (n,) array
        Paired differences in time order.

    References
    ----------
    Künsch, H. R. (1989). The jackknife and the bootstrap for general stationary observations. Annals of Statistics 17.
    Politis, D. N. and White, H. (2004). Automatic block-length selection for the dependent bootstrap. Econometric
    Reviews 23. We look at sums of autocorrelations instead of single ones: many small ones inflate a variance too.

    Examples
    --------
    >>> block_length(np.random.default_rng(1).normal(size=400))
    1
    >>> block_length(np.repeat(np.random.default_rng(0).normal(size=40), 10))
    33
    """
    rows = len(values)
    if rows < 2 * FEWEST or not np.ptp(values) > 0:
        return 1
    longest = min(rows // 4, math.ceil(2.0 * math.sqrt(rows)))
    rho = _autocorrelations(values, longest)
    lags = 2 ** np.arange(int(math.log2(longest)) + 1)
    sums = np.cumsum(rho + 1.0 / rows)[lags - 1] * np.sqrt(rows / lags)
    if not (sums > STANDS_OUT).any():
        return 1
    return min(max(4 * int(lags[sums > STANDS_OUT].max()), math.ceil(math.sqrt(rows))), rows // FEWEST)


def consecutive(rows: int, length: int) -> Codes:
    """Return the block of each row: runs of `length`, the remainder shared out so that blocks are as good as equal."""
    count = max(1, rows // length)
    return np.arange(rows) * count // rows


def _autocorrelations(values: Floats, longest: int) -> Floats:
    """Return the autocorrelations at lags 1 to `longest`, by the fast Fourier transform."""
    centred = values - values.mean()
    size = 1 << (len(values) + longest).bit_length()
    power = np.square(np.abs(np.fft.rfft(centred, size)))
    products = np.fft.irfft(power, size)[: longest + 1]
    return np.asarray(products[1:] / products[0])
