"""What the limits of a gate may name, measured for champion and challenger."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from incumbent import metrics
from incumbent.core import Batch, Model, Paired
from incumbent.models import save
from incumbent.updating._case import Case
from incumbent.updating._holdouts import Holdouts

MEASURED = ("latency_us", "bytes")
"""What a limit may name beyond metrics."""
_TURNS = 5
"""How often each model is timed; the median counts."""


def measured(case: Case, holdouts: Holdouts, model: Model, new: Paired) -> dict[str, tuple[float, float]]:
    """Measure what the gate's limits name, and nothing else."""
    names = {limit.name for limit in case.gate.limits}
    if not names:
        return {}
    task = case.champion.task
    before = metrics.scores(new.y, new.champion, task=task, weight=new.weight)
    after = metrics.scores(new.y, new.challenger, task=task, weight=new.weight)
    found = {name: (before[name], after[name]) for name in before if name in after}
    if "latency_us" in names:
        found["latency_us"] = _latencies(case.champion, model, holdouts.gate)
    if "bytes" in names:
        found["bytes"] = (float(_size(case.champion)), float(_size(model)))
    return found


def _latencies(champion: Model, challenger: Model, rows: Batch) -> tuple[float, float]:
    """Microseconds a row of both models on the same rows, measured in turns so that a busy machine slows both."""
    some = rows.take(np.arange(min(len(rows), 256)))
    spent: list[list[float]] = [[], []]
    for _ in range(_TURNS):
        for times, model in zip(spent, (champion, challenger), strict=True):
            begun = time.perf_counter()
            model.predict(some.x)
            times.append((time.perf_counter() - begun) / len(some) * 1e6)
    return float(np.median(spent[0])), float(np.median(spent[1]))


def _size(model: Model) -> int:
    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder))
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
