"""What acts around each step: quadratic pulls on the weights, their moving average, and what each did for the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from incumbent.core import Array, Floats
from incumbent.models.nets._ops import Ops, Optimizer, Tensors


@dataclass(frozen=True, eq=False)
class QuadraticPenalty:
    """The penalty ``strength/2 * sum(importance * (w - goal)**2)``; without importances, one for every weight."""

    strength: float
    goal: Mapping[str, Array]
    importance: Mapping[str, Array] = field(default_factory=dict)


class StepHook:
    """Acts on the weights and gradients around each step of an optimizer."""

    def before(self, optimizer: Optimizer) -> None:
        """Act between the gradients and the step."""

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Act after a step, counted from 1."""

    def kept(self) -> list[Tensors]:
        """Return what it accumulates. A checkpoint is read back into these very lists."""
        return []


class GradientPull(StepHook):
    """Adds the gradient of a penalty to that of the loss.

    It is right for optimizers that divide each gradient by its own recent size: no step is longer than a few times the
    rate, however strong the pull. A stiff weight then stays within about a step of its goal.
    """

    def __init__(self, penalty: QuadraticPenalty, optimizer: Optimizer, ops: Ops) -> None:
        self.ops, self.strength = ops, penalty.strength
        self.at = [i for i, name in enumerate(optimizer.names) if name in penalty.goal]
        names = [optimizer.names[i] for i in self.at]
        self.goal = optimizer.tensors({name: penalty.goal[name] for name in names})
        self.importance = optimizer.tensors({name: penalty.importance[name] for name in names if penalty.importance})

    def before(self, optimizer: Optimizer) -> None:
        """Add ``strength * importance * (w - goal)`` to the gradients."""
        weights, gradients = optimizer.weights, optimizer.gradients()
        force = self.ops.subtract([weights[i] for i in self.at], self.goal)
        if self.importance:
            force = self.ops.multiply(force, self.importance)
        self.ops.add_([gradients[i] for i in self.at], force, self.strength)


@dataclass(frozen=True, eq=False)
class _Group:
    """Weights of one learning rate, with their goals and ``1 / (strength * importance)``."""

    factor: float
    at: list[int]
    goal: Tensors
    inverse: Tensors


class ProximalPull(StepHook):
    r"""Moves the weights towards the goal of a penalty after each step of SGD.

    The gradient step on a pull of stiffness :math:`h = strength \cdot importance` is unstable if
    :math:`\eta h > 2 (1 + \mu)`, and importances are heavy-tailed: the mean may be one and the largest thousands. So
    the pull is taken at the weights after the step, not before it (backward Euler; the proximal step of Parikh and
    Boyd 2014, section 4.2, with momentum inside):

    .. math:: v' = \mu v + g(w) + h (w' - w_0), \quad w' = w - \eta v', \quad \text{so} \quad
              w' = w_0 + \frac{w - \eta (\mu v + g(w)) - w_0}{1 + \eta h}.

    It comes to rest only at :math:`g(w) + h (w - w_0) = 0`, so it minimises the same penalised loss. For small
    :math:`\eta h` it is the gradient step. A step is stable for every :math:`h \ge 0` if
    :math:`\eta \lambda < 2 (1 + \mu) + \eta h`, :math:`\lambda` being the curvature of the rest: a pull never makes a
    stable step unstable. Clipping bounds the gradient of the rest.
    """

    def __init__(self, penalty: QuadraticPenalty, optimizer: Optimizer, ops: Ops) -> None:
        self.ops, self.strength = ops, penalty.strength
        named = [
            (factor, i, name)
            for i, (name, factor) in enumerate(zip(optimizer.names, optimizer.rate_factors(), strict=True))
            if name in penalty.goal
        ]
        self.groups = []
        for factor in dict.fromkeys(factor for factor, *_ in named):
            held = [(i, name) for own, i, name in named if own == factor]
            goal = optimizer.tensors({name: penalty.goal[name] for _, name in held})
            inverse = optimizer.tensors({name: _inverse(penalty, name) for _, name in held if penalty.importance})
            self.groups.append(_Group(factor, [i for i, _ in held], goal, inverse))

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Pull the weights that the step led to, and their momentum."""
        weights, velocity = optimizer.weights, optimizer.velocity()
        for group in self.groups:
            own, held = lr * group.factor, [weights[i] for i in group.at]
            gap = self.ops.subtract(held, group.goal)
            # h / (1 + lr h) = 1 / (1/h + lr), which is finite for every h
            if group.inverse:
                force = self.ops.divide(gap, self.ops.subtract(group.inverse, -own))
            else:
                force = self.ops.multiply(gap, 1 / (1 / self.strength + own))
            self.ops.add_(held, force, -own)
            if velocity is not None:
                self.ops.add_([velocity[i] for i in group.at], force)


def _inverse(penalty: QuadraticPenalty, name: str) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(1 / (penalty.strength * penalty.importance[name].astype(np.float64)), dtype=np.float32)


def pull_hook(penalty: QuadraticPenalty, optimizer: Optimizer, ops: Ops) -> StepHook:
    """Return the way to apply a penalty that suits the optimizer."""
    return (ProximalPull if optimizer.is_sgd else GradientPull)(penalty, optimizer, ops)


class MovingAverage(StepHook):
    """Keeps ``average = d * average + (1 - d) * w``; d is smaller at first, so that the start is soon forgotten."""

    def __init__(self, decay: float, optimizer: Optimizer, ops: Ops) -> None:
        self.ops, self.decay = ops, decay
        self.average = ops.multiply(optimizer.weights, 1.0)

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Move the average a little."""
        fraction = min(self.decay, step / (step + 10))
        self.ops.add_(self.average, self.ops.subtract(optimizer.weights, self.average), 1 - fraction)

    def kept(self) -> list[Tensors]:
        """Return the average."""
        return [self.average]

    def settle(self, optimizer: Optimizer) -> None:
        """Set the weights to the average."""
        self.ops.add_(optimizer.weights, self.ops.subtract(self.average, optimizer.weights))


class PathIntegral(StepHook):
    """Adds up what each weight did for the loss: minus gradient times change (Zenke et al. 2017, eq. 3)."""

    def __init__(self, optimizer: Optimizer, ops: Ops) -> None:
        self.ops = ops
        self.origin = ops.multiply(optimizer.weights, 1.0)
        self.path = ops.multiply(optimizer.weights, 0.0)
        self.gradients: Tensors = []
        self.start: Tensors = []

    def before(self, optimizer: Optimizer) -> None:
        """Keep gradients and weights."""
        self.gradients = self.ops.multiply(optimizer.gradients(), 1.0)
        self.start = self.ops.multiply(optimizer.weights, 1.0)

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Add what the step did."""
        change = self.ops.subtract(optimizer.weights, self.start)
        self.ops.add_(self.path, self.ops.multiply(self.gradients, change), -1.0)

    def kept(self) -> list[Tensors]:
        """Return the path and its start."""
        return [self.path, self.origin]

    def importance(self, optimizer: Optimizer) -> dict[str, Floats]:
        r"""Return :math:`\Omega_k = \omega_k / ((\Delta_k)^2 + 0.1)` (Zenke et al. 2017, eq. 5), at least zero."""
        path = optimizer.arrays(self.path)
        change = optimizer.arrays(self.ops.subtract(optimizer.weights, self.origin))
        return {name: np.maximum(path[name] / (np.square(change[name]) + 0.1), 0) for name in path}
