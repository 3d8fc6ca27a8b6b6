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
        Their predictions of every row.
    source : str
        Origin of the rows: "holdout", "anchor", "crossfit" (predicted by fold models) or "train" (biased).
    weight : (n,) array, optional
        Row weights.
    block : (n,) array of int, optional
        Rows of one block, such as a customer, are dependent and count as one unit of evidence.
    ordered : bool
        Whether the rows are in time order, so that neighbours may be dependent.
    clip : float
        Larger losses count as this one. It is set from the champion before the holdout is used.
    x : data frame of n rows, optional
        The input, to find slices in.
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
    """An estimate with its one-sided confidence bounds at level `alpha`, the test, and its number of rows."""

    value: float
    lower: float
    upper: float
    alpha: float
    test: str
    rows: int


@dataclass(frozen=True)
class PrequentialEvidence:
    """Evidence about a strategy whose model predicts each batch before it learns it.

    Parameters
    ----------
    interval : Interval
        Gain over the champions, on all rows so far, with bounds that are valid at any time.
    e_value : float
        Evidence that the strategy is better.
    needed : float
        The e-value at which that is shown.
    shown : bool
        Whether it was reached.
    batches : int
        Number of predicted batches.
    """

    interval: Interval
    e_value: float
    needed: float
    shown: bool
    batches: int


@renamed_members({"line": "prequential"})
@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a gate may use.

    Parameters
    ----------
    metric : Metric
        The deciding metric.
    new : PairedPredictions
        The test rows of the new batch.
    old : PairedPredictions, optional
        The anchor set, or other old rows while that is small.
    anchor_use : int
        Number of uses of the anchor set, this one included.
    measured : mapping of str to (float, float)
        Value of champion and of challenger for everything that a limit may name: latency, bytes, calibration, metrics.
    level : float, optional
        Level of this update if updates share one alpha; None is the gate's alpha.
    suspects : tuple of Slice
        Slices that are worse on the select rows, to be tested on `new`.
    routine : str
        The live strategy, if the challenger follows it too; empty for a change of strategy.
    prequential : PrequentialEvidence, optional
        Evidence from several batches, if the gate uses it.
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
    """The result of one condition: a number and its limit.

    Parameters
    ----------
    name : str
        Such as "better on the new rows".
    value : float
        The number that is compared with the limit: a confidence bound, or a measured value.
    limit : float
        The limit.
    holds : bool
        Whether the condition passes.
    violated : bool
        Whether the opposite is shown, so that more rows would not help.
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
    """The decision of a gate, its reasons, and what would change it.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        What happens to the challenger.
    reasons : tuple of Reason
        The conditions; all must pass for a promotion.
    guarantee : str
        What a promotion ensures, in one sentence.
    source : str
        Origin of the old rows.
    smallest_gain : float
        The smallest gain that this holdout can show with power 0.8.
    rows_needed : int, optional
        Number of test rows to confirm the observed gain with power 0.8; None without a gain.
    advice : tuple of str
        What to do next.
    rule : {"prove", "refresh"}
        "prove" promotes what is shown to be better, "refresh" what is not shown to be worse.
    new_source : str
        Origin of the new rows.
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
