"""A plan as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from incumbent.planning._known import Known
from incumbent.planning._plan import GATE_SHARE

if TYPE_CHECKING:
    from incumbent.planning._plan import Need, Plan

_KEPT = 0.09
"""Of a batch: half of its gate rows go to the anchor set, and three quarters of those serve the gate."""


def plan_in_words(plan: Plan) -> str:
    """Return the plan as lines."""
    wanted, sure = amount(plan.gain, plan), f"{100.0 * plan.power:g} %"
    head = f"To show a gain of {wanted} by {plan.metric} with probability {sure}, the next update of {plan.name} needs:"
    needs = [*_new(plan, plan.new), *(_old(plan, plan.old) if plan.old is not None else [])]
    return "\n".join([head, "", *needs, "", *_after(plan)]).rstrip()


def amount(value: float, plan: Plan) -> str:
    """Return a gain or a tolerance in the unit in which the gate states it."""
    if plan.new.known.spread.scale != 1.0:
        return f"{100.0 * value:.3g} % of the champion's mean loss"
    if plan.metric == "log_loss":
        return f"{value:.3g} nats"
    points = f"{100.0 * value:.3g}"
    return f"{points} point{'s' * (points != '1')}"


def _new(plan: Plan, need: Need) -> Iterator[str]:
    rows = "more rows than there can be"
    if need.rows is not None:
        split = "split 60/15/25" if plan.share == GATE_SHARE else "judged by crossfit but for the 15 % that choose"
        rows = f"{need.rows:,} rows that judge: {plan.batch_rows:,} labelled rows, {split}"
    yield f"  {need.condition:25}  {rows}"
    yield f"  {'':25}  at level {100.0 * need.alpha:.3g} %; {_known(need.known)}"


def _old(plan: Plan, need: Need) -> Iterator[str]:
    if need.rows is None:
        yield f"  {need.condition:25}  no number of rows shows that nothing at all was lost: allow a tolerance"
        return
    missing = f"{need.missing:,} are missing" if need.missing else "enough"
    yield f"  {need.condition:25}  {need.rows:,} old rows; {need.have:,} are there, {missing}"
    assert plan.tolerance is not None, "there is a need only where there is a tolerance"
    level = f"at level {100.0 * need.alpha:.3g} % (use {need.use} of these rows)"
    yield f"  {'':25}  {level}, if nothing is lost and {amount(plan.tolerance, plan)} may be;"
    yield f"  {'':25}  {_known(need.known)}"


def _known(known: Known) -> str:
    spread, where = known.spread, "assumed" if known.assumed else known.text
    if spread.differing is not None:
        return f"the models differ on {100.0 * spread.differing:.3g} % of the rows ({where})"
    return f"differences have a standard deviation of {math.sqrt(spread.variance):.3g} ({where})"


def _after(plan: Plan) -> Iterator[str]:
    if plan.old is not None and plan.old.rows is not None:
        both = max(0.0, 2.0 * plan.power - 1.0)
        yield f"Each holds with that probability; both together with at least {100.0 * both:.3g} %."
    if plan.last_batch and math.isfinite(plan.smallest):
        yield f"The last batch had {plan.last_batch:,} rows; one like it shows {amount(plan.smallest, plan)} or more."
    if plan.assumed:
        yield f"Assumed: {plan.new.known.text}."
    yield from plan.notes
    yield from _advice(plan)


def _advice(plan: Plan) -> Iterator[str]:
    old = plan.old
    if old is not None and old.rows is not None and old.missing:
        if old.rows > plan.old_room:
            yield (
                f"next: at most {plan.old_room:,} old rows serve the gate, too few for this tolerance and what is\n"
                "      left of alpha; allow more: Gate(tolerance=)."
            )
        else:
            yield f"next: each update adds about {100.0 * _KEPT:.0f} % of its rows to those that serve the gate."
    if plan.assumed:
        yield "next: run one update and plan again: what it sees replaces what is assumed here."
    else:
        yield "next: labels cost less where the models disagree: incumbent plan --label FILE --rows N -o OUT"
