"""What a framework implements: the net, its head and its rows. Members that can be derived have a default."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from incumbent.core import Array, Floats
from incumbent.errors import AbilityError
from incumbent.models.exact._head import Head
from incumbent.models.nets._ops import Ops, Optimizer, OptimizerSettings, Tensor

Inputs: TypeAlias = dict[str, Tensor]
"""Tensors by the name of the argument that takes them; a single unnamed input has the name ""."""


class Rows(Protocol):
    """Rows that a net takes in mini-batches."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def at(self, at: Tensor) -> Inputs:
        """Return the rows at some positions as inputs of `Net.forward`."""


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """Rows of one tensor (n, ...), for nets with a single input.

    Parameters
    ----------
    x : Tensor
        The rows.
    """

    x: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def at(self, at: Tensor) -> Inputs:
        """Return the rows at some positions, under the name ""."""
        return {"": self.x[at]}


@dataclass(frozen=True)
class OutputLayer:
    """Properties of a net's outputs that its layers show, without any rows.

    Parameters
    ----------
    width : int, optional
        Number of outputs, if a layer shows it.
    is_linear : bool
        Whether the last layer with weights is a plain linear layer.
    probabilities : bool
        Whether the net ends in a softmax or sigmoid.
    """

    width: int | None
    is_linear: bool = False
    probabilities: bool = False


class HeadLayer(ABC):
    """The layer that computes the outputs: its name, and the names of its weights in the net."""

    name: str
    weight_names: tuple[str, ...]

    @abstractmethod
    def weights(self) -> tuple[Floats, Floats | None]:
        """Return copies of its weight (k, ...) and bias (k,)."""

    @abstractmethod
    def set_weights(self, weight: Floats, bias: Floats | None) -> None:
        """Set weight and bias, also for another number of outputs. Raise ModelError if another layer shares them."""

    @abstractmethod
    def features(self, inputs: Inputs) -> Tensor:
        """Return the input (n, d) of the layer, before the projection of an exact head."""

    @property
    def projection(self) -> Callable[[Array], Array] | None:
        """The projection of features (n, d) before the linear layer of an exact head; None if there is none."""
        return None


@dataclass(frozen=True)
class Score:
    """A score of each row and how its gradient counts: ``sum_i weight_i * |d score_i / dw| ** power``.

    Parameters
    ----------
    value : callable
        Outputs (n, k) and targets to scores (n,), in `Ops`.
    weight : (n,) Tensor, optional
        Weight of each row; one if missing.
    power : {1, 2}
        The exponent.
    """

    value: Callable[[Tensor, Tensor], Tensor]
    weight: Tensor | None = None
    power: int = 2


