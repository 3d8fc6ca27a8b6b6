"""Evidence as the wealth of 34 gamblers: 17 stake fixed fractions on the challenger, 17 on the champion.

Let d_i in [-1, 1] be the difference of two losses on row i, in units of the largest loss. A gambler who always stakes
the fraction k of what he owns has

    W_k(n) = prod_i (1 + k d_i)

after n rows. In a game that is fair if every d_i has mean m, he has ``E_k(n, m) = W_k(n) / (1 + k m)**n``. The
evidence that the mean is above m is the average over the gamblers, ``e(n, m) = sum_k E_k(n, m) / 17``. If the mean is m
or less, e is at most 1 on average at any moment, and

    P(e(n, m) >= 1 / alpha at any n, ever) <= alpha    (Ville 1939),

so you may look after every row and stop at any time.

*The mean need not stay the same.* Let mu_i be the mean of d_i given all that came before, and let m_n be the mean of
mu_1 ... mu_n. Then ``prod (1 + k d_i) / (1 + k mu_i)`` is a fair game whatever the mu_i do, and since log is concave,
``prod (1 + k mu_i) <= (1 + k m_n)**n``; hence e(n, m_n) is at most the wealth in a fair game, at all n together. So the
level holds while the challenger has *so far, on average* not been better than m, under drift and dependence too. This
needs fractions that never change. Fractions that adapt to the rows would earn a little more but lose this guarantee.

*Which fractions.* The best one is about ``mean / variance`` of d, which is unknown. Ours lie half an octave apart, from
0.97 to 1/256 of that. The nearest one earns at least 96 % per row of what the best would. Not knowing which it is costs
about 2 nats, in addition to the 3 that alpha = 0.05 requires. Gains below a five-hundredth of the variance are never
shown (two hundredths of a point if the models differ on a tenth of the rows); they would take millions of rows.

*What is kept* is the logarithm of each W_k, in whole multiples of 2**-32 nats rounded down. Sums of integers do
not depend on the order of addition, so the evidence of several workers merges exactly. Rounding down can only
understate the evidence.

*Bounds that hold at all moments together.* The lower bound after n rows is the largest mean that the gamblers have
refuted, ``max {m : e(n, m) >= 1 / alpha}``. e falls as m rises, so there is one.
``P(lower(n) > m_n at any n, ever)`` is at most alpha. The upper bound is the same with the roles swapped.

References
----------
Darling, D. A. and Robbins, H. (1967). Confidence sequences for mean, variance, and median. PNAS 58.
Ville, J. (1939). Étude critique de la notion de collectif.
Shafer, G. and Vovk, V. (2019). Game-theoretic foundations for probability and finance.
Waudby-Smith, I. and Ramdas, A. (2023). Estimating means of bounded random variables by betting. JRSS B 86. Their
fractions adapt to the rows; ours are the fixed grid of their section on mixtures, in a form where m enters at the end.
Ramdas, A., Grünwald, P., Vovk, V. and Shafer, G. (2023). Game-theoretic statistics and safe anytime-valid inference.
Statistical Science 38.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Floats, Interval, Value

SHARES: Floats = np.asarray(0.97 * 2.0 ** (-0.5 * np.arange(17)), dtype=np.float64)
"""The fractions that the gamblers stake. They must not change: stored evidence was computed with them."""
_BETS = np.concatenate([SHARES, -SHARES])
_UNIT = 2.0**32
_CHUNK = 16_384
"""Rows at a time: 34 numbers of each fit the cache."""
NAME = "betting confidence sequence"
_NOTHING = (0,) * len(SHARES)


@dataclass(frozen=True, repr=False)
class EProcess(Value):
    """The wealth of the gamblers after some rows: 36 integers, whatever the number of rows.

    Parameters
    ----------
    rows : int
        How many differences were bet on.
    total : int
        Their sum, in units of 2**-32.
    above, below : tuple of 17 int
        Logarithm of the wealth of those who stake on the challenger, on the champion; in units of 2**-32 nats.

    Examples
    --------
    >>> won = EProcess().add(np.array([1.0, 0.0, 1.0, 1.0]))
    >>> won.mean, round(math.exp(won.log_e(0.0)), 2)
    (0.75, 2.0)
    """

    rows: int = 0
    total: int = 0
    above: tuple[int, ...] = _NOTHING
    below: tuple[int, ...] = _NOTHING

    def add(self, differences: Floats) -> EProcess:
        """Return the tally after further differences (n,), each in [-1, 1]."""
        gained, total = np.zeros(len(_BETS), dtype=np.int64), 0
        for part in _parts(differences[differences != 0.0]):  # equal losses change no gambler's wealth
            gained += _wins(_BETS, part).sum(axis=1)
            total += int(np.rint(part * _UNIT).astype(np.int64).sum())
        logs = gained.tolist()
        return self.merge(EProcess(len(differences), total, tuple(logs[: len(SHARES)]), tuple(logs[len(SHARES) :])))

    def merge(self, other: EProcess) -> EProcess:
        """Return the tally of both sets of rows: exact, and the same in whatever order."""
        return EProcess(
            self.rows + other.rows,
            self.total + other.total,
            tuple(a + b for a, b in zip(self.above, other.above, strict=True)),
            tuple(a + b for a, b in zip(self.below, other.below, strict=True)),
        )

    def mirrored(self) -> EProcess:
        """Return the tally of the same rows with the models' roles swapped."""
        return EProcess(self.rows, -self.total, self.below, self.above)

    @property
    def mean(self) -> float:
        """The mean difference; nan before the first row."""
        return self.total / _UNIT / self.rows if self.rows else math.nan

    def log_e(self, mean: float, *, times: float = 1.0) -> float:
        """Return the logarithm of the e-value that the mean difference is above `mean`, which is in (-1, 1).

        `times` repeats these rows, to forecast what more rows like them would show.
        """
        return float(_mixed(times * (_nats(self.above) - self.rows * np.log1p(SHARES * mean))))

    def interval(self, *, alpha: float, bound: float) -> Interval:
        """Return the mean difference with one-sided bounds that hold at all moments, in the unit of the losses.

        Parameters
        ----------
        alpha : float
            Level of each bound; both together hold with probability 1 - 2 alpha.
        bound : float
            The largest loss; a difference of 1 means this much.

        Examples
        --------
        >>> found = EProcess().add(np.repeat([1.0, 0.0, -1.0], [60, 900, 40])).interval(alpha=0.05, bound=1.0)
        >>> found.value, round(found.lower, 3), round(found.upper, 3)
        (0.02, -0.011, 0.052)
        """
        lower, upper = self._refuted(alpha), -self.mirrored()._refuted(alpha)
        return Interval(self.mean * bound, lower * bound, upper * bound, alpha, NAME, self.rows)

    def _refuted(self, alpha: float) -> float:
        """Return the largest mean against which the evidence is enough, by bisection; -1 if there is none."""
        enough, low = -math.log(alpha), -1.0
        if not self.rows or self.log_e(low) < enough:
            return low
        high = self.mean  # never refuted: each W_k is at most (1 + k mean)**n
        while high - low > 1e-9:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.log_e(middle) >= enough else (low, middle)
        return low

    def path(self, differences: Floats, mean: float) -> Floats:
        """Return `log_e` (n,) after each of n further rows."""
        logs, rows, found = _nats(self.above), self.rows, [np.empty(0)]
        for part in _parts(differences):
            reached = logs[:, None] + np.cumsum(_wins(SHARES, part), axis=1) / _UNIT
            played = rows + np.arange(1, len(part) + 1)
            found.append(_mixed(reached - np.multiply.outer(np.log1p(SHARES * mean), played)))
            logs, rows = reached[:, -1], rows + len(part)
        return np.concatenate(found)


def _nats(wealth: tuple[int, ...]) -> Floats:
    return np.array(wealth, dtype=np.float64) / _UNIT


def _parts(rows: Floats) -> Iterator[Floats]:
    return (rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK))


def _wins(shares: Floats, differences: Floats) -> NDArray[np.int64]:
    """Return what each row adds to the logarithm of each gambler's wealth, rounded down."""
    return np.floor(np.log1p(np.multiply.outer(shares, differences)) * _UNIT).astype(np.int64)


def _mixed(logs: Floats) -> Floats:
    """Return the logarithm of the mean of ``exp(logs)`` over the gamblers, the first axis."""
    most = logs.max(axis=0)
    return np.asarray(most + np.log(np.exp(logs - most).mean(axis=0)))
