"""A learning rate if the recipe gives none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from incumbent.models.nets._data import TrainingTask
from incumbent.models.nets._order import epoch_generator
from incumbent.models.nets._steps import Steps

_RANGES = {"sgd": (1e-4, 3.0), "momentum": (1e-5, 1.0), "adagrad": (1e-4, 0.3), "rmsprop": (1e-6, 0.1)}
_STEPS = 40
_TRIAL = 1 << 30  # a number that no epoch has, so that its draws are its own
_KEPT = 0.9  # of the running means at each step: about ten steps count, a factor of ten in the rate
_WORSE = 0.05  # of the loss of the unchanged net: less than that is as good as the least
_BROKEN = 0.5  # likewise, in one step: after it the net is another one, such as one of dead units
_LITTLE = 1e-3  # of the loss of an uninformed net: what a net that fits every row still has to lose


def range_test(task: TrainingTask, batch_size: int) -> float:
    """Return a learning rate, by a run of few steps with a rate that grows exponentially (Smith 2017, section 3.3).

    It is a tenth of the largest rate at which the loss was still about as low as it ever was. Two things differ from
    the usual test. Each mini-batch also goes through an unchanged copy of the net, and the difference of the two losses
    counts: mini-batches differ by far more than small steps change, so the least plain loss lies at a random rate if
    the net has little left to learn. And the test looks for the largest harmless rate, not the one at the least loss:
    where the loss is flat, that is arbitrary. If even the smallest rates do harm, as with inputs in the thousands, the
    test goes on below them. The copy costs a third of a step, so 40 steps are as cheap as 60 plain ones.
    """
    low, high = _RANGES.get(task.recipe.optimizer.name or "adam", (1e-6, 0.1))
    rates, last = [low], 0
    for scale in (1.0, 1e-3, 1e-6):
        rates = [scale * low * (high / low) ** (i / (_STEPS - 1)) for i in range(_STEPS)]
        last = last_harmless(list(loss_changes(task, batch_size, rates)))
        if last >= _STEPS // 5:
            break
    return rates[last] / 10


def last_harmless(changes: Sequence[float]) -> int:
    """Return the last position from the least change on, before one that is worse than it by more than 0.05.

    Examples
    --------
    >>> last_harmless([0.0, -0.3, -0.5, -0.46, -0.48, -0.2, -0.5])
    4
    >>> last_harmless([0.0, 0.01, -0.01, 0.02, 0.3, 2.0])  # nothing to learn
    3
    """
    if not changes:
        return 0
    least = int(np.argmin(changes))
    worse = np.flatnonzero(np.array(changes[least:]) > changes[least] + _WORSE)
    return least + int(worse[0]) - 1 if len(worse) else len(changes) - 1


def loss_changes(task: TrainingTask, batch_size: int, rates: Sequence[float]) -> Iterator[float]:
    """Yield by which fraction the loss exceeds that of the unchanged net, at each rate; running means."""
    pull = task.recipe.loss.pull
    pull = None if pull is None else pull.replace(importance="uniform")  # the path is not recorded
    plain = task.recipe.bind(checkpoint=None).replace(ema=None, pull=pull)
    moving, staying = (
        Steps(replace(task, net=task.net.copy(), recipe=plain, penalties=pulls), rates[0], batch_size)
        for pulls in (task.penalties, ())
    )
    seed, n, ops = task.recipe.seed, len(task.learn), task.net.ops
    size_of = (len(rates), min(batch_size, n))
    batches = ops.asarray(epoch_generator(seed, _TRIAL).integers(n, size=size_of))
    old = moving.draw(len(rates), seed, _TRIAL)
    change, size, least = 0.0, 0.0, math.inf
    little = max(_LITTLE * _baseline_loss(task), 1e-30)
    for i, rate in enumerate(rates):
        drawn = [part[i] for part in old]
        with staying.task.net.seeded(seed + i):  # the same dropout for both nets
            before = float(ops.numpy(staying.loss_at(batches[i], *drawn)))
        with moving.task.net.seeded(seed + i):
            after = float(moving.take(batches[i], drawn, rate / rates[0]))
        change = _KEPT * change + (1 - _KEPT) * (after - before)
        size = _KEPT * size + (1 - _KEPT) * max(abs(before), little)
        total = 1 - _KEPT ** (i + 1)  # of the weights in both means
        if not math.isfinite(after) or (after - before) / max(size / total, abs(before)) > least + _BROKEN:
            return
        least = min(least, change / size)
        yield change / size


def _baseline_loss(task: TrainingTask) -> float:
    """Return about the loss of a net that ignores its rows: the variance of values, or one for classes."""
    if task.spec.kind != "values":
        return 1.0
    variance = float(task.net.ops.numpy(task.learn.target).astype(np.float64).var(axis=0).mean())
    return variance if math.isfinite(variance) else 0.0
