"""What would change the verdict: more rows and how many, fresh labels, labels to look at, another strategy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from incumbent.core import Evidence, Reason, Verdict
from incumbent.evidence import rows_needed, smallest_gain
from incumbent.gate._conditions import FLIPS, NEW, OLD, UNHARMED
from incumbent.gate._reasons import unit_of
from incumbent.metrics import wrong
from incumbent.words import forecast, percentage

POWER = 0.8
REUSE_WARNING = 3
"""From this use on, a ninth of the level of the first use or less is left, and the advice asks for fresh labels."""
MAX_ROW_FACTOR = 20
"""Nobody waits for more than this many times the rows."""


def power(evidence: Evidence, new: Reason) -> tuple[float, int | None]:
    """Return the smallest gain that the new rows could have shown, and the rows that would show the gain seen."""
    found = new.interval
    if found is None or not len(evidence.new):
        return math.inf, None
    margin, metric, alpha = new.limit, evidence.metric, found.alpha
    smallest = margin + smallest_gain(evidence.new, metric, alpha, POWER, interval=found)
    return smallest, rows_needed(evidence.new, metric, found.value - margin, alpha, POWER, interval=found)


def advise(evidence: Evidence, verdict: Verdict) -> tuple[str, ...]:
    """Return what to do next, the most important first; nothing after a promotion.

    After a rejection, only violated conditions count: more rows for the others would not help.
    """
    if verdict.decision == "promote":
        return ()
    rejected = verdict.decision == "reject"
    failed = [reason for reason in verdict.reasons if (reason.violated if rejected else not reason.holds)]
    texts = [text for reason in failed for text in _for(reason, evidence, verdict)]
    return (*texts, *_check_labels(evidence, failed))


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
    rows = len(evidence.new)
    if verdict.rows_needed is None:
        yield "No gain was seen on the new rows: try another strategy, or wait for more rows."
    elif verdict.rows_needed > MAX_ROW_FACTOR * rows:
        yield f"The gain seen is too small to show, even by {MAX_ROW_FACTOR} times as many rows: try another strategy."
    else:
        yield (
            f"About {forecast(max(verdict.rows_needed, rows + 1))} gate rows show a gain as large as the one seen with "
            f"probability {POWER:g}; there were {rows:,}. Collect more labelled rows before the next update."
        )
    if math.isfinite(verdict.smallest_gain):
        smallest = unit_of(evidence.new, evidence.metric).size(verdict.smallest_gain)
        yield f"These {rows:,} rows could have shown a gain of {smallest} or more (probability {POWER:g})."


def _for_old(reason: Reason, evidence: Evidence) -> Iterator[str]:
    old, found = evidence.old, reason.interval
    if old is None or found is None:
        yield "Give old rows that the champion was not trained on (anchor=...), or its training data (data=...)."
        return
    if reason.violated:
        yield "Try a strategy that keeps the old rows."
        yield 'If the old rows no longer matter, set tolerance = "none" in the gate.'
    else:
        rows, room = len(old), found.value - reason.limit
        needed = rows_needed(old, evidence.metric, room, found.alpha, POWER, interval=found)
        if needed is None:
            yield "The loss on the old rows exceeds the tolerance. Try a strategy that keeps them."
        elif needed > MAX_ROW_FACTOR * rows:
            yield "The challenger is only just within the tolerance. Try a strategy that keeps the old rows."
        else:
            yield (
                f"About {forecast(max(needed, rows + 1))} old rows would show that the challenger is not worse; there "
                f"were {rows:,}. Every update adds some of its gate rows to them; a larger tolerance needs fewer."
            )
    if evidence.anchor_use >= REUSE_WARNING:
        yield (
            f"The old rows have been used {evidence.anchor_use - 1} times and are tested at {percentage(found.alpha)} "
            f"now: {math.ceil(len(old) / 2):,} fresh anchor labels make them as good as new."
        )
    if old.source == "train":
        yield "Give a longer budget, or old rows that the champion was not trained on (anchor=...): these flatter it."


def _check_labels(evidence: Evidence, failed: Sequence[Reason]) -> Iterator[str]:
    paired = evidence.new
    if not any(reason.name == NEW and not reason.violated for reason in failed) or paired.champion.classes is None:
        return
    differ = int(np.count_nonzero(wrong(paired.champion.label, paired.challenger.label)))
    if differ:
        rows = "row" if differ == 1 else f"{differ:,} rows"
        yield f"Check the labels of the {rows} on which the models differ: they carry the evidence."
