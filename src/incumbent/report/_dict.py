"""An outcome as plain numbers, texts, lists and dicts, for ``--json``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from incumbent.core import Challenger, Comparison, Outcome, Reason


def to_dict(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON can hold it. Numbers that are not finite become None.

    Parameters
    ----------
    outcome : Outcome
        The outcome of an update.

    Returns
    -------
    dict
        Its keys are the same in every release. `report` is None here: the command line fills in the path.
    """
    verdict, chosen = outcome.verdict, outcome.chosen
    found = {
        "decision": outcome.decision,
        "strategy": None if chosen is None else chosen.strategy,
        "version_before": outcome.version_before,
        "version_after": outcome.version_after,
        "reasons": [_reason(r) for r in verdict.reasons],
        "metrics": {name: _metrics(outcome.comparisons.get(name)) for name in ("new", "anchor")},
        "challengers": [_challenger(c) for c in outcome.challengers],
        "cost": outcome.cost,
        "rows": outcome.rows,
        "report": None,
        "candidate": outcome.candidate or None,
        "name": outcome.name,
        "update": outcome.update,
        "metric": outcome.metric,
        "prequential": outcome.prequential,
        "advice": verdict.advice,
        "promise": verdict.guarantee,
        "promise_kind": verdict.rule,
        "sources": {"new": verdict.new_source, "old": verdict.source},
        "findings": [{"level": f.level, "column": f.column, "text": f.text} for f in outcome.check.findings],
        "seed": outcome.seed,
        "smallest_gain": verdict.smallest_gain,
        "rows_needed": verdict.rows_needed,
    }
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Examples
    --------
    >>> plain({"gain": np.float64("nan"), "rows": np.int64(3), "of": (1.5, None)})
    {'gain': None, 'rows': 3, 'of': [1.5, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else str(value)


def _reason(reason: Reason) -> dict[str, Any]:
    found = reason.interval
    interval: dict[str, Any] = {"estimate": None, "lower": None, "upper": None, "test": None}
    if found is not None:
        interval = {"estimate": found.value, "lower": found.lower, "upper": found.upper, "test": found.test}
    return {
        "name": reason.name,
        "value": reason.value,
        "limit": reason.limit,
        "holds": reason.holds,
        "broken": reason.violated,
        "text": reason.text,
        **interval,
    }


def _metrics(comparison: Comparison | None) -> dict[str, Mapping[str, float]]:
    # both keys always: a reader of the JSON needs no case for an update without old rows
    if comparison is None:
        return {"champion": {}, "challenger": {}}
    return {"champion": comparison.champion, "challenger": comparison.challenger}


def _challenger(challenger: Challenger) -> dict[str, Any]:
    return {
        "strategy": challenger.strategy,
        "recipe": None if challenger.recipe is None else repr(challenger.recipe),
        "seconds": challenger.seconds,
        "rows": challenger.rows,
        "gain": challenger.gain,
        "score": challenger.score,
        "chosen": challenger.chosen,
        "notes": challenger.notes,
        "error": challenger.error,
        "spared": challenger.skip_reason,
    }
