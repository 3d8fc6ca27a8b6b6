"""The candidate: a version that passed the gate and waits for approval by a person.

The alias ``candidate`` points to it. Moving that alias is the one write that begins or ends a wait, as moving
``champion`` is the one that deploys. Its consequences are in tags that were written before, so a reader sees them at
once; the next event writes down what a killed process did not.

The evidence of a candidate is against one champion. The wait ends when another version becomes live.
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
    return found if found is not None and _note_of(found).get("against") == champion else None


def wait(client: Client, name: str, version: int, champion: Any) -> None:
    """Note on a version, before it waits, against which champion it passed and which state that champion has now."""
    note = {"against": int(champion.version), "state": champion.tags.get(STATE, "")}
    client.set_model_version_tag(name, str(version), WAITS, json.dumps(note))


def point(client: Client, name: str, version: int) -> None:
    """Let this version wait: the one write that decides. 0 ends the present wait."""
    if version:
        client.set_registered_model_alias(name, CANDIDATE, str(version))
    else:
        client.delete_registered_model_alias(name, CANDIDATE)


def late_state(client: Client, name: str, champion: Any) -> str | None:
    """Return the event that holds the champion's state if its tag is not written yet, else None.

    The update that left the candidate waiting also left a state for the champion: rows seen, uses and alpha spent.
    """
    found = candidate_of(client, name, int(champion.version))
    late = found is not None and _note_of(found)["state"] == champion.tags.get(STATE, "")
    return str(found.tags[EVENT]) if found is not None and late else None


def follow(client: Client, name: str) -> None:
    """Write the consequence of the aliases: the champion's state, or the end of a wait."""
    found = pointed(client, name, CANDIDATE)
    champion = None if found is None else champion_of(client, name)
    if found is None or champion is None or not _note_of(found):  # without our note, the alias is not ours
        return
    if _note_of(found)["against"] != int(champion.version):
        point(client, name, 0)
        return
    late = late_state(client, name, champion)
    if late is not None:
        client.set_model_version_tag(name, champion.version, STATE, late)


def _note_of(version: Any) -> dict[str, Any]:
    return dict(json.loads(version.tags.get(WAITS, "{}")))
