"""Which rows an epoch learns, if not all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from incumbent.core import Floats
from incumbent.errors import ModelError
from incumbent.models.nets._data import TrainingTask
from incumbent.models.nets._order import Positions, batch_bounds, draw_balanced, epoch_generator
from incumbent.models.nets._steps import Steps, row_losses

_EPOCHS = 3  # of the net that learns the select rows
_TRIAL = 1 << 31  # added to the number of such an epoch, so that its draws are its own


def epoch_order(steps: Steps, epoch: int, irreducible: Floats | None = None) -> Positions:
    """Return the rows that an epoch learns, in order; `irreducible` is subtracted from the losses that choose them."""
    task = steps.task
    data, learn, rng = task.recipe.data, task.learn, epoch_generator(task.recipe.seed, epoch)
    subset = data.subset
    if data.ordered:
        return np.arange(len(learn))
    count = len(learn) if subset is None else max(1, round(subset.fraction * len(learn)))
    if data.balanced and learn.classes is not None:
        return draw_balanced(learn.classes, count, rng)
    if subset is not None and subset.by != "random":
        each = row_losses(task, learn, steps.objective)
        each = each if irreducible is None else each - irreducible
        return rng.permutation(np.argsort(-each, kind="stable")[:count])
    return rng.permutation(len(learn))[:count]


def irreducible_losses(task: TrainingTask, lr: float, batch_size: int) -> Floats:
    """Return the loss of each row under a net that learned held-out rows only (Mindermann et al. 2022, eq. 3)."""
    if task.select is None or not len(task.select):
        raise ModelError("SelectSubset(by='rho') compares with a net trained on select rows, and there are none.")
    plain = task.recipe.bind(checkpoint=None).replace(distill=None, ema=None, pull=None)
    other = replace(task, net=task.net.copy(), learn=task.select, replay=None, recipe=plain, penalties=())
    steps = Steps(other, lr, batch_size)
    for epoch in range(_EPOCHS):
        order = epoch_generator(task.recipe.seed, _TRIAL + epoch).permutation(len(task.select))
        at = task.net.ops.asarray(order)
        for start, end in batch_bounds(len(order), batch_size):
            steps.take(at[start:end], [], 1.0)
    return row_losses(other, task.learn, steps.objective)
