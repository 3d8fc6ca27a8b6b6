"""The monitor: who is better, as rows and their labels come in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

from numpy.typing import ArrayLike

from incumbent._deprecated import renamed_members
from incumbent.core import Floats, Interval, Value
from incumbent.errors import UsageError
from incumbent.evidence.live._eprocess import EProcess
from incumbent.evidence.live._losses import check_settings, paired, scaled
from incumbent.evidence.live._stored import read_tally, settings, tally_to_dict

Goal: TypeAlias = Literal["promote", "rollback"]
LiveDecision: TypeAlias = Literal["promote", "rollback", "undecided"]


@renamed_members({"rows_to_go": "rows_remaining"})
@dataclass(frozen=True, repr=False, kw_only=True)
class Monitor(Value):
    """Whether another model should take the champion's place: evidence that may be looked at after every row.

    It decides once ``e >= 1 / alpha``. The chance that it ever does while the other model has so far not been better,
    on average, by more than `min_gain` is at most `alpha`, however often one looks and whenever one stops. See
    `incumbent.evidence.live._eprocess` for the method, its proof and its references.

    *Rollback is the same question with the roles swapped*: the champion is now the new model, the challenger the one
    that was live before, and the decision is called "rollback".

    *What this needs.* The loss of a row is a number in [0, `bound`]; what lies above is cut off, so `bound` is fixed
    before the first row. A row is counted once. Rows may come in any order and from several workers, and labels late,
    as long as when a label comes says nothing about which model it will prove right. Where it does (fraud is reported,
    honesty is not), count rows only when they are so old that the label must be there: `from_log(..., before=)`. Rows
    whose losses cling together (several of one customer, a stream that repeats itself) are one unit: `add` the mean
    difference of each.

    Parameters
    ----------
    alpha : float
        The chance of ever deciding wrongly.
    min_gain : float
        The gain in mean loss that must be exceeded; 0 asks for any gain at all, a negative one for "not worse by more
        than".
    bound : float
        The largest loss of a row: 1 for right or wrong and for Brier scores. The smaller, the sooner there is a
        decision, if few losses are cut off.
    goal : {"promote", "rollback"}
        What is decided when the challenger is shown to be better.
    tally : EProcess
        The evidence so far.

    Raises
    ------
    UsageError
        If alpha is not in (0, 0.5], bound is not positive and finite, or min_gain is not inside (-bound, bound).

    Examples
    --------
    >>> import numpy as np
    >>> champion = np.repeat([1.0, 0.0, 0.0], [40, 10, 950])
    >>> challenger = np.repeat([0.0, 1.0, 0.0], [40, 10, 950])
    >>> monitor = Monitor().update(champion, challenger)
    >>> print(monitor)
    PROMOTE after 1,000 rows: e = 1.37e+03 (decides at 20); gain +0.03, at least +0.008906, at most +0.05427
    (95 %, at any time)
    >>> guard = Monitor(goal="rollback").update(challenger, champion)
    >>> guard.decision, round(guard.e_value, 4)
    ('undecided', 0.3118)
    """

    alpha: float = 0.05
    min_gain: float = 0.0
    bound: float = 1.0
    goal: Goal = "promote"
    tally: EProcess = EProcess()

    def __post_init__(self) -> None:
        check_settings(self.alpha, self.min_gain, self.bound)
        if self.goal not in ("promote", "rollback"):
            raise UsageError(
                f'goal is what the evidence is to decide, "promote" or "rollback"; {self.goal!r} was given.'
            )

    def update(self, champion: ArrayLike, challenger: ArrayLike) -> Self:
        """Return the monitor after further rows.

        Parameters
        ----------
        champion, challenger : (n,) array or float
            Loss of the model that is live, and of the one that may take its place, on the same rows.

        Raises
        ------
        DataError
            If the two have different lengths, or a loss is negative or not a number.
        """
        return self.replace(tally=self.tally.add(paired(champion, challenger, self.bound)))

    def add(self, differences: ArrayLike) -> Self:
        """Return the monitor after further units of evidence, such as mean differences of customers or of blocks.

        Parameters
        ----------
        differences : (n,) array or float
            Champion's loss minus challenger's, each in [-bound, bound].

        Raises
        ------
        DataError
            If one is outside, or not a number.
        """
        return self.replace(tally=self.tally.add(scaled(differences, self.bound)))

    def merge(self, other: Self) -> Self:
        """Return the monitor of both sets of rows, which must share none; exact, and the same in whatever order.

        Raises
        ------
        UsageError
            If the two were made with different settings.
        """
        ours, theirs = self.replace(tally=EProcess()), other.replace(tally=EProcess())
        if ours != theirs:
            raise UsageError(f"Only monitors of the same settings can be merged; these are {ours!r} and {theirs!r}.")
        return self.replace(tally=self.tally.merge(other.tally))

    def path(self, champion: ArrayLike, challenger: ArrayLike) -> Floats:
        """Return the logarithm (n,) of the e-value after each of n further rows, given as to `update`; for plots."""
        return self.tally.path(paired(champion, challenger, self.bound), self._margin)

    @property
    def rows(self) -> int:
        """How many rows (or units) were counted."""
        return self.tally.rows

    @property
    def log_e(self) -> float:
        """Logarithm of the e-value."""
        return self.tally.log_e(self._margin)

    @property
    def e_value(self) -> float:
        """The evidence that the challenger is better by more than `min_gain`: 1 at the start, on average at most 1."""
        return math.exp(min(self.log_e, 700.0))

    @property
    def decision(self) -> LiveDecision:
        """The goal once the e-value has reached ``1 / alpha``, else "undecided".

        It is a decision at the moment of looking: act on it then. Later rows may say less, and need not be waited for.
        """
        return self.goal if self.log_e >= -math.log(self.alpha) else "undecided"

    @property
    def interval(self) -> Interval:
        """The mean difference so far with one-sided bounds, each at level alpha at all moments together.

        The lower bound is at or above `min_gain` exactly if the decision is made. An upper bound below it says that
        waiting on is no use.
        """
        return self.tally.interval(alpha=self.alpha, bound=self.bound)

    @property
    def rows_remaining(self) -> int | None:
        """How many more rows decide, if they are like those so far; None where no number would."""
        if self.decision != "undecided":
            return 0
        if not self.rows or not self.tally.mean > self._margin:
            return None
        low, high, enough = 1.0, 2.0, -math.log(self.alpha)
        while self.tally.log_e(self._margin, times=high) < enough:
            low, high = high, 2.0 * high
            if high > 2.0**40:
                return None
        while high - low > 1e-4 * high:
            middle = 0.5 * (low + high)
            shown = self.tally.log_e(self._margin, times=middle) >= enough
            low, high = (low, middle) if shown else (middle, high)
        return math.ceil(self.rows * (high - 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return settings and evidence as plain numbers and texts, ready for JSON."""
        made = {"alpha": self.alpha, "min_gain": self.min_gain, "bound": self.bound, "goal": self.goal}
        return {"format": 1, "kind": "monitor", **made, **tally_to_dict(self.tally)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the monitor that `to_dict` wrote.

        Raises
        ------
        DataError
            If this is not one, or of a later format.
        """
        made = settings(stored, "monitor", ("alpha", "min_gain", "bound", "goal"))
        return cls(**made, tally=read_tally(stored))

    def __str__(self) -> str:
        head = f"{self.decision.upper()} after {self.rows:,} row{'s' * (self.rows != 1)}"
        if not self.rows:
            return f"{head}: no evidence yet"
        found = self.interval
        return (
            f"{head}: e = {self.e_value:.3g} (decides at {1.0 / self.alpha:.6g}); gain {found.value:+.4g}, at least "
            f"{found.lower:+.4g}, at most {found.upper:+.4g} ({100.0 * (1.0 - self.alpha):.6g} %, at any time)"
        )

    @property
    def _margin(self) -> float:
        return self.min_gain / self.bound
