"""Plan how many labels the next update of a registered model needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from incumbent import metrics, planning
from incumbent.core import Metric, Model, Outcome, PairedPredictions
from incumbent.errors import RegistryError, UsageError
from incumbent.gate import Gate
from incumbent.gate.budget import control
from incumbent.memory import anchor_split
from incumbent.planning import CROSSFIT_FRACTION, TEST_FRACTION, Plan, VarianceEstimate
from incumbent.registry._folders import State
from incumbent.registry._stored import RegistryBase, resume_control
from incumbent.store import Event, Record, Store
from incumbent.updating import ENOUGH_OLD_ROWS, safe_predict

LATEST = 10
"""Number of updates to pool. Differences between models of long ago say little about the next update."""
ROOM = 3_750
"""The most old rows that can serve the gate: three quarters of an anchor set of 5,000."""
FILE = "differences.json"


class PlanVerb(RegistryBase):
    """Plan an update."""

    def plan(self, name: str, *, gain: float = 0.01, power: float = 0.8, metric: str | Metric | None = None) -> Plan:
        """Return how many labelled rows the next update needs to show a gain, as far as earlier updates tell.

        Parameters
        ----------
        gain : float
            The gain to show, in the unit of the gate: 0.01 is one point of accuracy, or one percent of the champion's
            mean loss for squared errors, absolute errors and costs.
        power : float
            The probability of showing it.
        metric : str or Metric, optional
            What decides; the default is accuracy, or RMSE for a regression.

        Raises
        ------
        UsageError
            The gain or the power is not valid, or nothing is known of this metric yet.
        """
        stored, state = self._models.version(name), self._models.state(name)
        model, gate, old_rows, use = stored.model, stored.gate, _old_rows(state), state.anchor.next_use
        rule = metrics.metric(metric, task=model.task, classes=model.classes, labels=stored.schema.labels)
        done = [r for r in self.store.history(name) if r.kind == "update" and r.status == "done"]
        seen = list(_seen(self.store, name, done))
        new = planning.pool_updates(seen, rule.name, "new") or _guess(model, state, rule)
        old = planning.pool_updates(seen, rule.name, "anchor") or new
        alpha = (resume_control(state.control, gate) or control(gate.error_control, gate.alpha)).level()
        return planning.make_plan(
            name,
            rule.name,
            gain=gain,
            power=power,
            alpha=alpha,
            new=new,
            min_gain=gate.min_gain,
            tolerance=gate.tolerance,
            old=None if gate.tolerance is None else old,
            old_alpha=gate.level(use, alpha=alpha),
            old_rows=old_rows,
            old_room=max(ROOM, old_rows),
            use=use,
            last_batch=int(done[0].info.get("rows", {}).get("read", 0)) if done else 0,
            test_fraction=CROSSFIT_FRACTION if gate.source == "crossfit" else TEST_FRACTION,
            notes=tuple(_notes(gate)),
        )


def _notes(gate: Gate) -> Iterator[str]:
    if gate.rule == "refresh":
        yield "The gate refreshes: routine retraining needs none of these rows; a challenger of another strategy does."
    if gate.source == "prequential":
        yield "Prequential evidence adds up over batches: all of them together need as many rows, no single one does."


def _seen(store: Store, name: str, done: Sequence[Record]) -> Iterator[Mapping[str, Any]]:
    """Yield what the latest updates recorded about the differences between models, newest first."""
    for record in done[:LATEST]:
        with suppress(RegistryError):  # an update of an older release recorded nothing
            yield json.loads(store.artifact(name, record.id, FILE).read_text())


def _guess(model: Model, state: State, rule: Metric) -> VarianceEstimate:
    """Return a bound from the champion alone: on the anchor rows, which it has not seen, or else on remembered rows."""
    for rows, seen in ((state.anchor.rows, False), (state.memory.rows, True)):
        if rows is not None and len(rows):
            predictions = safe_predict(model, rows.x, "the old rows")
            found = planning.bound_from_champion(
                PairedPredictions(rows.labels, predictions, predictions, weight=rows.weight), rule, seen=seen
            )
            if found is not None:
                return found
    raise UsageError(
        f"No update of this model recorded how much models differ by {rule.name} yet, and the champion alone cannot "
        "show it. Run one update with this metric, or plan by a metric with a loss per row (accuracy, brier, rmse)."
    )


def _old_rows(state: State) -> int:
    """Return how many old rows serve the gate: anchor rows, and remembered rows while those are few."""
    kept = len(anchor_split(state.anchor)[1])
    return kept if kept >= ENOUGH_OLD_ROWS else kept + len(state.memory)


def keep_differences(event: Event, outcome: Outcome, rule: Metric) -> None:
    """Record on an update how much champion and challenger differed, for later plans."""
    found = planning.record(outcome.comparisons, rule, task=outcome.champion.task)
    event.file(json.dumps({"format": 1, **found}), FILE)
