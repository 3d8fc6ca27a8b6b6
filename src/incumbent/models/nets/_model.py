"""The adapter around a net of any framework."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from incumbent.core import Array, BaseModel, Batch, Exact, Floats, Importance, Memory, Model, Prediction, Recipe, Task
from incumbent.errors import ModelError
from incumbent.models._training import training_rows
from incumbent.models.exact._fit import fit_exact_head
from incumbent.models.exact._grid import Grid
from incumbent.models.exact._head import Head
from incumbent.models.exact._update import head_statistics
from incumbent.models.nets._fit import fit_net
from incumbent.models.nets._importances import importances
from incumbent.models.nets._net import HeadLayer, Net
from incumbent.models.nets._output_spec import OutputSpec, infer_output_spec
from incumbent.models.nets._outputs import in_batches, outputs

_FORMAT = 1
_BATCH = 64
_ALWAYS = frozenset(
    "weight incremental gradient layers loss soft_targets batch_sampling training_hooks".split()
)  # abilities of every net


@dataclass
class HeadName:
    """The name of the layer that makes the outputs, once rows have shown it."""

    name: str | None = None


@dataclass(frozen=True, eq=False)
class NetModel(BaseModel):
    """The adapter around a net of any framework; that of one framework names its `Net` in `framework`.

    Parameters
    ----------
    net : Net
        The net; it does not change.
    spec : OutputSpec
        What its outputs mean.
    is_certain : bool
        Whether that is known, and not guessed from its last layer.
    notes : tuple of str
        How it was made.
    path : mapping of str to array
        How each weight reduced the loss in its training, if that was recorded.
    solved : Head, optional
        The exact head with what it was solved from, if it was solved just now.
    body : object
        Identity of the layers before the head. Models that share these layers share it.
    traced : HeadName
        The layer that makes the outputs, found by the first rows. Models of one structure share it.
    """

    net: Net
    spec: OutputSpec
    is_certain: bool = False
    notes: tuple[str, ...] = ()
    path: Mapping[str, Floats] = field(default_factory=dict, repr=False)
    solved: Head | None = field(default=None, repr=False)
    body: object = field(default_factory=object, repr=False)
    traced: HeadName = field(default_factory=HeadName, repr=False)

    framework: ClassVar[type[Net]]

    @classmethod
    def from_net(cls, net: Net, *, classes: Any = None, task: Task | None = None) -> Self:
        """Return the adapter of a net, with what the user says about its outputs.

        Parameters
        ----------
        net : Net
            The net.
        classes : (k,) sequence, optional
            The class of each output, in order. Without it they are inferred from the labels of the first rows.
        task : {"classification", "regression"}, optional
            What it predicts, if its outputs leave it open.
        """
        spec = infer_output_spec(net.output_layer, None, classes, task)
        return cls(net, spec, classes is not None or task == "regression")

    def infer_outputs(self, labels: Any, task: Task | None = None) -> Self:
        """Return the same net with its outputs read as these labels need; see `incumbent.core.Model`."""
        is_named = np.ndim(labels) == 2 and self.spec.kind == "softmax"  # by wrap(net, classes=...), before any rows
        if self.is_certain and not is_named:
            return self
        names = self.spec.outputs if self.is_certain else None
        spec = infer_output_spec(self.net.output_layer, labels, names, task)
        return replace(self, spec=spec, is_certain=True)

    # --------------------------------------------------------------------------------------- description

    @property
    def native(self) -> Any:
        """The net of its framework."""
        return self.net.native

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.spec.task

    @property
    def classes(self) -> Array | None:
        """The classes that the net can predict."""
        return self.spec.classes

    @property
    def outputs(self) -> Array | None:
        """The classes in the order of its outputs."""
        return self.spec.outputs

    @cached_property
    def abilities(self) -> frozenset[str]:
        """All abilities but those of trees; it is fitted from scratch if all of its layers can be drawn again."""
        last, has_one_class = self.net.output_layer, self.spec.kind in ("softmax", "binary")
        some = {
            "proba": self.task == "classification",
            "add_classes": has_one_class,
            "features": last.is_linear and (has_one_class or last.width == 1),
            "retrain": self.net.can_redraw,
        }
        return _ALWAYS | {word for word, is_there in some.items() if is_there}

    @cached_property
    def _placed(self) -> Net:
        """The net on the device where it predicts."""
        return self.net.moved()

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """Arrays of their own type."""
        return "tensors"

    @property
    def prepare(self) -> str | None:
        """What is applied to the rows before they become tensors, as "module:function"."""
        return self.net.prepare

    @property
    def image_channels(self) -> int | None:
        """1 if it takes grey images, 3 if it takes colour; None if that is not known."""
        return self.net.image_channels

    def with_prepare(self, prepare: str) -> Self:
        """Return the same model with its rows prepared in another way."""
        return replace(self, net=self.net.with_prepare(prepare))

    # --------------------------------------------------------------------------------------- predictions

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return self.spec.predict(outputs(self._placed, self.spec, x))

    def logits(self, x: Any) -> Floats:
        """Return the outputs (n, k) before any softmax or sigmoid; of two classes two columns that differ by it."""
        return self.spec.both(outputs(self._placed, self.spec, x).astype(np.float64))

    def features(self, x: Any) -> Floats:
        """Return the input of the last layer (n, d), before the projection of an exact head."""
        head = self._head(x)
        return in_batches(self._placed, self._placed.rows(x), head.features)

    def head_input(self, x: Any) -> Floats:
        """Return the input of the last layer, after that projection."""
        return self.project(self.features(x))

    def project(self, features: Floats) -> Floats:
        """Return `features` after the projection of an exact head, if there is one."""
        projection = self._head().projection
        return features if projection is None else projection(features)

    def predict_from(self, head_input: Floats) -> Prediction:
        """Return the predictions of rows, given the input of the last layer."""
        (weight, bias), ops = self._head().weights(), self.net.ops
        out = np.asarray(head_input, dtype=np.float32) @ weight.T + (0 if bias is None else bias)
        return self.spec.predict(ops.numpy(self.spec.logits(ops.asarray(out), ops)))

    def can_split(self, x: Any) -> bool:
        """Whether the net ends in a linear layer whose outputs nothing changes, tried on these rows."""
        if "features" not in self.abilities:
            return False
        try:
            found = self.predict_from(self.head_input(x))
        except (ModelError, RuntimeError, IndexError, ValueError):  # it reads rows in another shape, say
            return False
        true = self.predict(x)
        one, two = (found.label, true.label) if found.proba is None or true.proba is None else (found.proba, true.proba)
        return one.shape == two.shape and np.allclose(one, two, rtol=1e-5, atol=1e-6)

    def _head(self, x: Any = None) -> HeadLayer:
        """Return the last layer; rows show the first time which it is."""
        if self.traced.name is None and x is not None:
            self.traced.name = self._placed.head(x).name
        return self._placed.head(name=self.traced.name)

    # --------------------------------------------------------------------------------------- exact heads

    @property
    def frozen(self) -> object:
        """Identity of all that computes the input of the last layer, the projection of an exact head included."""
        if self.head is not None:
            return (self.body, self.head.token) if self.head.lift is not None else self.body
        is_projected = "features" in self.abilities and self.net.head().projection is not None
        return (self.body, "trained") if is_projected else self.body

    @property
    def grid(self) -> Grid | None:
        """The grid of the projection of an exact head."""
        return None if self.head is None else self.head.grid

    @property
    def has_raw_features(self) -> bool:
        """Whether its features have unlike units: no, a trained layer made them."""
        return False

    @cached_property
    def head(self) -> Head | None:
        """The exact head, if it has one."""
        return self.net.exact_head(self.spec.outputs) if self.solved is None else self.solved

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Self:
        """Return the net with an exact layer as its last; the others stay as they are."""
        if self.spec.kind == "multilabel" or (self.spec.probabilities and self.spec.kind == "binary"):
            raise ModelError(
                "Analytic gives one score for each class; this net ends in a sigmoid. Take the sigmoid off."
            )
        net = self.net.with_exact_head(head, self.traced.name)
        spec = self.spec if head.classes is None else OutputSpec("softmax", head.classes, self.spec.probabilities)
        _name_classes(net, spec)
        return replace(self, net=net, spec=spec, is_certain=True, notes=notes, path={}, solved=head)

    def _on_input(self, recipe: Recipe) -> Self:
        """Return a net of one layer that reads the rows themselves, for an exact head that replaces the whole net."""
        net = self.net.with_only_a_head(training_rows(recipe).x, self.spec.width or 1)
        return self if net is self.net else type(self)(net, self.spec, self.is_certain)

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return the sums that its exact head is solved from, with these rows."""
        return head_statistics(self, memory, batch)

    # ------------------------------------------------------------------------------------------ training

    def fit(self, recipe: Recipe) -> Model:
        """Follow a recipe; with smaller batches if the memory of the device is full.

        Raises
        ------
        ModelError
            The training diverged, or one row at a time is too much for the device.
        """
        head = recipe.structure.head
        if isinstance(head, Exact):
            return fit_exact_head(self._on_input(recipe) if head.reads == "input" else self, recipe, head)
        size, notes = recipe.optimizer.batch_size or _BATCH, tuple[str, ...]()
        while True:
            try:
                made, path = fit_net(self, recipe, size)
                break
            except (RuntimeError, MemoryError) as error:
                if not self.net.is_out_of_memory(error):
                    raise
                if size == 1:
                    raise ModelError(
                        "One row at a time does not fit into the memory of this device; use a smaller net."
                    ) from error
                notes = (f"out of memory with batches of {size}: trained in batches of {size // 2}",)
                size //= 2
        if made.spec is not self.spec or hasattr(self.native, "classes_"):
            _name_classes(made.net, made.spec)
        return type(self)(made.net, made.spec, True, (*notes, *made.notes), path)

    # ------------------------------------------------------------------------------------------- weights

    def weights(self) -> dict[str, Floats]:
        """Return every weight, and the statistics that normalisation layers keep, by name."""
        return self.net.weights()

    def with_weights(self, weights: Mapping[str, Floats]) -> Self:
        """Return the same net with these weights and statistics; raise ModelError if their shapes are not the net's."""
        held = self.net.weights()
        for name, value in weights.items():
            if name not in held or held[name].shape != np.shape(value):
                shape = tuple(held[name].shape) if name in held else "none"
                raise ModelError(f"{name} has shape {np.shape(value)}, and the net's has {shape}.")
        net = self.net.copy()
        net.load_weights(weights)
        return replace(self, net=net, solved=None, body=object())

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for some rows; it is zero for statistics and frozen weights.

        See `incumbent.models.nets._importances` for the equations. "path" is how each weight reduced the loss in the
        training that made this net; if that was not recorded, the Fisher information is returned.
        """
        zero = {name: np.zeros(value.shape) for name, value in self.net.weights().items()}
        if kind == "path" and self.path:
            return zero | {name: value.astype(np.float64) for name, value in self.path.items() if name in zero}
        kind = "fisher" if kind == "path" else kind
        if kind == "uniform":
            return {name: np.ones_like(value) for name, value in zero.items()}
        target = self.spec.targets(batch.labels) if kind == "empirical" else None
        return zero | importances(self.net, batch.x, self.spec, kind, target)

    # ------------------------------------------------------------------------------------------- storage

    def save(self, folder: Path) -> None:
        """Write the net and what its outputs mean; reading it runs no code."""
        about = {
            "format": _FORMAT,
            "kind": self.spec.kind,
            "outputs": _encoded(self.spec.outputs),
            "probabilities": self.spec.probabilities,
            "told": self.is_certain,
            "named": hasattr(self.native, "classes_"),
            **self.net.save(folder),
        }
        (folder / "net.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        again, now = type(self).load(folder).net.state(), self.net.state()
        for name, value in now.items():
            if not np.array_equal(again[name], value, equal_nan=value.dtype.kind == "f"):
                raise ModelError(
                    f"{name} of {type(self.native).__name__} differs from what was written when it is read back."
                )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raise ModelError if a file is damaged or the net's class cannot be imported."""
        try:
            about = json.loads((folder / "net.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            path = folder / "net.json"
            raise ModelError(
                f"{path} is missing or damaged ({error}), so the net in this folder cannot be read."
            ) from error
        spec = OutputSpec(about["kind"], _decoded(about["outputs"]), about["probabilities"])
        net, note = cls.framework.load(folder, about)
        if about["named"]:
            _name_classes(net, spec)
        return cls(net, spec, about["told"], (note,) if note else ())


def _name_classes(net: Net, spec: OutputSpec) -> None:
    """Name the classes on a new native model, as scikit-learn does, for users who keep the native model alone."""
    if spec.outputs is not None:
        net.native.classes_ = spec.outputs


def _encoded(names: Any) -> Any:
    """Return class names as JSON holds them, with their type."""
    return None if names is None else {"type": np.asarray(names).dtype.str, "values": np.asarray(names).tolist()}


def _decoded(stored: Any) -> Any:
    """Return the class names that `_encoded` wrote."""
    return None if stored is None else np.array(stored["values"], dtype=np.dtype(stored["type"]))
