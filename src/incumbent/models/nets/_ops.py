"""What a framework brings to compute and to learn: tensor operations, and an optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from incumbent.core import Array, Floats

Tensor: TypeAlias = Any
"""An array of the framework. It adds, subtracts, multiplies, divides and slices like a NumPy array."""

Tensors: TypeAlias = list[Tensor]


class Ops(ABC):
    """The tensor operations that losses and penalties are written in. Eight are abstract.

    Those on one tensor are differentiable. Those on lists act pair by pair and need no gradients.
    """

    @abstractmethod
    def asarray(self, x: Array) -> Tensor:
        """Return a NumPy array as a tensor, on the device of the net."""

    @abstractmethod
    def numpy(self, x: Tensor) -> Array:
        """Return a tensor as a NumPy array."""

    @abstractmethod
    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the rows of all parts."""

    @abstractmethod
    def mean(self, x: Tensor, axis: int | None = None) -> Tensor:
        """Return the mean along an axis, or of all numbers."""

    @abstractmethod
    def log_softmax(self, z: Tensor) -> Tensor:
        """Return logits (n, k) minus the logarithm of the sum of their exponentials."""

    @abstractmethod
    def softplus(self, z: Tensor) -> Tensor:
        """Return ``log(1 + exp(z))``."""

    @abstractmethod
    def log(self, x: Tensor) -> Tensor:
        """Return the natural logarithm."""

    @abstractmethod
    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """Return the numbers, with those outside of the limits set to the limit."""

    def take(self, x: Tensor, at: Tensor) -> Tensor:
        """Return the rows at some positions."""
        return x[at]

    def cross_entropy(self, z: Tensor, y: Tensor) -> Tensor:
        """Return ``-log_softmax(z)[i, y[i]]`` for each row (n,)."""
        k = z.shape[1]
        return -k * self.mean(self.take(self.asarray(np.eye(k)), y) * self.log_softmax(z), 1)

    def subtract(self, xs: Tensors, ys: Tensors | float) -> Tensors:
        """Return ``x - y`` of each pair, or minus one number."""
        return [x - y for x, y in _pairs(xs, ys)]

    def multiply(self, xs: Tensors, ys: Tensors | float) -> Tensors:
        """Return ``x * y`` of each pair, or times one number."""
        return [x * y for x, y in _pairs(xs, ys)]

    def divide(self, xs: Tensors, ys: Tensors) -> Tensors:
        """Return ``x / y`` of each pair; 1 / 0 is infinite."""
        with np.errstate(divide="ignore"):
            return [x / y for x, y in _pairs(xs, ys)]

    def add_(self, xs: Tensors, ys: Tensors, scale: float = 1.0) -> None:
        """Add ``scale * y`` to each x, in place."""
        for x, y in _pairs(xs, ys):
            x += scale * y


def _pairs(xs: Tensors, ys: Tensors | float) -> Any:
    return zip(xs, ys if isinstance(ys, list) else [ys] * len(xs), strict=True)


@dataclass(frozen=True)
class OptimizerSettings:
    """How a gradient becomes a step.

    Parameters
    ----------
    name : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}
        The published rule, with the constants of `incumbent.models.tables._optimisers`.
    weight_decay : float
        Decay of the weights per step, decoupled for AdamW.
    clip : float, optional
        Largest norm of the gradient.
    rate_factors : mapping of str to float
        Multiplies the learning rate of a weight; 1 if it is not named.
    """

    name: str = "adam"
    weight_decay: float = 0.0
    clip: float | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)


class Optimizer(ABC):
    """Takes gradient steps on the weights of one net that are not frozen. `names` gives their order in every list.

    What is added to `weights` in place changes the net.
    """

    ops: Ops
    settings: OptimizerSettings
    names: tuple[str, ...]
    weights: Tensors

    @abstractmethod
    def backward(self, loss: Callable[..., Tensor], *at: Tensor) -> Tensor:
        """Compute ``loss(*at)`` and its gradients; return the loss without them.

        Only the positions `at` change from step to step, so a framework may compile `loss` once.
        """

    @abstractmethod
    def gradients(self) -> Tensors:
        """Return the gradients themselves after `backward`; a weight without one has zeros."""

    @abstractmethod
    def update(self, lr: float) -> None:
        """Take a step along the gradients at this learning rate, clipped if the settings ask for it."""

    @abstractmethod
    def velocity(self) -> Tensors | None:
        """Return the momentum of SGD after `update`, to be changed in place; None without momentum."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return a copy of what the rule has accumulated."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Array]) -> None:
        """Continue from such a copy."""

    def tensors(self, values: Mapping[str, Array]) -> Tensors:
        """Return arrays in the layout of `Net.weights` as tensors in the layout of `weights`, in the order given."""
        return [self.ops.asarray(value) for value in values.values()]

    def arrays(self, tensors: Tensors) -> dict[str, Floats]:
        """Return copies of one tensor for each of `weights`, in the layout of `Net.weights`, by name."""
        return {name: np.array(self.ops.numpy(value)) for name, value in zip(self.names, tensors, strict=True)}

    @property
    def is_sgd(self) -> bool:
        """Whether a step is the learning rate times the gradient, perhaps with momentum."""
        return self.settings.name in ("sgd", "momentum")

    def rate_factors(self) -> list[float]:
        """Return what the learning rate of each weight is multiplied by."""
        return [self.settings.rate_factors.get(name, 1.0) for name in self.names]
