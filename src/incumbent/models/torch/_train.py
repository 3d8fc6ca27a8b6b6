"""The training loop of nets: epochs of steps, with what is kept of the best one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from incumbent.core import Optimizer, Recipe
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.torch._checkpoint import put_away, read_back, remove
from incumbent.models.torch._rate import range_test
from incumbent.models.torch._steps import Steps, balanced_draw, batches, set_modes
from incumbent.models.torch._structure import draw_from, seeded
from incumbent.models.torch._subset import irreducible, losses
from incumbent.models.torch._task import Task

_CHECK = 16  # steps between looks at whether the loss is still a number: each look waits for the device
CHECKPOINT_EVERY = 30.0
"""Seconds between checkpoints: what an interruption can cost at most, beyond the epoch that it fell into."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of it: how each weight served the loss along the way ("path"), and what should be known."""

    path: dict[str, Tensor]
    notes: tuple[str, ...]


def train(task: Task, *, batch_size: int) -> Trained:
    """Train the task's module in place.

    Raises
    ------
    ModelError
        The loss became infinite or no number.
    BudgetSpent
        The deadline came before the first epoch was over.
    """
    with seeded(task.recipe.seed):
        given = task.recipe.optimizer.lr
        lr = range_test(task, batch_size) if given is None else given
        note = (f"learning rate {lr:.2g} by a range test",) if given is None else ()
        course = _Course.of(task, lr, batch_size)
        notes = course.run()
    return Trained(course.steps.path_importance(), (*note, *notes))


@dataclass(eq=False)
class _Course:
    """All epochs of a training, with what is kept of the best one."""

    task: Task
    steps: Steps
    epochs: int
    patience: int | None
    begun: float
    best: float = math.inf
    kept: dict[str, Tensor] | None = None
    stale: int = 0
    epoch: int = 0
    hurdles: Tensor | None = None
    written: float = field(default_factory=time.monotonic)

    @staticmethod
    def of(task: Task, lr: float, batch_size: int) -> _Course:
        asked = task.recipe.optimizer
        epochs, patience = asked.epochs, asked.patience
        if epochs is None:
            epochs, patience = usual(task, batch_size, patience)
        if task.select is None or not len(task.select):
            patience = None
        return _Course(task, Steps(task, lr, batch_size), epochs, patience, time.monotonic())

    def run(self) -> tuple[str, ...]:
        recipe, size = self.task.recipe, self.steps.batch_size
        if recipe.data.subset is not None and recipe.data.subset.by == "rho":
            self.hurdles = irreducible(self.task, self.steps.lr, size)
        self._resume()
        soft = self.begun + 0.9 * (recipe.deadline - self.begun)  # what is left is for comparing what was made
        stop = ""
        while self.epoch < self.epochs and not stop:
            set_modes(self.task, size)
            if not self._pass(soft):
                stop = "the budget ended"
                break
            self.epoch += 1
            stop = self._judge()
            if recipe.checkpoint is not None and self.epoch < self.epochs and not stop and self._due():
                put_away(recipe.checkpoint, self._state())
        self._settle()
        if recipe.checkpoint is not None:
            remove(recipe.checkpoint)
        return (f"stopped after {self.epoch} of {self.epochs} epochs: {stop}",) if stop else ()

    def _due(self) -> bool:
        """Whether enough was done since the last checkpoint for another: writing one must cost next to nothing."""
        now = time.monotonic()
        if now - self.written < CHECKPOINT_EVERY:
            return False
        self.written = now
        return True

    def _pass(self, soft: float) -> bool:
        """Learn every row once; False where time ran out and what is there must do."""
        recipe, steps = self.task.recipe, self.steps
        draw_from(recipe.seed * 1_000_003 + self.epoch)  # an epoch is the same wherever training went on from
        steps.generator.manual_seed(recipe.seed * 1_000_033 + self.epoch)
        parts = batches(self._order(), steps.batch_size)
        total, done = self.epochs * len(parts), self.epoch * len(parts)
        running = torch.zeros((), device=steps.device)
        for i, at in enumerate(parts):
            running += steps.take(at, rate(recipe.optimizer, done + i, total, steps.batch_size))
            if i % _CHECK == 0 or i == len(parts) - 1:
                self._check(running, done + i)
            if time.monotonic() > soft:
                if self.epoch == 0 and i < len(parts) - 1:
                    raise BudgetSpent("The budget ended in the first epoch; give a longer --budget or fewer rows.")
                return i == len(parts) - 1
        return True

    def _order(self) -> Tensor:
        """Which rows this epoch learns, in which order."""
        data, subset, learn = self.task.recipe.data, self.task.recipe.data.subset, self.task.learn
        generator, n = self.steps.generator, len(learn)
        if data.ordered:
            return torch.arange(n, device=self.steps.device)
        count = n if subset is None else max(1, round(subset.fraction * n))
        if data.balanced and learn.classes is not None:
            order = balanced_draw(learn.classes, count, generator)
        elif subset is not None and subset.by != "random":
            each = losses(self.task, learn, self.steps.objective)
            each = each if self.hurdles is None else each - self.hurdles
            set_modes(self.task, self.steps.batch_size)
            order = each.topk(count).indices.cpu()[torch.randperm(count, generator=generator)]
        else:
            order = torch.randperm(n, generator=generator)[:count]
        return order.to(self.steps.device)

    def _check(self, running: Tensor, done: int) -> None:
        if not bool(torch.isfinite(running)):
            raise diverged(self.task.recipe, self.steps.lr, done)

    def _judge(self) -> str:
        """Keep the weights if they are the best on the select rows so far; say why to stop if there is a reason."""
        if self.patience is None or self.task.select is None:
            return ""
        found = float(losses(self.task, self.task.select, self.steps.objective).mean())
        if not math.isfinite(found):
            raise diverged(self.task.recipe, self.steps.lr, self.steps.count)
        if found < self.best:
            self.best, self.stale = found, 0
            self.kept = {name: value.detach().clone() for name, value in self.task.module.state_dict().items()}
        else:
            self.stale += 1
        return f"no smaller loss on the select rows for {self.stale}" if self.stale >= self.patience else ""

    def _settle(self) -> None:
        """Take the best weights, or their average, and make sure that all of them are numbers."""
        if self.steps.average:
            with torch.no_grad():
                for p, average in zip(self.steps.params, self.steps.average, strict=True):
                    p.copy_(average)
        elif self.kept is not None:
            self.task.module.load_state_dict(self.kept)
        for value in self.task.module.state_dict().values():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise diverged(self.task.recipe, self.steps.lr, self.steps.count)

    def _state(self) -> dict[str, Any]:
        steps = self.steps
        return {
            "key": self.task.key,
            "epoch": self.epoch,
            "count": steps.count,
            "lr": steps.lr,
            "module": self.task.module.state_dict(),
            "optimizer": steps.optimizer.state_dict(),
            "best": self.best,
            "kept": self.kept,
            "stale": self.stale,
            "path": steps.path,
            "origin": steps.origin,
            "average": steps.average,
        }

    def _resume(self) -> None:
        path = self.task.recipe.checkpoint
        state = None if path is None else read_back(path, self.task.key)
        if state is None:
            return
        steps = self.steps
        self.task.module.load_state_dict(state["module"])
        steps.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.best, self.kept, self.stale = (state[k] for k in ("epoch", "best", "kept", "stale"))
        steps.count, steps.lr = state["count"], state["lr"]
        for mine, stored in ((steps.path, "path"), (steps.origin, "origin"), (steps.average, "average")):
            for held, value in zip(mine, state[stored], strict=True):
                held.copy_(value)


