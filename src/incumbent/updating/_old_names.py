"""Names of release 0.1 that `LiveModel` and `prepare_update` replace. They go in the next release."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from incumbent.core import AnchorSet, Batch, DataCheck, Memory, Metric, Model, Progress, Task, silent
from incumbent.data import Schema
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl
from incumbent.policy import Choice
from incumbent.updating._anchor import drop_trained_rows
from incumbent.updating._inputs import UpdateInputs, prepare_update
from incumbent.updating._live import LiveModel, UpdateState
from incumbent.updating._prequential import PrequentialModels
from incumbent.updating._selection import SelectionWeights


@dataclass(frozen=True, eq=False)
class Case:
    """The inputs of an update before they are prepared; `LiveModel` and `prepare_update` replace it."""

    champion: Model
    batch: Batch
    check: DataCheck
    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    standing: Mapping[str, Model] = field(default_factory=dict)
    strategies: Choice = "auto"
    budget: float = 300.0
    metric: str | Metric | None = None
    gate: Gate = field(default_factory=Gate)
    control: ErrorControl | None = None
    live: str = "Retrain()"
    lines: PrequentialModels = field(default_factory=PrequentialModels)
    followed: SelectionWeights = field(default_factory=SelectionWeights)
    seed: int = 0
    progress: Progress = silent
    checkpoints: Path | None = None

    def __post_init__(self) -> None:
        _warn("Case(champion, batch, check, ...)", "prepare_update(LiveModel(...), batch, check, ...)")


def prepare(case: Case) -> UpdateInputs:
    """Return the inputs of an update; `prepare_update` replaces this."""
    state = UpdateState(case.standing, case.control, case.lines, case.followed, case.live)
    live = LiveModel(case.champion, Schema((), ""), case.memory, case.anchor, case.gate, state)
    return prepare_update(
        live,
        case.batch,
        case.check,
        strategies=case.strategies,
        budget=case.budget,
        metric=case.metric,
        seed=case.seed,
        progress=case.progress,
        checkpoints=case.checkpoints,
    )


def unseen(held: AnchorSet, learned: Batch, check: DataCheck, *, task: Task) -> tuple[AnchorSet, DataCheck]:
    """Return the anchor set without trained rows; `drop_trained_rows` replaces this."""
    _warn("unseen(anchor, rows, check)", "drop_trained_rows(anchor, rows)")
    kept, findings = drop_trained_rows(held, learned, task=task)
    return kept, replace(check, findings=(*check.findings, *findings))


def _warn(old: str, new: str) -> None:
    message = f"incumbent.updating: {old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=4 if old.startswith("Case") else 3)
