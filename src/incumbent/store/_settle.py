"""What became of an event that nobody works on any more: true as intended, or nothing at all."""

from __future__ import annotations

from typing import Any

from incumbent.store._client import Client
from incumbent.store._lookup import alias_of, find_version, gate_of, pointed
from incumbent.store._record import BEFORE, CANDIDATE, ERROR, LONGEST_TAG, STATE, cut, intent_of, number


def came_true(client: Client, run: Any, name: str) -> bool:
    """Whether the one write that decides took place."""
    intent = intent_of(run)
    if intent is None:
        return False
    if intent["deploy"] is not None:
        return alias_of(client, name) == int(intent["deploy"])
    if intent.get("candidate") is not None:  # 0 is a wait that was ended; older events know of none
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
    """Mark a run that nobody works on any more: as finished if it came true, else as `otherwise`."""
    if run.info.status != "RUNNING":
        return
    if came_true(client, run, name):
        client.set_terminated(run.info.run_id, "FINISHED", (intent_of(run) or {}).get("at"))
        return
    client.set_tag(run.info.run_id, ERROR, cut(reason, LONGEST_TAG))
    client.set_terminated(run.info.run_id, otherwise)
