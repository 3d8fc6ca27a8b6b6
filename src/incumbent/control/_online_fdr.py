"""At most a share alpha of all promotions are not real: online control of the false discovery rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from incumbent.control._state import check_alpha, check_count, check_p, written
from incumbent.core import Array, Floats, Value
from incumbent.errors import UsageError

CANDIDATE = 0.5
"""lambda of SAFFRON: updates with a p-value up to this are candidates and cost nothing; its authors' choice."""
_POWER = 1.6
_SUM = 2.2857656656802
"""zeta(1.6), rounded up: the sum of t**-1.6 over all t."""


@dataclass(frozen=True, repr=False)
class Share(Value):
    """At most a share alpha of all promotions, in expectation, are of challengers that are not better.

    Every promotion earns error budget for later updates, so that power does not run out while there is something to
    find. Let tau_j be the time of the j-th promotion, ``gamma_t = t**-1.6 / zeta(1.6)``, ``W = alpha / 2``, and let t
    be the time of the update that is next. LORD++ has the level

        alpha_t = W gamma_t + (alpha - W) gamma_(t - tau_1) + alpha sum_(j >= 2) gamma_(t - tau_j).

    SAFFRON lets only those updates pass time that are no candidates (``p > lambda = 1/2``), which estimates how many
    challengers are not better, and pays for it with a factor 1 - lambda: with ``C_j`` candidates after tau_j,

        alpha_t = min(lambda, (1 - lambda) (W gamma_(t - C_0) + (alpha - W) gamma_(t - tau_1 - C_1)
                                            + alpha sum_(j >= 2) gamma_(t - tau_j - C_j))).

    Both keep ``(sum of levels charged) / max(1, promotions) <= alpha`` at every time, and by that the false discovery
    rate, if the p-values of challengers that are not better are independent of the others, and the modified rate
    ``E false / E all`` if they are only valid given the past, as they are where every update has fresh gate rows.

    Parameters
    ----------
    alpha : float
        The share.
    method : {"lord", "saffron"}
        "lord" by default: it needs no p-value, only the decision. "saffron" has more power where many updates bring a
        real gain and p-values of challengers that are not better are spread evenly; it needs `p`.
    updates : int
        How many updates there were.
    passed : int
        How many of them let time pass: for LORD++ all, for SAFFRON those that were no candidates.
    earned : tuple of int
        What `passed` was after each promotion.

    Raises
    ------
    UsageError
        If alpha is not in (0, 0.5], there is no such method, or the state is none.

    References
    ----------
    Javanmard, A. and Montanari, A. (2018). Online rules for control of false discovery rate and false discovery
    exceedance. Annals of Statistics 46.
    Ramdas, A., Yang, F., Wainwright, M. J. and Jordan, M. I. (2017). Online control of the false discovery rate with
    decaying memory. NeurIPS 30 (LORD++).
    Ramdas, A., Zrnic, T., Wainwright, M. J. and Jordan, M. I. (2018). SAFFRON: an adaptive algorithm for online control
    of the false discovery rate. ICML 35. The sequence is SAFFRON's for both: it has more of its weight at the start
    than ``log t / (t exp(sqrt(log t)))``, which suits hundreds of updates rather than many thousands.

    Examples
    --------
    >>> share = Share(0.05)
    >>> round(share.level(), 4), round(share.record(promoted=True).level(), 4)
    (0.0109, 0.0145)
    >>> share.record(promoted=False).record(promoted=True)
    Share(updates=2, passed=2, earned=(2,))
    """

    alpha: float = 0.05
    method: Literal["lord", "saffron"] = "lord"
    updates: int = 0
    passed: int = 0
    earned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        object.__setattr__(self, "earned", tuple(self.earned))
        if self.method not in ("lord", "saffron"):
            raise UsageError(f"method is 'lord' or 'saffron'; {self.method!r} was given.")
        for name, count in (("updates", self.updates), ("passed", self.passed), *(("earned", e) for e in self.earned)):
            check_count(name, count)
        times = (*self.earned, self.passed, self.updates)
        if list(times) != sorted(times) or len(self.earned) > self.updates:
            raise UsageError(f"{self!r} is no state of an error control: times do not follow one another.")

    @property
    def promise(self) -> str:
        """What a promotion guarantees."""
        return (
            f"of all promotions over all updates, at most {100 * self.alpha:g} % are expected to be of challengers "
            "that are not better"
        )

    @property
    def wealth(self) -> float:
        """The error budget that was earned and is not spent yet; alpha / 2 at the start."""
        steps = self.passed - self._starts
        longest = int(steps.max())
        gone = np.concatenate([[0.0], np.cumsum(_gamma(np.arange(1, longest + 1)))])
        return float(self._grants @ (1.0 - gone[steps]))

    def level(self) -> float:
        """Return the level of the next update."""
        total = float(self._grants @ _gamma(1 + self.passed - self._starts))
        return total if self.method == "lord" else min(CANDIDATE, (1.0 - CANDIDATE) * total)

    def record(self, promoted: bool, p: float | None = None) -> Self:
        """Return the control after one more update.

        `p` matters to SAFFRON alone, and only whether it is at most 1/2; an update without it is taken for none such,
        which keeps the promise and costs power.
        """
        check_p(p)
        candidate = self.method == "saffron" and (promoted or (p is not None and p <= CANDIDATE))
        passed = self.passed + (not candidate)
        earned = (*self.earned, passed) if promoted else self.earned
        return self.but(updates=self.updates + 1, passed=passed, earned=earned)

    def to_dict(self) -> dict[str, Any]:
        """Return the state."""
        return written("share", self)

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
