"""Single steps on a net. Positions are drawn for a whole epoch at once, so a step adds little to the framework's."""

from __future__ import annotations

import numpy as np

from incumbent.core import Floats
from incumbent.models.nets._data import TrainingData, TrainingTask
from incumbent.models.nets._hooks import MovingAverage, PathIntegral, StepHook, pull_hook
from incumbent.models.nets._losses import TaskLoss, soft_loss, stored_loss
from incumbent.models.nets._ops import OptimizerSettings, Tensor
from incumbent.models.nets._order import draw_replay, epoch_generator


class Steps:
    """Gradient steps on one net, with all that the recipe adds to the task loss. The net is switched to training.

    Minimises ``task + distill * T**2 KL(old || new) + replay * task(old rows) + stored * |h - z|**2
    + pull/2 * sum(importance * (w - w_start)**2) + l2/2 * sum(w_new**2)``. The quadratic terms are never part of the
    loss that is differentiated; see `incumbent.models.nets._hooks`.
    """

    def __init__(self, task: TrainingTask, lr: float, batch_size: int) -> None:
        recipe, ops, pull = task.recipe, task.net.ops, task.recipe.loss.pull
        task.net.learn(statistics=batch_size > 1)  # one row has no statistics
        self.task, self.lr, self.batch_size, self.count = task, lr, batch_size, 0
        self.loss, self.ops = recipe.loss, ops
        self.objective = TaskLoss.from_recipe(recipe.loss, task.spec, ops)
        self.optimizer = task.net.optimizer(_settings(task))
        is_path = pull is not None and pull.importance == "path"
        self.path = PathIntegral(self.optimizer, ops) if is_path else None
        self.average = MovingAverage(recipe.finish.ema, self.optimizer, ops) if recipe.finish.ema else None
        pulls = [pull_hook(penalty, self.optimizer, ops) for penalty in task.penalties]
        self.hooks: list[StepHook] = [hook for hook in (self.average, self.path, *pulls) if hook is not None]
        replays, logits = task.replay is not None, recipe.loss.stored_logits
        self.stored = 0.0 if logits is None or task.replay is None else logits.weight * task.replay.stored_weight
        self.draws = (replays and self.stored > 0) + (replays and recipe.loss.replay_weight > 0)

    def draw(self, steps: int, seed: int, epoch: int) -> list[Tensor]:
        """Return the positions of old rows for so many steps, an array (steps, count) for each use of them."""
        replay = self.task.replay
        if replay is None:
            return []
        count, made = min(self.batch_size, len(replay)), []
        for use in range(self.draws):
            rng = epoch_generator(seed, epoch, 1 + use)
            made.append(self.ops.asarray(draw_replay(len(replay), replay.classes, count, steps, rng)))
        return made

    def take(self, at: Tensor, old: list[Tensor], factor: float) -> Tensor:
        """Take one step on the rows at some positions, and old rows at others; return the loss before it."""
        lr = self.lr * factor
        loss = self.optimizer.backward(self.loss_at, at, *old)
        for hook in self.hooks:
            hook.before(self.optimizer)
        self.optimizer.update(lr)
        self.count += 1
        for hook in reversed(self.hooks):
            hook.after(self.optimizer, lr, self.count)
        return loss

    def loss_at(self, at: Tensor, *old: Tensor) -> Tensor:
        """Return the loss on these rows, without the quadratic terms."""
        learn, replay, ops = self.task.learn, self.task.replay, self.ops
        inputs = learn.rows.at(at)
        if replay is not None and old:
            parts = [inputs, *(replay.rows.at(part) for part in old)]
            inputs = {name: ops.concat([part[name] for part in parts]) for name in inputs}
        out = self.task.spec.logits(self.task.net.forward(inputs), ops)
        new = out[: len(at)] if old else out
        total = self._task(new, learn, at)
        distill = self.loss.distill
        if learn.soft is not None and distill is not None:
            target, entropy = (ops.take(part, at) for part in learn.soft)
            soft = soft_loss(new, target, entropy, self.task.spec, ops, distill.temperature)
            total = total + distill.weight * soft
        return total if replay is None or not old else total + self._replayed(out[len(at) :], replay, old)

    def _task(self, out: Tensor, data: TrainingData, at: Tensor) -> Tensor:
        weight = None if data.weight is None else self.ops.take(data.weight, at)
        return self.objective.mean(out, self.ops.take(data.target, at), weight)

    def _replayed(self, out: Tensor, replay: TrainingData, old: tuple[Tensor, ...]) -> Tensor:
        """Return the loss on old rows: on their stored outputs first, then on their labels."""
        total, start = 0.0, 0
        if self.stored > 0:
            assert replay.stored is not None, "old rows come with their outputs if the loss needs them"
            target, known = (self.ops.take(part, old[0]) for part in replay.stored)
            start = len(old[0])
            total = total + self.stored * stored_loss(out[:start], target, known, self.ops)
        if self.loss.replay_weight > 0:
            total = total + self.loss.replay_weight * self._task(out[start:], replay, old[-1])
        return total


def _settings(task: TrainingTask) -> OptimizerSettings:
    """Return the settings that a recipe gives the optimizer; rates fall by `layer_decay` from the last block down."""
    given, blocks, factors = task.recipe.optimizer, task.net.blocks, {}
    name = given.name or "adam"
    decay = given.weight_decay if given.weight_decay is not None else (0.01 if name == "adamw" else 0.0)
    if given.layer_decay != 1:
        for weight in task.net.weight_names:
            at = next((i for i, block in enumerate(blocks) if weight.startswith(f"{block}.")), 0)
            factors[weight] = given.layer_decay ** max(0, len(blocks) - 1 - at)
    return OptimizerSettings(name, decay, given.clip, factors)


def row_losses(task: TrainingTask, data: TrainingData, objective: TaskLoss, size: int = 1024) -> Floats:
    """Return the task loss of each row (n,), at rest."""
    net, ops, found = task.net, task.net.ops, []
    with net.at_rest():
        for start in range(0, len(data), size):
            at = ops.asarray(np.arange(start, min(start + size, len(data))))
            out = task.spec.logits(net.forward(data.rows.at(at)), ops)
            found.append(ops.numpy(objective.rows(out, ops.take(data.target, at))))
    return np.concatenate(found)