def usual(task: Task, batch_size: int, patience: int | None) -> tuple[int, int]:
    """Return how many epochs, and how much patience, where nobody said: enough steps for few rows, few for many rows.

    Learning on from a net that works takes fewer than learning anew.
    """
    each = max(1, math.ceil(len(task.learn) / batch_size))
    scratch = task.recipe.structure.start == "scratch"
    wanted, low, high = (2_000, 20, 200) if scratch else (300, 4, 60)
    return max(low, min(high, math.ceil(wanted / each))), patience or (8 if scratch else 3)


def rate(asked: Optimizer, done: int, total: int, batch_size: int) -> float:
    """Return the share of the learning rate at a step: a rise over `warmup`, then a fall as `schedule` says."""
    share = done / max(1, total)
    if share < asked.warmup:
        return (share + 1 / total) / (asked.warmup + 1 / total)
    left = 1 - (share - asked.warmup) / (1 - asked.warmup)
    if asked.schedule == "constant" or batch_size == 1:
        return 1.0
    return left if asked.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


def diverged(recipe: Recipe, lr: float, step: int) -> ModelError:
    """Return the error of a training whose loss is no number any more."""
    chosen = "" if recipe.optimizer.lr is not None else " (which a range test chose)"
    logits = recipe.loss.stored_logits
    also = "" if logits is None else f", or a smaller weight of stored logits than {logits.weight:g}"
    return ModelError(
        f"The loss became infinite or no number at step {step + 1} with lr={lr:g}{chosen}, so training stopped there; "
        f"give a smaller rate, such as lr={lr / 10:.1g}{also}."
    )
