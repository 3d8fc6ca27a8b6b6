"""What is kept along a training: the moving average of the weights, and what each weight did for the loss."""

from __future__ import annotations

import numpy as np

from incumbent.core import Floats
from incumbent.models.nets._net import Ops, Optimizer, Tensors
from incumbent.models.nets._penalty import StepHook


class MovingAverage(StepHook):
    """Keeps ``average = d * average + (1 - d) * w``; d is smaller at first, so that the start is soon forgotten."""

    def __init__(self, decay: float, optimizer: Optimizer, ops: Ops) -> None:
        self.ops, self.decay = ops, decay
        self.average = ops.multiply(optimizer.weights, 1.0)

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Move the average a little."""
        share = min(self.decay, step / (step + 10))
        self.ops.add_(self.average, self.ops.subtract(optimizer.weights, self.average), 1 - share)

    def kept(self) -> list[Tensors]:
        """Return the average."""
        return [self.average]

    def settle(self, optimizer: Optimizer) -> None:
        """Set the weights to the average."""
        self.ops.add_(optimizer.weights, self.ops.subtract(self.average, optimizer.weights))


class PathIntegral(StepHook):
    r"""Adds up what each weight did for the loss: minus gradient times change (Zenke et al. 2017, eq. 3)."""

    def __init__(self, optimizer: Optimizer, ops: Ops) -> None:
        self.ops = ops
        self.origin = ops.multiply(optimizer.weights, 1.0)
        self.path = ops.multiply(optimizer.weights, 0.0)
        self.slopes: Tensors = []
        self.start: Tensors = []

    def before(self, optimizer: Optimizer) -> None:
        """Keep gradients and weights."""
        self.slopes, self.start = (
            self.ops.multiply(optimizer.gradients(), 1.0),
            self.ops.multiply(optimizer.weights, 1.0),
        )

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Add what the step did."""
        change = self.ops.subtract(optimizer.weights, self.start)
        self.ops.add_(self.path, self.ops.multiply(self.slopes, change), -1.0)

    def kept(self) -> list[Tensors]:
        """Return the path and where it began."""
        return [self.path, self.origin]

    def importance(self, optimizer: Optimizer) -> dict[str, Floats]:
        r"""Return :math:`\Omega_k = \omega_k / ((\Delta_k)^2 + \xi)` (Zenke et al. 2017, eq. 5), at least zero.

        The damping is 0.1, of the order of magnitude in their experiments.
        """
        path = optimizer.arrays(self.path)
        change = optimizer.arrays(self.ops.subtract(optimizer.weights, self.origin))
        return {name: np.maximum(path[name] / (np.square(change[name]) + 0.1), 0) for name in path}
