"""Read the events of a name. Reading never writes: it decides what a killed process left, and does not tidy up."""

from __future__ import annotations

import json
import re
from typing import Any

from incumbent.errors import RegistryError
from incumbent.store import _files, _lock
from incumbent.store._client import Client
from incumbent.store._lookup import experiment_of
from incumbent.store._record import INFO, INFO_FILE, KIND, NUMBER, Record, Status, number, record_of
from incumbent.store._settle import came_true, reachable
from incumbent.store._where import Place

_ENDED: dict[str, Status] = {"FINISHED": "done", "FAILED": "failed", "KILLED": "interrupted"}


def records(client: Client, place: Place, name: str) -> list[Record]:
    """Return all events, newest first."""
    found = [read(client, place, name, run) for run in _runs(client, name)]
    return sorted(found, key=lambda record: (record.number, record.time), reverse=True)


def read(client: Client, place: Place, name: str, run: Any) -> Record:
    """Return the record of one run."""
    text = run.data.tags.get(INFO, "{}")
    if text == INFO_FILE:
        path = _files.find(client, place, name, run, INFO_FILE)
        text = "{}" if path is None else path.read_text()
    return record_of(run, name, _status(client, place, name, run), json.loads(text))


def run_of(client: Client, name: str, id: str) -> Any:
    """Return the run of an event by its number, its id, or the beginning of its id."""
    id = str(id).strip().lower()
    found: list[Any] = []
    if id.isdigit() and len(id) < 32:
        found = _runs(client, name, f"tags.`{NUMBER}` = '{int(id)}'")
    elif re.fullmatch(r"[0-9a-f]{32}", id):
        found = _runs(client, name, f"attributes.run_id = '{id}'")
    if not found and len(id) >= 6:
        found = [run for run in _runs(client, name) if run.info.run_id.startswith(id)]
    if len(found) != 1:
        last = max((number(run.data.tags, NUMBER) or 0 for run in _runs(client, name)), default=0)
        raise RegistryError(f"{name!r} has no event {id!r}; its events are numbered 1 to {last}.")
    return found[0]


def _runs(client: Client, name: str, query: str = "") -> list[Any]:
    experiment = experiment_of(client, name)
    if experiment is None:
        return []
    found = client.pages("search_runs", experiment_ids=[experiment], filter_string=query, max_results=1000)
    return [run for run in found if KIND in run.data.tags]


def _status(client: Client, place: Place, name: str, run: Any) -> Status:
    ended = _ENDED.get(run.info.status)
    if ended is not None:
        return ended
    if not reachable(place, run) or _lock.held(place, name):
        return "running"
    return "done" if came_true(client, run, name) else "interrupted"
