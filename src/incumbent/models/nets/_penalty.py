"""Quadratic pulls on the weights of a net, at any strength without a step that diverges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from incumbent.core import Array
from incumbent.models.nets._net import Ops, Optimizer, Tensors


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
        """Act after a step, the first being 1."""

    def kept(self) -> list[Tensors]:
        """Return what it accumulates; what is written into these lists is what it goes on from."""
        return []


class GradientPull(StepHook):
    """Adds the gradient of a penalty to that of the loss.

    It is right for optimizers that divide each gradient by its own recent size: no step is longer than a few times the
    rate, no matter how strong the pull. A stiff weight then stays within about a step of its goal.
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
    softness: Tensors


class ProximalPull(StepHook):
    r"""Moves the weights towards the goal of a penalty after each step of SGD.

    The gradient step on a pull of stiffness :math:`h = strength \cdot importance` is unstable where
    :math:`\eta h > 2 (1 + \mu)`, and importances are heavy-tailed: a mean of one goes with a largest of thousands. So
    the pull is taken at the weights after the step, not before it (backward Euler; the proximal step of Parikh and
    Boyd 2014, section 4.2, with momentum inside):

    .. math:: v' = \mu v + g(w) + h (w' - w_0), \quad w' = w - \eta v', \quad \text{so} \quad
              w' = w_0 + \frac{w - \eta (\mu v + g(w)) - w_0}{1 + \eta h}.

    It comes to rest only where :math:`g(w) + h (w - w_0) = 0`, so it minimises the same penalised loss. Where
    :math:`\eta h` is small it is the gradient step. A step is stable for every :math:`h \ge 0` where
    :math:`\eta \lambda < 2 (1 + \mu) + \eta h`, :math:`\lambda` being the curvature of the rest: a pull never makes a
    stable step unstable. Clipping bounds the gradient of the rest.
    """

    def __init__(self, penalty: QuadraticPenalty, optimizer: Optimizer, ops: Ops) -> None:
        self.ops, self.strength = ops, penalty.strength
        factors = optimizer.rate_factors()
        named = [(i, name) for i, name in enumerate(optimizer.names) if name in penalty.goal]
        self.groups = []
        for factor in dict.fromkeys(factors[i] for i, _ in named):
            held = [(i, name) for i, name in named if factors[i] == factor]
            goal = optimizer.tensors({name: penalty.goal[name] for _, name in held})
            softness = optimizer.tensors(
                {name: self._softness(penalty, name) for _, name in held if penalty.importance}
            )
            self.groups.append(_Group(factor, [i for i, _ in held], goal, softness))

    def _softness(self, penalty: QuadraticPenalty, name: str) -> Array:
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(1 / (penalty.strength * penalty.importance[name].astype(np.float64)), dtype=np.float32)

    def after(self, optimizer: Optimizer, lr: float, step: int) -> None:
        """Pull the weights that the step led to, and their momentum."""
        weights, velocity = optimizer.weights, optimizer.velocity()
        for group in self.groups:
            own, held = lr * group.factor, [weights[i] for i in group.at]
            gap = self.ops.subtract(held, group.goal)
            # h / (1 + lr h) = 1 / (1/h + lr), which is a number for every h
            if group.softness:
                force = self.ops.divide(gap, self.ops.subtract(group.softness, -own))
            else:
                force = self.ops.multiply(gap, 1 / (1 / self.strength + own))
            self.ops.add_(held, force, -own)
            if velocity is not None:
                self.ops.add_([velocity[i] for i in group.at], force)


def pull_hook(penalty: QuadraticPenalty, optimizer: Optimizer, ops: Ops) -> StepHook:
    """Return the way to apply a penalty that suits the optimizer."""
    return (ProximalPull if optimizer.is_sgd else GradientPull)(penalty, optimizer, ops)
