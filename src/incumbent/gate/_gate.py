"""The gate: evidence in, verdict out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

from incumbent._deprecated import renamed_members, renamed_word
from incumbent.core import Decision, Evidence, Reason, Value, Verdict
from incumbent.errors import UsageError
from incumbent.gate import _toml
from incumbent.gate._advice import advise, power
from incumbent.gate._conditions import few_flips, proven, unless_worse
from incumbent.gate._guarantee import guarantee, refresh_guarantee
from incumbent.gate._limit import Limit, check_limits
from incumbent.gate.budget import OLD_WORDS, control
from incumbent.gate.slices import Slice

Rule: TypeAlias = Literal["prove", "refresh"]
Source: TypeAlias = Literal["holdout", "crossfit", "prequential"]


@renamed_members({"promise": "rule"})
@dataclass(frozen=True, repr=False)
class Gate(Value):
    """The promotion rule, as a value: what has to be shown, and how surely.

    1. *Better on the new rows*: the lower bound of the gain is above `min_gain`.
    2. *Not worse on the old rows*: the lower bound of the gain is above ``-tolerance``. The k-th use of the same old
       rows is tested at ``alpha_k = 6 alpha / (pi**2 k**2)``. The sum of ``1 / k**2`` is ``pi**2 / 6``, so all uses
       together stay within alpha.
    3. *Few negative flips*, if `max_flips` is set: the upper bound of the fraction of new rows that turn from right to
       wrong is at most that.
    4. *Protected slices*: condition 2 for each of `slices`, with its own tolerance. With `search`, no subgroup that was
       found on the select rows is confirmed to be worse on the test rows.
    5. *Limits* on what was measured.

    This is the rule "prove". It is too strict for routine retraining. One night's rows are too few to show the gain of
    one night's retraining. If you wait for proof, the model becomes stale. The rule "refresh" promotes such a
    challenger unless it is shown to be worse, on the new rows or the old, by more than the tolerance. A challenger of
    any other strategy still has to be proven.

    All conditions must hold for a promotion. No correction across conditions is needed: a wrong promotion takes a wrong
    pass of the very condition that is violated (the intersection-union test). If the opposite of a condition is shown
    at the same level, the challenger is rejected. Otherwise the verdict is inconclusive.

    Parameters
    ----------
    min_gain : float
        The gain on the new rows that must be exceeded; 0 asks for any gain at all. In points for scores with a scale
        of their own (0.01 is one point of accuracy), as a fraction of the champion's mean loss for squared errors,
        absolute errors and costs; see `incumbent.evidence.scale`.
    tolerance : float or None
        How much worse on the old rows is still good enough, in the same unit. One point by default: to show that
        nothing at all was lost would take endless rows. None drops the condition.
    alpha : float
        For each condition, the probability of passing it although it is violated.
    max_flips : float, optional
        The fraction of new rows that may turn from right to wrong.
    limits : tuple of Limit
        Bounds on what was measured.
    slices : tuple of Slice
        Parts of the old rows that must not be worse, by more than a tolerance of their own.
    search : bool
        Also search the select rows for subgroups on which the challenger is worse, and reject it if the test rows
        confirm one. At most a fraction alpha of the confirmed subgroups is expected to be false.
    error_control : {"update", "fwer", "fdr"}
        What alpha bounds. "update": the probability of a false promotion in each update. "fwer": the probability that
        there is ever one. "fdr": the expected fraction of false ones among all promotions. A refresh claims no gain,
        so it spends nothing.
    rule : {"prove", "refresh"}
        The rule for a promotion by the live strategy. "prove" by default, since it needs no trust in the strategy.
    source : {"holdout", "crossfit", "prequential"}
        Where the evidence about the new rows comes from. "holdout": a quarter of the batch that the challenger does not
        learn from; exact. "crossfit": also the rows that it does learn from, each judged by a challenger fitted without
        it, which costs three more fits and gives several times the evidence. "prequential": one model per strategy
        predicts every whole batch before it learns it, and the evidence adds up over batches; needs a registry.

    Raises
    ------
    UsageError
        If alpha is not in (0, 0.5], the tolerance is negative, or max_flips is not a fraction.

    References
    ----------
    Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24.

    Examples
    --------
    >>> import numpy as np
    >>> from incumbent.core import PairedPredictions, Prediction
    >>> from incumbent.metrics import Accuracy
    >>> y, champion, challenger = (np.ones(1000, dtype=int) for _ in range(3))
    >>> champion[:40], challenger[30:50] = 0, 0
    >>> new = PairedPredictions(y, Prediction(champion), Prediction(challenger))
    >>> print(Gate(tolerance=None)(Evidence(Accuracy(), new)))
    PROMOTE
      yes  better on the new rows: gain +2 points, at least +0.88 (limit: more than 0; exact McNemar, 1,000 rows, 95 %)
    """

    min_gain: float = 0.0
    tolerance: float | None = 0.01
    alpha: float = 0.05
    max_flips: float | None = None
    limits: tuple[Limit, ...] = ()
    slices: tuple[Slice, ...] = ()
    search: bool = False
    error_control: Literal["update", "fwer", "fdr"] = "update"
    rule: Rule = "prove"
    source: Source = "holdout"

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha <= 0.5:
            raise UsageError(
                f"alpha is the probability of a false pass, in (0, 0.5], such as 0.05; {self.alpha} was given."
            )
        if not math.isfinite(self.min_gain):
            raise UsageError(f"min_gain is a finite number, such as 0.0; {self.min_gain} was given.")
        if str(self.tolerance) == _toml.NONE:  # as gate files and the advice write it
            object.__setattr__(self, "tolerance", None)
        if self.tolerance is not None and not 0.0 <= self.tolerance < math.inf:
            raise UsageError(
                f"tolerance is how much worse on old rows is allowed, 0 or more, such as 0.01; {self.tolerance} was "
                "given. tolerance=None drops the condition."
            )
        if self.max_flips is not None and not 0.0 <= self.max_flips <= 1.0:
            raise UsageError(f"max_flips is a fraction of rows, in [0, 1], such as 0.02; {self.max_flips} was given.")
        _one_of("rule", self.rule, get_args(Rule))
        _one_of("source", self.source, get_args(Source))
        word = renamed_word(self.error_control, OLD_WORDS, "error_control", stacklevel=5)
        object.__setattr__(self, "error_control", word)
        object.__setattr__(self, "limits", tuple(self.limits))
        object.__setattr__(self, "slices", tuple(self.slices))
        control(self.error_control, self.alpha)  # says which there are

    @classmethod
    def from_toml(cls, path: str | Path) -> Gate:
        r"""Return the gate that a TOML file declares. Its keys are the parameters; those left out have their default.

        Parameters
        ----------
        path : str or Path
            The file, with a ``[[slices]]`` table for each slice and a ``[[limits]]`` table for each limit;
            ``tolerance = "none"`` drops that condition.

        Raises
        ------
        UsageError
            If the file cannot be read, is no TOML, or has a key or a value that a gate does not know.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "gate.toml")
        ...     written = file.write_text('tolerance = 0.02\n[[slices]]\nwhere = "amount > 100"\n')
        ...     Gate.from_toml(file)
        Gate(tolerance=0.02, slices=(Slice('amount > 100'),))
        """
        return _toml.read(cls, path, {"error_control": OLD_WORDS})

    def to_toml(self) -> str:
        """Return the text of a TOML file that `from_toml` reads as this gate.

        Examples
        --------
        >>> gate = Gate(tolerance=None, limits=(Limit("latency_us", max_ratio=2.0),))
        >>> print(gate.to_toml().split("search")[0].strip())
        min_gain = 0.0
        tolerance = "none"
        alpha = 0.05
        """
        return _toml.write(self)

    @classmethod
    def prove(cls, **settings: Any) -> Self:
        """Return the gate that promotes only what is shown to be better: for a change of strategy, or a one-off update.

        Parameters
        ----------
        **settings
            The parameters of the class.

        Examples
        --------
        >>> Gate.prove(max_flips=0.02)
        Gate(max_flips=0.02)
        """
        return cls(**{"rule": "prove", **settings})

    @classmethod
    def refresh(cls, **settings: Any) -> Self:
        """Return the gate that promotes routine re-learning unless it is shown to be worse by more than the tolerance.

        Parameters
        ----------
        **settings
            The parameters of the class.

        Examples
        --------
        >>> Gate.refresh(tolerance=0.02)
        Gate(tolerance=0.02, rule='refresh')
        """
        return cls(**{"rule": "refresh", **settings})

    def level(self, use: int, *, alpha: float | None = None) -> float:
        """Return the level of the old rows' `use`-th use, ``6 alpha / (pi**2 use**2)``.

        With ``error_control="fwer"`` every use is paid for already, so it is the update's own level.
        """
        alpha = self.alpha if alpha is None else alpha
        return alpha if self.error_control == "fwer" else 6.0 * alpha / (math.pi * max(1, use)) ** 2

    def fixed(self, known: Any) -> Gate:
        """Return the gate with slices that are columns turned into conditions, by the values of known rows.

        Parameters
        ----------
        known : data frame
            Rows that the champion was trained on: later rows must not move the borders of a slice.
        """
        return self.replace(slices=tuple(part for each in self.slices for part in each.fixed(known)))

    def __call__(self, evidence: Evidence) -> Verdict:
        """Judge the evidence.

        Raises
        ------
        UsageError
            If a limit names something that was not measured, or max_flips is set for a regression.
        AbilityError
            If the metric needs probabilities and a model gives none.
        """
        refresh = self.refreshes(evidence)
        alpha = self.alpha if evidence.level is None else evidence.level
        old_alpha = self.level(evidence.anchor_use, alpha=alpha)
        if refresh:
            reasons = unless_worse(evidence, self.tolerance, self.slices, self.alpha)
        else:
            reasons = proven(evidence, self.min_gain, self.tolerance, self.slices, alpha, old_alpha)
        new = reasons[0]
        smallest, needed = power(evidence, new)
        smallest = smallest - new.limit if refresh else smallest
        if self.max_flips is not None:
            reasons.append(few_flips(evidence, self.max_flips, alpha))
        if self.search:
            from incumbent.gate.slices import no_slice_worse  # imports pandas

            reasons.append(
                no_slice_worse(evidence.suspects, evidence.new.x, evidence.new, evidence.metric, self.alpha)[0]
            )
        reasons += check_limits(self.limits, evidence.measured)
        verdict = Verdict(
            _decide(reasons),
            tuple(reasons),
            guarantee=self._guarantee(evidence, smallest if refresh else None, new.limit, alpha, old_alpha),
            source=evidence.old.source if self.tolerance is not None and evidence.old is not None else "",
            smallest_gain=smallest,
            rows_needed=needed,
            rule="refresh" if refresh else "prove",
            new_source=evidence.new.source if evidence.prequential is None or refresh else "prequential",
        )
        return dataclasses.replace(verdict, advice=advise(evidence, verdict))

    def refreshes(self, evidence: Evidence) -> bool:
        """Whether this challenger is routine re-learning, which is promoted unless it is shown to be worse."""
        return self.rule == "refresh" and bool(evidence.routine)

    def _guarantee(
        self, evidence: Evidence, smallest: float | None, margin: float, alpha: float, old_alpha: float
    ) -> str:
        """Return what a promotion on this evidence guarantees; `smallest` is given under a refresh."""
        if smallest is not None:
            return refresh_guarantee(evidence, smallest=smallest, alpha=self.alpha, tolerance=self.tolerance or 0.0)
        return guarantee(
            evidence,
            margin=margin,
            alpha=alpha if evidence.prequential is None else self.alpha,
            old_alpha=old_alpha,
            tolerance=self.tolerance,
            control=control(self.error_control, self.alpha) if self.error_control != "update" else None,
        )


def _decide(reasons: Sequence[Reason]) -> Decision:
    if all(reason.holds for reason in reasons):
        return "promote"
    return "reject" if any(reason.violated for reason in reasons) else "inconclusive"


def _one_of(name: str, given: Any, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"{name} is one of {', '.join(map(repr, known))}; {given!r} was given.")
