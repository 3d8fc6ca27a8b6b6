"""Contracts: what a model, a strategy and a metric must provide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeGuard, runtime_checkable

from incumbent.core._recipe import Recipe
from incumbent.core._rows import Batch, Memory, _positions
from incumbent.core._values import Array, Floats, Importance, Task


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model predicts for some rows, each predicted once.

    Parameters
    ----------
    label : (n,) array, or (n, m)
        Predicted classes, or values for a regression; with several labels per row, 1 for those that apply.
    proba : (n, k) array, optional
        Class probabilities, in the order of `classes`; with several labels per row, the probability of each.
    classes : (k,) array, optional
        The classes that the model knows, or the names of the several labels, in their order.
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
    """The adapter around a native model. Derive yours from `BaseModel`, which has defaults for the optional members.

    Promises: `fit` returns a new model and self never changes. `predict` is pure. A model that was saved and loaded
    predicts exactly the same. The same recipe with the same seed gives the same model.
    """

    @property
    def native(self) -> Any:
        """The model of its own framework."""

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
        """What a user should know about its training, such as a fit from scratch that replaced another method."""

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """How rows reach it: as a data frame, or as arrays of their own type (a dict of them for several inputs).

        With "tensors", rows that came as a data frame stay one, and many rows come as lazy rows.
        """

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns that it was trained on, in its order; None if it did not keep them."""

    @property
    def outputs(self) -> Array | None:
        """The classes in the order of its logits; None for a regression."""

    @property
    def image_channels(self) -> int | None:
        """1 if it reads grey images, 3 for colour; None if it reads no images."""

    @property
    def prepare(self) -> str | None:
        """The function "module:name" that is applied to rows before they reach the native model."""

    def with_prepare(self, prepare: str) -> Model:
        """Return the same model with another function for its rows."""

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""

    def fit(self, recipe: Recipe) -> Model:
        """Follow a bound recipe and return the challenger it makes."""

    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, in a format that runs no code when it is read."""

    def infer_outputs(self, labels: Array, task: Task | None = None) -> Model:
        """Return the model with the meaning of its outputs inferred from labels; itself if it knows them.

        Parameters
        ----------
        labels : (n,) or (n, m) array
            Labels of rows that it was trained on, or of the first rows it is given.
        task : {"classification", "regression"}, optional
            What the user declared.

        Raises
        ------
        ModelError
            The outputs do not fit the labels.
        """

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return `Memory.statistics` after this model learned `batch`: sums for an exact head; empty without one.

        Parameters
        ----------
        memory : Memory
            What is remembered, the batch included.
        batch : Batch
            The rows that were learned last.
        """


class BaseModel:
    """Defaults for the members of `Model` that only some models need. Adapters derive from it."""

    notes: tuple[str, ...] = ()

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """A data frame."""
        return "frame"

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns that it was trained on, if scikit-learn kept them."""
        names = getattr(self.native, "feature_names_in_", None)  # type: ignore[attr-defined]  # of the adapter
        return None if names is None else [str(name) for name in names]

    @property
    def outputs(self) -> Array | None:
        """The classes, in their order."""
        classes: Array | None = self.classes  # type: ignore[attr-defined]  # of the adapter
        return classes

    @property
    def image_channels(self) -> int | None:
        """None: it reads no images."""
        return None

    @property
    def prepare(self) -> str | None:
        """None: rows reach the native model as they are."""
        return None

    def with_prepare(self, prepare: str) -> Self:
        """Return the model itself."""
        return self

    def infer_outputs(self, labels: Array, task: Task | None = None) -> Self:
        """Return the model itself: it knows what its outputs mean."""
        return self

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return nothing: the model has no exact head."""
        return {}


