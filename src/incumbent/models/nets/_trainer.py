"""The training loop of nets: how long it runs, at which rates, and what is kept of the best epoch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from incumbent.core import Array, Floats, Optimizer, Recipe
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.nets._checkpoint import read_checkpoint, write_checkpoint
from incumbent.models.nets._data import TrainingTask
from incumbent.models.nets._ops import Tensors
from incumbent.models.nets._order import batch_bounds
from incumbent.models.nets._rate_test import range_test
from incumbent.models.nets._steps import Steps, row_losses
from incumbent.models.nets._subset import epoch_order, irreducible_losses

_CHECK = 16  # steps between checks that the loss is finite: each waits for the device
CHECKPOINT_EVERY = 30.0
"""Seconds between checkpoints: an interruption costs at most this, plus the epoch that it fell into."""


def train(task: TrainingTask, batch_size: int) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Train the net of a task in place; return how each weight reduced the loss (for "path"), and notes.

    Raises
    ------
    ModelError
        The loss became infinite or NaN.
    BudgetSpent
        The deadline came before the first epoch was over.
    """
    lr, notes = task.recipe.optimizer.lr, tuple[str, ...]()
    with task.net.seeded(task.recipe.seed):
        if lr is None:
            lr = range_test(task, batch_size)
            notes = (f"learning rate {lr:.2g} by a range test",)
        trainer = _Trainer.from_task(task, lr, batch_size)
        notes += trainer.run()
    path = trainer.steps.path
    return {} if path is None else path.importance(trainer.steps.optimizer), notes


def default_epochs(rows: int, batch_size: int, patience: int | None, *, from_scratch: bool) -> tuple[int, int]:
    """Return epochs and patience if the recipe names none: enough steps for few rows and for many.

    A net that works already takes fewer.
    """
    steps = max(1, math.ceil(rows / batch_size))
    wanted, low, high = (2_000, 20, 200) if from_scratch else (300, 4, 60)
    return max(low, min(high, math.ceil(wanted / steps))), patience or (8 if from_scratch else 3)


def rate_factor(settings: Optimizer, done: int, total: int, batch_size: int) -> float:
    """Return what the learning rate is multiplied by at a step: a rise over `warmup`, then a fall by `schedule`."""
    progress = done / max(1, total)
    if progress < settings.warmup:
        return (progress + 1 / total) / (settings.warmup + 1 / total)
    left = 1 - (progress - settings.warmup) / (1 - settings.warmup)
    if settings.schedule == "constant" or batch_size == 1:
        return 1.0
    return left if settings.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


