"""Files that are deleted for good: the versions that held them stay in the history and say so."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from typing import Any

from incumbent.store import _files
from incumbent.store._client import Client
from incumbent.store._event import GATE_FILE, IN_A_FILE
from incumbent.store._record import KIND, NUMBER, PURGED, USER, WHY
from incumbent.store._where import Place


def erase(client: Client, place: Place, run: Any, by: str, keep: Collection[str]) -> bool:
    """Delete the files of an event but for those named, and say whether there were any.

    The event is marked first: a process that is killed in between leaves nobody in doubt, and doing it again ends it.
    """
    there = [name for name in _files.listing(client, run) if name not in {*keep, GATE_FILE, IN_A_FILE}]
    if not there:
        return False
    client.set_tag(run.info.run_id, PURGED, by)
    for name in there:
        client.delete_artifacts(run.info.artifact_uri, name)
    if place.root is None:
        shutil.rmtree(place.cache / "files" / run.info.run_id, ignore_errors=True)  # copies of this machine
    return True


def told(client: Client, name: str, by: str) -> str:
    """Return which event has deleted something, by whom and why, and what to do where it did not come to its end."""
    run = client.get_run(by)
    tags = run.data.tags
    why = f": {tags[WHY]}" if tags.get(WHY) else ""
    text = f"{tags.get(KIND, 'purge')} {tags.get(NUMBER, '')} (by {tags.get(USER, 'unknown')}{why})"
    if run.info.status == "FINISHED":
        return text
    return f"{text}, which did not come to its end; end it with: incumbent purge --name {name} --why TEXT"