class HasWeights(Model, Protocol):
    """A model whose weights can be read, valued and set. All three methods use the same names and shapes."""

    def weights(self) -> dict[str, Floats]:
        """Return the weights by name."""

    def with_weights(self, weights: Mapping[str, Floats]) -> Model:
        """Return the same model with these weights."""

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for these rows, by weight name.

        "fisher" is the diagonal of the Fisher information: the mean over rows of the squared gradient of the log
        likelihood, in expectation over the labels that the model itself predicts. The other kinds are optional.
        """


class HasLogits(Model, Protocol):
    """A model that exposes its raw outputs: logits for classes, values for regression."""

    def logits(self, x: Any) -> Floats:
        """Return the raw outputs (n, k), in the order of `outputs`."""


class HasFeatures(Model, Protocol):
    """A model whose last layer can be replaced by one that is solved exactly. That does not change its features."""

    @property
    def has_raw_features(self) -> bool:
        """Whether the features are the columns of the data themselves, in their own units."""

    @property
    def head(self) -> Any:
        """Its exact head (`incumbent.models.Head`); None if it has none."""

    def features(self, x: Any) -> Any:
        """Return the input (n, d) of the last layer, before `Head.lift`: an array, a frame or a sparse matrix.

        A row must have the same features whatever the other rows are, or it could not be deleted exactly.
        """

    def with_head(self, head: Any, notes: tuple[str, ...]) -> Model:
        """Return a model that predicts by these features, `head.lift` and the layer, and keeps `head`."""


class SplitModel(HasFeatures, Protocol):
    """A model whose frozen part and last layer can be called separately, so that features can be cached."""

    @property
    def body(self) -> object:
        """Identity of the frozen part before the projection of an exact head; equal for models that share it."""

    @property
    def frozen(self) -> object:
        """Identity of the whole frozen part; equal for models that share it."""

    @property
    def grid(self) -> Any:
        """The step that head inputs are whole multiples of, so that they can be cached as bytes; None without one."""

    def head_input(self, x: Any) -> Any:
        """Return the input (n, m) of the last layer."""

    def project(self, features: Any) -> Any:
        """Return the input (n, m) of the last layer, computed from `features`."""

    def predict_from(self, head_input: Any) -> Prediction:
        """Predict from the input of the last layer."""

    def can_split(self, x: Any) -> bool:
        """Return whether `predict_from(head_input(x))` equals `predict(x)`, by a trial on these few rows."""


def is_model(thing: object) -> TypeGuard[Model]:
    """Return whether a thing has the members that every adapter must have; `BaseModel` has the others."""
    return not isinstance(thing, type) and not lacking_members(thing)


def lacking_members(thing: object) -> list[str]:
    """Return the members that every adapter must have and `thing` lacks."""
    return [name for name in _REQUIRED if not hasattr(thing, name)]


def is_net(model: Model) -> bool:
    """Return whether a model is a neural network: it has layers."""
    return "layers" in model.abilities


def has_weights(model: Model) -> TypeGuard[HasWeights]:
    """Return whether the weights of this model can be read, valued and set."""
    return "gradient" in model.abilities


def has_logits(model: Model) -> TypeGuard[HasLogits]:
    """Return whether `model` exposes its raw outputs and can learn from those of another model."""
    return "soft_targets" in model.abilities


def has_features(model: Model) -> TypeGuard[HasFeatures]:
    """Return whether this model exposes the input of its last layer, and takes an exact head."""
    return "features" in model.abilities and hasattr(model, "with_head")  # an ensemble learns by its newest member


def is_split(model: Model) -> TypeGuard[SplitModel]:
    """Return whether the frozen part of this model can be called separately."""
    return hasattr(type(model), "predict_from")


_REQUIRED = ("native", "abilities", "task", "classes", "notes", "predict", "fit", "save")


@runtime_checkable
class Strategy(Protocol):
    """A small frozen value that edits a recipe and chooses what to remember. It never trains."""

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory to store with the version that this strategy made, after the model learned `batch`."""


class Metric(Protocol):
    """A score with a name and a direction. If it is the mean of a loss over rows, it has that loss too."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger `score` is better. A smaller loss always is."""

    @property
    def bound(self) -> float:
        """The largest loss of one row; infinity if there is no bound."""

    def losses(self, y: Array, prediction: Prediction) -> Floats | None:
        """Return the loss of each row (n,), or None if the metric is no mean over rows (AUC, F1)."""

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings: `weight` is (B, n), the result (B,)."""
