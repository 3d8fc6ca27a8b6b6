"""What a promotion guarantees, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from incumbent.control import control
from incumbent.core import Evidence
from incumbent.gate._advice import POWER
from incumbent.gate._words import amount, percent, unit_of

if TYPE_CHECKING:
    from incumbent.gate._gate import Gate


def promised(gate: Gate, evidence: Evidence, margin: float) -> str:
    """Return what is promised of a challenger that has to be shown better by more than `margin`."""
    unit = unit_of(evidence.new, evidence.metric)
    wanted = f" by more than {amount(margin, unit)}" if margin else ""
    alpha = gate.alpha if evidence.level is None else evidence.level
    if evidence.line is not None:
        told = (
            f"A line of challengers that was not better{wanted}, on average over its batches, is ever promoted with "
            f"probability at most {percent(gate.alpha)}, however many batches are looked at"
        )
    else:
        told = (
            f"A challenger that is not better{wanted} on rows like the new ones is promoted with probability at most "
            f"{percent(alpha)}{_ABOUT.get(evidence.new.source, '')}"
        )
    if gate.error_control != "update":
        told = f"Over the life of the model {control(gate.error_control, gate.alpha).guarantee}. In this update: {told}"
    if gate.tolerance is None:
        return f"{told}. Nothing is promised about the old rows (tolerance=None)."
    old = evidence.old
    if old is None or not len(old):
        return f"{told}. Nothing can be promised about the old rows: none were given."
    unit = unit_of(old, evidence.metric)
    allowed = amount(gate.tolerance * 100.0 / unit.factor if unit.short else gate.tolerance, unit)
    level = percent(gate.level(evidence.anchor_use, alpha=alpha))
    return f"{told}; one that is worse on the old rows by more than {allowed}, at most {level}." + CAUTION.get(
        old.source, ""
    )


def promised_refresh(gate: Gate, evidence: Evidence, smallest: float) -> str:
    """Return what is promised of routine re-learning, `smallest` being the difference that the new rows can show."""
    unit = unit_of(evidence.new, evidence.metric)
    share = gate.tolerance or 0.0
    allowed = amount(share * 100.0 / unit.factor if unit.short else share, unit)
    told = (
        f"Routine re-learning by {evidence.routine} is promoted unless it is shown to be worse by more than {allowed}. "
        f"One that is not is refused with probability at most {percent(gate.alpha)} by each condition"
    )
    if math.isfinite(smallest):
        harm = amount(smallest + (share * 100.0 / unit.factor if unit.short else share), unit)
        told += f"; one that is worse on the new rows by {harm} or more, with probability at least {POWER:g}"
    old = "" if evidence.old is None else CAUTION.get(evidence.old.source, "")
    return f"{told}. Nothing is promised about a gain.{old}"


_ABOUT = {"holdout+crossfit": " (about: rows it learned from were judged by challengers fitted without them)"}
CAUTION = {
    "train": " The old rows are the champion's own training rows, which errs on the side of refusing.",
    "anchor+crossfit": " Beside the anchor rows, remembered rows were judged with stand-ins fitted on other folds.",
    "crossfit": " The old rows were judged with stand-ins for both models, fitted on other folds.",
}
