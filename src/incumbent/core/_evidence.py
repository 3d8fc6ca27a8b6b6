"""Evidence about two models on the same unseen rows, and the verdict that a gate makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from incumbent._deprecated import renamed_members
from incumbent.core._model import Metric, Prediction
from incumbent.core._values import Array, Decision, Floats


@dataclass(frozen=True, eq=False)
class PairedPredictions:
    """Champion and challenger on the same unseen rows of one holdout.

    Parameters
    ----------
    y : (n,) array, or (n, m)
        The truth.
    champion, challenger : Prediction
        What each said of every row.
    source : str
        Where the rows come from: "holdout", "anchor", "crossfit" (by stand-ins) or "train" (biased).
    weight : (n,) array, optional
        Row weights.
    block : (n,) array of int, optional
        Rows of one block (a group) are one unit of evidence.
    ordered : bool
        The rows are in time order, so that neighbours may be alike.
    clip : float
        Losses are cut off here; fixed on the champion before the holdout was looked at.
    x : data frame of n rows, optional
        What the models saw, where slices of it are to be judged.
    """

    y: Array
    champion: Prediction
    challenger: Prediction
    source: str = "holdout"
    weight: Floats | None = None
    block: Array | None = None
    ordered: bool = False
    clip: float = math.inf
    x: Any = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Interval:
    """An estimate with its one-sided bounds at one level."""

    value: float
    lower: float
    upper: float
    alpha: float
    test: str
    rows: int


@dataclass(frozen=True)
class PrequentialEvidence:
    """What is known of a line: challengers of one strategy that learned every batch after they had predicted it.

    Parameters
    ----------
    interval : Interval
        The gain over the champions of that time, over all rows so far, with bounds that hold at all times.
    e_value : float
        The evidence that the line was better.
    needed : float
        The evidence from which that is shown.
    shown : bool
        Whether it is.
    batches : int
        How many batches were predicted.
    """

    interval: Interval
    e_value: float
    needed: float
    shown: bool
    batches: int


@renamed_members({"line": "prequential"})
@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a gate may look at.

    Parameters
    ----------
    metric : Metric
        The score that decides.
    new : PairedPredictions
        The gate split of the new rows.
    old : PairedPredictions, optional
        The anchor set or its stand-in.
    anchor_use : int
        How often the anchor set will have been used, this time included.
    measured : mapping of str to (float, float)
        Champion's and challenger's value of everything a limit may name: latency, bytes, calibration, metrics.
    level : float, optional
        The level of this update where alpha is shared among many; None is the gate's alpha.
    suspects : tuple of Slice
        Subgroups that were worse on the select rows, to be confirmed or cleared on `new`.
    routine : str
        The strategy that is live, where the challenger learned by the same one; empty is a change of strategy.
    prequential : PrequentialEvidence, optional
        What is known of the challenger's line over several batches, where that is the source of evidence.
    """

    metric: Metric
    new: PairedPredictions
    old: PairedPredictions | None = None
    anchor_use: int = 1
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    level: float | None = None
    suspects: tuple[Any, ...] = ()
    routine: str = ""
    prequential: PrequentialEvidence | None = None


@renamed_members({"broken": "violated"})
@dataclass(frozen=True)
class Reason:
    """One condition of the verdict: a number beside its limit.

    Parameters
    ----------
    name : str
        Such as "better on the new rows".
    value : float
        The number that is held against the limit: a confidence bound, or a measured value.
    limit : float
        What it is held against.
    holds : bool
        Whether the condition is met.
    violated : bool
        Whether the opposite is shown (then more rows would not help).
    text : str
        The condition in one sentence, with its numbers.
    interval : Interval, optional
        The estimate behind the value.
    """

    name: str
    value: float
    limit: float
    holds: bool
    violated: bool
    text: str
    interval: Interval | None = None


@renamed_members({"promise": "guarantee", "kind": "rule"})
@dataclass(frozen=True)
class Verdict:
    """The decision, every reason for it, and what would change it.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        What happens to the challenger.
    reasons : tuple of Reason
        Each a number beside its limit; all must hold for a promotion.
    guarantee : str
        What a promotion guarantees.
    source : str
        Which rows the old-data condition was judged on.
    rule : {"prove", "refresh"}
        Which promise was given: that what is promoted is shown better, or that what is shown worse is not.
    new_source : str
        Which rows the gain on the new rows was judged on.
    smallest_gain : float
        The smallest gain that this holdout could have shown with probability 0.8.
    rows_needed : int, optional
        How many gate rows would show the gain that was seen, with probability 0.8; None where no gain was seen.
    advice : tuple of str
        What to do next.
    """

    decision: Decision
    reasons: tuple[Reason, ...] = ()
    guarantee: str = ""
    source: str = ""
    smallest_gain: float = math.nan
    rows_needed: int | None = None
    advice: tuple[str, ...] = ()
    rule: Literal["prove", "refresh"] = "prove"
    new_source: str = "holdout"

    def __str__(self) -> str:
        lines = [self.decision.upper(), *(f"  {'yes' if r.holds else 'no ':3}  {r.text}" for r in self.reasons)]
        return "\n".join([*lines, *(f"  next: {text}" for text in self.advice)])
