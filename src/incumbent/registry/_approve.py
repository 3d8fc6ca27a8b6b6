"""Approval by a person: a challenger that passed the gate waits until somebody approves or refuses it.

The gate has judged it, and its rows are used: they are in memory and anchor set, and the error control has counted a
promotion. Only the deployment waits.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from incumbent.core import Memory, Outcome
from incumbent.errors import RegistryError
from incumbent.memory import load_memory, save_memory
from incumbent.registry._record import require_reason
from incumbent.registry._stored import RegistryBase
from incumbent.store import Event, Record, Store
from incumbent.updating import LiveModel

_OWN = "approved"  # the folder of what describes the candidate's weights; the champion's memory gets it on approval
_EVIDENCE = ("source", "rows", "strategy", "metric", "gain", "lower", "upper", "reasons")


def hold_for_approval(event: Event, outcome: Outcome, live: LiveModel, version: int) -> Outcome:
    """Return the outcome with its passing challenger waiting as `version`. The champion stays, with its own memory.

    The new rows are remembered either way. Importances and statistics describe the weights of one model, so those of
    the candidate are stored apart until it is live.
    """
    memory, before = outcome.memory, live.memory
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / _OWN
        save_memory(Memory(importance=memory.importance, statistics=memory.statistics), own)
        event.folder(own, _OWN)
    kept = memory.replace(importance=before.importance, statistics=before.statistics)
    return outcome.replace(candidate=version, model=live.model.native, memory=kept)


class ApproveVerbs(RegistryBase):
    """Decide on the version that waits for approval."""

    def approve(self, name: str, *, why: str, user: str | None = None) -> int:
        """Make the candidate live, with everything that the champion has learned since; return its number.

        Raises
        ------
        RegistryError
            No version waits, or the champion that it was compared with is not live any more.
        UsageError
            No reason was given.
        """
        require_reason(why, "An approval")
        store = self.store
        _waiting(store, name)  # an approval that is not possible leaves no trace
        with store.event(name, "approve", why=why, user=user) as event, tempfile.TemporaryDirectory() as scratch:
            passed = _waiting(store, name)
            version = int(passed.info["candidate"])
            state, own = self._models.state(name), load_memory(store.artifact(name, passed.id, _OWN))
            memory = state.memory.replace(importance=own.importance, statistics=own.statistics)
            standing = tuple(v for v in state.standing if v != version)
            # the evidence compares the prequential models with the old champion
            prequential = dataclasses.replace(state.prequential, monitor=None)
            state = dataclasses.replace(state, memory=memory, standing=standing, prequential=prequential)
            state.save(Path(scratch))
            event.keep_state(Path(scratch))
            event.conclude(decision="approved", deploy=version, info=_info(passed, why))
        return version

    def refuse(self, name: str, *, why: str, user: str | None = None) -> int:
        """Refuse the candidate; return its number. The champion stays, with what it has learned.

        The errors are those of `approve`.
        """
        require_reason(why, "A refusal")
        _waiting(self.store, name)
        with self.store.event(name, "refuse", why=why, user=user) as event:
            passed = _waiting(self.store, name)
            event.conclude(decision="refused", deploy=None, candidate=0, info=_info(passed, why))
        return int(passed.info["candidate"])


def _info(passed: Record, why: str) -> dict[str, Any]:
    """Return what is recorded with the decision: its evidence, and the update that has all of it."""
    evidence = {key: passed.info[key] for key in _EVIDENCE if key in passed.info}
    return {**evidence, "why": why, "challenger": passed.info["candidate"], "passed_in": passed.number}


def _waiting(store: Store, name: str) -> Record:
    """Return the update whose challenger waits. If none does, the error says what happened to the last one."""
    version = store.candidate(name)
    done = [record for record in store.history(name) if record.status == "done"]
    passed = [record for record in done if record.info.get("candidate")]
    found = next((record for record in passed if record.info["candidate"] == version), None)
    if found is not None:
        return found
    if not passed:
        raise RegistryError(
            f"No version of {name!r} waits for approval. To let a challenger that passes the gate wait: "
            f"incumbent update FILE --name {name} --approve"
        )
    raise RegistryError(_no_longer_waiting(name, passed[0], done, store.champion(name)))


def _no_longer_waiting(name: str, passed: Record, done: Sequence[Record], live: int) -> str:
    """Say why the last candidate no longer waits."""
    version = passed.info["candidate"]
    after = [record for record in reversed(done) if record.number > passed.number]
    end = next((record for record in after if record.deployed is not None or record.kind == "refuse"), None)
    if end is not None and end.info.get("challenger") == version and end.kind in ("approve", "refuse"):
        return f"No version of {name!r} waits for approval: version {version} was {end.decision} in event {_by(end)}."
    how = f"event {_by(end)}" if end is not None else "something outside Incumbent"
    return (
        f"Version {version} of {name!r} no longer waits: it passed the gate against version {passed.version_before}, "
        f"and {how} has made version {live if end is None else end.deployed} live since. Update again to judge it "
        f"against that version, or make it live without the gate: incumbent promote --name {name} --version {version} "
        "--why TEXT"
    )


def _by(record: Record) -> str:
    why = f": {record.why}" if record.why else ""
    return f"{record.number} ({record.decision or record.kind} by {record.user}{why})"
