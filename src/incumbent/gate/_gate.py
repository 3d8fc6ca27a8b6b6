"""The gate: evidence in, verdict out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from incumbent.control import control
from incumbent.core import Decision, Evidence, Reason, Value, Verdict
from incumbent.errors import UsageError
from incumbent.gate import _toml
from incumbent.gate._advice import advise, power
from incumbent.gate._conditions import better, few_flips, not_worse, protected
from incumbent.gate._limit import Limit, judge
from incumbent.gate._words import amount, percent, unit_of
from incumbent.slices import Slice, unharmed


@dataclass(frozen=True, repr=False)
class Gate(Value):
    """The promotion rule, as a value: what has to be shown, and how surely.

    1. *Better on the new rows*: the lower bound of the gain is above `min_gain`.
    2. *Not worse on the old rows*: the lower bound of the gain is above ``-tolerance``. The k-th use of the same old
       rows is tested at ``alpha_k = 6 alpha / (pi**2 k**2)``; all uses together stay within alpha, for the sum of
       ``1 / k**2`` is ``pi**2 / 6``.
    3. *Few negative flips*, where `max_flips` is set: the upper bound of the share of new rows that turn from right to
       wrong is at most that.
    4. *Protected slices*: condition 2 for each of `slices`, with its own tolerance; and with `search`, no subgroup
       that was found on the select rows is confirmed to be worse on the gate rows.
    5. *Limits* on what was measured.

    All must hold for a promotion. No correction across conditions is needed: a wrong promotion takes a wrong pass of
    the very condition that is violated (the intersection-union test). Where the opposite of a condition is shown at the
    same level, it is broken, and the challenger is rejected. Otherwise the verdict is inconclusive.

    Parameters
    ----------
    min_gain : float
        The gain on the new rows that must be exceeded; 0 asks for any gain at all. In points for scores with a scale
        of their own (0.01 is one point of accuracy), as a share of the champion's mean loss for squared errors,
        absolute errors and costs; see `incumbent.evaluation.scale`.
    tolerance : float or None
        How much worse on the old rows is still good enough, in the same unit. One point by default, since to show that
        nothing at all was lost would take endless rows. None drops the condition.
    alpha : float
        The chance of passing a condition that is in truth violated, for each.
    max_flips : float, optional
        The share of new rows that may turn from right to wrong.
    limits : tuple of Limit
        Bounds on what was measured.
    slices : tuple of Slice
        Parts of the old rows that must not be worse, by more than a tolerance of their own.
    search : bool
        Also search the select rows for subgroups where the challenger is worse, and reject it where the gate rows
        confirm one; the share of confirmed subgroups that are none is held at alpha.
    error_control : {"update", "lifetime", "share"}
        What alpha bounds: the chance of a false promotion in each update; the chance that there is ever one; the
        expected share of false ones among all promotions.

    Raises
    ------
    UsageError
        If alpha is not in (0, 0.5], the tolerance is negative, or max_flips is not a share.

    References
    ----------
    Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24.

    Examples
    --------
    >>> import numpy as np
    >>> from incumbent.core import Paired, Prediction
    >>> from incumbent.evaluation import Accuracy
    >>> y, champion, challenger = (np.ones(1000, dtype=int) for _ in range(3))
    >>> champion[:40], challenger[30:50] = 0, 0
    >>> new = Paired(y, Prediction(champion), Prediction(challenger))
    >>> print(Gate(tolerance=None)(Evidence(Accuracy(), new)))
    PROMOTE
      yes  better on the new rows: gain +2 points, at least +0.96 (limit: more than 0; exact McNemar, 1,000 rows, 95 %)
    """

    min_gain: float = 0.0
    tolerance: float | None = 0.01
    alpha: float = 0.05
    max_flips: float | None = None
    limits: tuple[Limit, ...] = ()
    slices: tuple[Slice, ...] = ()
    search: bool = False
    error_control: Literal["update", "lifetime", "share"] = "update"

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha <= 0.5:
            raise UsageError(f"alpha is the chance of a false pass, in (0, 0.5], such as 0.05; {self.alpha} was given.")
        if not math.isfinite(self.min_gain):
            raise UsageError(f"min_gain is a finite number, such as 0.0; {self.min_gain} was given.")
        if self.tolerance is not None and not 0.0 <= self.tolerance < math.inf:
            raise UsageError(
                f"tolerance is how much worse on old rows is allowed, 0 or more, such as 0.01; {self.tolerance} was "
                "given. tolerance=None drops the condition."
            )
        if self.max_flips is not None and not 0.0 <= self.max_flips <= 1.0:
            raise UsageError(f"max_flips is a share of rows, in [0, 1], such as 0.02; {self.max_flips} was given.")
        object.__setattr__(self, "limits", tuple(self.limits))
        object.__setattr__(self, "slices", tuple(self.slices))
        control(self.error_control, self.alpha)  # says which there are

    @classmethod
    def from_toml(cls, path: str | Path) -> Gate:
        r"""Return the gate that a TOML file declares: its keys are the parameters, what it leaves out is the default.

        Parameters
        ----------
        path : str or Path
            The file, with a ``[[slices]]`` table for each slice and a ``[[limits]]`` table for each limit;
            ``tolerance = "none"`` drops that condition.

        Raises
        ------
        UsageError
            The file cannot be read, is no TOML, or has a key or a value that a gate does not know.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "gate.toml")
        ...     written = file.write_text('tolerance = 0.02\n[[slices]]\nwhere = "amount > 100"\n')
        ...     Gate.from_toml(file)
        Gate(tolerance=0.02, slices=(Slice('amount > 100'),))
        """
        return _toml.read(cls, path)

    def to_toml(self) -> str:
        """Return the text of a TOML file that `from_toml` reads as this gate.

        Examples
        --------
        >>> print(Gate(tolerance=None, limits=(Limit("latency_us", ratio=2.0),)).to_toml().split("search")[0].strip())
        min_gain = 0.0
        tolerance = "none"
        alpha = 0.05
        """
        return _toml.write(self)

    def level(self, use: int, *, alpha: float | None = None) -> float:
        """Return the level of the old rows' `use`-th use, ``6 alpha / (pi**2 use**2)``.

        Control over a lifetime has spent alpha on every use already, so there it is the update's own level.
        """
        alpha = self.alpha if alpha is None else alpha
        return alpha if self.error_control == "lifetime" else 6.0 * alpha / (math.pi * max(1, use)) ** 2

    def fixed(self, known: Any) -> Gate:
        """Return the gate with slices that are columns turned into conditions, by the values of known rows.

        Parameters
        ----------
        known : data frame
            Rows that the champion was trained on: later rows must not move the borders of a slice.
        """
        return self.but(slices=tuple(part for each in self.slices for part in each.fixed(known)))

    def __call__(self, evidence: Evidence) -> Verdict:
        """Judge the evidence.

        Raises
        ------
        UsageError
            If a limit names something that was not measured, or max_flips is asked of a regression.
        AbilityError
            If the metric needs probabilities and a model gives none.
        """
        alpha = self.alpha if evidence.level is None else evidence.level
        old = self.level(evidence.anchor_use, alpha=alpha)
        new, found = better(evidence, self.min_gain, alpha)
        reasons = [new]
        if self.tolerance is not None:
            reasons.append(not_worse(evidence, self.tolerance, old))
        if self.max_flips is not None:
            reasons.append(few_flips(evidence, self.max_flips, alpha))
        reasons += protected(evidence, self.slices, old)
        if self.search:
            reasons.append(unharmed(evidence.suspects, evidence.new.x, evidence.new, evidence.metric, self.alpha)[0])
        reasons += judge(self.limits, evidence.measured)
        smallest, needed = power(evidence, new, found)
        verdict = Verdict(
            _decide(reasons),
            tuple(reasons),
            promise=_promise(self, evidence, new.limit),
            source=evidence.old.source if self.tolerance is not None and evidence.old is not None else "",
            smallest_gain=smallest,
            rows_needed=needed,
        )
        return dataclasses.replace(verdict, advice=advise(evidence, verdict))


def _decide(reasons: Sequence[Reason]) -> Decision:
    if all(reason.holds for reason in reasons):
        return "promote"
    return "reject" if any(reason.broken for reason in reasons) else "inconclusive"


def _promise(gate: Gate, evidence: Evidence, margin: float) -> str:
    unit = unit_of(evidence.new, evidence.metric)
    wanted = f" by more than {amount(margin, unit)}" if margin else ""
    alpha = gate.alpha if evidence.level is None else evidence.level
    told = (
        f"A challenger that is not better{wanted} on rows like the new ones is promoted with probability at most "
        f"{percent(alpha)}"
    )
    if gate.error_control != "update":
        told = f"Over the life of the model {control(gate.error_control, gate.alpha).promise}. In this update: {told}"
    if gate.tolerance is None:
        return f"{told}. Nothing is promised about the old rows (tolerance=None)."
    old = evidence.old
    if old is None or not len(old):
        return f"{told}. Nothing can be promised about the old rows: none were given."
    unit = unit_of(old, evidence.metric)
    allowed = amount(gate.tolerance * 100.0 / unit.factor if unit.short else gate.tolerance, unit)
    level = percent(gate.level(evidence.anchor_use, alpha=alpha))
    return f"{told}; one that is worse on the old rows by more than {allowed}, at most {level}." + _CAUTION.get(
        old.source, ""
    )


_CAUTION = {
    "train": " The old rows are the champion's own training rows, which errs on the side of refusing.",
    "anchor+crossfit": " Beside the anchor rows, remembered rows were judged with stand-ins fitted on other folds.",
    "crossfit": " The old rows were judged with stand-ins for both models, fitted on other folds.",
}
