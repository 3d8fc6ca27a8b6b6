"""The plan of an update: how many labelled rows each condition of the gate needs, as a value and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from incumbent._deprecated import renamed_members
from incumbent.core import Value
from incumbent.planning._variance import VarianceEstimate
from incumbent.words import Unit, percentage

TEST_FRACTION = 0.25
"""Fraction of a batch that tests; 60 % train and 15 % select."""
CROSSFIT_FRACTION = 0.85
"""With crossfit the training rows test too."""
_KEPT = 0.09
"""Fraction of a batch that tests later updates: half of its test rows join the anchor set, the gate uses 3/4 of it."""


@dataclass(frozen=True, repr=False)
class Need(Value):
    """Rows that one condition of the gate needs.

    Parameters
    ----------
    condition : str
        Its name in the verdict.
    rows : int or None
        Number of rows that show it with the wanted power; None if no number does.
    distance : float
        Distance of the true value from the limit of the condition, in the unit of the losses.
    alpha : float
        Level at which the next update tests it.
    known : VarianceEstimate
        How much the models are taken to differ.
    have : int
        Number of rows that are there already.
    use : int
        Number of the next use of these rows.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the need as plain numbers and texts, ready for JSON."""
        return {
            "condition": self.condition,
            "rows": self.rows,
            "have": self.have,
            "missing": self.missing,
            "use": self.use,
            "distance": self.distance,
            "alpha": self.alpha,
            "variance": self.known.differences.variance,
            "differing": self.known.differences.differing,
            "updates": self.known.updates,
            "known_from": self.known.text,
        }


@renamed_members({"share": "test_fraction"})
@dataclass(frozen=True, repr=False)
class Plan(Value):
    """How many labelled rows an update needs.

    Parameters
    ----------
    name, metric : str
        The model, and the deciding metric.
    gain, power : float
        The gain to show, and the probability of showing it. A gain is in points for scores with a scale of their own
        (0.01 is one point), and a fraction of the champion's mean loss for squared errors, absolute errors and costs.
    new : Need
        Test rows of the new batch.
    old : Need, optional
        Old rows for the gate; None if the gate does not test them.
    min_gain, tolerance : float
        Limits of the two conditions, in the unit of `gain`.
    last_batch : int
        Rows of the latest batch; 0 if there was none.
    smallest : float
        The smallest gain that a batch of this size shows with this power; nan if there was none.
    old_room : int
        The most old rows that the gate can use.
    test_fraction : float
        Fraction of a batch that tests: 0.25, or 0.85 with crossfit.
    notes : tuple of str
        Remarks for the user.
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
    test_fraction: float = TEST_FRACTION
    notes: tuple[str, ...] = ()

    @property
    def gate_rows(self) -> int | None:
        """Number of test rows that show the gain."""
        return self.new.rows

    @property
    def batch_rows(self) -> int | None:
        """Number of labelled rows in the whole batch; a fraction of them tests."""
        return None if self.new.rows is None else math.ceil(self.new.rows / self.test_fraction)

    @property
    def assumed(self) -> bool:
        """Whether no update recorded how much models differ here."""
        return self.new.known.assumed

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain numbers and texts, ready for JSON."""
        return {
            "name": self.name,
            "metric": self.metric,
            "gain": self.gain,
            "power": self.power,
            "min_gain": self.min_gain,
            "tolerance": self.tolerance,
            "gate_rows": self.gate_rows,
            "batch_rows": self.batch_rows,
            "assumed": self.assumed,
            "new": self.new.to_dict(),
            "old": None if self.old is None else self.old.to_dict(),
            "last_batch": self.last_batch,
            "smallest_gain": self.smallest if math.isfinite(self.smallest) else None,
            "notes": self.notes,
        }

    def __str__(self) -> str:
        size = _unit(self).size
        head = f"To show a gain of {size(self.gain)} in {self.metric} with power {percentage(self.power)}, the next "
        lines = [f"{head}update of {self.name} needs:", "", *_new(self)]
        lines += _old(self, self.old) if self.old is not None else ()
        return "\n".join([*lines, "", *_remarks(self), *_next(self)])


def _unit(plan: Plan) -> Unit:
    """Return the unit in which the gate states a gain or a tolerance."""
    if plan.new.known.differences.scale != 1.0:
        return Unit(100.0, "", " % of the champion's mean loss")
    return Unit(1.0, "", " nats") if plan.metric == "log_loss" else Unit(100.0, "", " points")


def _new(plan: Plan) -> Iterator[str]:
    need, rows = plan.new, "more rows than there can be"
    if need.rows is not None:
        split = "split 60/15/25" if plan.test_fraction == TEST_FRACTION else "all but 15 % of them test, by crossfit"
        rows = f"{need.rows:,} test rows: {plan.batch_rows:,} labelled rows, {split}"
    yield f"  {need.condition:25}  {rows}"
    yield f"  {'':25}  at level {percentage(need.alpha)}; {_known(need.known)}"


def _old(plan: Plan, need: Need) -> Iterator[str]:
    if need.rows is None or plan.tolerance is None:
        yield f"  {need.condition:25}  no number of rows shows that nothing at all was lost: allow a tolerance"
        return
    missing = f"{need.missing:,} are missing" if need.missing else "enough"
    lost = _unit(plan).size(plan.tolerance)
    yield f"  {need.condition:25}  {need.rows:,} old rows; {need.have:,} are there, {missing}"
    yield f"  {'':25}  at level {percentage(need.alpha)} (use {need.use} of these rows), if nothing is lost and {lost}"
    yield f"  {'':25}  may be; {_known(need.known)}"


def _known(known: VarianceEstimate) -> str:
    differing, where = known.differences.differing, "assumed" if known.assumed else known.text
    if differing is not None:
        return f"the models differ on {percentage(differing)} of the rows ({where})"
    return f"differences have a standard deviation of {math.sqrt(known.differences.variance):.3g} ({where})"


def _remarks(plan: Plan) -> Iterator[str]:
    if plan.old is not None and plan.old.rows is not None:
        both = percentage(max(0.0, 2.0 * plan.power - 1.0))
        yield f"That is the power of each condition; both together have at least {both}."
    if plan.last_batch and math.isfinite(plan.smallest):
        size = _unit(plan).size(plan.smallest)
        yield f"The last batch had {plan.last_batch:,} rows. A batch of this size shows {size} or more."
    if plan.assumed:
        yield f"Assumed: {plan.new.known.text}."
    yield from plan.notes


def _next(plan: Plan) -> Iterator[str]:
    old = plan.old
    if old is not None and old.rows is not None and old.missing:
        if old.rows > plan.old_room:
            yield f"next: the gate can use at most {plan.old_room:,} old rows, too few for this tolerance and the"
            yield "      rest of alpha. Allow more: Gate(tolerance=)."
        else:
            yield f"next: each update adds about {percentage(_KEPT)} of its rows to the old rows of the gate."
    if plan.assumed:
        yield "next: run one update and plan again. What it records replaces what is assumed here."
    else:
        yield "next: labels cost less if the models disagree: incumbent plan --label FILE --rows N -o OUT"
