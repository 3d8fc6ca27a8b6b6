"""Change a name in one event, so that a crash at any line changes nothing or all.

What an event will do is first written on its run, as one tag: the *intent*. Then one single write makes it true:

- a deployment moves the alias ``champion``; the version that it moves to already has its state;
- an update whose challenger waits for approval, and the refusal of one, move the alias ``candidate``;
- a gate for the name is a tag on the registered model that names its event;
- an event that does none of these but keeps a state sets the state tag of the champion to itself;
- any other event is true with its intent.

Last, the run is marked as finished. So another process can tell from the run and the alias or tag whether an ended
event came true (`_settle.py`).
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from incumbent.errors import IncumbentError, LockError, RegistryError, UsageError
from incumbent.store import _candidate, _files, _lock
from incumbent.store._client import Client
from incumbent.store._lookup import alias_of, champion_of, experiment_of, registered, title, version_of
from incumbent.store._record import (
    BEFORE,
    CHAMPION,
    EVENT,
    GATE,
    GATE_FILE,
    INFO,
    INFO_FILE,
    INTENT,
    KIND,
    LONGEST_TAG,
    NUMBER,
    OURS,
    OWNER,
    PATH,
    PURGED,
    STATE,
    USER,
    WAITS,
    WHY,
    cut,
    number,
)
from incumbent.store._settle import reachable, settle
from incumbent.store._where import Place, local_path

KINDS = ("init", "update", "approve", "refuse", "promote", "rollback", "gate", "shadow", "forget", "purge")
_LONGEST_PARAM, _MOST_AT_ONCE = 6000, 100  # what every server of MLflow >= 3.10 takes
_PACKAGES = ("incumbent", "numpy", "pandas", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu")


class Event:
    """One change to a name, while it is being made. `Store.event` opens and closes it.

    Attributes
    ----------
    id : str
        The id of the event, which is that of its MLflow run.
    number : int
        Counted from 1 for each name.
    name, kind : str
        The name that it changes, and the kind of event.
    version_before : int or None
        The version that was live when it began.
    """

    def __init__(self, client: Client, name: str, kind: str, run: Any, version_before: int | None) -> None:
        self.id: str = run.info.run_id
        self.number: int = number(run.data.tags, NUMBER) or 0
        self.name, self.kind, self.version_before = name, kind, version_before
        self._client, self._run = client, run
        self._added: list[int] = []
        self._keeps_state = self._keeps_gate = self._concluded = False

    def __repr__(self) -> str:
        return f"<Event {self.kind} {self.number} of {self.name!r}>"

    def params(self, values: Mapping[str, object]) -> None:
        """Record settings, each name once per event. Long values and odd names are cut to what MLflow takes."""
        from mlflow.entities import Param

        self._log("params", [Param(k, v) for k, v in _words(values, _LONGEST_PARAM).items()])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Record numbers; NaN is left out."""
        from mlflow.entities import Metric

        known = {_key(k): float(v) for k, v in values.items() if not math.isnan(float(v))}
        self._log("metrics", [Metric(k, v, _now(), 0) for k, v in known.items()])

    def tags(self, values: Mapping[str, object]) -> None:
        """Record words to search for."""
        from mlflow.entities import RunTag

        if ours := [key for key in values if key.startswith(OURS)]:
            raise UsageError(f"The tag {ours[0]!r} begins with {OURS!r}, which is reserved for the store.")
        self._log("tags", [RunTag(k, v) for k, v in _words(values, LONGEST_TAG).items()])

    def file(self, content: Path | bytes | str, as_name: str) -> None:
        """Store a file (a `Path`), or bytes or text as one, under `as_name`, such as ``"report.html"``."""
        _files.put(self._client, self.id, content, as_name)

    def folder(self, folder: Path, as_name: str) -> None:
        """Store all files of a folder under `as_name`."""
        _files.put_folder(self._client, self.id, folder, as_name)

    def add_version(self, folder: Path, info: Mapping[str, str]) -> int:
        """Register the files of a folder as a new version, which is not live, and return its number.

        Parameters
        ----------
        folder : Path
            The files of the version.
        info : mapping of str to str
            Facts about it, for `Store.versions`.
        """
        path = "model" if not self._added else f"model-{len(self._added) + 1}"
        self.folder(folder, path)
        self._register_name()
        tags = {key: str(value) for key, value in info.items()} | {EVENT: self.id, PATH: path}
        source = f"{self._run.info.artifact_uri.rstrip('/')}/{path}"
        made = self._client.create_model_version(self.name, source=source, run_id=self.id, tags=tags)
        self._added.append(int(made.version))
        return self._added[-1]

    def keep_state(self, folder: Path) -> None:
        """Store the state for the next update. It takes effect with the conclusion.

        It then belongs to the versions that this event added or approved and, if nothing is deployed, to the champion.
        """
        self.folder(folder, "state")
        self._keeps_state = True

    def keep_gate(self, text: str) -> None:
        """Store the gate of the name. It takes effect with the conclusion, whichever version is live."""
        self.file(text, GATE_FILE)
        self._keeps_gate = True

    def give_up(self, versions: Iterable[int]) -> None:
        """Mark versions whose files are about to be deleted: they can no longer be opened or deployed."""
        for version in versions:
            self._client.set_model_version_tag(self.name, str(version), PURGED, self.id)

    def conclude(
        self, *, decision: str, deploy: int | None, info: Mapping[str, Any], candidate: int | None = None
    ) -> None:
        """Record the decision and make it true, in one step.

        Parameters
        ----------
        decision : str
            Such as "promote" or "reject".
        deploy : int or None
            The version that becomes live. A version that was registered earlier keeps its own state.
        info : mapping
            Facts for `Store.history`: anything that JSON can hold, and NumPy's numbers.
        candidate : int, optional
            A version of this event that waits for approval from now on, instead of any other; 0 ends the present wait.
            A deployment ends it too.

        Raises
        ------
        RegistryError
            There is no such version, or it is live already.
        LockError
            Something outside Incumbent moved the alias meanwhile; nothing was changed.
        """
        self._check(deploy, candidate)
        if self._keeps_state:  # these versions are not live, so it has no effect before the alias moves
            for version in {*self._added, deploy} - {None}:
                self._client.set_model_version_tag(self.name, str(version), STATE, self.id)
        if candidate:
            _candidate.wait(self._client, self.name, candidate, champion_of(self._client, self.name))
        self._unmoved()
        self._write_intent(decision, deploy, candidate, info)
        if deploy is not None:
            self._unmoved()  # once more, as on a server others can move the alias
            self._client.set_registered_model_alias(self.name, CHAMPION, str(deploy))
        elif candidate is not None:
            _candidate.point(self._client, self.name, candidate)
        elif self._keeps_gate:
            self._client.set_registered_model_tag(self.name, GATE, self.id)
        elif self._keeps_state:
            self._client.set_model_version_tag(self.name, str(self.version_before), STATE, self.id)
        self._concluded = True
        if deploy is not None or candidate is not None:
            _candidate.follow(self._client, self.name)
        self._client.set_terminated(self.id, "FINISHED")

    def _check(self, deploy: int | None, candidate: int | None) -> None:
        if self._concluded:
            raise UsageError(f"{self!r} is concluded already.")
        if candidate and (deploy is not None or candidate not in self._added or not self._keeps_state):
            raise UsageError(f"{self!r} can only leave a version waiting that it added with a state, and deploy none.")
        if self._keeps_gate and (deploy is not None or candidate is not None or self._keeps_state):
            raise UsageError(f"{self!r} sets a gate, so it can change nothing else.")
        if deploy is None:
            if self.version_before is None:
                raise UsageError(f"{self!r} must deploy a version, as {self.name!r} has none that is live.")
            return
        if deploy == self.version_before:
            raise RegistryError(f"Version {deploy} of {self.name!r} is live already.")
        if deploy not in self._added:
            found = version_of(self._client, self.name, deploy)
            if self._keeps_state and WAITS not in found.tags:
                raise UsageError(f"Version {deploy} of {self.name!r} keeps its own state when it is deployed again.")

    def _write_intent(self, decision: str, deploy: int | None, candidate: int | None, info: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        text = json.dumps(dict(info), default=_plain)
        if len(text) > LONGEST_TAG:
            self.file(text, INFO_FILE)
            text = INFO_FILE
        intent = {
            "decision": decision,
            "deploy": deploy,
            "state": self._keeps_state,
            "candidate": candidate,
            "gate": self._keeps_gate,
            "at": _now(),
        }
        self._log("tags", [RunTag("decision", decision), RunTag(INFO, text)])
        self._client.set_tag(self.id, INTENT, json.dumps(intent))

    def _unmoved(self) -> None:
        now = alias_of(self._client, self.name)
        if now != self.version_before:
            raise LockError(
                f"The champion of {self.name!r} was moved from version {self.version_before} to {now} by something "
                f"outside Incumbent while this {self.kind} ran; nothing was changed. Run it again."
            )

    def _register_name(self) -> None:
        if self.kind != "init":
            return
        found = registered(self._client, self.name)
        if found is None:
            self._client.create_registered_model(self.name, tags={OURS + "name": "true"})
        elif OURS + "name" not in found.tags:
            self._client.set_registered_model_tag(self.name, OURS + "name", "true")

    def _log(self, what: str, entries: Sequence[object]) -> None:
        for start in range(0, len(entries), _MOST_AT_ONCE):
            self._client.log_batch(self.id, **{what: list(entries[start : start + _MOST_AT_ONCE])})

    def _end(self, error: BaseException | None) -> None:
        """Record how the event ended, unless it is concluded."""
        if error is None and self._concluded:
            return
        if error is None:
            status, reason = "FAILED", "it ended without a conclusion"
        elif not isinstance(error, Exception):
            status, reason = "KILLED", "interrupted"
        else:
            named = "" if isinstance(error, IncumbentError) else f"{type(error).__name__}: "
            status, reason = "FAILED", f"{named}{error}"
        settle(self._client, self._client.get_run(self.id), self.name, status, reason)


def begin(client: Client, place: Place, name: str, kind: str, *, user: str, why: str) -> Event:
    """Open the run of an event. The name is locked, so runs that are still open belong to dead processes."""
    experiment = _experiment(client, place, name)
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'", max_results=1000):
        if KIND in run.data.tags and reachable(place, run):
            settle(client, run, name, "KILLED", "interrupted")
    _candidate.follow(client, name)
    before = alias_of(client, name)
    latest = client.search_runs([experiment], max_results=3, order_by=["attributes.start_time DESC"])
    count = 1 + max((number(run.data.tags, NUMBER) or 0 for run in latest), default=0)
    tags = {KIND: kind, NUMBER: count, WHY: why, USER: user, OWNER: _lock.owner(place)}
    tags[BEFORE] = "" if before is None else before
    shown = {"mlflow.user": user, "mlflow.source.name": f"incumbent {kind}", "mlflow.note.content": why}
    words = {key: cut(str(value), LONGEST_TAG) for key, value in (tags | shown | _versions()).items()}
    run = client.create_run(experiment, run_name=f"{kind} {count}", tags=words)
    return Event(client, name, kind, run, before)


def _experiment(client: Client, place: Place, name: str) -> str:
    found, here = experiment_of(client, name), place.artifacts(name)
    if found is None:
        return str(client.create_experiment(title(name), None if here is None else here.as_uri()))
    there = None if here is None else local_path(client.get_experiment(found).artifact_location)
    if here is not None and there is not None and there.resolve() != here.resolve():
        old = there.parent.parent
        raise RegistryError(
            f"The store was moved from {old} to {place}, and MLflow keeps absolute paths: it can be read here, but to "
            f"change {name!r} move it back, or link it with: ln -s {place.root} {old}"
        )
    return found


@cache
def _versions() -> dict[str, str]:
    """Return the versions of Python and of installed packages as tags, without importing any."""
    found = {"package.python": ".".join(map(str, sys.version_info[:3]))}
    for package in _PACKAGES:
        try:
            found[f"package.{package}"] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _words(values: Mapping[str, object], longest: int) -> dict[str, str]:
    return {_key(name): cut(str(value), longest) for name, value in values.items()}


def _key(name: str) -> str:
    """Return a name that MLflow takes: letters, digits, and ``_ - . / space``, without "." and ".." as parts."""
    parts = [part for part in re.sub(r"[^\w\-. /]", "_", str(name)).split("/") if part.strip(".")]
    return ("/".join(parts) or "_")[:250]


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _now() -> int:
    return time.time_ns() // 1_000_000
