"""The history of a model: one event a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from incumbent.report._text import COLOUR, WIDTH, Line, columns, cut, labelled
from incumbent.report._units import finite, unit_of
from incumbent.report._view import WORDS
from incumbent.words import clean, format_duration

NEWEST = 9
_HEAD = ("#", "when", "event", "result", "live", "change", "data or reason")
_ALIGN = "><<<<><"


def history_lines(
    name: str,
    records: Sequence[Mapping[str, Any]],
    width: int = WIDTH,
    *,
    most: int | None = NEWEST,
    verbose: bool = False,
) -> Iterator[Line]:
    """Yield the events of a model, newest first, one a line.

    Parameters
    ----------
    name : str
        The model.
    records : sequence of mapping
        What `Registry.history` returns.
    width : int
        The longest line. Longer text is cut.
    most : int, optional
        How many events to show; None shows all.
    verbose : bool
        Whether to add who did it, what was tried, the bounds of the change and the whole reason.
    """
    live = next((r["version_after"] for r in records if r.get("version_after")), 0)
    events = "1 event" if len(records) == 1 else f"{len(records)} events, newest first"
    yield Line(f"{clean(name, 40)}: version {live} is live. {events}.", "bold")
    yield Line("")
    shown = records if most is None else records[:most]
    head, *lines = columns([_HEAD, *(_cells(record) for record in shown)], _ALIGN)
    yield Line(head, "dim")
    for line, record in zip(lines, shown, strict=True):
        result = result_of(record)
        start = line.find(result) if result else 0
        yield Line(cut(line, width), COLOUR.get(result.capitalize(), ""), start, start + len(result))
        if verbose:
            yield from _details(record, width)
    if len(shown) < len(records):
        yield Line(f"and {len(records) - len(shown)} earlier: --all", "dim")


def _cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    kind = clean(record.get("kind") or "", 12)
    text = record.get("why") or record.get("source") or record.get("gate") or record.get("strategy") or ""
    if kind == "update":
        text = record.get("source") or ""
    return (
        str(record.get("number", "")),
        moment(record.get("time")),
        kind,
        result_of(record),
        versions(record),
        *(change_of(record), clean(text)),
    )


def _details(record: Mapping[str, Any], width: int) -> Iterator[Line]:
    unit = unit_of(record.get("metric") or "", None)
    ends = finite([record.get("lower"), record.get("upper")])
    seconds = finite([record.get("seconds")])
    facts = {
        "By": record.get("user"),
        "Strategy": record.get("strategy"),
        "Tried": ", ".join(map(str, record.get("strategies") or ())),
        "Change": f"between {unit.change(ends[0])} and {unit.change(ends[1])}" if len(ends) == 2 else "",
        "Time": format_duration(seconds[0]) if seconds else "",
        "Gate": record.get("gate"),
        "Passed": f"in event {record['passed_in']}" if record.get("passed_in") else "",
        "Why": record.get("why"),
        "Error": record.get("error"),
        "Event": record.get("id"),
    }
    for label, text in facts.items():
        for line in labelled(label, clean(text or ""), width - 4):
            yield Line(f"    {line.text}", "dim")


def result_of(record: Mapping[str, Any]) -> str:
    """Return what an event led to, in a word or two.

    Examples
    --------
    >>> result_of({"decision": "reject"}), result_of({"decision": "candidate", "candidate": 3, "waits": True})
    ('kept', 'version 3 waits')
    >>> result_of({"kind": "init", "status": "done"}), result_of({"status": "interrupted"})
    ('done', 'interrupted')
    """
    decision, status = clean(record.get("decision") or "", 20), clean(record.get("status") or "", 20)
    if decision == "candidate":
        return f"version {record.get('candidate')} {'waits' if record.get('waits') else 'waited'}"
    if decision and decision != record.get("kind"):
        return WORDS.get(decision, decision).lower()
    return {"finished": "done"}.get(status.lower(), status.lower())


def change_of(record: Mapping[str, Any]) -> str:
    """Return the gain that an update measured on the new rows.

    Examples
    --------
    >>> change_of({"gain": 0.031, "metric": "accuracy"}), change_of({"gain": None})
    ('+3.1', '')
    """
    if not finite([record.get("gain")]):
        return ""
    return unit_of(record.get("metric") or "rmse", None).change(record["gain"])


def moment(time: Any) -> str:
    """Return a time to the minute, as it was given."""
    return time.strftime("%Y-%m-%d %H:%M") if isinstance(time, datetime) else clean(time or "")


def versions(event: Mapping[str, Any]) -> str:
    """Return "3 → 4" if the live version changed, else "3"."""
    before, after = event.get("version_before") or 0, event.get("version_after") or 0
    if not after:
        return str(before or "")
    return f"{before} → {after}" if before and before != after else str(after)
