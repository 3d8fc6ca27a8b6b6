"""A confidence sequence: bounds for the mean difference that hold at every moment together, found by betting.

The lower bound after n rows is the largest mean that the gamblers have refuted,

    lower(n) = max {m : e(n, m) >= 1 / alpha},

and e falls as m rises, so there is one. ``P(lower(n) > m_n at any n, ever) <= alpha``, with m_n the mean so far of what
each difference was to be expected to be (see `_eprocess`). The upper bound is the same with the roles swapped.

References
----------
Darling, D. A. and Robbins, H. (1967). Confidence sequences for mean, variance, and median. PNAS 58.
Waudby-Smith, I. and Ramdas, A. (2023). Estimating means of bounded random variables by betting. JRSS B 86.
"""

from __future__ import annotations

import math

from incumbent.core import Interval
from incumbent.evidence.live._eprocess import EProcess

NAME = "betting confidence sequence"


def interval(tally: EProcess, *, alpha: float, bound: float) -> Interval:
    """Return the mean difference with one-sided bounds at level `alpha`, in the unit of the losses.

    Parameters
    ----------
    tally : EProcess
        The rows.
    alpha : float
        Level of each bound; both together hold with probability 1 - 2 alpha.
    bound : float
        The largest loss, which the tally counts as 1.

    Examples
    --------
    >>> import numpy as np
    >>> found = interval(EProcess().add(np.repeat([1.0, 0.0, -1.0], [60, 900, 40])), alpha=0.05, bound=1.0)
    >>> found.value, round(found.lower, 3), round(found.upper, 3)
    (0.02, -0.011, 0.052)
    """
    lower, upper = _refuted(tally, alpha), -_refuted(tally.mirrored(), alpha)
    return Interval(tally.mean * bound, lower * bound, upper * bound, alpha, NAME, tally.rows)


def _refuted(tally: EProcess, alpha: float) -> float:
    """Return the largest mean against which the evidence is enough, by bisection; -1 if there is none."""
    enough, low = -math.log(alpha), -1.0
    if not tally.rows or tally.log_e(low) < enough:
        return low
    high = tally.mean  # never refuted: each W_k is at most (1 + k mean)**n
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if tally.log_e(middle) >= enough else (low, middle)
    return low
