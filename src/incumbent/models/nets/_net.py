"""What a framework brings: tensor operations, an optimizer, a head, and the net itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

from incumbent.core import Array, Floats
from incumbent.models.exact._head import Head

Tensor: TypeAlias = Any
"""An array of the framework. It adds, subtracts, multiplies, divides and slices like a NumPy array."""

Inputs: TypeAlias = dict[str, Tensor]
"""Tensors by the name of the argument that takes them; a single unnamed input has the name ""."""

Tensors: TypeAlias = list[Tensor]


class Ops(Protocol):
    """The tensor operations that losses and penalties are written in.

    Those on one tensor are differentiable. Those on lists act pair by pair and need no gradients.
    """

    def asarray(self, x: Array) -> Tensor:
        """Return a NumPy array as a tensor, on the device of the net."""

    def numpy(self, x: Tensor) -> Array:
        """Return a tensor as a NumPy array."""

    def take(self, x: Tensor, at: Tensor) -> Tensor:
        """Return the rows at some positions."""

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the rows of all parts."""

    def mean(self, x: Tensor, axis: int | None = None) -> Tensor:
        """Return the mean along an axis, or of all numbers."""

    def log_softmax(self, z: Tensor) -> Tensor:
        """Return logits (n, k) minus the logarithm of the sum of their exponentials."""

    def cross_entropy(self, z: Tensor, y: Tensor) -> Tensor:
        """Return ``-log_softmax(z)[i, y[i]]`` for each row (n,)."""

    def softplus(self, z: Tensor) -> Tensor:
        """Return ``log(1 + exp(z))``."""

    def log(self, x: Tensor) -> Tensor:
        """Return the natural logarithm."""

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """Return the numbers, those outside of the limits at the limit."""

    def subtract(self, xs: Tensors, ys: Tensors | float) -> Tensors:
        """Return ``x - y`` of each pair."""

    def multiply(self, xs: Tensors, ys: Tensors | float) -> Tensors:
        """Return ``x * y`` of each pair, or each times one number."""

    def divide(self, xs: Tensors, ys: Tensors) -> Tensors:
        """Return ``x / y`` of each pair; 1 / 0 is infinite."""

    def add_(self, xs: Tensors, ys: Tensors, scale: float = 1.0) -> None:
        """Add ``scale * y`` to each x, in place."""


@dataclass(frozen=True)
class OptimizerSettings:
    """How the gradient becomes a step.

    Parameters
    ----------
    name : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}
        The published rule, with the constants of `incumbent.models.tables._optimisers`.
    weight_decay : float
        Decay of the weights per step, decoupled for AdamW.
    clip : float, optional
        Largest norm of the gradient.
    rate_factors : mapping of str to float
        What the learning rate of a weight is multiplied by; 1 if it is not named.
    """

    name: str = "adam"
    weight_decay: float = 0.0
    clip: float | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)


class Optimizer(Protocol):
    """Takes gradient steps on the weights of one net that are not frozen. `names` gives their order in every list."""

    names: tuple[str, ...]

    def backward(self, loss: Callable[..., Tensor], *at: Tensor) -> Tensor:
        """Compute ``loss(*at)`` and its gradients; return the loss without them.

        Only the positions `at` change from step to step, so a framework may compile `loss` once.
        """

    def evaluate(self, loss: Callable[..., Tensor], *at: Tensor) -> float:
        """Return ``loss(*at)`` as a number, without gradients."""

    def update(self, lr: float) -> None:
        """Take a step along the gradients at this learning rate, clipped if the settings say so."""

    @property
    def weights(self) -> Tensors:
        """The weights themselves: what is added to them in place changes the net."""

    def gradients(self) -> Tensors:
        """Return the gradients themselves after `backward`; a weight without one has zeros."""

    def rate_factors(self) -> list[float]:
        """Return what the learning rate of each weight is multiplied by."""

    @property
    def is_sgd(self) -> bool:
        """Whether a step is the learning rate times the gradient, perhaps with momentum."""

    def velocity(self) -> Tensors | None:
        """Return the momentum of SGD after `update`, to be changed in place; None without momentum."""

    def tensors(self, values: Mapping[str, Array]) -> Tensors:
        """Return arrays in the layout of `Net.weights` as tensors in the layout of `weights`, in the order given."""

    def arrays(self, tensors: Tensors) -> dict[str, Floats]:
        """Return one tensor for each of `weights` as arrays in the layout of `Net.weights`, by name."""

    def state(self) -> dict[str, Array]:
        """Return a copy of what the rule has accumulated."""

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from such a copy."""


class Rows(Protocol):
    """Rows that a net takes in mini-batches."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def at(self, at: Tensor) -> Inputs:
        """Return the rows at some positions as inputs of `Net.forward`."""


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


