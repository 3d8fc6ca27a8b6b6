"""Update a stored model with new rows, and record the outcome in one step."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incumbent.core import Metric, Outcome, Progress
from incumbent.engine import parse_budget
from incumbent.gate import Gate
from incumbent.gate.budget import control
from incumbent.policy import Choice
from incumbent.registry._approve import hold_for_approval
from incumbent.registry._folders import State, Version
from incumbent.registry._plan import keep_differences
from incumbent.registry._read import history
from incumbent.registry._record import summary, write
from incumbent.registry._stored import StoredModels, resume_control, runner_up_version
from incumbent.store import Event
from incumbent.updating import (
    PrequentialModels,
    SelectionWeights,
    UpdateInputs,
    prepare_update,
    run,
    with_classes,
)


def update(
    models: StoredModels,
    name: str,
    new: Any,
    *,
    strategies: Choice,
    budget: str | float | None,
    metric: str | Metric | None,
    gate: Gate | None,
    weight: str | None,
    seed: int,
    approve: bool,
    dry_run: bool,
    why: str,
    user: str | None,
    progress: Progress,
) -> Outcome:
    """Update a model; see `Registry.update`."""
    store = models.store
    version, state = store.champion(name), store.state(name)
    stored = models.version(name, version)
    frame = stored.schema.read(new)

    def prepared(version: int, stored: Version) -> UpdateInputs:
        live = models.live(name, version, stored, gate)
        batch, check = live.schema.check(frame, weight=weight)
        source = str(new) if isinstance(new, str | Path) else check.source
        return prepare_update(
            live,
            batch,
            dataclasses.replace(check, source=source),
            strategies=strategies,
            budget=parse_budget(budget),
            metric=metric,
            seed=seed,
            progress=progress,
            checkpoints=models.checkpoints(name),
        )

    inputs = prepared(version, stored)  # every mistake of the caller shows before anything is written
    if dry_run:
        earlier = tuple(history(store, name))
        return run(inputs).replace(name=name, version_before=version, version_after=version, lineage=earlier)
    with store.event(name, "update", why=why, user=user) as event:
        now = store.champion(name)
        if (now, store.state(name)) != (version, state):  # another update ended first and left another memory
            stored = models.version(name, now)
            inputs = prepared(now, stored)
        before = event.version_before or 0
        outcome = run(inputs).replace(
            name=name, version_before=before, update=event.id, lineage=tuple(history(store, name)[1:])
        )
        return _conclude(models, event, inputs, outcome, stored, waits=approve)


def _conclude(
    models: StoredModels, event: Event, inputs: UpdateInputs, outcome: Outcome, champion: Version, *, waits: bool
) -> Outcome:
    """Store the challenger, the state and the outcome, and make the decision true."""
    promoted, source, gate = outcome.decision == "promote", outcome.check.source, inputs.live.gate
    with tempfile.TemporaryDirectory() as scratch:
        number = _store_challenger(event, inputs, outcome, champion, Path(scratch) / "version")
        if waits and promoted:
            outcome, promoted = hold_for_approval(event, outcome, inputs.live, number), False
        _next_state(models, inputs, outcome, champion, number, promoted).save(_made(Path(scratch) / "state"))
        event.keep_state(Path(scratch) / "state")
        outcome = outcome.replace(version_after=number if promoted else outcome.version_before)
        write(event, outcome, source=source, metric=outcome.metric, budget=inputs.budget)
        keep_differences(event, outcome, inputs.metric)
        other = "" if gate == champion.gate else repr(gate)
        event.conclude(
            decision="candidate" if outcome.candidate else outcome.decision,
            deploy=number if promoted else None,
            candidate=outcome.candidate or None,
            info=summary(outcome, source=source, challenger=number, gate=other),
        )
    return outcome


def _store_challenger(event: Event, inputs: UpdateInputs, outcome: Outcome, champion: Version, folder: Path) -> int:
    """Return the version of the chosen challenger, stored now unless it is a runner-up; 0 if there is none."""
    chosen = outcome.chosen
    if chosen is None or chosen.model is None:
        return 0
    if chosen.recipe is None and outcome.decision != "promote":
        return runner_up_version(chosen.strategy)
    how = {"strategy": chosen.strategy, "recipe": repr(chosen.recipe), "seed": outcome.seed}
    schema = with_classes(champion.schema, chosen.model).extend(inputs.batch.x)
    # the gate of the champion: the caller may have given another one for this update only
    Version(chosen.model, schema, champion.gate, how).save(_made(folder))
    return event.add_version(folder, {key: str(value) for key, value in how.items()} | {"decision": outcome.decision})


def _next_state(
    models: StoredModels, inputs: UpdateInputs, outcome: Outcome, champion: Version, number: int, promoted: bool
) -> State:
    """Return the state that this update leaves to the next one."""
    kept = (number,) if number else tuple(map(runner_up_version, inputs.live.state.runners_up))
    return State(
        outcome.memory,
        outcome.anchor,
        () if promoted else kept,
        _spent(models, outcome, inputs.live.gate, champion.gate),
        outcome.lines or PrequentialModels(),
        SelectionWeights.from_dict(outcome.followed),
    )


def _spent(models: StoredModels, outcome: Outcome, given: Gate, own: Gate) -> Mapping[str, Any]:
    """Return the state of the model's own error control after an update.

    A gate for one update may have another error control. The model's own then records an update without a promotion,
    so that nobody renews an error budget by a detour.
    """
    if (given.error_control, given.alpha) == (own.error_control, own.alpha):
        return outcome.control
    stored = models.state(outcome.name).control
    if not outcome.comparisons:
        return stored
    return (resume_control(stored, own) or control(own.error_control, own.alpha)).record(False).to_dict()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
