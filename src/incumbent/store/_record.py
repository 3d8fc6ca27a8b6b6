"""Events and versions, as they are read back from MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Status = Literal["done", "failed", "interrupted", "running"]
Standing = Literal["live", "was live", "candidate", "challenger", "interrupted", "purged"]

# Tags on runs and on model versions. Tags with another prefix are the caller's.
OURS = "incumbent."
KIND, NUMBER, WHY, USER = "incumbent.kind", "incumbent.number", "incumbent.why", "incumbent.user"
BEFORE, OWNER = "incumbent.version_before", "incumbent.lock"
INTENT, INFO, ERROR = "incumbent.intent", "incumbent.info", "incumbent.error"
EVENT, PATH, STATE, WAITS = "incumbent.event", "incumbent.path", "incumbent.state", "incumbent.waits"
GATE = "incumbent.gate"  # on the registered model
PURGED = "incumbent.purged"  # on versions and events: the event that deleted their files
CHAMPION, CANDIDATE = "champion", "candidate"
LONGEST_TAG = 5000  # characters that every server of MLflow >= 3.10 takes
GATE_FILE = "gate.toml"
INFO_FILE = "info.json"  # holds the info of an event, and INFO this name, if the info is too long for a tag


@dataclass(frozen=True)
class Record:
    """One event of a name.

    Parameters
    ----------
    id : str
        The id of the event, which is that of its MLflow run.
    number : int
        Counted from 1 for each name.
    kind : {"init", "update", "approve", "refuse", "promote", "rollback", "gate", "shadow", "forget", "purge"}
        The kind of event.
    name : str
        The name that it belongs to.
    time : datetime
        When it began, in UTC.
    user, why : str
        Who did it, and the reason they gave.
    status : {"done", "failed", "interrupted", "running"}
        Only an event that is done changed anything.
    decision : str
        What was decided; empty unless it is done.
    version_before, version_after : int or None
        The version that was live before and after it; None if there was none.
    seconds : float
        How long it took; 0 if its end is unknown.
    info : mapping
        What was recorded with the decision.
    error : str
        Why it failed; empty if it did not.
    """

    id: str
    number: int
    kind: str
    name: str
    time: datetime
    user: str
    why: str
    status: Status
    decision: str = ""
    version_before: int | None = None
    version_after: int | None = None
    seconds: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def deployed(self) -> int | None:
        """The version that this event made live; None if it left the champion alone."""
        return self.version_after if self.status == "done" and self.version_after != self.version_before else None


@dataclass(frozen=True)
class VersionInfo:
    """One version of a name.

    Parameters
    ----------
    version : int
        Counted from 1; a number is never used twice.
    created : datetime
        When it was registered, in UTC.
    status : {"live", "was live", "candidate", "challenger", "interrupted", "purged"}
        A candidate waits for approval; a challenger was never live; an interrupted version comes from an event that
        did not end well; the files of a purged version are gone.
    event : str
        The id of the event that made it; empty for a version that something else registered.
    info : mapping of str to str
        What was recorded with it.
    """

    version: int
    created: datetime
    status: Standing
    event: str
    info: Mapping[str, str] = field(default_factory=dict)


def moment(milliseconds: int) -> datetime:
    """Return MLflow's milliseconds as a time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def cut(text: str, longest: int) -> str:
    """Return a text that MLflow takes, without its end if it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def number(tags: Mapping[str, str], key: str) -> int | None:
    """Return the number in a tag, or None."""
    value = tags.get(key, "")
    return int(value) if value.isdigit() else None


def intent_of(run: Any) -> dict[str, Any] | None:
    """Return what an event had decided to do, or None if it had not come that far."""
    text = run.data.tags.get(INTENT)
    return None if text is None else dict(json.loads(text))


def record_of(run: Any, name: str, status: Status, info: Mapping[str, Any]) -> Record:
    """Return the record of an MLflow run whose status is settled."""
    tags = run.data.tags
    intent = (intent_of(run) or {}) if status == "done" else {}
    before = number(tags, BEFORE)
    end = intent.get("at") or (run.info.end_time if status in ("done", "failed") else None)
    return Record(
        id=run.info.run_id,
        number=number(tags, NUMBER) or 0,
        kind=tags[KIND],
        name=name,
        time=moment(run.info.start_time),
        user=tags.get(USER, ""),
        why=tags.get(WHY, ""),
        status=status,
        decision=intent.get("decision", ""),
        version_before=before,
        version_after=intent.get("deploy") or before,
        seconds=max(0.0, (end - run.info.start_time) / 1000) if end else 0.0,
        info=info,
        error=tags.get(ERROR, "interrupted" if status == "interrupted" else ""),
    )


def deployments(records: Iterable[Record]) -> list[int]:
    """Return the stack of versions that were live, from records oldest first; the present one is on top.

    A deployment pushes. A rollback pops until its version is on top.

    Examples
    --------
    >>> from datetime import datetime
    >>> def event(kind, before, after):
    ...     return Record("", 0, kind, "", datetime(2026, 1, 1), "", "", "done", "", before, after)
    >>> deployments([event("init", None, 1), event("update", 1, 2), event("update", 2, 3), event("rollback", 3, 2)])
    [1, 2]
    """
    stack: list[int] = []
    for record in records:
        version = record.deployed
        if version is None:
            continue
        if record.kind == "rollback" and version in stack[:-1]:
            stack.pop()
            while stack[-1] != version:
                stack.pop()
        elif record.kind == "rollback":  # to a version that never was live: it takes the place of the present one
            stack[-1:] = [version]
        else:
            stack.append(version)
    return stack


def standing(
    version: int, champion: int | None, candidate: int | None, was_live: set[int], made_by: Record | None
) -> Standing:
    """Return the status of a version."""
    if version == champion:
        return "live"
    if version == candidate:
        return "candidate"
    if version in was_live:
        return "was live"
    if made_by is not None and made_by.status in ("failed", "interrupted"):
        return "interrupted"
    return "challenger"
