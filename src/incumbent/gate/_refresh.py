"""The conditions of a refresh: the challenger is promoted unless it is shown to be worse."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from incumbent.core import Evidence, Interval, Metric, PairedPredictions, Reason
from incumbent.gate._conditions import OLD, SOURCES, margin_of, protected
from incumbent.gate._words import gain_in_words, number, test_in_words, unit_of
from incumbent.gate.slices import Slice

UNHARMED = "not worse on the new rows"


def unless_worse(
    evidence: Evidence, tolerance: float | None, slices: Sequence[Slice], alpha: float
) -> tuple[list[Reason], Interval]:
    """Judge new rows, old rows and slices: each holds unless a loss beyond its tolerance is shown at level alpha.

    Every look at the old rows has all of alpha: what is bounded here is the chance of refusing what is good, in this
    update. To spend alpha over many looks would make the refusal of what is bad ever less likely.

    Parameters
    ----------
    evidence : Evidence
        What was seen.
    tolerance : float or None
        How much worse is still good enough; None asks nothing of the old rows, and no loss at all on the new ones.
    slices : sequence of Slice
        Parts of the old rows with tolerances of their own.
    alpha : float
        Level of each test.

    Returns
    -------
    tuple of (list of Reason, Interval)
        The reasons, and the gain on the new rows.
    """
    new, found = _judged(UNHARMED, evidence.new, evidence.metric, tolerance or 0.0, alpha)
    reasons = [new]
    old = evidence.old
    if tolerance is not None and old is not None and len(old):
        reasons.append(_judged(OLD, old, evidence.metric, tolerance, alpha)[0])
    elif tolerance is not None:
        reasons.append(Reason(OLD, math.nan, -tolerance, True, False, f"{OLD}: not asked, as no old rows were given"))
    return [*reasons, *_lenient(protected(evidence, slices, alpha))], found


def _judged(
    name: str, paired: PairedPredictions, metric: Metric, tolerance: float, alpha: float
) -> tuple[Reason, Interval]:
    from incumbent.evidence import gain

    limit = -margin_of(tolerance, paired, metric)
    found = gain(paired, metric, alpha=alpha, margin=limit)
    broken = found.upper < limit
    head = name if found.lower > limit else name.removeprefix("not ") if broken else f"not shown to be {name[4:]}"
    unit = unit_of(paired, metric)
    text = (
        f"{head}: {gain_in_words(found, unit, limit=limit, upper=True)} "
        f"(limit: not shown to be below {number(limit, unit)}; {test_in_words(found)}{SOURCES.get(paired.source, '')})"
    )
    told = math.isfinite(found.value)  # what cannot be computed has not been seen to do no harm
    return Reason(name, found.upper, limit, told and not broken, broken, text, found), found


def _lenient(reasons: Sequence[Reason]) -> Iterator[Reason]:
    """Yield reasons that hold unless the opposite is shown, worded so."""
    for reason in reasons:
        text = reason.text
        if not (reason.holds or reason.violated):
            text = text.replace("not shown to be not worse", "not shown to be worse", 1)
        upper = math.nan if reason.interval is None else reason.interval.upper
        yield dataclasses.replace(reason, holds=not reason.violated, text=text, value=upper)
