"""The conditions on rows: better on the new, not worse on the old, few negative flips."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from incumbent.core import Evidence, PrequentialEvidence, Reason
from incumbent.errors import UsageError
from incumbent.evidence import gain, negative_flip_rate
from incumbent.gate._reasons import gain_in_words, margin_of, not_worse_reason, test_in_words, unit_of
from incumbent.gate.slices import Slice
from incumbent.words import percentage

NEW, OLD, FLIPS = "better on the new rows", "not worse on the old rows", "few negative flips"
UNHARMED = "not worse on the new rows"

SOURCES = {
    "holdout+crossfit": "; held-out rows, and rows each judged by a challenger that was fitted without them",
    "anchor+crossfit": "; anchor rows, and remembered rows judged with models fitted on other folds of them",
    "crossfit": "; judged with models fitted on other folds of these rows",
    "train": "; biased: the champion was trained on these rows, which makes every challenger look worse",
}


def proven(
    evidence: Evidence, min_gain: float, tolerance: float | None, slices: Sequence[Slice], alpha: float, old: float
) -> list[Reason]:
    """Judge new rows, old rows and slices: a challenger must be shown to be better, and not worse.

    `alpha` is the level on the new rows, `old` on the old rows.
    """
    reasons = [better(evidence, min_gain, alpha)]
    if tolerance is not None:
        reasons.append(_not_worse(evidence, tolerance, old))
    return [*reasons, *_protected(evidence, slices, old)]


def unless_worse(evidence: Evidence, tolerance: float | None, slices: Sequence[Slice], alpha: float) -> list[Reason]:
    """Judge new rows, old rows and slices: each holds unless a loss beyond its tolerance is shown at level alpha.

    Every use of the old rows is tested at alpha. This bounds the probability of rejecting a challenger that is not
    worse, in this update. To spend alpha over many uses would make it ever harder to reject one that is worse.

    Without a tolerance, the old rows are not tested, and no loss is allowed on the new ones.
    """
    allowed, new = tolerance or 0.0, evidence.new
    also = SOURCES.get(new.source, "")
    reasons = [not_worse_reason(UNHARMED, new, evidence.metric, allowed, alpha, unless_shown=True, also=also)]
    if tolerance is not None and evidence.old is not None and len(evidence.old):
        reasons.append(_not_worse(evidence, tolerance, alpha, unless_shown=True))
    elif tolerance is not None:
        reasons.append(Reason(OLD, math.nan, -tolerance, True, False, f"{OLD}: not tested, no old rows were given"))
    return [*reasons, *_protected(evidence, slices, alpha, unless_shown=True)]


def better(evidence: Evidence, min_gain: float, alpha: float) -> Reason:
    """Judge the gain on the new rows."""
    known, paired = evidence.prequential, evidence.new
    unit = unit_of(paired, evidence.metric)
    if known is not None:
        margin, found, tested = min_gain, known.interval, _e_value_in_words(known)
        holds, violated = known.shown, found.upper <= margin
    else:
        margin = margin_of(min_gain, paired, evidence.metric)
        found = gain(paired, evidence.metric, alpha=alpha, margin=margin)
        tested = test_in_words(found) + SOURCES.get(paired.source, "")
        holds, violated = found.lower > margin, found.upper <= margin
    head = NEW if holds else f"not {NEW}" if violated else f"not shown to be {NEW}"
    gained = gain_in_words(found, unit, limit=margin, upper=violated)
    text = f"{head}: {gained} (limit: more than {unit.signed(margin)}; {tested})"
    return Reason(NEW, found.lower, margin, holds, violated, text, found)


def _e_value_in_words(known: PrequentialEvidence) -> str:
    batches = f"{known.batches:,} whole batch{'es' * (known.batches != 1)}, each predicted before it was learned"
    return f"e = {known.e_value:.3g} of {known.needed:.3g} needed; {test_in_words(known.interval)}; {batches}"


def _not_worse(evidence: Evidence, tolerance: float, alpha: float, *, unless_shown: bool = False) -> Reason:
    """Judge the gain on the old rows, which may be a loss of at most `tolerance`."""
    old, use = evidence.old, evidence.anchor_use
    if old is None or not len(old):
        text = (
            f"not shown to be {OLD}: no old rows were given. Give labelled rows that the champion was not trained on "
            "(anchor=...), or its training data (data=...), or drop the condition (tolerance=None)"
        )
        return Reason(OLD, math.nan, -tolerance, False, False, text)
    also = f"; use {use} of these rows" if use > 1 and not unless_shown else ""
    also += SOURCES.get(old.source, "")
    return not_worse_reason(OLD, old, evidence.metric, tolerance, alpha, unless_shown=unless_shown, also=also)


def _protected(
    evidence: Evidence, slices: Sequence[Slice], alpha: float, *, unless_shown: bool = False
) -> list[Reason]:
    """Judge each slice of the old rows by itself."""
    from incumbent.gate.slices import check_slices  # imports pandas

    if not slices:
        return []
    old = evidence.old
    if old is not None and len(old):
        return check_slices(slices, old.x, old, evidence.metric, alpha, unless_shown=unless_shown)
    names = [f"not worse where {part.label}" for part in slices]
    return [
        Reason(name, math.nan, -part.tolerance, unless_shown, False, f"{name}: not tested, no old rows were given")
        for name, part in zip(names, slices, strict=True)
    ]


def few_flips(evidence: Evidence, max_flips: float, alpha: float) -> Reason:
    """Judge the fraction of new rows that turn from right to wrong."""
    paired = evidence.new
    if paired.champion.classes is None and np.asarray(paired.y).dtype.kind == "f":
        raise UsageError("max_flips counts rows that turn from right to wrong; a regression has none. Leave it out.")
    found = negative_flip_rate(paired, alpha=alpha)
    holds, violated = found.upper <= max_flips, found.lower > max_flips
    head = FLIPS if holds else "too many negative flips" if violated else f"not shown to have {FLIPS}"
    bound = f"at least {percentage(found.lower)}" if violated else f"at most {percentage(found.upper)}"
    text = (
        f"{head}: {percentage(found.value)} of the rows turn from right to wrong, {bound} "
        f"(limit: {percentage(max_flips)}; {test_in_words(found)})"
    )
    return Reason(FLIPS, found.upper, max_flips, holds, violated, text, found)
