"""Write an outcome into the store as settings, numbers and files, and read events back as lines of the history."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from incumbent.core import Outcome
from incumbent.errors import UsageError
from incumbent.store import Event, Record


def require_reason(why: str, what: str) -> None:
    """Raise an error if a change that a person decides on comes without a reason."""
    if not why.strip():
        raise UsageError(f"{what} is recorded with its reason: give why='...' (--why TEXT).")


def write(event: Event, outcome: Outcome, *, source: str, metric: str, budget: float) -> None:
    """Log an outcome on its event."""
    chosen = outcome.chosen
    event.params(
        {
            "data": source,
            "data_digest": outcome.check.digest,
            "seed": outcome.seed,
            "budget_s": budget,
            "metric": metric,
            "strategy": chosen.strategy if chosen else "",
            "recipe": repr(chosen.recipe) if chosen else "",
            **{f"rows_{name}": count for name, count in outcome.rows.items()},
        }
    )
    event.metrics(
        {
            **{f"seconds.{stage}": spent for stage, spent in outcome.cost.items()},
            **{
                f"{rows}.{who}.{name}": value
                for rows, comparison in outcome.comparisons.items()
                for who, values in (("champion", comparison.champion), ("challenger", comparison.challenger))
                for name, value in values.items()
            },
            **{
                f"prequential.{who}.{name}".replace(" ", "_"): value
                for who, values in outcome.prequential.items()
                for name, value in values.items()
            },
            **{f"reason.{reason.name}".replace(" ", "_"): reason.value for reason in outcome.verdict.reasons},
        }
    )
    event.tags({"verdict": str(outcome.verdict)})
    event.file(json.dumps(outcome.to_dict(), indent=1), "outcome.json")
    with tempfile.TemporaryDirectory() as folder:
        event.file(outcome.report(Path(folder) / "report.html"), "report.html")


def summary(outcome: Outcome, *, source: str, challenger: int, gate: str) -> dict[str, Any]:
    """Return what `history` shows of an update; `gate` is the one for this time only, if there was one."""
    chosen, new = outcome.chosen, outcome.comparisons.get("new")
    return {
        "source": source,
        "digest": outcome.check.digest,
        "rows": dict(outcome.rows),
        "strategies": [c.strategy for c in outcome.challengers],
        "strategy": chosen.strategy if chosen else "",
        "metric": outcome.metric,
        "gain": new.interval.value if new else None,
        "lower": new.interval.lower if new else None,
        "upper": new.interval.upper if new else None,
        "seconds": outcome.cost["total"],
        "challenger": challenger,
        "candidate": outcome.candidate,
        "gate": gate,
        "reasons": [reason.text for reason in outcome.verdict.reasons],
    }


def line(record: Record, waiting: int | None = None) -> dict[str, Any]:
    """Return an event as `history` and the report's lineage show it; `waiting` is the version that waits now."""
    info = record.info
    of_record = ("id", "number", "time", "kind", "status", "decision", "user", "why", "error")
    return {
        **{key: getattr(record, key) for key in of_record},
        **{key: info.get(key, default) for key, default in _OF_INFO.items()},
        "seconds": info.get("seconds", record.seconds),
        "version_before": record.version_before or 0,
        "version_after": record.version_after or 0,
        "waits": bool(info.get("candidate")) and record.status == "done" and info["candidate"] == waiting,
    }


_OF_INFO: dict[str, Any] = {
    **dict.fromkeys(("source", "strategy", "metric", "gate"), ""),
    **dict.fromkeys(("gain", "lower", "upper")),
    **dict.fromkeys(("challenger", "candidate", "passed_in"), 0),
    "rows": {},
    "strategies": [],
}
"""What `line` takes from the info of an event, and what if it is missing."""


def came_live(records: Iterable[Record], version: int) -> dict[str, Any]:
    """Return which event made a version live last, how, by whom and why; empty if none did."""
    found = next((record for record in records if record.deployed == version), None)
    if found is None:
        return {}
    why = {"why": found.why} if found.why else {}
    when = found.time.isoformat(timespec="seconds")
    return {"event": found.number, "by": found.user, "how": found.decision, **why, "time": when}
