"""Update a stored model with new rows, and record the outcome in one step."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incumbent.core import Metric, Outcome, Progress, silent
from incumbent.engine import parse_budget
from incumbent.gate import Gate
from incumbent.gate.budget import control
from incumbent.policy import Choice
from incumbent.registry._approve import hold_for_approval
from incumbent.registry._folders import State, Version
from incumbent.registry._plan import keep_differences
from incumbent.registry._read import ReadVerbs
from incumbent.registry._record import summary, write
from incumbent.registry._stored import StoredModels, resume_control, runner_up_version
from incumbent.store import Event
from incumbent.updating import (
    PrequentialModels,
    UpdateInputs,
    prepare_update,
    run,
    with_classes,
)


class UpdateVerb(ReadVerbs):
    """Update a model."""

    def update(
        self,
        name: str,
        new: Any,
        *,
        strategies: Choice = "auto",
        budget: str | float | None = "5m",
        metric: str | Metric | None = None,
        gate: Gate | None = None,
        weight: str | None = None,
        seed: int = 0,
        approve: bool = False,
        dry_run: bool = False,
        why: str = "",
        user: str | None = None,
        progress: Progress = silent,
    ) -> Outcome:
        """Update a model with new rows: promote a challenger in one step, or keep the champion, and record why.

        Parameters
        ----------
        new : frame, array, (x, y) pair, or path
            New labelled rows.
        strategies, budget, metric, seed, progress
            As in `incumbent.update`.
        gate : Gate, optional
            The rule of promotion for this update only; the default is the model's own.
        weight : str, optional
            A column that says how much each new row counts, such as `label` writes. Scaled to a mean of one.
        approve : bool
            Leave a challenger that passes as the alias ``candidate`` until a person approves or refuses it. It
            replaces an earlier candidate; a challenger that does not pass leaves that one waiting.
        dry_run : bool
            Record and promote nothing.

        Raises
        ------
        RegistryError
            There is no such model.
        LockError
            Another process is changing it.
        DataError, AbilityError, UsageError
            The rows, a strategy or an argument cannot be used. Then nothing is recorded.
        """
        models, store = self._models, self.store
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
            earlier = tuple(self.history(name))
            return run(inputs).replace(name=name, version_before=version, version_after=version, lineage=earlier)
        with store.event(name, "update", why=why, user=user) as event:
            now = store.champion(name)
            if (now, store.state(name)) != (version, state):  # another update ended first and left another memory
                stored = models.version(name, now)
                inputs = prepared(now, stored)
            before, earlier = event.version_before or 0, tuple(self.history(name)[1:])
            outcome = run(inputs).replace(name=name, version_before=before, update=event.id, lineage=earlier)
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
        _next_state(models, inputs, outcome, champion, number, promoted).save(Path(scratch) / "state")
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
    Version(chosen.model, schema, champion.gate, how).save(folder)
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
    )


def _spent(models: StoredModels, outcome: Outcome, given: Gate, own: Gate) -> Mapping[str, Any]:
    """Return the state of the model's own error control after an update.

    A gate for one update may have another error control. The model's own then records an update without a promotion,
    so that such a gate does not renew the error budget.
    """
    if (given.error_control, given.alpha) == (own.error_control, own.alpha):
        return outcome.control
    stored = models.state(outcome.name).control
    if not outcome.comparisons:
        return stored
    return (resume_control(stored, own) or control(own.error_control, own.alpha)).record(False).to_dict()
