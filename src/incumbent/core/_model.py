"""Contracts: what a model, a strategy and a metric must provide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeGuard, runtime_checkable

from incumbent.core._recipe import Recipe
from incumbent.core._rows import Batch, Memory, _positions
from incumbent.core._values import Array, Floats, Importance, Task


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of some rows, each predicted once.

    Parameters
    ----------
    label : (n,) array, or (n, m)
        Predicted classes, or values for a regression; of rows with several labels at once, which of them are on.
    proba : (n, k) array, optional
        Class probabilities, in the order of `classes`; of several labels the probability of each to be on.
    classes : (k,) array, optional
        The classes that the model knows, or what the several labels are called, in their order.
    """

    label: Array
    proba: Floats | None = None
    classes: Array | None = None

    def __len__(self) -> int:
        return len(self.label)

    def take(self, index: Array | Sequence[int]) -> Prediction:
        """Return the predictions at `index` (positions or a boolean mask), in that order."""
        at = _positions(index)
        return Prediction(self.label[at], None if self.proba is None else self.proba[at], self.classes)


@runtime_checkable
class Model(Protocol):
    """The adapter around a native model.

    Promises: `fit` returns a new model and self never changes; `predict` is pure; a model that was saved and loaded
    predicts exactly the same; the same recipe with the same seed gives the same model.

    Rows reach it as a data frame. An adapter with an attribute ``takes = "tensors"`` is given arrays (n, ...), or a
    dict of them for several inputs, where the rows came as such: of their own type, and as lazy rows where they are
    many.
    """

    @property
    def native(self) -> Any:
        """The model as its own framework knows it."""

    @property
    def abilities(self) -> frozenset[str]:
        """What it can do: words of `ABILITIES`."""

    @property
    def task(self) -> Task:
        """Whether it predicts classes or values."""

    @property
    def classes(self) -> Array | None:
        """The classes it knows, sorted; None for a regression."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known about how it was fitted, such as a fallback that was taken."""

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""

    def fit(self, recipe: Recipe) -> Model:
        """Follow a bound recipe and return the challenger it makes."""

    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, in a format that runs no code when it is read."""


class Differentiable(Model, Protocol):
    """A model whose weights can be read, valued and set. Weights of both methods share names and shapes."""

    def weights(self) -> dict[str, Floats]:
        """Return the weights by name."""

    def with_weights(self, weights: Mapping[str, Floats]) -> Model:
        """Return the same model with these weights."""

    def sensitivity(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for these rows, by weight name.

        "fisher" is the diagonal of the Fisher information: the mean over rows of the squared gradient of the log
        likelihood, in expectation over the labels that the model itself predicts. A model that can do so gives other
        kinds too.
        """


class Outspoken(Model, Protocol):
    """A model that tells what it says before it becomes a class or a probability."""

    def logits(self, x: Any) -> Floats:
        """Return the outputs (n, k): logits in the order in which it got to know its classes, or values."""


def outspoken(model: Model) -> TypeGuard[Outspoken]:
    """Whether this model tells its outputs, and learns from those of another."""
    return "soft" in model.abilities


def differentiable(model: Model) -> TypeGuard[Differentiable]:
    """Whether the weights of this model can be read, valued and set."""
    return "gradient" in model.abilities


@runtime_checkable
class Strategy(Protocol):
    """A small frozen value that edits a recipe and says what to remember. It never trains."""

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory that the version made by this strategy carries on, given what was just learned."""


class Metric(Protocol):
    """A score with a name and a direction, and where it has one, a loss per row whose mean it is."""

    @property
    def name(self) -> str:
        """As the command line spells it."""

    @property
    def greater_is_better(self) -> bool:
        """The direction of `score`. Losses are always better when smaller."""

    @property
    def bound(self) -> float:
        """The largest loss of one row; infinity where there is none."""

    def losses(self, y: Array, prediction: Prediction) -> Floats | None:
        """Loss of each row (n,), or None where the metric belongs to the rows as a whole (AUC, F1)."""

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings: `weight` is (B, n), the result (B,)."""
