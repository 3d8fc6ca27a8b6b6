"""The plan of an update: how many labelled rows each condition of the gate needs, as a value and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from incumbent.core import Value
from incumbent.planning._known import VarianceEstimate

GATE_SHARE = 0.25
"""Of a batch; 60 % are learned from and 15 % choose among challengers."""
JUDGED_SHARE = 0.85
"""With crossfit the rows that are learned from judge too."""
_KEPT = 0.09
"""Of a batch: half of its gate rows go to the anchor set, and three quarters of those serve the gate."""


@dataclass(frozen=True, repr=False)
class Need(Value):
    """Rows that one condition of the gate needs.

    Parameters
    ----------
    condition : str
        As the verdict names it.
    rows : int or None
        How many show it with the wanted probability; None where no number does.
    distance : float
        How far the truth is from the limit of the condition, in the unit of the losses.
    alpha : float
        The level at which the next update will test it.
    known : VarianceEstimate
        How much the models are taken to differ.
    have : int
        Rows that are there already.
    use : int
        Which use of these rows it will be.
    """

    condition: str
    rows: int | None
    distance: float
    alpha: float
    known: VarianceEstimate
    have: int = 0
    use: int = 1

    @property
    def missing(self) -> int | None:
        """How many more rows it takes."""
        return None if self.rows is None else max(0, self.rows - self.have)


@dataclass(frozen=True, repr=False)
class Plan(Value):
    """How many labelled rows an update needs.

    Parameters
    ----------
    name, metric : str
        Which model, and what decides.
    gain, power : float
        The gain to be shown, and with which probability. In points for scores with a scale of their own (0.01 is one
        point), as a share of the champion's mean loss for squared errors, absolute errors and costs.
    new : Need
        Rows of the gate split of the new batch.
    old : Need, optional
        Old rows that serve the gate; None where the gate asks nothing of them.
    min_gain, tolerance : float
        The limits of the two conditions, in the unit of `gain`.
    last_batch : int
        Rows of the latest batch; 0 if there was none.
    smallest : float
        The smallest gain that a batch like it shows with this probability; nan if there was none.
    old_room : int
        The most old rows that can serve the gate.
    share : float
        Of a batch, the rows that judge: 0.25, or 0.85 where the gate takes its evidence by crossfit.
    notes : tuple of str
        What should be known beside.
    """

    name: str
    metric: str
    gain: float
    power: float
    new: Need
    old: Need | None = None
    min_gain: float = 0.0
    tolerance: float | None = None
    last_batch: int = 0
    smallest: float = math.nan
    old_room: int = 0
    share: float = GATE_SHARE
    notes: tuple[str, ...] = ()

    @property
    def gate_rows(self) -> int | None:
        """Gate rows that show the gain."""
        return self.new.rows

    @property
    def batch_rows(self) -> int | None:
        """Labelled rows of the whole batch, of which a share judges."""
        return None if self.new.rows is None else math.ceil(self.new.rows / self.share)

    @property
    def assumed(self) -> bool:
        """Whether nothing was seen yet of how much models differ here."""
        return self.new.known.assumed

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain numbers and texts, ready for JSON."""
        limits = {"min_gain": self.min_gain, "tolerance": self.tolerance}
        asked = {"name": self.name, "metric": self.metric, "gain": self.gain, "power": self.power, **limits}
        needs = {"new": _need(self.new), "old": None if self.old is None else _need(self.old)}
        counts = {"gate_rows": self.gate_rows, "batch_rows": self.batch_rows, "assumed": self.assumed}
        smallest = self.smallest if math.isfinite(self.smallest) else None
        return {
            **asked,
            **counts,
            **needs,
            "last_batch": self.last_batch,
            "smallest_gain": smallest,
            "notes": self.notes,
        }

    def __str__(self) -> str:
        return "\n".join(_in_words(self)).rstrip()


def _need(need: Need) -> dict[str, Any]:
    spread = need.known.differences
    seen = {"variance": spread.variance, "differing": spread.differing, "updates": need.known.updates}
    counts = {"rows": need.rows, "have": need.have, "missing": need.missing, "use": need.use}
    return {
        "condition": need.condition,
        **counts,
        "distance": need.distance,
        "alpha": need.alpha,
        **seen,
        "known_from": need.known.text,
    }


def _in_words(plan: Plan) -> Iterator[str]:
    wanted, sure = _amount(plan.gain, plan), f"{100.0 * plan.power:g} %"
    yield f"To show a gain of {wanted} by {plan.metric} with probability {sure}, the next update of {plan.name} needs:"
    yield ""
    yield from _new(plan, plan.new)
    yield from _old(plan, plan.old) if plan.old is not None else ()
    yield ""
    yield from _after(plan)


def _amount(value: float, plan: Plan) -> str:
    """Return a gain or a tolerance in the unit in which the gate states it."""
    if plan.new.known.differences.scale != 1.0:
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
    yield f"  {'':25}  {level}, if nothing is lost and {_amount(plan.tolerance, plan)} may be;"
    yield f"  {'':25}  {_known(need.known)}"


def _known(known: VarianceEstimate) -> str:
    spread, where = known.differences, "assumed" if known.assumed else known.text
    if spread.differing is not None:
        return f"the models differ on {100.0 * spread.differing:.3g} % of the rows ({where})"
    return f"differences have a standard deviation of {math.sqrt(spread.variance):.3g} ({where})"


def _after(plan: Plan) -> Iterator[str]:
    if plan.old is not None and plan.old.rows is not None:
        both = max(0.0, 2.0 * plan.power - 1.0)
        yield f"Each holds with that probability; both together with at least {100.0 * both:.3g} %."
    if plan.last_batch and math.isfinite(plan.smallest):
        yield f"The last batch had {plan.last_batch:,} rows; one like it shows {_amount(plan.smallest, plan)} or more."
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
