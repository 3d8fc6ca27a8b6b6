"""Evidence about prequential models by rows, and by means of consecutive rows if neighbours are alike.

One batch shows little of how far dependence reaches. A batch within a single spell shows none of it: around its own
mean, its rows look independent. So autocorrelations are taken around the mean of earlier batches (zero at first) and
summed over batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Floats, Interval, Value
from incumbent.evidence.live._eprocess import NAME, EProcess

LAGS: NDArray[np.int64] = 2 ** np.arange(11)
STANDS_OUT = 2.0
"""How many standard errors above zero a sum of autocorrelations must lie to count. With one instead of two, a third of
the models with independent rows would be taken for dependent, permanently, and lose a third of their power."""
FEWEST = 12
"""With fewer blocks than this, the whole batch is one unit: dependence reaches too far for blocks."""
_UNIT = 2.0**32
_NONE = (0,) * len(LAGS)


@dataclass(frozen=True, repr=False)
class Autocorrelation(Value):
    """Autocorrelation up to lags of 1, 2, 4, ..., 1024 rows, as 22 integers.

    With ``rho_k = sum v_i v_{i+k} / sum v_i**2`` in a batch of n rows, n times ``sum_{k <= L} rho_k`` is added up over
    batches. Divided by the root of L times all their rows, it is close to standard normal if rows are independent.

    Parameters
    ----------
    sums : tuple of 11 int
        ``n sum_{k <= L} rho_k`` over all batches, by L, in units of 2**-32.
    rows : tuple of 11 int
        The rows of the batches that are long enough for this lag.

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
        usable = int((longest >= LAGS).sum())
        if not usable or not values.any():
            return self
        size = 1 << (rows + longest).bit_length()
        products = np.fft.irfft(np.square(np.abs(np.fft.rfft(values, size))), size)[: longest + 1]
        sums = rows * np.cumsum(products[1:] / products[0])[LAGS[:usable] - 1]
        added = zip_longest(self.sums, self.rows, np.rint(sums * _UNIT).astype(int).tolist(), fillvalue=0)
        found = [(total + more, seen + (rows if at < usable else 0)) for at, (total, seen, more) in enumerate(added)]
        return Autocorrelation(tuple(total for total, _ in found), tuple(seen for _, seen in found))

    def block(self, rows: int) -> int:
        """Return how many consecutive rows of a batch of `rows` form one unit; 1 if rows look independent.

        This is four times the longest significant lag and at least ``sqrt(rows)``, or the whole batch if fewer than 12
        blocks would be left.
        """
        sums = np.array(self.sums) / _UNIT
        out = sums > STANDS_OUT * np.sqrt(LAGS * np.array(self.rows, dtype=np.float64))
        if not out.any():
            return 1
        length = max(4 * int(LAGS[out].max()), math.ceil(math.sqrt(rows)))
        return length if length <= rows // FEWEST else rows


def means(differences: Floats, length: int) -> Floats:
    """Return the mean of each block of consecutive rows; blocks have at least `length` rows, some one more."""
    if length <= 1 or not len(differences):
        return differences
    rows = len(differences)
    block = np.arange(rows) * max(1, rows // length) // rows
    return np.asarray(np.bincount(block, differences) / np.bincount(block))


@dataclass(frozen=True, repr=False)
class PrequentialTally(Value):
    """The evidence about the models of one strategy, by row and by block of dependent rows; the smaller counts.

    Each covers a weakness of the other. Rows that repeat each other are one finding, not many: only blocks account for
    that. A batch in which the model fails may be a single block, and would weigh as little as one row of the good
    batches: only rows account for that. The smaller of two e-values is an e-value.

    Parameters
    ----------
    rows, blocks : EProcess
        The evidence by row, and by block.
    alike : Autocorrelation
        How dependent neighbouring rows are. This sets the length of blocks.
    batches : int
        Number of batches that were predicted.
    """

    rows: EProcess = EProcess()
    blocks: EProcess = EProcess()
    alike: Autocorrelation = Autocorrelation()
    batches: int = 0

    def add(self, differences: Floats, block: int | None) -> PrequentialTally:
        """Return the tally after one more batch of differences (n,), each in [-1, 1], in the order of the rows."""
        alike = self.alike.add(differences - (self.rows.mean if self.rows.rows else 0.0))
        length = alike.block(len(differences)) if block is None else block
        blocks = self.blocks.add(means(differences, length))
        return PrequentialTally(self.rows.add(differences), blocks, alike, self.batches + 1)

    def log_e(self, mean: float) -> float:
        """Return the logarithm of the e-value that the mean difference is above `mean`."""
        return min(self.rows.log_e(mean), self.blocks.log_e(mean))

    def interval(self, *, alpha: float, bound: float) -> Interval:
        """Return the mean difference over all rows, with the wider of each two bounds."""
        row, block = (each.interval(alpha=alpha, bound=bound) for each in (self.rows, self.blocks))
        lower, upper = min(row.lower, block.lower), max(row.upper, block.upper)
        test = NAME if self.rows == self.blocks else f"{NAME} by row and by block"
        return Interval(row.value, lower, upper, alpha, test, row.rows)
