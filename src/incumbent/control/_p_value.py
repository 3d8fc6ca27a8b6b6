"""One p-value for a decision that takes several conditions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from incumbent.errors import UsageError

SMALLEST = 1e-12
"""P-values below this are reported as this."""
LARGEST = 0.5
"""Bounds exist up to this level; what does not hold even here has the p-value 1."""


def p_value(holds: Callable[[float], bool], *, precision: float = 0.01) -> float:
    """Return the smallest level at which a decision would be taken, rounded up.

    A test that keeps its level at every level has this as its p-value. About a dozen calls of `holds` find it.

    Parameters
    ----------
    holds : callable of float
        Whether the decision is taken at a level; once it is, it is at every higher one.
    precision : float
        How far above the exact value the result may be, as a share of it; a hundredth changes no decision.

    Examples
    --------
    >>> from incumbent.core import Paired, Prediction
    >>> from incumbent.evaluation import Accuracy, gain
    >>> import numpy as np
    >>> y = np.ones(100, dtype=int)
    >>> champion = np.where(np.arange(100) < 5, 0, y)
    >>> both = Paired(y, Prediction(champion), Prediction(y))
    >>> p = p_value(lambda alpha: gain(both, Accuracy(), alpha=alpha).lower > 0)
    >>> 0.03125 <= p <= 0.0316  # McNemar's exact test, five rows won and none lost: 1 / 2**5
    True
    """
    if not precision > 0.0:
        raise UsageError(f"precision is a share above 0, such as 0.01; {precision} was given.")
    if not holds(LARGEST):
        return 1.0
    low, high = math.log(SMALLEST), math.log(LARGEST)
    while high - low > math.log1p(precision):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if holds(math.exp(middle)) else (middle, high)
    return math.exp(high)


def intersection(conditions: Iterable[tuple[float, float]]) -> float:
    """Return the p-value of a promotion that takes all conditions (the intersection-union test).

    A condition that is tested at ``share * alpha`` where the decision has level alpha holds exactly where
    ``p / share <= alpha``; all hold where the largest of these is at most alpha:

        p = min(1, max_i p_i / share_i).

    Parameters
    ----------
    conditions : iterable of (p, share)
        The p-value of each condition and its share of the level, in (0, 1]. A condition that was measured and not
        tested, such as a limit, has p = 0 where it holds and 1 where it does not.

    References
    ----------
    Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24.

    Examples
    --------
    >>> intersection([(0.004, 1.0), (0.002, 0.25)])
    0.008
    """
    found = list(conditions)
    if not found or not all(0.0 <= p <= 1.0 and 0.0 < share <= 1.0 for p, share in found):
        raise UsageError(f"Conditions are pairs of a p-value in [0, 1] and a share in (0, 1]; {found} were given.")
    return min(1.0, max(p / share for p, share in found))
