"""Decide what became of an event whose process ended: it came true as intended, or changed nothing."""

from __future__ import annotations

import time
from typing import Any

from incumbent.store import _lock
from incumbent.store._client import Client
from incumbent.store._lookup import alias_of, find_version, gate_of, pointed
from incumbent.store._record import BEFORE, CANDIDATE, ERROR, LONGEST_TAG, OWNER, STATE, cut, intent_of, number
from incumbent.store._where import Place

_A_DAY = 24 * 3600 * 1000


def reachable(place: Place, run: Any) -> bool:
    """Return whether our lock binds the process that opened a run; on a server others may work, but not for a day."""
    old = time.time_ns() // 1_000_000 - run.info.start_time > _A_DAY
    return old or bool(run.data.tags.get(OWNER) == _lock.owner(place))


def came_true(client: Client, run: Any, name: str) -> bool:
    """Return whether the deciding write took place."""
    intent = intent_of(run)
    if intent is None:
        return False
    if intent["deploy"] is not None:
        return alias_of(client, name) == int(intent["deploy"])
    if intent.get("candidate") is not None:  # 0 ends a wait; events of the first stores lack the key
        found = pointed(client, name, CANDIDATE)
        return (0 if found is None else int(found.version)) == int(intent["candidate"])
    if intent.get("gate"):
        return bool(gate_of(client, name) == run.info.run_id)
    if intent["state"]:
        before = number(run.data.tags, BEFORE)
        version = None if before is None else find_version(client, name, before)
        return version is not None and bool(version.tags.get(STATE) == run.info.run_id)
    return True


def settle(client: Client, run: Any, name: str, otherwise: str, reason: str) -> None:
    """Mark the run of an ended process: as finished if it came true, else as `otherwise`."""
    if run.info.status != "RUNNING":
        return
    if came_true(client, run, name):
        client.set_terminated(run.info.run_id, "FINISHED", (intent_of(run) or {}).get("at"))
        return
    client.set_tag(run.info.run_id, ERROR, cut(reason, LONGEST_TAG))
    client.set_terminated(run.info.run_id, otherwise)
