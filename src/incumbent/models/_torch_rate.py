"""A learning rate where none was given."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import torch

from incumbent.models._torch_steps import Steps, set_modes
from incumbent.models._torch_task import Task

_RATES = {"sgd": (1e-4, 1.0), "momentum": (1e-5, 0.3), "adagrad": (1e-4, 0.3), "rmsprop": (1e-6, 0.1)}
_TRIAL_STEPS = 60


def range_test(task: Task, batch_size: int) -> float:
    """Return a learning rate, by a run of few steps with a rate that grows exponentially (Smith 2017).

    It is a tenth of the rate at which the smoothed loss was least: beyond that one it was about to diverge.
    """
    low, high = _RATES.get(task.recipe.optimiser.optimizer or "adam", (1e-6, 0.1))
    plain = task.recipe.bind(checkpoint=None).but(ema=None, layer_decay=task.recipe.optimiser.layer_decay)
    trial = replace(task, module=copy.deepcopy(task.module), recipe=plain)
    steps = Steps(trial, low, batch_size)
    set_modes(trial, batch_size)
    count, n = _TRIAL_STEPS, len(task.learn)
    generator = torch.Generator().manual_seed(task.recipe.seed)
    smooth, best, chosen = 0.0, math.inf, low
    for i in range(count):
        lr = low * (high / low) ** (i / (count - 1))
        at = torch.randint(n, (min(batch_size, n),), generator=generator).to(steps.device)
        found = float(steps.take(at, lr / low))
        smooth = 0.9 * smooth + 0.1 * found
        now = smooth / (1 - 0.9 ** (i + 1))
        if not math.isfinite(now) or (i > 10 and now > 3 * best + 1e-3):
            break
        if now < best and i > 5:
            best, chosen = now, lr
    return chosen / 10
