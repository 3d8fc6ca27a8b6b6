"""What would change the verdict: more rows and how many, fresh labels, labels to look at, another strategy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from incumbent.core import Evidence, Interval, Reason, Verdict
from incumbent.gate._conditions import FLIPS, NEW, OLD
from incumbent.gate._refresh import UNHARMED
from incumbent.gate._words import amount, percent, unit_of

POWER = 0.8
TIRED = 3
"""From this use on a ninth of alpha's first share or less is left, and fresh anchor labels are asked for."""
HOPELESS = 20
"""No one waits for more than this many times the rows."""


def power(evidence: Evidence, new: Reason, found: Interval) -> tuple[float, int | None]:
    """Return the smallest gain that the new rows could have shown, and the rows that would show the gain seen."""
    from incumbent.evidence import rows_needed, smallest_gain

    if not len(evidence.new):
        return math.inf, None
    margin, metric, alpha = new.limit, evidence.metric, found.alpha
    smallest = margin + smallest_gain(evidence.new, metric, alpha, POWER, interval=found)
    needed = rows_needed(evidence.new, metric, found.value - margin, alpha, POWER, interval=found)
    return smallest, needed


def advise(evidence: Evidence, verdict: Verdict) -> tuple[str, ...]:
    """Return what to do next, the most telling first; nothing after a promotion.

    After a rejection only what is broken is spoken of: more rows for the rest would not help.
    """
    if verdict.decision == "promote":
        return ()
    rejected = verdict.decision == "reject"
    failed = [reason for reason in verdict.reasons if (reason.violated if rejected else not reason.holds)]
    return tuple(text for reason in failed for text in _for(reason, evidence, verdict)) + tuple(
        _labels(evidence, failed)
    )


def _for(reason: Reason, evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    if reason.name == NEW:
        yield from _for_new(reason, evidence, verdict)
    elif reason.name == UNHARMED:
        yield "The live strategy made it worse: look at the new rows and their labels first, then try another strategy."
    elif reason.name == OLD:
        yield from _for_old(reason, evidence)
    elif reason.name == FLIPS:
        yield "Try a strategy that stays closer to the champion, or allow more flips (max_flips=)."
    else:
        yield f"Try a strategy that keeps {reason.name} within its limit, or widen the limit."


def _for_new(reason: Reason, evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    if reason.violated:
        yield "More rows of this kind will not help: try another strategy, or look at what the champion gets wrong."
        return
    rows, unit = len(evidence.new), unit_of(evidence.new, evidence.metric)
    if verdict.rows_needed is None:
        yield "No gain was seen on the new rows: try another strategy, or wait for more rows."
    elif verdict.rows_needed > HOPELESS * rows:
        yield f"The gain seen is too small to be shown, even by {HOPELESS} times as many rows: try another strategy."
    else:
        needed = _round(max(verdict.rows_needed, rows + 1))
        yield (
            f"About {needed:,} gate rows show a gain as large as the one seen with probability {POWER:g}; there were "
            f"{rows:,}. Collect more labelled rows before the next update."
        )
    if math.isfinite(verdict.smallest_gain):
        smallest = amount(verdict.smallest_gain, unit)
        yield f"These {rows:,} rows could have shown a gain of {smallest} or more (probability {POWER:g})."


def _for_old(reason: Reason, evidence: Evidence) -> Iterator[str]:
    if evidence.old is None or reason.interval is None:
        yield "Give old rows that the champion was not trained on (anchor=...), or its training data (data=...)."
        return
    rows, found = len(evidence.old), reason.interval
    if reason.violated:
        yield "Try a strategy that keeps the old rows."
        yield 'If the old rows no longer matter, set tolerance = "none" in the gate.'
    else:
        yield from _more_old_rows(reason, found, evidence)
    if evidence.anchor_use >= TIRED:
        yield (
            f"The old rows have been used {evidence.anchor_use - 1} times and are tested at {percent(found.alpha)} "
            f"now: {math.ceil(rows / 2):,} fresh anchor labels make them as good as new."
        )
    if evidence.old.source == "train":
        yield "Give a longer budget, or old rows that the champion was not trained on (anchor=...): these flatter it."


def _more_old_rows(reason: Reason, found: Interval, evidence: Evidence) -> Iterator[str]:
    from incumbent.evidence import rows_needed

    assert evidence.old is not None
    rows, room = len(evidence.old), found.value - reason.limit
    needed = rows_needed(evidence.old, evidence.metric, room, found.alpha, POWER, interval=found)
    if needed is None or needed > HOPELESS * rows:
        yield "The challenger is only just within the tolerance. Try a strategy that keeps the old rows."
        return
    yield (
        f"About {_round(max(needed, rows + 1)):,} old rows would show that the challenger is not worse; there were "
        f"{rows:,}. Every update adds some of its gate rows to them; a larger tolerance needs fewer."
    )


def _labels(evidence: Evidence, failed: Sequence[Reason]) -> Iterator[str]:
    from incumbent.metrics import wrong

    paired = evidence.new
    if not any(reason.name == NEW and not reason.violated for reason in failed) or paired.champion.classes is None:
        return
    differ = int(np.count_nonzero(wrong(paired.champion.label, paired.challenger.label)))
    if differ:
        rows = "row" if differ == 1 else f"{differ:,} rows"
        yield f"Check the labels of the {rows} on which the models differ: they carry the evidence."


def _round(rows: int) -> int:
    """Two digits are all that such a forecast is sure of; rounded up."""
    step = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // step) * step
