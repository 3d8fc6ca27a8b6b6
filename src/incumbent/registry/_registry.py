"""The registry: bring a model in, update it, look at it, take it back."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from incumbent import metrics
from incumbent.core import AnchorSet, Memory, Metric, Model, Outcome, Prediction, Progress, Task
from incumbent.data import DataCheck, Schema, read
from incumbent.engine import parse_budget
from incumbent.errors import RegistryError, UsageError
from incumbent.gate import Gate
from incumbent.memory import carry_uses, remember
from incumbent.models import open_model, wrap
from incumbent.policy import Choice
from incumbent.registry import _shadow
from incumbent.registry._approval import approve, held_back, reasoned, refuse, without_refused
from incumbent.registry._folders import State, Version
from incumbent.registry._forget import Forgotten, forget
from incumbent.registry._gate import resumed, set_gate, spent, under
from incumbent.registry._images import channels_of, files_of, prepared_otherwise
from incumbent.registry._lineage import check_deletions
from incumbent.registry._lineage import events as deletions
from incumbent.registry._plan import ToLabel, keep_differences, plan, to_label
from incumbent.registry._purge import Purged, purge
from incumbent.registry._record import came_live, line, summary, write
from incumbent.registry._unfinished import unfinished
from incumbent.store import Event, Record, Store
from incumbent.updating import (
    Case,
    Followed,
    Lines,
    acquainted,
    anchor_set,
    ask,
    feature_names,
    prepare,
    run,
    same_classes,
    takes_tensors,
    task_of,
    unseen,
    with_classes,
)
from incumbent.updating._case import rare_rows, silent
from incumbent.updating._run import Prepared

if TYPE_CHECKING:
    import pandas as pd

    from incumbent.planning import Plan
    from incumbent.registry._live import LiveEvidence, Shadow


_STANDING = "standing v"
"""What a challenger is called that an earlier update made, before the number of its version."""


@dataclass(frozen=True, eq=False)
class Registered:
    """A model that was brought in.

    Parameters
    ----------
    name : str
        Its name.
    version : int
        Its version, which is live.
    model : Model
        Its adapter; `model.abilities` says what it can do.
    schema : Schema
        What its data look like.
    check : DataCheck
        What was found in the rows it was trained on.
    remembered, anchored : int
        Rows in the memory and in the anchor set.
    """

    name: str
    version: int
    model: Model
    schema: Schema
    check: DataCheck
    remembered: int
    anchored: int


class Registry:
    """Models by name, kept in MLflow: every version, its memory, its evidence and its history.

    Parameters
    ----------
    url : str or Path, optional
        A folder, ``sqlite:///FILE``, or the address of an MLflow server. Without it INCUMBENT_STORE is used, then
        MLFLOW_TRACKING_URI, then the folder ``.incumbent``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(4000, 2))
    >>> y = (x[:, 0] + (np.arange(4000) > 1000) * x[:, 1] > 0).astype(int)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     registry = Registry(folder)
    ...     model = LogisticRegression().fit(x[:1000], y[:1000])
    ...     came = registry.init("demo", model, (x[:1000], y[:1000]), gate=Gate(tolerance=None))
    ...     outcome = registry.update("demo", (x[1000:], y[1000:]), strategies="retrain")
    ...     outcome.decision, registry.champion("demo"), registry.rollback("demo", why="for the example")
    ('promote', 2, 1)
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self.store = Store(url)

    def __repr__(self) -> str:
        return f"Registry({self.store.url!r})"

    # --------------------------------------------------------------------------------------- changing

    def init(
        self,
        name: str,
        model: Any,
        data: Any,
        *,
        target: str = "target",
        anchor: Any = None,
        time: str | None = None,
        group: str | None = None,
        task: Task | None = None,
        gate: Gate | None = None,
        trust_pickle: bool = False,
        factory: Any = None,
        arguments: Mapping[str, Any] | None = None,
        prepare: Any = None,
        size: int | str | tuple[int, int] | None = None,
        seed: int = 0,
        user: str | None = None,
    ) -> Registered:
        """Bring in the model that is live today as version 1 of `name`.

        Parameters
        ----------
        name : str
            Letters, digits, ``. _ -``.
        model : native model, or path
            A fitted model, a file that holds one, or ``models:/NAME@ALIAS`` or ``runs:/ID/PATH`` in MLflow.
        data : frame, array, (x, y) pair, or path
            The rows it was trained on: they give the schema and the first memory.
        target : str
            The column to predict.
        anchor : frame, array, (x, y) pair, or path, optional
            Old rows that it was *not* trained on, for the old-data condition of the gate.
        time, group : str, optional
            Columns that order the rows, and that say which belong together.
        task : {"classification", "regression"}, optional
            What the model does, where it does not say so itself.
        gate : Gate, optional
            The rule of promotion of all its updates.
        trust_pickle : bool
            Open a pickled model file, which can run any code.
        factory, arguments : callable or "package.module:name", and mapping, optional
            What builds a PyTorch module, and what it is called with, where the file holds its weights only.
        prepare : callable or "package.module:name", optional
            What makes of rows what a PyTorch module sees; it is stored by name with every version. For images
            `incumbent.data.unit`, `centred` and `imagenet` are there.
        size : (int, int), int or str, optional
            Height and width that a folder of images is resized to, such as (224, 320), "224x320", or 224 for a square.
            Later folders are read in the size of this one by themselves.
        seed : int
            Where randomness comes from.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            The name is taken.
        DataError, ModelError, TrustError
            The rows or the model cannot be used.
        """
        given = {"factory": factory, "arguments": arguments}
        opened = self._opened(model, trust_pickle=trust_pickle, **given)
        champion = wrap(opened, **given, prepare=prepare)
        names = feature_names(champion)
        tensors, channels = takes_tensors(champion), channels_of(champion, data)
        frame = read(data, names=names, target=target, tensors=tensors, size=size, channels=channels)
        champion = acquainted(champion, frame, target, task)
        schema = Schema.of(frame, target=target, time=time, group=group, task=task_of(champion, task), features=names)
        champion, schema, notes = same_classes(champion, schema)
        rows, check = schema.check(frame)
        check = check.replace(findings=(*check.findings, *notes))
        ask(champion, rows.take(np.arange(min(len(rows), 100))).x, "the rows of --data")
        check = check.replace(findings=(*check.findings, *prepared_otherwise(champion, rows)))
        memory = remember(Memory(), rows, seed=seed, rare=rare_rows(champion))
        held = AnchorSet() if anchor is None else anchor_set(schema, schema.read(anchor))
        held, check = unseen(held, rows, check, task=champion.task)
        rule = gate or Gate()
        rule = rule.fixed(rows.x) if rule.slices else rule
        version = Version(champion, schema, rule, {"strategy": "init", "seed": seed})
        with (
            _folders(version, State(memory, held)) as (made, state),  # first: a model that cannot be stored shows here
            self.store.event(name, "init", user=user) as event,
        ):
            event.params({"data": check.source, "data_digest": check.digest, "rows": len(rows)})
            number = event.add_version(made, {"strategy": "init", "model": type(champion.native).__name__})
            event.keep_state(state)
            told = {"source": check.source, "digest": check.digest, "rows": {"read": len(rows), "anchor": len(held)}}
            event.conclude(decision="init", deploy=number, info=told)
        return Registered(name, number, champion, schema, check, len(memory), len(held))

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
        name : str
            Which model.
        new : frame, array, (x, y) pair, or path
            New labelled rows.
        strategies, budget, metric, seed, progress
            As in `incumbent.update`.
        gate : Gate, optional
            The rule of promotion this time; None is the one stored with the champion.
        weight : str, optional
            A column of the new rows that says how much each counts, as `label` wrote it; scaled to a mean of one.
        approve : bool
            Leave a challenger that passes as the alias ``candidate`` until a person approves or refuses it. It takes
            the place of one that waits already; a challenger that does not pass leaves that one waiting.
        dry_run : bool
            Do everything but record and promote.
        why : str
            The occasion, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            There is no such model.
        LockError
            Another process is changing it.
        DataError, AbilityError, UsageError
            The rows, a strategy or an argument cannot be used. Nothing is recorded then.
        """
        live, known = self.store.champion(name), self.store.state(name)
        champion = self.version(name, live)
        frame = champion.schema.read(new)

        def prepared(live: int, champion: Version) -> Prepared:
            state = self.state(name)
            batch, check = champion.schema.check(frame, weight=weight)
            check = dataclasses.replace(check, source=_source(new, check))
            rule = gate or champion.gate
            lines = rule.source == "prequential"  # a line of each strategy stands then, and no single challenger
            # an override can have made the one that stood the champion
            stands = {} if lines else {f"{_STANDING}{v}": v for v in state.standing if v != live}
            return prepare(
                Case(
                    champion.model,
                    batch,
                    check,
                    state.memory,
                    state.anchor,
                    {label: self.version(name, v).model for label, v in stands.items()},
                    strategies,
                    parse_budget(budget),
                    metric,
                    rule,
                    resumed(state.control, rule),
                    live=champion.strategy,
                    lines=state.lines if lines else Lines(),
                    followed=Followed.from_dict(state.followed),
                    seed=seed,
                    progress=progress,
                    checkpoints=unfinished(self.store.url, name),
                )
            )

        ready = prepared(live, champion)  # every mistake of the caller shows before anything is written
        if dry_run:
            return run(ready).replace(
                name=name, version_before=live, version_after=live, lineage=tuple(self.history(name))
            )
        with self.store.event(name, "update", why=why, user=user) as event:
            now = self.store.champion(name)
            if (now, self.store.state(name)) != (live, known):  # another update was quicker, and left other memories
                champion = self.version(name, now)
                ready = prepared(now, champion)
            outcome = run(ready).replace(
                name=name, version_before=event.version_before, update=event.id, lineage=tuple(self.history(name)[1:])
            )
            return self._conclude(event, outcome, ready, champion, waits=approve)

    def _conclude(self, event: Event, outcome: Outcome, ready: Prepared, champion: Version, *, waits: bool) -> Outcome:
        promoted, source = outcome.decision == "promote", outcome.check.source
        with tempfile.TemporaryDirectory() as scratch:
            number = self._challenger(event, outcome, champion, ready.case.batch.x, Path(scratch) / "version")
            if waits and promoted:
                outcome, promoted = held_back(event, outcome, ready.case, number), False
            stands = (number,) if number else tuple(map(_number, ready.case.standing))
            kept = Path(scratch) / "state"
            kept.mkdir()
            lines, followed = outcome.lines or Lines(), outcome.followed
            standing = () if promoted else stands
            control = spent(self, outcome, ready.case.gate, champion.gate)
            State(outcome.memory, outcome.anchor, standing, control, lines, followed).save(kept)
            event.keep_state(kept)
            outcome = outcome.replace(version_after=number if promoted else outcome.version_before)
            write(event, outcome, source=source, metric=outcome.metric, budget=ready.case.budget)
            keep_differences(event, outcome, ready.metric)
            other = "" if ready.case.gate == champion.gate else repr(ready.case.gate)
            told = summary(outcome, source=source, challenger=number, gate=other)
            event.conclude(
                decision="candidate" if outcome.candidate else outcome.decision,
                deploy=number if promoted else None,
                candidate=outcome.candidate or None,
                info=told,
            )
        return outcome

    def _challenger(self, event: Event, outcome: Outcome, before: Version, learned: pd.DataFrame, folder: Path) -> int:
        """Return the version of the chosen challenger, made now unless it stands from an earlier update; 0 is none."""
        chosen = outcome.chosen
        if chosen is None or chosen.model is None:
            return 0
        if chosen.recipe is None and outcome.decision != "promote":
            return _number(chosen.strategy)
        told = {"strategy": chosen.strategy, "recipe": repr(chosen.recipe), "seed": outcome.seed}
        schema = with_classes(before.schema, chosen.model).widened(learned)
        folder.mkdir()
        # the gate of the champion: another may have been given, for this time only
        Version(chosen.model, schema, before.gate, told).save(folder)
        return event.add_version(
            folder, {key: str(value) for key, value in told.items()} | {"decision": outcome.decision}
        )

    def rollback(
        self, name: str, *, to: int | None = None, why: str, bring_back: bool = False, user: str | None = None
    ) -> int:
        """Make the version that was live before live again, with the memory it had; return its number.

        Parameters
        ----------
        name : str
            Which model.
        to : int, optional
            A version that was live once; None is the one before the present.
        why : str
            The reason, for the record.
        bring_back : bool
            Go back to a version from before rows were deleted (`forget`), which brings them back with its memory.
        user : str, optional
            Who does it.

        Raises
        ------
        RegistryError
            There is no such version, it was never live, its files were purged, none was live before, or rows were
            deleted since and `bring_back` is not given.
        UsageError
            No reason was given.
        """
        reasoned(why, "A rollback")
        if to is not None:
            self._was_live(name, to)
        return self._deploy(name, "rollback", to, why, user, bring_back)

    def promote(self, name: str, version: int, *, why: str, bring_back: bool = False, user: str | None = None) -> int:
        """Make a version live without asking the gate: an override, recorded as such.

        Raises
        ------
        RegistryError
            There is no such version, its files were purged, it is live already, or it is from before rows were deleted
            and `bring_back` is not given.
        UsageError
            No reason was given.
        """
        reasoned(why, "A promotion without the gate")
        return self._deploy(name, "promote", version, why, user, bring_back)

    def approve(self, name: str, *, why: str, user: str | None = None) -> int:
        """Make the candidate live, the version that passed the gate and waits; return its number.

        Parameters
        ----------
        name : str
            Which model.
        why : str
            The reason, for the record.
        user : str, optional
            Who approves; default the user of this process.

        Raises
        ------
        RegistryError
            Nothing waits, or the champion that it was judged against is not live any more.
        UsageError
            No reason was given.
        """
        return approve(self, name, why=why, user=user)

    def refuse(self, name: str, *, why: str, user: str | None = None) -> int:
        """Refuse the candidate, which then neither waits nor stands again; return its number.

        The parameters and errors are those of `approve`.
        """
        return refuse(self, name, why=why, user=user)

    def _deploy(self, name: str, kind: str, version: int | None, why: str, user: str | None, bring_back: bool) -> int:
        def checked() -> tuple[int, list[Record]]:
            live = self.store.champion(name)
            number = self.store.previous(name) if version is None else version
            if number == live:
                raise RegistryError(f"Version {number} of {name!r} is live already.")
            self._exists(name, number)
            self.store.check_there(name, number)
            again = _again(name, kind, number)
            return number, check_deletions(self, name, live, number, bring_back=bring_back, again=again)

        checked()  # what cannot be done leaves no trace
        with self.store.event(name, kind, why=why, user=user) as event:
            number, undone = checked()
            decision = "rollback" if kind == "rollback" else "override"
            told = {"strategy": f"brings back the rows of {deletions(undone)}"} if undone else {}
            event.conclude(decision=decision, deploy=number, info={"why": why, **told})
        return number

    def forget(
        self,
        name: str,
        rows: Any,
        *,
        retrain: bool = False,
        keep_model: bool = False,
        learned: bool = False,
        why: str,
        seed: int = 0,
        user: str | None = None,
    ) -> Forgotten:
        """Delete rows: a version takes over, in one step, whose memory, anchor set and sums no longer hold them.

        A model with an analytic head (`incumbent.strategies.Analytic`) is solved without them from its sums alone, and
        then equals one that never learned them. Others cannot forget, and nothing happens until somebody says what
        should. Every copy of a row goes. Standing challengers and lines go too; nobody waits for approval any more.
        Versions of before still hold what they held, until `purge`.

        Parameters
        ----------
        name : str
            Which model.
        rows : frame, array, (x, y) pair, or path
            The rows with their labels, as they were learned: they are found by content.
        retrain : bool
            Train the live model's settings anew on all else that is remembered. No gate judges what comes out.
        keep_model : bool
            Leave a model that cannot forget as it is, and take the rows out of memory and anchor set alone.
        learned : bool
            Rows that memory has let go of were learned: it is a sample once there are more than it keeps, and cannot
            tell. They are then taken out of the sums. Give each as often as it was learned.
        why : str
            The reason, for the record, which holds nothing of the rows but their number.
        seed : int
            Where randomness comes from in training.
        user : str, optional
            Who does it; default the user of this process.

        Returns
        -------
        Forgotten
            What was done, and which versions may still hold the rows.

        Raises
        ------
        DataError
            Some of the rows were never learned, or that cannot be told; nothing is changed.
        ModelError
            The model cannot forget exactly, and neither `retrain` nor `keep_model` was given.
        UsageError
            No reason was given, or options that do not go together.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     registry = Registry(folder)
        ...     came = registry.init("demo", LogisticRegression().fit(x, y), (x, y))
        ...     done = registry.forget("demo", (x[:3], y[:3]), retrain=True, why="request 17")
        >>> done.how, done.learned, done.remembered, done.still_held
        ('retrain', 3, 197, (1,))
        """
        return forget(
            self, name, rows, retrain=retrain, keep_model=keep_model, learned=learned, why=why, seed=seed, user=user
        )

    def purge(self, name: str, *, why: str, user: str | None = None) -> Purged:
        """Delete for good whatever may hold rows that were deleted: versions, memories, pages and outcomes of before.

        What the live version came from since the last deletion stays, and so does the history. Nobody can go back to
        what is gone. A purge that was interrupted is ended by another.

        Parameters
        ----------
        name : str
            Which model.
        why : str
            The reason, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            No row was deleted, or the version that is live is from before that.
        UsageError
            No reason was given.
        """
        return purge(self, name, why=why, user=user)

    def set_gate(self, name: str, gate: Gate, *, why: str, user: str | None = None) -> Gate:
        """Put a model under another gate from now on, whichever of its versions is live; return the gate as it is kept.

        Parameters
        ----------
        name : str
            Which model.
        gate : Gate
            The rule of promotion. Slices that are columns become conditions, by the values of remembered rows. With
            another `error_control` or `alpha`, what was spent under the old one is no longer counted.
        why : str
            The reason, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        UsageError
            No reason was given, a slice does not fit the rows, or this is the gate already.
        """
        return set_gate(self, name, gate, why=why, user=user)

    # ---------------------------------------------------------------------------------------- reading

    def champion(self, name: str) -> int:
        """Return the version that is live."""
        return self.store.champion(name)

    def version(self, name: str, version: int | None = None) -> Version:
        """Return a stored version, the champion by default: its model, schema, gate, and how it was made."""
        number = self.store.champion(name) if version is None else version
        return under(Version.load(self.store.folder(name, number)), self.store.gate(name))

    def load(self, name: str, version: int | None = None) -> Any:
        """Return the native model of a version, the champion by default."""
        return self.version(name, version).model.native

    def state(self, name: str) -> State:
        """Return what the next update will know: memory, anchor set, standing challengers."""
        state = State.load(self.store.state(name))
        done = [record for record in self.store.history(name) if record.status == "done"]
        state = without_refused(state, done) if state.standing else state
        told = (
            record for record in done if record.kind not in ("refuse", "gate", "shadow")
        )  # which move no version and no state
        moves = itertools.takewhile(lambda record: record.kind in ("rollback", "promote"), told)
        for older, record in enumerate(moves):
            # going back brings back the rows of that time, but not the error budget that was spent since
            try:
                later = State.load(self.store.state(name, record.version_before))
            except RegistryError:  # a purge that was interrupted has deleted it
                continue
            spent = state.control if older else later.control
            state = dataclasses.replace(state, anchor=carry_uses(state.anchor, later.anchor), control=spent)
        return state

    def predict(self, name: str, rows: Any, *, version: int | None = None) -> pd.DataFrame:
        """Return predictions for rows without labels: the column "prediction", and one "proba_CLASS" for each class.

        Where a row has several labels or values at once, "prediction_LABEL" and "proba_LABEL" for each of them. For a
        folder of images the column "file" comes first.

        Raises
        ------
        RegistryError
            There is no such model or version.
        DataError
            The rows do not have the columns that the model was trained on.
        """
        import pandas as pd

        stored = self.version(name, version)
        batch, _ = stored.schema.check(stored.schema.read(rows), labelled=False)
        said = ask(stored.model, batch.x, "these rows")
        files = files_of(rows)
        named = {} if files is None else {"file": files}
        return pd.DataFrame({**named, **_label_columns(said), **_proba_columns(said)})

    def evaluate(self, name: str, rows: Any, *, version: int | None = None) -> dict[str, float]:
        """Return every metric of a version on labelled rows."""
        stored = self.version(name, version)
        batch, _ = stored.schema.check(stored.schema.read(rows))
        said = ask(stored.model, batch.x, "these rows")
        found: dict[str, float] = metrics.scores(batch.labels, said, task=stored.model.task, weight=batch.weight)
        return {"rows": len(batch), **found}

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return everything that happened to a model, newest first."""
        waiting = self.store.candidate(name)
        return [line(record, waiting) for record in self.store.history(name)]

    def models(self) -> list[dict[str, Any]]:
        """Return every model: its live version, how many there are, and its last event."""
        return [self._model_line(name) for name in self.store.names()]

    def show(self, name: str, version: int | None = None) -> dict[str, Any]:
        """Return what is known of a version, the champion by default."""
        number = self.store.champion(name) if version is None else version
        self._exists(name, number)
        info = next(v for v in self.store.versions(name) if v.version == number)
        stored = self.version(name, number)
        state = self.state(name) if number == self.champion(name) else State.load(self.store.state(name, number))
        return {
            "name": name,
            "version": number,
            "status": info.status,
            "created": info.created.isoformat(timespec="seconds"),
            "came_live": came_live(self.store.history(name), number),
            "model": repr(stored.model.native),
            "task": stored.model.task,
            "abilities": sorted(stored.model.abilities),
            "made_by": dict(stored.told),
            "features": list(stored.schema.features),
            "target": stored.schema.target,
            "classes": list(stored.schema.classes or ()),
            "gate": repr(stored.gate),
            "memory_rows": len(state.memory),
            "rows_seen": state.memory.seen,
            "anchor_rows": len(state.anchor),
            "anchor_uses": state.anchor.use - 1,
            "standing": list(state.standing),
            "candidate": self.store.candidate(name),
            "store": self.store.url,
        }

    def report(self, name: str, path: str | Path, *, update: str | None = None) -> Path:
        """Copy the page of an update, the latest by default, to `path`.

        Raises
        ------
        RegistryError
            There was no update yet, or no such one.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise UsageError(f"There is no folder {target.parent} to write {target.name} into.")
        id = update or next((r.id for r in self.store.history(name) if r.kind == "update" and r.status == "done"), None)
        if id is None:
            raise RegistryError(
                f"{name!r} was not updated yet, so there is no report; incumbent update FILE --name {name}"
            )
        page = self.store.artifact(name, id, "report.html")
        target.write_bytes(page.read_bytes())
        return target

    def plan(self, name: str, *, gain: float = 0.01, power: float = 0.8, metric: str | Metric | None = None) -> Plan:
        """Return how many labelled rows the next update needs to show a gain, as far as earlier updates tell.

        Parameters
        ----------
        name : str
            Which model.
        gain : float
            The gain to be shown, as the gate states it: 0.01 is one point of accuracy, or one percent of the champion's
            mean loss for squared errors, absolute errors and costs.
        power : float
            With which probability it is to be shown.
        metric : str or Metric, optional
            What decides; None is accuracy, or RMSE for a regression.

        Raises
        ------
        UsageError
            The gain or the power means nothing, or nothing is known of this metric yet.
        """
        return plan(self, name, gain=gain, power=power, metric=metric)

    def label(
        self,
        name: str,
        rows: Any,
        *,
        budget: int,
        version: int | None = None,
        metric: str | Metric | None = None,
        uniform: float = 0.5,
        weight: str = "weight",
        seed: int = 0,
    ) -> ToLabel:
        """Return the rows without labels that are worth labelling, with weights that keep every mean unbiased.

        Parameters
        ----------
        name : str
            Which model.
        rows : frame, array, or path
            Rows without labels.
        budget : int
            How many of them to label.
        version : int, optional
            The challenger; None is the one that waits for approval, else the one that stands from the last update.
        metric : str or Metric, optional
            What is to be told apart; one with a loss for each row. None is accuracy, or RMSE for a regression.
        uniform : float
            The share of the budget spread over all rows alike, in [0, 1]. Half, so that the labels serve an update,
            whose challengers are others; 0 tells the most about these two, and nothing else.
        weight : str
            What the column of weights is called.
        seed : int
            Where randomness comes from.

        Raises
        ------
        RegistryError
            There is no such version, or no challenger.
        DataError, UsageError
            The rows or an argument cannot be used, or no label could tell the two apart.
        """
        return to_label(
            self, name, rows, budget=budget, version=version, metric=metric, uniform=uniform, weight=weight, seed=seed
        )

    def shadow_start(
        self,
        name: str,
        version: int,
        *,
        bound: float | None = None,
        min_gain: float = 0.0,
        alpha: float = 0.05,
        goal: Literal["promote", "rollback"] = "promote",
        metric: str | None = None,
        columns: dict[str, str] | None = None,
        why: str = "",
        user: str | None = None,
    ) -> Shadow:
        """Compare a version with the champion on live labels from now on, by rules that are fixed and recorded first.

        Parameters
        ----------
        name, version : str, int
            Which model, and which of its versions beside the one that is live.
        bound : float, optional
            The largest loss of a row; what is above is cut off. None is the metric's own or, where it has none, the
            99 % quantile of the champion's losses on old rows.
        min_gain : float
            The gain in mean loss that must be exceeded.
        alpha : float
            The chance of ever deciding wrongly, however often one looks.
        goal : {"promote", "rollback"}
            What is decided once `version` is shown to be better: that it takes the champion's place, or that it comes
            back, having been live before.
        metric : str, optional
            Whose losses; one with a loss for each row. None is accuracy, or RMSE for a regression.
        columns : mapping, optional
            What the log calls "id", "champion", "challenger", "label" and "time", where it is anything else. For a
            metric on probabilities "champion" is the beginning of ``champion_CLASS``.
        why, user : str, optional
            The occasion, and who does it, for the record.

        Raises
        ------
        RegistryError
            There is no such version, it is live, or it is to come back and never was.
        UsageError
            A setting means nothing.
        """
        return _shadow.start(
            self,
            name,
            version,
            bound=bound,
            min_gain=min_gain,
            alpha=alpha,
            goal=goal,
            metric=metric,
            columns=columns,
            why=why,
            user=user,
        )

    def shadow_status(self, name: str, logs: Any, *, before: Any = None) -> LiveEvidence:
        """Return what the labels so far show; nothing is recorded, and one may look as often as one likes.

        Parameters
        ----------
        name : str
            Which model.
        logs : frame, path, or list of those
            The whole log: tables of predictions, of labels that came later, or of both.
        before : optional
            Count only rows predicted before this moment (see `incumbent.evidence.live.from_log`).

        Raises
        ------
        RegistryError
            No shadow runs.
        DataError
            A table is none of the log, or an id is there twice.
        """
        return _shadow.status(self, name, logs, before=before)

    def shadow_decide(
        self, name: str, logs: Any, *, before: Any = None, why: str = "", user: str | None = None
    ) -> LiveEvidence:
        """Promote, go back, or end the shadow, if the labels show it; record that with the evidence.

        Undecided, nothing changes and nothing is recorded. `logs` and `before` are as in `shadow_status`.

        Raises
        ------
        RegistryError
            No shadow runs.
        LockError
            Another process is changing the model.
        """
        return _shadow.decide(self, name, logs, before=before, why=why, user=user)

    def outcome(self, name: str, update: str) -> dict[str, Any]:
        """Return the outcome of an update as it was recorded: what ``--json`` printed."""
        found: dict[str, Any] = json.loads(self.store.artifact(name, update, "outcome.json").read_text())
        return found

    # ---------------------------------------------------------------------------------------- details

    def _opened(self, model: Any, *, trust_pickle: bool, **net: Any) -> Any:
        """Return the native model that was given; an address of MLflow is looked up in this store first."""
        if not isinstance(model, str | Path):
            return model
        if not str(model).startswith(("models:/", "runs:/")):
            return open_model(model, trust_pickle=trust_pickle, **net)
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = self.store.fetch(str(model), Path(folder))
            except RegistryError:
                elsewhere = os.environ.get("MLFLOW_TRACKING_URI")
                if not elsewhere:
                    raise
                found = Store(elsewhere).fetch(str(model), Path(folder))
            return open_model(found, trust_pickle=trust_pickle)

    def _exists(self, name: str, version: int) -> None:
        known = [v.version for v in self.store.versions(name)]
        if version not in known:
            has = ", ".join(map(str, known))
            raise RegistryError(
                f"{name!r} has no version {version}; it has {has}. See: incumbent history --name {name}"
            )

    def _was_live(self, name: str, version: int) -> None:
        self._exists(name, version)
        info = next(v for v in self.store.versions(name) if v.version == version)
        self.store.check_there(name, version)
        if info.status in ("candidate", "challenger", "interrupted"):
            raise RegistryError(
                f"Version {version} of {name!r} was never live, so it is nothing to go back to. To make it live "
                f"against its verdict: incumbent promote --name {name} --version {version} --why TEXT"
            )

    def _model_line(self, name: str) -> dict[str, Any]:
        newest = self.store.history(name)[0]
        return {
            "name": name,
            "version": self.store.champion(name),
            "versions": len(self.store.versions(name)),
            "candidate": self.store.candidate(name),
            "last": newest.kind,
            "decision": newest.decision,
            "time": newest.time.isoformat(timespec="seconds"),
        }


@contextmanager
def _folders(version: Version, state: State) -> Iterator[tuple[Path, Path]]:
    """Write a version and its state into folders that are gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        made, kept = Path(scratch) / "version", Path(scratch) / "state"
        made.mkdir()
        kept.mkdir()
        version.save(made)
        state.save(kept)
        yield made, kept


def _number(standing: str) -> int:
    return int(standing.removeprefix(_STANDING))


def _again(name: str, kind: str, version: int) -> str:
    """Say how to bring deleted rows back all the same."""
    to = f"--to {version}" if kind == "rollback" else f"--version {version}"
    typed = f"incumbent {kind} --name {name} {to} --why TEXT --bring-back"
    return f"To make it live all the same: {typed}; then delete the rows again with incumbent forget."


def _source(new: Any, check: DataCheck) -> str:
    return str(new) if isinstance(new, str | Path) else check.source


def _label_columns(said: Prediction) -> Mapping[str, Any]:
    if np.ndim(said.label) == 1:
        return {"prediction": said.label}
    names = range(said.label.shape[1]) if said.classes is None else said.classes
    return {f"prediction_{name}": said.label[:, i] for i, name in enumerate(names)}


def _proba_columns(said: Prediction) -> Mapping[str, Any]:
    if said.proba is None or said.classes is None:
        return {}
    return {f"proba_{label}": said.proba[:, i] for i, label in enumerate(said.classes)}
