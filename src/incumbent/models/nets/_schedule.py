"""How long a net is trained, and how the learning rate changes along the way."""

from __future__ import annotations

import math

from incumbent.core import Optimizer


def default_epochs(rows: int, batch_size: int, patience: int | None, *, from_scratch: bool) -> tuple[int, int]:
    """Return the number of epochs and the patience if the recipe names none: enough steps for few rows and for many.

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
