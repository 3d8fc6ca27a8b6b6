"""Units of evidence: rows, or means of consecutive rows where neighbours are alike, as seen over all batches so far.

One batch says little about how long rows cling together, and a batch that lies in one spell says nothing at all: around
its own mean its rows look independent. So autocorrelations are taken around the mean before the batch (zero at first),
and added up over batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Floats, Value

LAGS: NDArray[np.int64] = 2 ** np.arange(11)
STANDS_OUT = 2.0
"""How many standard errors a sum of autocorrelations must lie above zero to count. With one instead of two, every third
line would be found to cling together where none does, for good, and lose a third of its power."""
FEWEST = 12
"""With fewer blocks than this the whole batch is one unit: rows cling together for longer than blocks could tell."""
_UNIT = 2.0**32
_NONE = (0,) * len(LAGS)


@dataclass(frozen=True, repr=False)
class Autocorrelation(Value):
    """How much rows are alike that lie up to 1, 2, 4, ..., 1024 rows apart: 22 integers.

    With ``rho_k = sum v_i v_{i+k} / sum v_i**2`` in a batch of n rows, n times ``sum_{k <= L} rho_k`` is added up over
    batches; over the root of L times all their rows it is close to standard normal where rows are independent.

    Parameters
    ----------
    sums : tuple of 11 int
        ``n sum_{k <= L} rho_k`` over all batches, by L, in units of 2**-32.
    rows : tuple of 11 int
        The rows of those batches that are long enough to tell.

    Examples
    --------
    >>> signs = np.random.default_rng(1).choice([-1.0, 1.0], size=4000)
    >>> Autocorrelation().add(signs).block(4000), Autocorrelation().add(np.repeat(signs[:800], 5)).block(4000)
    (1, 256)
    """

    sums: tuple[int, ...] = _NONE
    rows: tuple[int, ...] = _NONE

    def add(self, values: Floats) -> Autocorrelation:
        """Return the autocorrelation after one more batch of differences (n,), centred, in the order of the rows."""
        rows = len(values)
        longest = min(rows // 4, math.ceil(2.0 * math.sqrt(rows)), int(LAGS[-1]))
        told = int((longest >= LAGS).sum())
        if not told or not values.any():
            return self
        size = 1 << (rows + longest).bit_length()
        products = np.fft.irfft(np.square(np.abs(np.fft.rfft(values, size))), size)[: longest + 1]
        sums = rows * np.cumsum(products[1:] / products[0])[LAGS[:told] - 1]
        rest = _NONE[told:]
        return self.merge(Autocorrelation((*np.rint(sums * _UNIT).astype(int).tolist(), *rest), (rows,) * told + rest))

    def merge(self, other: Autocorrelation) -> Autocorrelation:
        """Return the autocorrelation over the batches of both: exact, and the same in whatever order."""
        return Autocorrelation(
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(a + b for a, b in zip(self.rows, other.rows, strict=True)),
        )

    def block(self, rows: int) -> int:
        """Return how many consecutive rows of a batch of `rows` are one unit; 1 where rows look independent.

        Four times the longest distance that stands out, at least ``sqrt(rows)``; all of them where fewer than 12
        blocks would be left.
        """
        sums = np.array(self.sums) / _UNIT
        out = sums > STANDS_OUT * np.sqrt(LAGS * np.array(self.rows, dtype=np.float64))
        if not out.any():
            return 1
        length = max(4 * int(LAGS[out].max()), math.ceil(math.sqrt(rows)))
        return length if length <= rows // FEWEST else rows


def means(differences: Floats, length: int) -> Floats:
    """Return the mean of each block of consecutive rows, blocks of at least `length` and as good as equally long."""
    if length <= 1 or not len(differences):
        return differences
    rows = len(differences)
    block = np.arange(rows) * max(1, rows // length) // rows
    return np.asarray(np.bincount(block, differences) / np.bincount(block))
