"""The models of one store, read whole: a version, its state, and the live model that the next update starts from."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incumbent.errors import RegistryError
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl, control, restore
from incumbent.memory import merge_use_counts
from incumbent.registry._folders import State, Version
from incumbent.store import Record, Store
from incumbent.updating import LiveModel, PrequentialModels, UpdateState

_RUNNER_UP = "standing v"
"""The name of a runner-up is this and the number of its version. Stored outcomes contain it."""


def runner_up_name(version: int) -> str:
    """Return the name under which a runner-up is tested again."""
    return f"{_RUNNER_UP}{version}"


def runner_up_version(name: str) -> int:
    """Return the version of a runner-up from its name."""
    return int(name.removeprefix(_RUNNER_UP))


@dataclass(frozen=True)
class StoredModels:
    """The models of one store."""

    store: Store

    def version(self, name: str, version: int | None = None) -> Version:
        """Return a stored version, the champion by default, under the gate that the name has now."""
        number = self.store.champion(name) if version is None else version
        stored, gate = Version.load(self.store.folder(name, number)), self.store.gate(name)
        return stored if gate is None else dataclasses.replace(stored, gate=Gate.from_toml(gate))

    def state(self, name: str) -> State:
        """Return what the next update starts from: memory, anchor set, runners-up, error control.

        A rollback brings back the rows of its version, but not the error budget that was spent since.
        """
        state = State.load(self.store.state(name))
        done = [record for record in self.store.history(name) if record.status == "done"]
        state = _without_refused(state, done) if state.standing else state
        # these events change neither the champion nor its state
        changes = (record for record in done if record.kind not in ("refuse", "gate", "shadow"))
        moves = itertools.takewhile(lambda record: record.kind in ("rollback", "promote"), changes)
        for older, record in enumerate(moves):
            try:
                later = State.load(self.store.state(name, record.version_before))
            except RegistryError:  # an interrupted purge has deleted it
                continue
            spent = state.control if older else later.control
            state = dataclasses.replace(state, anchor=merge_use_counts(state.anchor, later.anchor), control=spent)
        return state

    def live(self, name: str, version: int, stored: Version, gate: Gate | None = None) -> LiveModel:
        """Return the live model, with its state and its runners-up; `gate` is that of one update only."""
        state = self.state(name)
        rule = gate or stored.gate
        prequential = rule.source == "prequential"  # then one model per strategy is kept, and no single runner-up
        # an override may have made the runner-up the champion
        numbers = () if prequential else (number for number in state.standing if number != version)
        carried = UpdateState(
            {runner_up_name(number): self.version(name, number).model for number in numbers},
            resume_control(state.control, rule),
            state.prequential if prequential else PrequentialModels(),
            stored.strategy,
        )
        return LiveModel(stored.model, stored.schema, state.memory, state.anchor, rule, carried)

    def check_exists(self, name: str, version: int) -> None:
        """Raise an error if there is no such version."""
        known = [v.version for v in self.store.versions(name)]
        if version not in known:
            has = ", ".join(map(str, known))
            raise RegistryError(
                f"{name!r} has no version {version}; it has {has}. See: incumbent history --name {name}"
            )

    def check_was_live(self, name: str, version: int) -> None:
        """Raise an error if a version was never live or its files are gone."""
        self.check_exists(name, version)
        info = next(v for v in self.store.versions(name) if v.version == version)
        self.store.check_there(name, version)
        if info.status in ("candidate", "challenger", "interrupted"):
            raise RegistryError(
                f"Version {version} of {name!r} was never live, so you cannot go back to it. To make it live without "
                f"the gate: incumbent promote --name {name} --version {version} --why TEXT"
            )

    def checkpoints(self, name: str) -> Path:
        """Return the folder for checkpoints of long trainings, so that an interrupted update can resume.

        It is in the user's cache, or in XDG_CACHE_HOME. Its files may be deleted at any time.
        """
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return caches / "incumbent" / hashlib.sha256(self.store.url.encode()).hexdigest()[:16] / name


class RegistryBase:
    """What every verb of a registry works on."""

    def __init__(self, url: str | Path | None = None) -> None:
        self.store = Store(url)
        self._models = StoredModels(self.store)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store.url!r})"


def resume_control(state: Mapping[str, Any], gate: Gate) -> ErrorControl | None:
    """Return the error control that the last update left; None if the gate has another one by now."""
    if not state:
        return None
    found = restore(state)
    fresh = control(gate.error_control, gate.alpha)
    same = type(found) is type(fresh) and found.to_dict()["alpha"] == fresh.to_dict()["alpha"]
    return found if same else None


def _without_refused(state: State, records: Sequence[Record]) -> State:
    """Return the state without runners-up that a person has refused."""
    refused = {record.info.get("challenger") for record in records if record.kind == "refuse"}
    standing = tuple(version for version in state.standing if version not in refused)
    return dataclasses.replace(state, standing=standing)