class Net(ABC):
    """A net of one framework, with what training needs. Each framework implements the abstract members.

    Weights go by name, as arrays. The head has a row for each output; a framework that stores kernels as (inputs,
    outputs) transposes them in `weights`, `load_weights` and `Optimizer.tensors`.
    """

    native: Any
    """The model of the framework itself."""

    prepare: str | None = None
    """The function that is applied to rows before they become tensors, as "module:function"."""

    # ------------------------------------------------------------------------------------------ forward

    @property
    @abstractmethod
    def ops(self) -> Ops:
        """Tensor operations on the device of the net."""

    @property
    @abstractmethod
    def output_layer(self) -> OutputLayer:
        """Properties of the outputs that the layers show."""

    @abstractmethod
    def rows(self, x: Any) -> Rows:
        """Return rows as inputs on the device of the net; raise an error if the net takes other inputs."""

    @abstractmethod
    def forward(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k), with gradients outside of `at_rest`."""

    @abstractmethod
    def at_rest(self) -> AbstractContextManager[Any]:
        """Return a context without dropout, changes of batch statistics and gradients; it restores all of them."""

    def seeded(self, seed: int) -> AbstractContextManager[Any]:
        """Return a context in which the framework draws from this seed; it restores the random state."""
        return nullcontext()

    def with_prepare(self, prepare: str) -> Self:
        """Return the same net with another function for its rows."""
        return self

    @property
    def image_channels(self) -> int | None:
        """1 if the net takes grey images, 3 if it takes colour images; None if unknown."""
        return None

    @property
    def device(self) -> Any:
        """The device of the net."""
        return "cpu"

    def moved(self, device: Any = None) -> Self:
        """Return the net on a device: itself, or a copy. By default, the device for training and predictions."""
        return self

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an error means that the device is out of memory."""
        return isinstance(error, MemoryError)

    # ----------------------------------------------------------------------------------------- training

    @abstractmethod
    def optimizer(self, settings: OptimizerSettings) -> Optimizer:
        """Return an optimizer of the weights that are not frozen."""

    def learn(self, *, statistics: bool) -> None:  # noqa: B027  # many nets have no training mode
        """Switch all parts that are not frozen to training mode; batch statistics change only with `statistics`."""

    @abstractmethod
    def finish(self) -> None:
        """Switch all parts to evaluation mode after training. An exact head is then marked as trained."""

    def gradient_powers(
        self, inputs: Inputs, target: Tensor, scores: Callable[[Tensor], list[Score]]
    ) -> dict[str, Floats]:
        """Return ``sum_i weight_i * |d score_i / dw| ** power`` over the rows, summed over `scores(outputs)`, by name.

        Dropout is off and batch statistics are fixed. By default, each row takes one backward pass.
        """
        optimizer, total = self.optimizer(OptimizerSettings()), dict[str, Floats]()
        with self.at_rest():
            found = scores(self.forward(inputs))
        for score in found:
            weight = np.ones(len(target)) if score.weight is None else self.ops.numpy(score.weight)

            def value(at: Tensor, score: Score = score) -> Tensor:
                out = self.forward({name: self.ops.take(part, at) for name, part in inputs.items()})
                return self.ops.mean(score.value(out, self.ops.take(target, at)))

            for i in range(len(target)):
                optimizer.backward(value, self.ops.asarray(np.array([i])))
                for name, g in optimizer.arrays(optimizer.gradients()).items():
                    total[name] = total.get(name, 0.0) + weight[i] * np.abs(g) ** score.power
        return total

    # ------------------------------------------------------------------------------------------ weights

    @abstractmethod
    def weights(self) -> dict[str, Floats]:
        """Return copies of the weights and of the statistics of layers, such as batch means."""

    @abstractmethod
    def load_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set some of the weights, whose shapes fit. As after `finish`, an exact head is marked as trained."""

    def copy(self) -> Self:
        """Return a net that shares nothing with this one."""
        return deepcopy(self)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of the weights, without statistics."""
        return tuple(self.weights())

    def state(self) -> dict[str, Array]:
        """Return a copy of everything that training changes, counters included."""
        return dict(self.weights())

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Restore a copy that `state` returned."""
        self.load_weights(state)

    # ---------------------------------------------------------------------------------------- structure

    @property
    @abstractmethod
    def frozen(self) -> frozenset[str]:
        """The names of the weights that training does not change."""

    @abstractmethod
    def freeze(self, weights: frozenset[str], parts: frozenset[str] = frozenset()) -> None:
        """Freeze exactly these weights, and keep these parts in evaluation mode during training."""

    @abstractmethod
    def head(self, x: Any = None, *, name: str | None = None) -> HeadLayer:
        """Return the layer that computes the outputs of some rows; raise ModelError if there is none.

        Without rows, return the layer of that name, or the last one that can be a head.
        """

    @abstractmethod
    def redrawn(self, seed: int) -> Self:
        """Return the same net with weights drawn from a seed."""

    @property
    def can_redraw(self) -> bool:
        """Whether the net supports `redrawn`."""
        return True

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all layers and groups of layers, in order; "body.0" is in "body"."""
        split = (name.split(".")[:-1] for name in self.weight_names)
        return tuple(dict.fromkeys(".".join(path[: i + 1]) for path in split for i in range(len(path))))

    @property
    def blocks(self) -> tuple[str, ...]:
        """The parts that the net applies one after another, from input to output."""
        return tuple(part for part in self.parts if "." not in part)

    def widen_tables(self, x: Any) -> dict[str, int]:
        """Add rows to lookup tables for new ids in `x`, at the mean of the old rows. Return the old sizes by weight."""
        return {}

    def rebuilt(self, factory: str | None, arguments: Mapping[str, Any], seed: int) -> Self:
        """Return a net of another architecture, built by the factory, or by the net's own with other arguments."""
        raise AbilityError(f"{type(self.native).__name__} has no factory that could build another architecture.")

    def add_lora(self, rank: int, layers: Sequence[str], head: str | None) -> list[str]:
        """Add low-rank updates to some layers and freeze these layers. Return their names."""
        raise AbilityError(f"{type(self.native).__name__} cannot have low-rank updates.")

    def merge_lora(self) -> None:  # noqa: B027  # without updates there is nothing to do
        """Add the low-rank updates into the weights, if there are any."""

    # ---------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head: Head, name: str | None) -> Self:
        """Return a copy in which an exact layer replaces the head of that name."""
        raise AbilityError(f"{type(self.native).__name__} takes no exact head.")

    def with_only_a_head(self, x: Any, width: int) -> Self:
        """Return a net that is one linear layer on the raw rows; the same net if it is that already."""
        raise AbilityError(f"{type(self.native).__name__} takes no exact head.")

    def exact_head(self, classes: Any) -> Head | None:
        """Return the exact head as it was stored; None if there is none or it was trained since."""
        return None

    @abstractmethod
    def save(self, folder: Path) -> dict[str, Any]:
        """Write the net into files that run no code. Return the other settings that `load` needs, as JSON values."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> tuple[Self, str]:
        """Read what `save` wrote; return the net, and a note if a part of an older version cannot be read."""
