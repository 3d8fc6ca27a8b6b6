"""Measure the values that a gate limits: metrics, latency and size of champion and challenger."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from incumbent import metrics
from incumbent.core import Batch, Model, PairedPredictions
from incumbent.models import save
from incumbent.updating._live import LiveModel

MEASURED = ("latency_us", "bytes")
"""Values that a limit can name, in addition to metrics."""


def measure(live: LiveModel, challenger: Model, rows: Batch, new: PairedPredictions) -> dict[str, tuple[float, float]]:
    """Measure champion and challenger for the gate's limits: scores on `new`, latency on `rows`, size when saved."""
    names = {limit.name for limit in live.gate.limits}
    if not names:
        return {}
    task = live.model.task
    before = metrics.scores(new.y, new.champion, task=task, weight=new.weight)
    after = metrics.scores(new.y, new.challenger, task=task, weight=new.weight)
    found = {name: (before[name], after[name]) for name in before if name in after}
    if "latency_us" in names:
        found["latency_us"] = _latencies(live.model, challenger, rows)
    if "bytes" in names:
        found["bytes"] = (_size(live.model), _size(challenger))
    return found


def _latencies(champion: Model, challenger: Model, rows: Batch, *, turns: int = 5) -> tuple[float, float]:
    """Return the median microseconds per row of both models, measured in turns: a busy machine then slows both."""
    some = rows.take(np.arange(min(len(rows), 256)))
    spent: list[list[float]] = [[], []]
    for _ in range(turns):
        for times, model in zip(spent, (champion, challenger), strict=True):
            begun = time.perf_counter()
            model.predict(some.x)
            times.append((time.perf_counter() - begun) / len(some) * 1e6)
    return float(np.median(spent[0])), float(np.median(spent[1]))


def _size(model: Model) -> float:
    """Return the bytes of the model's files when saved."""
    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder))
        return float(sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()))