@dataclass(eq=False)
class _Trainer:
    """All epochs of a training, and what is kept of the best one."""

    task: TrainingTask
    steps: Steps
    epochs: int
    patience: int | None
    started: float
    best: float = math.inf
    kept: dict[str, Array] | None = None
    stale: int = 0
    epoch: int = 0
    irreducible: Floats | None = None
    written: float = field(default_factory=time.monotonic)

    @staticmethod
    def from_task(task: TrainingTask, lr: float, batch_size: int) -> _Trainer:
        settings = task.recipe.optimizer
        epochs, patience = settings.epochs, settings.patience
        if epochs is None:
            scratch = task.recipe.structure.start == "scratch"
            epochs, patience = default_epochs(len(task.learn), batch_size, patience, from_scratch=scratch)
        if task.select is None or not len(task.select):
            patience = None
        return _Trainer(task, Steps(task, lr, batch_size), epochs, patience, time.monotonic())

    def run(self) -> tuple[str, ...]:
        """Train to the end, from the last checkpoint if there is one; return a note if it stopped early."""
        recipe, stop = self.task.recipe, ""
        if recipe.data.subset is not None and recipe.data.subset.by == "rho":
            self.irreducible = irreducible_losses(self.task, self.steps.lr, self.steps.batch_size)
        self._resume()
        deadline = self.started + 0.9 * (recipe.deadline - self.started)  # the rest is for comparing the models
        while self.epoch < self.epochs and not stop:
            with self.task.net.seeded(recipe.seed * 1_000_003 + self.epoch):
                finished = self._run_epoch(deadline)
            if not finished:
                stop = "the budget ended"
                break
            self.epoch += 1
            stop = self._judge()
            if recipe.checkpoint is not None and self.epoch < self.epochs and not stop and self._is_due():
                self._write(recipe.checkpoint)
        self._settle()
        if recipe.checkpoint is not None:
            recipe.checkpoint.unlink(missing_ok=True)
        return (f"stopped after {self.epoch} of {self.epochs} epochs: {stop}",) if stop else ()

    def _is_due(self) -> bool:
        """Whether the last checkpoint is old enough: writing them must cost next to nothing."""
        now = time.monotonic()
        is_due = now - self.written >= CHECKPOINT_EVERY
        self.written = now if is_due else self.written
        return is_due

    def _run_epoch(self, deadline: float) -> bool:
        """Learn the rows of an epoch; return False if time ran out before its end."""
        steps, settings = self.steps, self.task.recipe.optimizer
        order = epoch_order(steps, self.epoch, self.irreducible)
        bounds = batch_bounds(len(order), steps.batch_size)
        at, old = steps.ops.asarray(order), steps.draw(len(bounds), self.task.recipe.seed, self.epoch)
        total, done = self.epochs * len(bounds), self.epoch * len(bounds)
        running = None
        for i, (start, end) in enumerate(bounds):
            factor = rate_factor(settings, done + i, total, steps.batch_size)
            loss = steps.take(at[start:end], [part[i] for part in old], factor)
            running = loss if running is None else running + loss
            if i % _CHECK == 0 or i == len(bounds) - 1:
                self._check(float(running), done + i)
            if time.monotonic() > deadline:
                if self.epoch == 0 and i < len(bounds) - 1:
                    raise BudgetSpent("The budget ended in the first epoch; give a longer --budget or fewer rows.")
                return i == len(bounds) - 1
        return True

    def _check(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise _divergence_error(self.task.recipe, self.steps.lr, step)

    def _judge(self) -> str:
        """Keep the weights if they are the best on the select rows so far; return why to stop, or an empty text."""
        if self.patience is None or self.task.select is None:
            return ""
        loss = float(row_losses(self.task, self.task.select, self.steps.objective).mean())
        self._check(loss, self.steps.count)
        if loss < self.best:
            self.best, self.stale, self.kept = loss, 0, self.task.net.state()
        else:
            self.stale += 1
        return f"no smaller loss on the select rows for {self.stale}" if self.stale >= self.patience else ""

    def _settle(self) -> None:
        """Take the best weights, or their average, and make sure that all of them are finite."""
        if self.steps.average is not None:
            self.steps.average.settle(self.steps.optimizer)
        elif self.kept is not None:
            self.task.net.load_state(self.kept)
        if not all(np.isfinite(value).all() for value in self.task.net.weights().values()):
            raise _divergence_error(self.task.recipe, self.steps.lr, self.steps.count)

    def _kept(self) -> list[Tensors]:
        return [kept for hook in self.steps.hooks for kept in hook.kept()]

    def _write(self, path: Path) -> None:
        steps, numpy = self.steps, self.steps.ops.numpy
        about = {"epoch": self.epoch, "best": self.best, "stale": self.stale, "count": steps.count, "lr": steps.lr}
        arrays = {"net": self.task.net.state(), "optimizer": steps.optimizer.state()}
        for i, kept in enumerate(self._kept()):
            arrays[f"trace{i}"] = {str(j): numpy(tensor) for j, tensor in enumerate(kept)}
        if self.kept is not None:
            arrays["kept"] = self.kept
        write_checkpoint(path, self.task.key, about, arrays)

    def _resume(self) -> None:
        path, steps = self.task.recipe.checkpoint, self.steps
        found = None if path is None else read_checkpoint(path, self.task.key)
        if found is None:
            return
        about, arrays = found
        self.task.net.load_state(arrays["net"])
        steps.optimizer.load_state(arrays["optimizer"])
        self.kept = arrays.get("kept")
        self.epoch, self.best, self.stale = about["epoch"], about["best"], about["stale"]
        steps.count, steps.lr = about["count"], about["lr"]
        for i, kept in enumerate(self._kept()):
            kept[:] = [steps.ops.asarray(arrays[f"trace{i}"][str(j)]) for j in range(len(kept))]


def _divergence_error(recipe: Recipe, lr: float, step: int) -> ModelError:
    """Return the error of a training whose loss is no longer finite."""
    chosen = "" if recipe.optimizer.lr is not None else " (which a range test chose)"
    logits = recipe.loss.stored_logits
    also = "" if logits is None else f", or a smaller weight of stored logits than {logits.weight:g}"
    return ModelError(
        f"The loss became infinite or no number at step {step + 1} with lr={lr:g}{chosen}, so training stopped there; "
        f"give a smaller rate, such as lr={lr / 10:.1g}{also}."
    )
