"""A person in the loop: a challenger that passed the gate waits until somebody approves or refuses it.

The gate has judged it and its rows are spent: they are in memory and anchor set, and the error control has counted a
promotion. What waits is only the step to live.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent.core import Memory, Outcome
from incumbent.errors import RegistryError, UsageError
from incumbent.memory import load_memory, save_memory
from incumbent.registry._folders import State
from incumbent.store import Event, Record
from incumbent.updating import Case

if TYPE_CHECKING:
    from incumbent.registry._registry import Registry

_OWN = "approved"  # what of the memory speaks of the candidate's weights, and is the champion's only once it is live
_EVIDENCE = ("source", "rows", "strategy", "metric", "gain", "lower", "upper", "reasons")


def reasoned(why: str, what: str) -> None:
    """Say so where a change that a person decides on comes without a reason."""
    if not why.strip():
        raise UsageError(f"{what} is recorded with its reason: give why='...' (--why TEXT).")


def held_back(event: Event, outcome: Outcome, case: Case, version: int) -> Outcome:
    """Return the outcome with its passing challenger waiting as `version`: the champion stays, with its own memory.

    The rows that were seen are remembered either way. Importances and statistics speak of the weights of one model, so
    the candidate's are stored beside, until it is live.
    """
    memory, before = outcome.memory, case.memory
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / _OWN
        save_memory(Memory(importance=memory.importance, statistics=memory.statistics), own)
        event.folder(own, _OWN)
    kept = memory.replace(importance=before.importance, statistics=before.statistics)
    return outcome.replace(candidate=version, model=case.champion.native, memory=kept)


def approve(registry: Registry, name: str, *, why: str, user: str | None) -> int:
    """Make the version live that waits, with all that the champion knows by now; return its number."""
    reasoned(why, "An approval")
    _waiting(registry, name)  # what cannot be approved leaves no trace
    with registry.store.event(name, "approve", why=why, user=user) as event, tempfile.TemporaryDirectory() as scratch:
        passed = _waiting(registry, name)
        version = int(passed.info["candidate"])
        state, own = registry.state(name), load_memory(registry.store.artifact(name, passed.id, _OWN))
        memory = state.memory.replace(importance=own.importance, statistics=own.statistics)
        standing = tuple(v for v in state.standing if v != version)
        lines = dataclasses.replace(state.lines, monitor=None)  # it compared them with the champion that goes
        dataclasses.replace(state, memory=memory, standing=standing, lines=lines).save(Path(scratch))
        event.keep_state(Path(scratch))
        event.conclude(decision="approved", deploy=version, info=_told(passed, why))
    return version


def refuse(registry: Registry, name: str, *, why: str, user: str | None) -> int:
    """End the wait of the version that waits; return its number. The champion stays, and knows what it knew."""
    reasoned(why, "A refusal")
    _waiting(registry, name)
    with registry.store.event(name, "refuse", why=why, user=user) as event:
        passed = _waiting(registry, name)
        event.conclude(decision="refused", deploy=None, candidate=0, info=_told(passed, why))
    return int(passed.info["candidate"])


def without_refused(state: State, records: Sequence[Record]) -> State:
    """Return the state without standing challengers that a person has refused: they do not stand again."""
    refused = {record.info.get("challenger") for record in records if record.kind == "refuse"}
    standing = tuple(version for version in state.standing if version not in refused)
    return dataclasses.replace(state, standing=standing)


def _told(passed: Record, why: str) -> dict[str, Any]:
    """Return what is recorded with the decision of a person: on which evidence, and which update has all of it."""
    evidence = {key: passed.info[key] for key in _EVIDENCE if key in passed.info}
    return {**evidence, "why": why, "challenger": passed.info["candidate"], "passed_in": passed.number}


def _waiting(registry: Registry, name: str) -> Record:
    """Return the update whose challenger waits, or say what became of the last one that did."""
    version = registry.store.candidate(name)
    done = [record for record in registry.store.history(name) if record.status == "done"]
    passed = [record for record in done if record.info.get("candidate")]
    found = next((record for record in passed if record.info["candidate"] == version), None)
    if found is not None:
        return found
    if not passed:
        raise RegistryError(
            f"Nothing of {name!r} waits for approval. An update leaves a challenger that passes the gate waiting with: "
            f"incumbent update FILE --name {name} --approve"
        )
    raise RegistryError(_ended(name, passed[0], done, registry.store.champion(name)))


def _ended(name: str, passed: Record, done: Sequence[Record], live: int) -> str:
    """Say why the last candidate waits no more."""
    version = passed.info["candidate"]
    after = [record for record in reversed(done) if record.number > passed.number]
    end = next((record for record in after if record.deployed is not None or record.kind == "refuse"), None)
    if end is not None and end.info.get("challenger") == version and end.kind in ("approve", "refuse"):
        return f"Nothing of {name!r} waits for approval: version {version} was {end.decision} in event {_by(end)}."
    how = f"event {_by(end)}" if end is not None else "something outside Incumbent"
    return (
        f"Version {version} of {name!r} waits no more: it passed the gate against version {passed.version_before}, and "
        f"{how} has made version {live if end is None else end.deployed} live since. Update again to have it judged "
        f"against that; to make it live without: incumbent promote --name {name} --version {version} --why TEXT"
    )


def _by(record: Record) -> str:
    why = f": {record.why}" if record.why else ""
    return f"{record.number} ({record.decision or record.kind} by {record.user}{why})"
