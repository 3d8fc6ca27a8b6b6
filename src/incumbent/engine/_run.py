"""Follow training plans one after another in this process, within a deadline."""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from incumbent.core import Batch, Challenger, Event, Memory, Model, Progress, Recipe, Strategy, silent
from incumbent.engine._budget import time_limit
from incumbent.errors import IncumbentError
from incumbent.memory import assemble
from incumbent.models import fit_challenger


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """One challenger to train.

    Parameters
    ----------
    strategy : Strategy
        The strategy.
    recipe : Recipe
        Its recipe, checked for this model.
    start : Model
        The model that training starts from. It does not change.
    """

    strategy: Strategy
    recipe: Recipe
    start: Model


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows that a plan may use.

    Parameters
    ----------
    train : Batch
        New rows to learn from.
    select : Batch
        New rows held out of training, for choices along the way.
    memory : Memory
        Rows, importances and statistics of earlier data.
    seed : int
        The same for all plans, so that challengers differ by their strategy only.
    """

    train: Batch
    select: Batch
    memory: Memory = field(default_factory=Memory)
    seed: int = 0

    def bind(self, recipe: Recipe, *, deadline: float = math.inf) -> Recipe:
        """Return the recipe with the rows that its data element takes."""
        rows = assemble(recipe.data, self.train, self.memory, seed=self.seed)
        return recipe.bind(train=rows, select=self.select, memory=self.memory, seed=self.seed, deadline=deadline)


def run(
    plans: Sequence[TrainingPlan],
    rows: TrainingRows,
    *,
    skip: Callable[[TrainingPlan, Sequence[Challenger]], str] = lambda plan, done: "",
    score: Callable[[Challenger], Challenger] = lambda challenger: challenger,
    deadline: float = math.inf,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Iterator[Challenger]:
    """Yield one challenger for each plan, in order. A challenger that fails carries the error; the next plan follows.

    Parameters
    ----------
    plans : sequence of TrainingPlan
        What to train.
    rows : TrainingRows
        The rows to train on.
    skip : callable
        Called with a plan and the challengers so far, before the plan is trained. Returns why the plan is not needed,
        or an empty text to train it.
    score : callable
        Adds scores to a trained challenger, for `skip` and for the caller.
    deadline : float
        In seconds of `time.monotonic`. Plans that it cuts off are yielded with an error.
    checkpoints : Path, optional
        A folder for checkpoints of long trainings. An interrupted training resumes from there.
    progress : callable
        Called with every step, as an `Event`.
    """
    done: list[Challenger] = []
    for number, plan in enumerate(plans):
        name, reason = repr(plan.strategy), skip(plan, done)
        if reason:
            challenger, stage = Challenger(name, plan.recipe, skip_reason=reason), "spared"
        else:
            progress(_event("fit", name, number, len(plans), deadline))
            challenger = score(_train(plan, rows, deadline, checkpoints))
            stage = "failed" if challenger.error else "fitted"
        done.append(challenger)
        progress(_event(stage, name, number + 1, len(plans), deadline))
        yield challenger


def _train(plan: TrainingPlan, rows: TrainingRows, deadline: float, checkpoints: Path | None) -> Challenger:
    name, planned = repr(plan.strategy), plan.recipe
    if time.monotonic() >= deadline:
        return Challenger(name, planned, error="not tried: the budget was spent")
    start = time.monotonic()
    try:
        with time_limit(deadline), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence warnings of estimators; the evidence shows what matters
            recipe = rows.bind(planned, deadline=deadline)
            made = fit_challenger(plan.start, recipe.bind(checkpoint=_checkpoint(checkpoints, name)))
    except Exception as error:  # an estimator may raise anything, and one failed try must not end the update
        return Challenger(name, planned, seconds=time.monotonic() - start, error=_first_line(error))
    assert recipe.train is not None, "bind sets it"
    spent = time.monotonic() - start
    return Challenger(name, planned, made, spent, len(recipe.train), notes=made.notes)


def _first_line(error: Exception) -> str:
    """Return the whole text of our own errors, and type and first line of others."""
    if isinstance(error, IncumbentError):
        return str(error)
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def _checkpoint(folder: Path | None, strategy: str) -> Path | None:
    return None if folder is None else folder / f"{hashlib.sha256(strategy.encode()).hexdigest()[:16]}.pt"


def _event(stage: str, text: str, done: int, total: int, deadline: float) -> Event:
    return Event(stage, text, done, total, max(0.0, deadline - time.monotonic()))
