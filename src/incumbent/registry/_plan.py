"""How many labels the next update of a registered model needs, and which rows are worth labelling."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incumbent import metrics, planning
from incumbent.core import Metric, Outcome, Paired
from incumbent.data import read
from incumbent.errors import RegistryError, UsageError
from incumbent.gate import Gate
from incumbent.gate.budget import control
from incumbent.memory import anchor_split
from incumbent.planning import Known, Labels, Plan
from incumbent.planning._plan import GATE_SHARE, JUDGED_SHARE
from incumbent.registry._folders import State, Version
from incumbent.registry._gate import resumed
from incumbent.store import Event
from incumbent.updating import ask
from incumbent.updating._old import ENOUGH

if TYPE_CHECKING:
    import pandas as pd

    from incumbent.registry._registry import Registry

LATEST = 10
"""Updates that are looked back on: what models differed by long ago says little of the next one."""
ROOM = 3_750
"""The most old rows that serve the gate: three quarters of an anchor set of 5,000."""
FILE = "differences.json"


@dataclass(frozen=True, eq=False)
class ToLabel:
    """Rows to label, with their weights, and why these.

    Parameters
    ----------
    frame : data frame
        The chosen rows as they were given, with one more column for the weights.
    labels : Labels
        How they were chosen and what that saves.
    champion, challenger : int
        The versions that are to be told apart.
    """

    frame: pd.DataFrame
    labels: Labels
    champion: int
    challenger: int


def plan(registry: Registry, name: str, *, gain: float, power: float, metric: str | Metric | None) -> Plan:
    """Return how many rows the next update needs; see `Registry.plan`."""
    stored, state = registry.version(name), registry.state(name)
    rule = _rule(stored, metric)
    seen, gate = list(_seen(registry, name)), stored.gate
    new = planning.pooled(seen, rule.name, "new") or _guess(stored, state, rule)
    alpha, kept = _level(state, gate), _old_rows(state)
    old = planning.pooled(seen, rule.name, "anchor") or new
    asked = gate.tolerance is not None
    return planning.make_plan(
        name,
        rule.name,
        gain=gain,
        power=power,
        alpha=alpha,
        new=new,
        min_gain=gate.min_gain,
        tolerance=gate.tolerance,
        old=old if asked else None,
        old_alpha=gate.level(state.anchor.use, alpha=alpha),
        old_rows=kept,
        old_room=max(ROOM, kept),
        use=state.anchor.use,
        last_batch=_last_batch(registry, name),
        share=JUDGED_SHARE if gate.source == "crossfit" else GATE_SHARE,
        notes=tuple(_notes(gate)),
    )


def _rule(stored: Version, metric: str | Metric | None) -> Metric:
    model = stored.model
    return metrics.metric(metric, task=model.task, classes=model.classes, labels=stored.schema.labels)


def _notes(gate: Gate) -> Iterator[str]:
    if gate.promise == "refresh":
        yield "The gate refreshes: routine re-learning needs none of this, a challenger of another strategy does."
    if gate.source == "prequential":
        yield "Prequential evidence adds up over batches: no single batch needs as many, all of them together do."


def to_label(
    registry: Registry,
    name: str,
    rows: Any,
    *,
    budget: int,
    version: int | None,
    metric: str | Metric | None,
    uniform: float,
    weight: str,
    seed: int,
) -> ToLabel:
    """Return the rows that are worth labelling; see `Registry.label`."""
    live, other = registry.champion(name), _challenger(registry, name, version)
    champion, challenger = registry.version(name, live), registry.version(name, other)
    rule = _rule(champion, metric)
    if champion.schema.inputs:
        raise UsageError(
            f"{name!r} learns from arrays, and rows to label are chosen from a table, to be written out again with "
            "their weights. Compare predictions with planning.choose in Python."
        )
    frame = read(rows, names=champion.schema.features)
    if weight in frame.columns:
        raise UsageError(f"The rows have a column {weight!r} already; name another for the weights (--weight).")
    said = [
        ask(each.model, each.schema.check(frame, labelled=False)[0].x, "these rows") for each in (champion, challenger)
    ]
    chosen = planning.choose(said[0], said[1], rule, rows=budget, uniform=uniform, seed=seed)
    return ToLabel(frame.iloc[chosen.at].assign(**{weight: chosen.weight}), chosen, live, other)


def _challenger(registry: Registry, name: str, version: int | None) -> int:
    """Return the version that is compared with the champion: the one named, waiting for approval, or standing."""
    live = registry.champion(name)
    if version is not None:
        if version == live:
            raise RegistryError(f"Version {version} of {name!r} is the champion; it differs from itself in nothing.")
        return version
    stands = [each for each in (registry.store.candidate(name), *reversed(registry.state(name).standing)) if each]
    if not stands or stands[0] == live:
        raise RegistryError(
            f"No challenger of {name!r} waits for approval or stands from an earlier update; say which version to "
            f"compare with the champion: --version N. See: incumbent history --name {name}"
        )
    return stands[0]


def _seen(registry: Registry, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield what the latest updates recorded of how much models differed, newest first."""
    done = [r for r in registry.store.history(name) if r.kind == "update" and r.status == "done"]
    for record in done[:LATEST]:
        with suppress(RegistryError):  # an update of an older version recorded nothing
            yield json.loads(registry.store.artifact(name, record.id, FILE).read_text())


def _last_batch(registry: Registry, name: str) -> int:
    updates = (r for r in registry.store.history(name) if r.kind == "update" and r.status == "done")
    newest = next(updates, None)
    return 0 if newest is None else int(newest.info.get("rows", {}).get("read", 0))


def _guess(stored: Version, state: State, rule: Metric) -> Known:
    """Return what the champion alone says: on the anchor rows, which it has not seen, else on what is remembered."""
    for rows, seen in ((state.anchor.rows, False), (state.memory.rows, True)):
        if rows is not None and len(rows):
            said = ask(stored.model, rows.x, "the old rows")
            found = planning.guess(Paired(rows.labels, said, said, weight=rows.weight), rule, seen=seen)
            if found is not None:
                return found
    raise UsageError(
        f"No update of this model recorded how much models differ by {rule.name} yet, and it cannot be guessed from "
        "the champion alone. Run one update with it, or plan by a metric with a loss per row (accuracy, brier, rmse)."
    )


def _level(state: State, gate: Gate) -> float:
    """Return the level of the next update, where a lifetime of them shares alpha."""
    return (resumed(state.control, gate) or control(gate.error_control, gate.alpha)).level()


def _old_rows(state: State) -> int:
    """Return how many old rows serve the gate: anchor rows, and while they are few, remembered ones by stand-ins."""
    kept = len(anchor_split(state.anchor)[1])
    return kept if kept >= ENOUGH else kept + len(state.memory)


def keep_differences(event: Event, outcome: Outcome, rule: Metric) -> None:
    """Record on an update how much champion and challenger differed, so that later plans can start from it."""
    told = planning.record(outcome.comparisons, rule, task=outcome.champion.task)
    event.file(json.dumps({"format": 1, **told}), FILE)
