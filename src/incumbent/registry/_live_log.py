"""Read the log of a shadow: predictions and labels, from one table or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent.data import read
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live import from_log
from incumbent.registry._live_evidence import LiveEvidence, Shadow

if TYPE_CHECKING:
    import pandas as pd


def read_log(shadow: Shadow, logs: Any, *, before: Any = None) -> LiveEvidence:
    """Return the evidence of a whole log, as `Registry.shadow_status` describes it."""
    log, labels = _join_tables(shadow, logs if isinstance(logs, list | tuple) else [logs])
    time = shadow.columns.get("time") if before is not None else None
    if before is not None and not time:
        raise UsageError("before needs the column that says when each row was predicted; start with --time COL.")
    found = from_log(
        log,
        labels,
        id=shadow.columns["id"],
        champion=shadow.predicted("champion"),
        challenger=shadow.predicted("challenger"),
        label=shadow.columns["label"],
        metric=shadow.rule(),
        time=time,
        before=None if time is None else _moment(log, time, before),
    )
    monitor = shadow.monitor.update(found.champion, found.challenger)
    return LiveEvidence(shadow, monitor, len(log), found.waiting, found.overdue, found.unknown)


def _join_tables(shadow: Shadow, logs: Sequence[Any]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return all predictions in one table and all labels in another, by the columns that each table has."""
    import pandas as pd

    id, label = shadow.columns["id"], shadow.columns["label"]
    predicted = [name for who in ("champion", "challenger") for name in _columns(shadow.predicted(who))]
    tables, truths = [], []
    for source in logs:
        table = read(source)
        where = source if isinstance(source, str | Path) else table.attrs["source"]
        names = set(table.columns)
        if not names & {*predicted, label} or id not in names:
            wanted = f"{id!r} with predictions ({', '.join(predicted[:4])}) or labels ({label!r}), or both"
            raise DataError(
                f"{where} is no log of this shadow: expected {wanted}; it has {', '.join(table.columns[:12])}."
            )
        if names & set(predicted):
            tables.append(table.drop(columns=label, errors="ignore"))
        if label in names:
            truths.append(table.loc[table[label].notna(), [id, label]])
    if not tables:
        raise DataError(f"These files hold labels only; give the log of predictions too ({', '.join(predicted[:4])}).")
    # a label may come twice, if it is the same
    labels = pd.concat(truths, ignore_index=True).drop_duplicates() if truths else None
    return pd.concat(tables, ignore_index=True), None if labels is None or not len(labels) else labels


def _columns(predicted: str | Mapping[Any, str]) -> list[str]:
    return [predicted] if isinstance(predicted, str) else list(predicted.values())


def _moment(log: pd.DataFrame, time: str, before: Any) -> Any:
    """Return a moment that was typed, in the unit of the column of times."""
    import pandas as pd

    if not isinstance(before, str) or time not in log.columns:
        return before
    column = log[time]
    try:
        if pd.api.types.is_numeric_dtype(column):
            return float(before)
        if pd.api.types.is_datetime64_any_dtype(column):
            given = pd.Timestamp(before)
            zone = getattr(column.dtype, "tz", None)
            return given.tz_localize(zone) if zone is not None and given.tzinfo is None else given
    except ValueError:
        raise UsageError(
            f"before is a moment in the unit of {time!r}, which is {column.dtype}; {before!r} was given."
        ) from None
    return before
