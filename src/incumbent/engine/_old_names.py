"""Functions of release 0.1 that `run` and `TrainingRows` replace. They go in the next release."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from incumbent.core import Batch, Challenger, Memory, Model, Recipe, Strategy
from incumbent.engine._run import TrainingPlan, TrainingRows, run


def bound(recipe: Recipe, train_rows: Batch, select: Batch, memory: Memory, *, seed: int, deadline: float) -> Recipe:
    """Return the recipe with its rows; `TrainingRows.bind` replaces this."""
    _warn("bound(recipe, ...)", "TrainingRows(...).bind(recipe)")
    return TrainingRows(train_rows, select, memory, seed).bind(recipe, deadline=deadline)


def train(
    champion: Model,
    plans: Sequence[tuple[Strategy, Recipe]],
    rows: Batch,
    select: Batch,
    memory: Memory,
    *,
    seed: int,
    deadline: float,
    checkpoints: Path | None = None,
) -> Iterator[Challenger]:
    """Yield a challenger for each plan; `run` replaces this."""
    _warn("train(champion, plans, ...)", "run(plans, TrainingRows(...))")
    made = [TrainingPlan(strategy, recipe, champion) for strategy, recipe in plans]
    return run(made, TrainingRows(rows, select, memory, seed), deadline=deadline, checkpoints=checkpoints)


def _warn(old: str, new: str) -> None:
    message = f"incumbent.engine: {old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=3)
