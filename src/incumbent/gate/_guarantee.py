"""What a promotion guarantees, in one sentence."""

from __future__ import annotations

import math

from incumbent.core import Evidence, Metric, PairedPredictions
from incumbent.gate._advice import POWER
from incumbent.gate._reasons import unit_of
from incumbent.gate.budget import ErrorControl
from incumbent.words import percentage

_ABOUT = {"holdout+crossfit": " (about: rows it was trained on were predicted by challengers fitted without them)"}
_CAUTION = {
    "train": " The old rows are the champion's own training rows, which errs on the side of rejecting.",
    "anchor+crossfit": " Some of the old rows are remembered rows, judged with models fitted on other folds of them.",
    "crossfit": " The old rows were judged with fold models in place of both models.",
}


def guarantee(
    evidence: Evidence,
    *,
    margin: float,
    alpha: float,
    old_alpha: float,
    tolerance: float | None,
    control: ErrorControl | None,
) -> str:
    """Return what a promotion guarantees if the challenger has to be shown better.

    Parameters
    ----------
    evidence : Evidence
        What the challenger was judged on.
    margin : float
        The gain that had to be exceeded, in the unit of the losses.
    alpha, old_alpha : float
        The levels of this update on new and on old rows.
    tolerance : float or None
        The loss on old rows that the gate allows; None if it does not test them.
    control : ErrorControl, optional
        The error control, if alpha bounds more than this update.
    """
    wanted = f" by more than {unit_of(evidence.new, evidence.metric).size(margin)}" if margin else ""
    if evidence.prequential is not None:
        text = (
            f"A strategy whose models were not better{wanted}, on average over its batches, is ever promoted with "
            f"probability at most {percentage(alpha)}, however many batches are looked at"
        )
    else:
        text = (
            f"A challenger that is not better{wanted} on rows like the new ones is promoted with probability at most "
            f"{percentage(alpha)}{_ABOUT.get(evidence.new.source, '')}"
        )
    if control is not None:
        text = f"Over the life of the model {control.guarantee}. In this update: {text}"
    old = evidence.old
    if tolerance is None:
        return f"{text}. Nothing is promised about the old rows (tolerance=None)."
    if old is None or not len(old):
        return f"{text}. Nothing can be promised about the old rows: none were given."
    allowed = _allowed(tolerance, old, evidence.metric)
    return f"{text}; one that is worse on the old rows by more than {allowed}, at most {percentage(old_alpha)}." + (
        _CAUTION.get(old.source, "")
    )


def refresh_guarantee(evidence: Evidence, *, smallest: float, alpha: float, tolerance: float) -> str:
    """Return what a promotion guarantees under a refresh; `smallest` is the difference that the new rows can show."""
    text = (
        f"Routine retraining by {evidence.routine} is promoted unless it is shown to be worse by more than "
        f"{_allowed(tolerance, evidence.new, evidence.metric)}. One that is not worse is rejected with probability at "
        f"most {percentage(alpha)} by each condition"
    )
    if math.isfinite(smallest):
        unit = unit_of(evidence.new, evidence.metric)
        harm = unit.size(smallest + (tolerance * 100.0 / unit.factor if unit.short else tolerance))
        text += f"; one that is worse on the new rows by {harm} or more, with probability at least {POWER:g}"
    old = "" if evidence.old is None else _CAUTION.get(evidence.old.source, "")
    return f"{text}. Nothing is promised about a gain.{old}"


def _allowed(tolerance: float, paired: PairedPredictions, metric: Metric) -> str:
    unit = unit_of(paired, metric)
    return unit.size(tolerance * 100.0 / unit.factor if unit.short else tolerance)
