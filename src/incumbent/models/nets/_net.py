"""What a framework brings: the net, its head and its rows. What can be derived has a default."""

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
    """What the layers of a net show about its outputs, without any rows.

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
    """The layer that makes the outputs: its name, and the names of its weights in the net."""

    name: str
    weight_names: tuple[str, ...]

    @abstractmethod
    def weights(self) -> tuple[Floats, Floats | None]:
        """Return copies of its weight (k, ...) and bias (k,)."""

    @abstractmethod
    def set_weights(self, weight: Floats, bias: Floats | None) -> None:
        """Set both, also to another number of outputs; raise ModelError if another layer shares them."""

    @abstractmethod
    def features(self, inputs: Inputs) -> Tensor:
        """Return the input (n, d) of the layer, before the projection of an exact head."""

    @property
    def projection(self) -> Callable[[Array], Array] | None:
        """What an exact head does to its features (n, d) before its linear layer; None if nothing."""
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
    """A net of one framework: the native model and what the engine does with it. A framework writes what is abstract.

    Weights go by name, as arrays. The head has a row for each output; a framework that stores kernels as (inputs,
    outputs) transposes them in `weights`, `load_weights` and `Optimizer.tensors`.
    """

    native: Any
    """The model as the framework knows it."""

    prepare: str | None = None
    """The function that is applied to rows before they become tensors, as "module:function"."""

    # ------------------------------------------------------------------------------------------ forward

    @property
    @abstractmethod
    def ops(self) -> Ops:
        """Tensor operations on its device."""

    @property
    @abstractmethod
    def output_layer(self) -> OutputLayer:
        """What its layers show about its outputs."""

    @abstractmethod
    def rows(self, x: Any) -> Rows:
        """Return rows as inputs on the device of the net; raise an error if the net takes other inputs."""

    @abstractmethod
    def forward(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k), with gradients outside of `at_rest`."""

    @abstractmethod
    def at_rest(self) -> AbstractContextManager[Any]:
        """Within it dropout is off, batch statistics are fixed and nothing has gradients; afterwards as before."""

    def seeded(self, seed: int) -> AbstractContextManager[Any]:
        """Within it the framework draws from this seed; afterwards as if it had drawn nothing."""
        return nullcontext()

    def with_prepare(self, prepare: str) -> Self:
        """Return the same net with another function for its rows."""
        return self

    @property
    def image_channels(self) -> int | None:
        """1 if it takes grey images, 3 if it takes colour; None if that is not known."""
        return None

    @property
    def device(self) -> Any:
        """The device that it is on."""
        return "cpu"

    def moved(self, device: Any = None) -> Self:
        """Return the net on a device: itself, or a copy. Without one it is where it trains and predicts."""
        return self

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an error means that the memory of the device is full."""
        return isinstance(error, MemoryError)

    # ----------------------------------------------------------------------------------------- training

    @abstractmethod
    def optimizer(self, settings: OptimizerSettings) -> Optimizer:
        """Return an optimizer of the weights that are not frozen."""

    def learn(self, *, statistics: bool) -> None:  # noqa: B027  # many nets compute the same at rest
        """Switch all parts that are not frozen to training; batch statistics stay fixed unless `statistics`."""

    @abstractmethod
    def finish(self) -> None:
        """Switch all parts to rest after a training. An exact head counts as trained from then on."""

    def gradient_powers(
        self, inputs: Inputs, target: Tensor, scores: Callable[[Tensor], list[Score]]
    ) -> dict[str, Floats]:
        """Return ``sum_i weight_i * |d score_i / dw| ** power`` over the rows, summed over `scores(outputs)`, by name.

        Dropout and batch statistics are at rest. By default each row is a backward pass of its own.
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
        """Return copies of the weights and of the statistics that layers keep."""

    @abstractmethod
    def load_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set some of them; the shapes fit. Then, as after `finish`, an exact head counts as trained."""

    def copy(self) -> Self:
        """Return a net that shares nothing with this one."""
        return deepcopy(self)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of the weights, without statistics."""
        return tuple(self.weights())

    def state(self) -> dict[str, Array]:
        """Return a copy of all that changes in training, counters included."""
        return dict(self.weights())

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go back to such a copy."""
        self.load_weights(state)

    # ---------------------------------------------------------------------------------------- structure

    @property
    @abstractmethod
    def frozen(self) -> frozenset[str]:
        """The weights that do not learn."""

    @abstractmethod
    def freeze(self, weights: frozenset[str], parts: frozenset[str] = frozenset()) -> None:
        """Let exactly these weights not learn, and let these parts stay at rest in training."""

    @abstractmethod
    def head(self, x: Any = None, *, name: str | None = None) -> HeadLayer:
        """Return the layer that makes the outputs of some rows; raise ModelError if none does.

        Without rows it is the layer of that name, or the last one that could.
        """

    @abstractmethod
    def redrawn(self, seed: int) -> Self:
        """Return the same net with weights drawn from a seed."""

    @property
    def can_redraw(self) -> bool:
        """Whether `redrawn` works."""
        return True

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all layers and groups of layers, in order; "body.0" lies in "body"."""
        split = (name.split(".")[:-1] for name in self.weight_names)
        return tuple(dict.fromkeys(".".join(path[: i + 1]) for path in split for i in range(len(path))))

    @property
    def blocks(self) -> tuple[str, ...]:
        """The parts that the net is a row of, from input to output."""
        return tuple(part for part in self.parts if "." not in part)

    def widen_tables(self, x: Any) -> dict[str, int]:
        """Give lookup tables a row for each id in `x`, at the mean of their rows; return the old sizes by weight."""
        return {}

    def rebuilt(self, factory: str | None, arguments: Mapping[str, Any], seed: int) -> Self:
        """Return another architecture: what the factory makes, or its own factory with other arguments."""
        raise AbilityError(f"{type(self.native).__name__} has no factory that could build another architecture.")

    def add_lora(self, rank: int, layers: Sequence[str], head: str | None) -> list[str]:
        """Add low-rank updates to some layers, which are frozen from now on; return their names."""
        raise AbilityError(f"{type(self.native).__name__} takes no low-rank updates.")

    def merge_lora(self) -> None:  # noqa: B027  # without updates there is nothing to do
        """Add the low-rank updates into the weights, if there are any."""

    # ---------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head: Head, name: str | None) -> Self:
        """Return a copy with an exact layer instead of the head of that name; all else is as it was."""
        raise AbilityError(f"{type(self.native).__name__} takes no exact head.")

    def with_only_a_head(self, x: Any, width: int) -> Self:
        """Return a net that is a single linear layer on the rows themselves: the same if it is one already."""
        raise AbilityError(f"{type(self.native).__name__} takes no exact head.")

    def exact_head(self, classes: Any) -> Head | None:
        """Return the exact head as it was stored; None if there is none or it was trained since."""
        return None

    @abstractmethod
    def save(self, folder: Path) -> dict[str, Any]:
        """Write the net into files that run no code; return what else is needed to read it, as JSON holds it."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> tuple[Self, str]:
        """Read what `save` wrote; return the net, and a note if something of an older version was left out."""
