"""Online control of the false discovery rate: at most a fraction alpha of all promotions are false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from incumbent._deprecated import renamed_members
from incumbent.core import Array, Floats, Value
from incumbent.errors import UsageError
from incumbent.gate.budget._state import as_state, check_alpha, check_count

_POWER = 1.6
_SUM = 2.2857656656802
"""zeta(1.6), rounded up: the sum of t**-1.6 over all t."""


@renamed_members({"promise": "guarantee"})
@dataclass(frozen=True, repr=False)
class OnlineFDR(Value):
    """LORD++: at most a fraction alpha of all promotions, in expectation, are of challengers that are not better.

    Every promotion earns error budget for later updates, so power does not run out while real gains are found. Let
    tau_j be the time of the j-th promotion, ``gamma_t = t**-1.6 / zeta(1.6)``, ``W = alpha / 2``, and t the time of the
    next update. Its level is

        alpha_t = W gamma_t + (alpha - W) gamma_(t - tau_1) + alpha sum_(j >= 2) gamma_(t - tau_j).

    Then ``(sum of levels) / max(1, promotions) <= alpha`` at every time. This controls the false discovery rate if the
    p-values of challengers that are not better are independent of the others. If these p-values are only valid given
    the past, as they are if every update has fresh test rows, it controls the modified rate ``E false / E all``.

    Parameters
    ----------
    alpha : float
        The fraction.
    updates : int
        The number of updates so far.
    earned : tuple of int
        The number of updates at each promotion, that promotion included.

    Raises
    ------
    UsageError
        If alpha is not in (0, 0.5], or `updates` and `earned` contradict each other.

    References
    ----------
    Javanmard, A. and Montanari, A. (2018). Online rules for control of false discovery rate and false discovery
    exceedance. Annals of Statistics 46.
    Ramdas, A., Yang, F., Wainwright, M. J. and Jordan, M. I. (2017). Online control of the false discovery rate with
    decaying memory. NeurIPS 30 (LORD++).
    Ramdas, A., Zrnic, T., Wainwright, M. J. and Jordan, M. I. (2018). SAFFRON: an adaptive algorithm for online control
    of the false discovery rate. ICML 35. Only the sequence gamma is theirs. It has more of its weight at the start
    than ``log t / (t exp(sqrt(log t)))``, which suits hundreds of updates rather than many thousands.

    Examples
    --------
    >>> fdr = OnlineFDR(0.05)
    >>> round(fdr.level(), 4), round(fdr.record(promoted=True).level(), 4)
    (0.0109, 0.0145)
    >>> fdr.record(promoted=False).record(promoted=True)
    OnlineFDR(updates=2, earned=(2,))
    """

    alpha: float = 0.05
    updates: int = 0
    earned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        object.__setattr__(self, "earned", tuple(self.earned))
        for name, count in (("updates", self.updates), *(("earned", e) for e in self.earned)):
            check_count(name, count)
        times = (*self.earned, self.updates)
        if list(times) != sorted(times):
            raise UsageError(f"{self!r} is no state of an error control: the times in it must not fall.")

    @property
    def guarantee(self) -> str:
        """What a promotion guarantees, in one sentence."""
        return (
            f"of all promotions over all updates, at most {100 * self.alpha:g} % are expected to be of challengers "
            "that are not better"
        )

    @property
    def wealth(self) -> float:
        """The error budget that was earned and is not spent yet; alpha / 2 at the start."""
        steps = self.updates - self._starts
        longest = int(steps.max())
        gone = np.concatenate([[0.0], np.cumsum(_gamma(np.arange(1, longest + 1)))])
        return float(self._grants @ (1.0 - gone[steps]))

    def level(self) -> float:
        """Return the level of the next update."""
        return float(self._grants @ _gamma(1 + self.updates - self._starts))

    def record(self, promoted: bool) -> Self:
        """Return the control after one more update."""
        updates = self.updates + 1
        return self.replace(updates=updates, earned=(*self.earned, updates) if promoted else self.earned)

    def to_dict(self) -> dict[str, Any]:
        """Return the state."""
        return as_state("fdr", self)

    @property
    def _starts(self) -> Array:
        """When each grant of budget began, the first at time 0."""
        return np.array([0, *self.earned])

    @property
    def _grants(self) -> Floats:
        """What was granted: W at the start, the rest of alpha at the first promotion, alpha at each later one."""
        grants = np.full(len(self.earned) + 1, self.alpha)
        grants[:2] = self.alpha / 2.0
        return grants


def _gamma(t: Array) -> Floats:
    """Return the weights of times t = 1, 2, ...; over all times they sum to 1."""
    return np.asarray(np.power(t.astype(np.float64), -_POWER) / _SUM)
