"""Measure what the limits of a gate name: metrics, latency and size of champion and challenger."""

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
"""What a limit can name besides metrics."""


def measure(live: LiveModel, challenger: Model, rows: Batch, new: PairedPredictions) -> dict[str, tuple[float, float]]:
    """Return what the gate's limits name, measured for champion and challenger: scores on `new`, latency on `rows`."""
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
        found["bytes"] = (float(_size(live.model)), float(_size(challenger)))
    return found


def _latencies(champion: Model, challenger: Model, rows: Batch, *, turns: int = 5) -> tuple[float, float]:
    """Return microseconds per row of both models, measured in turns, so that a busy machine slows both."""
    some = rows.take(np.arange(min(len(rows), 256)))
    spent: list[list[float]] = [[], []]
    for _ in range(turns):
        for times, model in zip(spent, (champion, challenger), strict=True):
            begun = time.perf_counter()
            model.predict(some.x)
            times.append((time.perf_counter() - begun) / len(some) * 1e6)
    return float(np.median(spent[0])), float(np.median(spent[1]))


def _size(model: Model) -> int:
    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder))
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
