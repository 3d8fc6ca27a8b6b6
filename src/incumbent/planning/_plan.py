"""How many labelled rows an update needs to show a gain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from incumbent.core import Value
from incumbent.errors import UsageError
from incumbent.planning._known import Known

NEW, OLD = "better on the new rows", "not worse on the old rows"
GATE_SHARE = 0.25
"""Of a batch; 60 % are learned from and 15 % choose among challengers."""
JUDGED_SHARE = 0.85
"""With crossfit the rows that are learned from judge too."""


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
    known : Known
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
    known: Known
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
        from incumbent.planning._words import plan_in_words

        return plan_in_words(self)


def _need(need: Need) -> dict[str, Any]:
    spread = need.known.spread
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


def make_plan(
    name: str,
    metric: str,
    *,
    gain: float,
    power: float,
    alpha: float,
    new: Known,
    min_gain: float = 0.0,
    tolerance: float | None = None,
    old: Known | None = None,
    old_alpha: float = math.nan,
    old_rows: int = 0,
    old_room: int = 0,
    use: int = 1,
    last_batch: int = 0,
    share: float = GATE_SHARE,
    notes: tuple[str, ...] = (),
) -> Plan:
    """Return how many rows show a gain, and that the old is not lost, each with probability `power`.

    Parameters
    ----------
    name, metric : str
        Which model, and what decides.
    gain : float
        The true gain on the new rows that is to be shown, above `min_gain`.
    power : float
        The probability of showing it, in (0, 1).
    alpha, old_alpha : float
        Levels of the two conditions at the next update.
    new, old : Known
        How much models differ on new and on old rows; `old` is None where the gate asks nothing of them.
    min_gain, tolerance : float
        Limits of the two conditions.
    old_rows, old_room : int
        Old rows that serve the gate today, and the most that can.
    use : int
        Which use of the old rows the next update will make.
    last_batch : int
        Rows of the latest batch.
    share : float
        Of a batch, the rows that judge.
    notes : tuple of str
        What should be known beside.

    Raises
    ------
    UsageError
        If the gain is not above `min_gain`, or the power is no probability.

    Examples
    --------
    >>> from incumbent.evaluation import Spread
    >>> seen = Known(Spread(750, 0.12, 0.12), 1, "seen in 1 update, 750 rows")
    >>> plan = make_plan("fraud", "accuracy", gain=0.02, power=0.8, alpha=0.05, new=seen)
    >>> plan.gate_rows, plan.batch_rows
    (1952, 7808)
    """
    if not 0.0 < power < 1.0:
        raise UsageError(f"power is the probability of showing the gain, in (0, 1), such as 0.8; {power} was given.")
    if not min_gain < gain < math.inf:
        raise UsageError(
            f"gain is a gain that the gate could show, above its min_gain of {min_gain:g}, such as "
            f"{min_gain + 0.01:g} (0.01 is one point of accuracy); {gain} was given."
        )
    scale = new.spread.scale
    distance = (gain - min_gain) * scale
    better = Need(NEW, new.spread.rows_for(distance, alpha=alpha, power=power), distance, alpha, new)
    kept = None
    if old is not None and tolerance is not None:
        room = tolerance * old.spread.scale
        rows = old.spread.rows_for(room, alpha=old_alpha, power=power)
        kept = Need(OLD, rows, room, old_alpha, old, old_rows, use)
    shown = new.spread.gain_for(int(share * last_batch), alpha=alpha, power=power) / scale + min_gain
    smallest = shown if last_batch else math.nan
    limits = (min_gain, tolerance if kept else None)
    return Plan(name, metric, gain, power, better, kept, *limits, last_batch, smallest, old_room, share, notes)
