"""What a promotion guarantees, in one sentence."""

from __future__ import annotations

import math

from incumbent.core import Evidence, Metric, PairedPredictions
from incumbent.gate._advice import POWER
from incumbent.gate._words import amount, percent, unit_of
from incumbent.gate.budget import control


def guarantee(
    evidence: Evidence,
    *,
    margin: float,
    alpha: float,
    old_alpha: float,
    tolerance: float | None,
    error_control: str,
) -> str:
    """Return what a promotion guarantees if the challenger has to be shown better.

    Parameters
    ----------
    evidence : Evidence
        What the challenger was judged on.
    margin : float
        The gain that had to be exceeded, in the unit of the losses.
    alpha, old_alpha : float
        The gate's alpha, and the level of this use of the old rows.
    tolerance : float or None
        The loss on old rows that the gate allows; None if it does not test them.
    error_control : str
        What alpha bounds.
    """
    unit = unit_of(evidence.new, evidence.metric)
    wanted = f" by more than {amount(margin, unit)}" if margin else ""
    if evidence.prequential is not None:
        text = (
            f"A line of challengers that was not better{wanted}, on average over its batches, is ever promoted with "
            f"probability at most {percent(alpha)}, however many batches are looked at"
        )
    else:
        level = alpha if evidence.level is None else evidence.level
        text = (
            f"A challenger that is not better{wanted} on rows like the new ones is promoted with probability at most "
            f"{percent(level)}{_ABOUT.get(evidence.new.source, '')}"
        )
    if error_control != "update":
        text = f"Over the life of the model {control(error_control, alpha).guarantee}. In this update: {text}"
    if tolerance is None:
        return f"{text}. Nothing is promised about the old rows (tolerance=None)."
    old = evidence.old
    if old is None or not len(old):
        return f"{text}. Nothing can be promised about the old rows: none were given."
    allowed = _allowed(tolerance, old, evidence.metric)
    return f"{text}; one that is worse on the old rows by more than {allowed}, at most {percent(old_alpha)}." + (
        CAUTION.get(old.source, "")
    )


def refresh_guarantee(evidence: Evidence, *, smallest: float, alpha: float, tolerance: float) -> str:
    """Return what a promotion guarantees under a refresh; `smallest` is the difference that the new rows can show."""
    unit = unit_of(evidence.new, evidence.metric)
    allowed = _allowed(tolerance, evidence.new, evidence.metric)
    text = (
        f"Routine re-learning by {evidence.routine} is promoted unless it is shown to be worse by more than {allowed}. "
        f"One that is not is refused with probability at most {percent(alpha)} by each condition"
    )
    if math.isfinite(smallest):
        harm = amount(smallest + (tolerance * 100.0 / unit.factor if unit.short else tolerance), unit)
        text += f"; one that is worse on the new rows by {harm} or more, with probability at least {POWER:g}"
    old = "" if evidence.old is None else CAUTION.get(evidence.old.source, "")
    return f"{text}. Nothing is promised about a gain.{old}"


def _allowed(tolerance: float, paired: PairedPredictions, metric: Metric) -> str:
    unit = unit_of(paired, metric)
    return amount(tolerance * 100.0 / unit.factor if unit.short else tolerance, unit)


_ABOUT = {"holdout+crossfit": " (about: rows it learned from were judged by challengers fitted without them)"}
CAUTION = {
    "train": " The old rows are the champion's own training rows, which errs on the side of refusing.",
    "anchor+crossfit": " Beside the anchor rows, remembered rows were judged with stand-ins fitted on other folds.",
    "crossfit": " The old rows were judged with stand-ins for both models, fitted on other folds.",
}
