"""The candidate: a version that passed the gate and waits until a person approves it.

The alias ``candidate`` points to it, and moving that alias is the one write that makes a wait true, as moving
``champion`` makes a deployment true. What has to follow such a write is told by tags that were there before it: a
reader sees the same before it is followed as after, and the next event follows what a killed process did not.

A candidate's evidence is against one champion. Whatever makes another version live ends the wait.
"""

from __future__ import annotations

import json
from typing import Any

from incumbent.store._client import Client
from incumbent.store._lookup import champion_of, pointed
from incumbent.store._record import CANDIDATE, EVENT, STATE, WAITS


def candidate_of(client: Client, name: str, champion: int | None) -> Any | None:
    """Return MLflow's model version that waits to take over from this champion, or None."""
    found = pointed(client, name, CANDIDATE)
    return found if found is not None and _told(found).get("against") == champion else None


def wait(client: Client, name: str, version: int, champion: Any) -> None:
    """Note on a version, before it waits, against which champion it passed and which state that champion has now."""
    told = {"against": int(champion.version), "state": champion.tags.get(STATE, "")}
    client.set_model_version_tag(name, str(version), WAITS, json.dumps(told))


def point(client: Client, name: str, version: int) -> None:
    """Let this version wait, the one write that decides; 0 ends the wait of the one that does."""
    if version:
        client.set_registered_model_alias(name, CANDIDATE, str(version))
    else:
        client.delete_registered_model_alias(name, CANDIDATE)


def late_state(client: Client, name: str, champion: Any) -> str | None:
    """Return the event that holds a champion's state where its tag does not say so yet, else None.

    The update that left the candidate waiting also left the champion a state: rows were seen, uses and alpha spent.
    """
    found = candidate_of(client, name, int(champion.version))
    late = found is not None and _told(found)["state"] == champion.tags.get(STATE, "")
    return str(found.tags[EVENT]) if found is not None and late else None


def follow(client: Client, name: str) -> None:
    """Write down what follows from where the aliases stand: the champion's state, or the end of a wait."""
    found = pointed(client, name, CANDIDATE)
    champion = None if found is None else champion_of(client, name)
    if found is None or champion is None or not _told(found):  # what has no note of ours is somebody else's alias
        return
    if _told(found)["against"] != int(champion.version):
        point(client, name, 0)
        return
    late = late_state(client, name, champion)
    if late is not None:
        client.set_model_version_tag(name, champion.version, STATE, late)


def _told(version: Any) -> dict[str, Any]:
    return dict(json.loads(version.tags.get(WAITS, "{}")))
