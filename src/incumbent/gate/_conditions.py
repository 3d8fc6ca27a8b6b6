"""The conditions on rows: better on the new, not worse on the old, few negative flips."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from incumbent.core import Evidence, Interval, Metric, PairedPredictions, PrequentialEvidence, Reason
from incumbent.errors import UsageError
from incumbent.gate._words import gain_in_words, number, percent, test_in_words, unit_of
from incumbent.gate.slices import Slice

NEW, OLD, FLIPS = "better on the new rows", "not worse on the old rows", "few negative flips"

SOURCES = {
    "holdout+crossfit": "; held-out rows, and rows each judged by a challenger that was fitted without them",
    "anchor+crossfit": "; anchor rows, and remembered rows with stand-ins fitted on other folds of them",
    "crossfit": "; judged with stand-ins fitted on other folds of these rows",
    "train": "; biased: the champion was trained on these rows, which makes every challenger look worse",
}


def better(evidence: Evidence, min_gain: float, alpha: float) -> tuple[Reason, Interval]:
    """Judge the gain on the new rows; also return it with its bounds."""
    from incumbent.evidence import gain

    if evidence.prequential is not None:
        return _line_better(evidence, evidence.prequential, min_gain)
    margin = margin_of(min_gain, evidence.new, evidence.metric)
    found = gain(evidence.new, evidence.metric, alpha=alpha, margin=margin)
    holds, broken = found.lower > margin, found.upper <= margin
    head = NEW if holds else f"not {NEW}" if broken else f"not shown to be {NEW}"
    unit = unit_of(evidence.new, evidence.metric)
    text = (
        f"{head}: {gain_in_words(found, unit, limit=margin, upper=broken)} "
        f"(limit: more than {number(margin, unit)}; {test_in_words(found)}{SOURCES.get(evidence.new.source, '')})"
    )
    return Reason(NEW, found.lower, margin, holds, broken, text, found), found


def _line_better(evidence: Evidence, line: PrequentialEvidence, min_gain: float) -> tuple[Reason, Interval]:
    """Judge a line of challengers by what it has been worth on whole batches, before it learned from them."""
    found, unit = line.interval, unit_of(evidence.new, evidence.metric)
    holds, broken = line.shown, found.upper <= min_gain
    head = NEW if holds else f"not {NEW}" if broken else f"not shown to be {NEW}"
    over = f"{line.batches:,} whole batch{'es' * (line.batches != 1)}, each predicted before it was learned"
    text = (
        f"{head}: {gain_in_words(found, unit, limit=min_gain, upper=broken)} "
        f"(limit: more than {number(min_gain, unit)}; e = {line.e_value:.3g} of {line.needed:.3g} needed; "
        f"{test_in_words(found)}; {over})"
    )
    return Reason(NEW, found.lower, min_gain, holds, broken, text, found), found


def not_worse(evidence: Evidence, tolerance: float, alpha: float) -> Reason:
    """Judge the gain on the old rows, which may be a loss of at most `tolerance`."""
    from incumbent.evidence import gain

    if evidence.old is None or not len(evidence.old):
        text = (
            f"not shown to be {OLD}: no old rows were given. Give labelled rows that the champion was not trained on "
            "(anchor=...), or its training data (data=...), or drop the condition (tolerance=None)"
        )
        return Reason(OLD, math.nan, -tolerance, False, False, text)
    margin = -margin_of(tolerance, evidence.old, evidence.metric)
    found = gain(evidence.old, evidence.metric, alpha=alpha, margin=margin)
    holds, broken = found.lower > margin, found.upper < margin
    head = OLD if holds else "worse on the old rows" if broken else f"not shown to be {OLD}"
    unit = unit_of(evidence.old, evidence.metric)
    use = f"; use {evidence.anchor_use} of these rows" if evidence.anchor_use > 1 else ""
    text = (
        f"{head}: {gain_in_words(found, unit, limit=margin, upper=broken)} "
        f"(limit: more than {number(margin, unit)}; {test_in_words(found)}{use}{SOURCES.get(evidence.old.source, '')})"
    )
    return Reason(OLD, found.lower, margin, holds, broken, text, found)


def protected(evidence: Evidence, slices: Sequence[Slice], alpha: float) -> list[Reason]:
    """Judge each slice of the old rows by itself."""
    from incumbent.gate.slices import check_slices

    if not slices:
        return []
    if evidence.old is None or not len(evidence.old):
        text = "not shown to be {}: no old rows were given, so nothing is known of them"
        names = [f"not worse where {part.label}" for part in slices]
        return [
            Reason(name, math.nan, -part.tolerance, False, False, text.format(name))
            for name, part in zip(names, slices, strict=True)
        ]
    return check_slices(slices, evidence.old.x, evidence.old, evidence.metric, alpha)


def few_flips(evidence: Evidence, max_flips: float, alpha: float) -> Reason:
    """Judge the share of new rows that turn from right to wrong."""
    from incumbent.evidence import negative_flip_rate

    paired = evidence.new
    if paired.champion.classes is None and np.asarray(paired.y).dtype.kind == "f":
        raise UsageError("max_flips counts rows that turn from right to wrong; a regression has none. Leave it out.")
    found = negative_flip_rate(paired, alpha=alpha)
    holds, broken = found.upper <= max_flips, found.lower > max_flips
    head = FLIPS if holds else "too many negative flips" if broken else f"not shown to have {FLIPS}"
    bound = f"at least {percent(found.lower)}" if broken else f"at most {percent(found.upper)}"
    text = (
        f"{head}: {percent(found.value)} of the rows turn from right to wrong, {bound} "
        f"(limit: {percent(max_flips)}; {test_in_words(found)})"
    )
    return Reason(FLIPS, found.upper, max_flips, holds, broken, text, found)


def margin_of(share: float, paired: PairedPredictions, metric: Metric) -> float:
    """Return a tolerance or wanted gain in the unit of the gain."""
    from incumbent.evidence import scale

    if share == 0.0 or not len(paired):
        return share
    size = scale(paired, metric)
    return share * size if math.isfinite(size) else share