class HeadLayer(Protocol):
    """The layer that makes the outputs."""

    name: str

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of its weights in the net."""

    @property
    def has_projection(self) -> bool:
        """Whether it is an exact head that projects its features."""

    def weights(self) -> tuple[Floats, Floats | None]:
        """Return copies of its weight (k, ...) and bias (k,)."""

    def set_weights(self, weight: Floats, bias: Floats | None) -> None:
        """Set both, also to another number of outputs; raise ModelError if another layer shares them."""

    def redraw(self, width: int, seed: int) -> None:
        """Draw both again, for this number of outputs."""

    def features(self, inputs: Inputs, *, projected: bool = False) -> Tensor:
        """Return what the layer reads (n, d): of an exact head what it is given, or that after its projection."""

    def project(self, features: Array) -> Array:
        """Return such features after the projection of an exact head; as they are if there is none."""

    def outputs(self, features: Array) -> Tensor:
        """Return the outputs of the layer for projected features."""


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


class Net(Protocol):
    """A net of one framework: the native model and what the engine does with it. Methods that change it say so.

    Weights go by name, as arrays. The head has a row for each output; a framework that stores kernels as (inputs,
    outputs) turns them around in `weights`, `load_weights` and `Optimizer.tensors`.
    """

    @property
    def ops(self) -> Ops:
        """Tensor operations on its device."""

    @property
    def native(self) -> Any:
        """The model as the framework knows it."""

    # ------------------------------------------------------------------------------------------ forward

    def rows(self, x: Any) -> Rows:
        """Return rows as inputs on the device of the net; raise an error if the net takes other inputs."""

    @property
    def prepare(self) -> str | None:
        """What is applied to the rows before they become tensors, as "module:function"."""

    def with_prepare(self, prepare: str) -> Self:
        """Return the same net with its rows prepared in another way."""

    @property
    def image_channels(self) -> int | None:
        """1 if it takes grey images, 3 if it takes colour; None if that is not known."""

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k), with gradients outside of `at_rest`."""

    def at_rest(self) -> AbstractContextManager[Any]:
        """Within it dropout is off, batch statistics are fixed and nothing has gradients; afterwards as before."""

    def seeded(self, seed: int) -> AbstractContextManager[Any]:
        """Within it the framework draws from this seed; afterwards as if it had drawn nothing."""

    @property
    def output_layer(self) -> OutputLayer:
        """What its layers show about its outputs."""

    @property
    def device(self) -> Any:
        """The device that it is on."""

    @property
    def compute_device(self) -> Any:
        """The device that it trains and predicts on."""

    def moved(self, device: Any) -> Self:
        """Return the net on a device: itself, or a copy."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether an error means that the memory of the device is full."""

    # ----------------------------------------------------------------------------------------- training

    def learn(self, *, statistics: bool) -> None:
        """Switch all parts that are not frozen to training; batch statistics stay fixed unless `statistics`."""

    def optimizer(self, settings: OptimizerSettings) -> Optimizer:
        """Return an optimizer of the weights that are not frozen."""

    def finish(self, frozen: frozenset[str]) -> None:
        """Switch all parts to rest after a training, and let exactly these weights not learn."""

    def gradient_powers(
        self, inputs: Inputs, target: Tensor, scores: Callable[[Tensor], list[Score]]
    ) -> dict[str, Floats]:
        """Return ``sum_i weight_i * |d score_i / dw| ** power`` over the rows, summed over `scores(outputs)`, by name.

        Dropout and batch statistics are at rest.
        """

    # ------------------------------------------------------------------------------------------ weights

    def weights(self) -> dict[str, Floats]:
        """Return copies of the weights and of the statistics that layers keep."""

    def load_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set some of them; the shapes fit. Then, as after `finish`, an exact head is one that was trained since."""

    def state(self) -> dict[str, Array]:
        """Return a copy of all that changes in training, counters included."""

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go back to such a copy."""

    def copy(self) -> Self:
        """Return a net that shares nothing with this one."""

    # ---------------------------------------------------------------------------------------- structure

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all layers and groups of layers, in order; "body.0" lies in "body"."""

    @property
    def blocks(self) -> tuple[str, ...]:
        """The parts that the net is a row of, from input to output."""

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of the weights, without statistics."""

    @property
    def frozen(self) -> frozenset[str]:
        """The weights that do not learn."""

    def freeze(self, weights: frozenset[str], parts: frozenset[str]) -> None:
        """Let exactly these weights not learn, and let these parts stay at rest in training."""

    def head(self, x: Any = None, *, name: str | None = None) -> HeadLayer:
        """Return the layer that makes the outputs of some rows; raise ModelError if none does.

        Without rows it is the layer of that name, or the last one that could.
        """

    def widen_tables(self, x: Any) -> dict[str, int]:
        """Give lookup tables a row for each id in `x`, at the mean of their rows; return the old sizes by weight."""

    @property
    def can_redraw(self) -> bool:
        """Whether it can be made again with new weights."""

    def redrawn(self, seed: int) -> Self:
        """Return the same net with weights drawn from a seed."""

    def rebuilt(self, factory: str | None, arguments: Mapping[str, Any], seed: int) -> Self:
        """Return another architecture: what the factory makes, or its own factory with other arguments."""

    def add_lora(self, rank: int, layers: Sequence[str], head: str | None) -> list[str]:
        """Add low-rank updates to some layers, which are frozen from now on; return their names."""

    def merge_lora(self) -> None:
        """Add the low-rank updates into the weights, if there are any."""

    # ---------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head: Head, name: str | None) -> Self:
        """Return a copy with an exact layer in the place of the head of that name; all else is as it was."""

    def with_only_a_head(self, x: Any, width: int) -> Self:
        """Return a net that is a single linear layer on the rows themselves: the same if it is one already."""

    def exact_head(self, classes: Any) -> Head | None:
        """Return the exact head as it was stored; None if there is none or it was trained since."""

    def name_outputs(self, classes: Array) -> None:
        """Set the attribute `classes_` of the native model, as scikit-learn does: the class of each output."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the net into files that run no code; return what else is needed to read it, as JSON holds it."""

    @classmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> tuple[Self, str]:
        """Read what `save` wrote; return the net, and a note if something of an older version was left out."""
