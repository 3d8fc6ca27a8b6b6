"""PyTorch modules: classes, several labels or values from one tensor, a table, or several inputs by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Array, BaseModel, Batch, Exact, Floats, Importance, Memory, Model, Prediction, Recipe, Task
from incumbent.errors import ModelError
from incumbent.models.exact._analytic import analytic
from incumbent.models.exact._grid import Grid
from incumbent.models.exact._head import Head
from incumbent.models.exact._learned import statistics_after
from incumbent.models.torch._analytic import (
    AnalyticLayer,
    analytic_layer,
    described_head,
    drop_kept_rows,
    head_in,
    only_head,
    under_head,
    unsolved,
    with_head_again,
    without_head,
)
from incumbent.models.torch._ask import Asked, is_out_of_memory
from incumbent.models.torch._fisher import importances
from incumbent.models.torch._fit import learned, replacement, rows_of
from incumbent.models.torch._head import (
    Speech,
    ends_in_probabilities,
    head_of,
    heard,
    last_layer,
    width_of,
)
from incumbent.models.torch._input import Reader
from incumbent.models.torch._lora import adapt, is_adapted
from incumbent.models.torch._store import (
    Blueprint,
    built,
    decoded,
    described,
    encoded,
    fit,
    read_json,
    read_weights,
    reference_of,
    save_weights,
)
from incumbent.models.torch._structure import renewable

_FORMAT = 1
_BATCH = 64


def handles(native: Any) -> bool:
    """Whether `native` is a PyTorch module; where torch was never imported, nothing can be."""
    return isinstance(native, nn.Module)


@final
@dataclass(frozen=True, eq=False)
class TorchModel(BaseModel):
    """A PyTorch module.

    Parameters
    ----------
    native : nn.Module
        The net.
    speech : Speech
        How its outputs are read.
    told : bool
        Whether that is known for sure, and not a guess from its last layer.
    factory : Blueprint, optional
        What makes the net again; None reads it off its class.
    prepare : str, optional
        "module:function" that is applied to the rows before they become tensors.
    device : {"auto", "cpu", "cuda"}
        Where it learns and predicts; "auto" is a GPU if there is one.
    notes : tuple of str
        How it was made.
    path : mapping of str to Tensor
        What each weight did for the loss along its training, if that was watched.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> model = TorchModel.of(net, classes=["ham", "spam", "eggs"])
    >>> model.task, model.classes.tolist(), model.predict(np.ones((2, 4))).proba.shape
    ('classification', ['eggs', 'ham', 'spam'], (2, 3))
    """

    native: nn.Module
    speech: Speech
    told: bool = False
    factory: Blueprint | None = None
    prepare: str | None = None
    device: str = "auto"
    notes: tuple[str, ...] = ()
    path: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(
        native: nn.Module,
        *,
        classes: Any = None,
        task: Task | None = None,
        factory: Any = None,
        arguments: Mapping[str, Any] | None = None,
        prepare: Any = None,
        device: str = "auto",
    ) -> TorchModel:
        """Return the adapter of a net, with what the user says of it.

        Parameters
        ----------
        native : nn.Module
            The net.
        classes : (k,) sequence, optional
            Which class each output stands for, in order. Without it they are told from the labels of the first rows.
        task : {"classification", "regression"}, optional
            What it does, where its outputs leave it open.
        factory : callable or "package.module:name", optional
            What makes such a net, so that it can be stored, loaded and trained from scratch.
        arguments : mapping, optional
            What the factory is called with.
        prepare : callable or "package.module:name", optional
            Applied to the rows (n, ...) before they become tensors.
        device : {"auto", "cpu", "cuda"}
            Where it learns and predicts.
        """
        _check_weights(native)
        known = classes if classes is not None else getattr(native, "classes_", None)
        layer = last_layer(native)
        width = None if layer is None else width_of(layer[1])
        speech = heard(width, ends_in_probabilities(native), None, known, task)
        made = None if factory is None else {"call": reference_of(factory, "factory"), "with": dict(arguments or {})}
        if made is not None:
            fit(built(made), native.state_dict())  # a factory that makes another net shows now, not when it is stored
        prepared = None if prepare is None else reference_of(prepare, "prepare function")
        return TorchModel(native, speech, known is not None or task == "regression", made, prepared, device)

    def infer_outputs(self, labels: Any, task: Task | None = None) -> TorchModel:
        """Return the same net with its outputs read as these labels ask for, unless that is known already.

        Parameters
        ----------
        labels : (n,) or (n, m) array
            Labels of rows that it was trained on, or of the first it meets.
        task : {"classification", "regression"}, optional
            What the user says it does.

        Raises
        ------
        ModelError
            The outputs do not fit the labels.
        """
        named = np.ndim(labels) == 2 and self.speech.kind == "softmax"  # by wrap(net, classes=...), before any rows
        if self.told and not named:
            return self
        layer = last_layer(self.native)
        width = None if layer is None else width_of(layer[1])
        names = self.speech.outputs if self.told else None
        speech = heard(width, ends_in_probabilities(self.native), labels, names, task)
        return replace(self, speech=speech, told=True)

    # ------------------------------------------------------------------------------------------ what it is

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """Arrays of their own type."""
        return "tensors"

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.speech.task

    @property
    def classes(self) -> Array | None:
        """The classes it knows."""
        return self.speech.classes

    @property
    def outputs(self) -> Array | None:
        """The classes in the order of its outputs."""
        return self.speech.outputs

    @cached_property
    def reader(self) -> Reader:
        """How rows become its inputs."""
        return Reader.of(self.native, self.prepare)

    @property
    def image_channels(self) -> int | None:
        """Those of its first convolution."""
        return self.reader.channels

    def with_prepare(self, prepare: str) -> TorchModel:
        """Return the same net with another function for its rows."""
        return replace(self, prepare=prepare)

    @cached_property
    def abilities(self) -> frozenset[str]:
        """Everything but trees; it is trained from scratch if all of its layers can draw themselves anew."""
        words = {
            "weight",
            "incremental",
            "gradient",
            "layers",
            "loss",
            "soft_targets",
            "batch_sampling",
            "training_hooks",
        }
        words |= {"proba"} if self.task == "classification" else set()
        words |= {"add_classes"} if self.speech.kind in ("softmax", "binary") else set()
        last = last_layer(self.native)
        one = self.speech.kind in ("softmax", "binary") or (last is not None and width_of(last[1]) == 1)
        words |= {"features"} if one and last is not None and isinstance(last[1], nn.Linear) else set()
        words |= {"retrain"} if self.factory is not None or renewable(self.native) else set()
        return frozenset(words)

    @property
    def place(self) -> torch.device:
        """The device that it learns on.

        Raises
        ------
        ModelError
            It is to learn on a GPU and there is none.
        """
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise ModelError(
                f"device={self.device!r} was asked for, and torch sees no GPU; device='cpu' works anywhere."
            )
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    @cached_property
    def _asked(self) -> Asked:
        """The net where it predicts: itself, or a copy on the GPU."""
        home = next((p.device for p in self.native.parameters()), torch.device("cpu"))
        there = self.native if home.type == self.place.type else copy.deepcopy(self.native).to(self.place)
        return Asked(there, self.reader, self.speech)

    # -------------------------------------------------------------------------------------------- predicting

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return self.speech.said(self._asked.outputs(x))

    def logits(self, x: Any) -> Floats:
        """Return the outputs (n, k) before any softmax or sigmoid; of two classes two columns that differ by it."""
        out = self._asked.outputs(x).double()
        if self.speech.kind == "binary":
            out = torch.cat([-out, out], dim=1) / 2
        return np.asarray(out.cpu().numpy(), dtype=np.float64)

    def features(self, x: Any) -> Floats:
        """Return what the last layer reads of each row (n, d), before the projection of an analytic head."""
        return self._asked.features(self._last(x), x)

    def head_input(self, x: Any) -> Floats:
        """Return what the last layer reads of each row, after that projection."""
        return self._asked.read(self._last(x), x)

    def project(self, features: Floats) -> Floats:
        """Return the projection of an analytic head of what `features` gives."""
        return self._asked.lifted(features)

    def predict_from(self, head_input: Floats) -> Prediction:
        """Return what the last layer says of what it reads."""
        return self._asked.answer(self._last(None), head_input)

    def can_split(self, x: Any) -> bool:
        """Whether the net ends in a Linear whose outputs nothing changes, tried on these rows."""
        if "features" not in self.abilities:
            return False
        try:
            said = self.predict_from(self.head_input(x))
        except (ModelError, RuntimeError, IndexError, ValueError):  # read in another shape than the layer takes, say
            return False
        true = self.predict(x)
        one, two = (said.label, true.label) if said.proba is None or true.proba is None else (said.proba, true.proba)
        return one.shape == two.shape and np.allclose(one, two, rtol=1e-5, atol=1e-6)

    def _last(self, x: Any) -> str:
        """Return the name of the last layer, empty where the net is nothing else; rows tell the first time."""
        if "_name" not in vars(self):
            vars(self)["_name"] = (analytic_layer(self.native) or head_of(self.native, self.reader, x))[0]
        name: str = vars(self)["_name"]
        return name

    @cached_property
    def body(self) -> object:
        """What names the layers before the last: an object that nets with the same ones hand on."""
        return object()

    @property
    def frozen(self) -> object:
        """The same, with the projection of an analytic head, also of one that was trained by gradients since."""
        if self.head is not None:
            return (self.body, self.head.token) if self.head.lift is not None else self.body
        layer = analytic_layer(self.native)
        return self.body if layer is None or layer[1].lift is None else (self.body, "trained")

    @property
    def grid(self) -> Grid | None:
        """That of the projection of an analytic head."""
        return None if self.head is None else getattr(self.head.lift, "grid", None)

    @property
    def has_raw_features(self) -> bool:
        """No: what a trained layer gives has one unit."""
        return False

    @cached_property
    def head(self) -> Head | None:
        """The analytic head, if the last layer is one."""
        return head_in(self.native, self.speech.outputs)

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return the sums that its exact head is solved from, with these rows."""
        return statistics_after(self, memory, batch)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> TorchModel:
        """Return the net with an analytic layer in the place of its last; the others are as they were.

        Raises
        ------
        ModelError
            A sigmoid follows the last layer, or that is no Linear.
        """
        if self.speech.kind == "multilabel" or (self.speech.probabilities and self.speech.kind == "binary"):
            raise ModelError(
                "Analytic gives one score for each class; this net ends in a sigmoid. Take the sigmoid off."
            )
        known: str | None = vars(self).get("_name")  # empty where the net is nothing but its last layer
        name = known if known is not None else (analytic_layer(self.native) or last_layer(self.native) or ("",))[0]
        net = under_head(self.native, name, head)
        speech = self.speech if head.classes is None else Speech("softmax", head.classes, self.speech.probabilities)
        if speech.outputs is not None:
            _note_classes(net, speech.outputs)
        made = replace(self, native=net, speech=speech, told=True, notes=notes, path={})
        vars(made).update(head=head, body=self.body, _name=name)  # with what it was solved from, on the same layers
        return made

    def _on_input(self, recipe: Recipe) -> TorchModel:
        """Return a net of one layer that reads the rows themselves, for an analytic head in the place of the whole."""
        if isinstance(self.native, AnalyticLayer):
            return self
        net = only_head(self.reader.rows(rows_of(recipe).x), self.speech.width or 1)
        return replace(self, native=net, factory=None, notes=(), path={})

    # ---------------------------------------------------------------------------------------------- learning

    def fit(self, recipe: Recipe) -> Model:
        """Follow a recipe; where the memory of the device is not enough, with smaller batches.

        Raises
        ------
        ModelError
            The training diverged, or one row at a time is still too much for the device.
        """
        head = recipe.structure.head
        if isinstance(head, Exact):
            return analytic(self._on_input(recipe) if head.reads == "input" else self, recipe, head)
        size, notes = recipe.optimizer.batch_size or _BATCH, []
        while True:
            try:
                draft, done = learned(self, recipe, size)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise ModelError(
                        "One row at a time is too much for the memory of this device; use a smaller net."
                    ) from error
                notes = [f"out of memory with batches of {size}: learned in batches of {size // 2}"]
                size //= 2
        factory = self.factory
        if recipe.structure.architecture is not None:
            factory = replacement(self, recipe)
        if draft.speech.outputs is not None and (draft.speech is not self.speech or hasattr(self.native, "classes_")):
            _note_classes(draft.module, draft.speech.outputs)
        unsolved(draft.module)
        return TorchModel(
            draft.module,
            draft.speech,
            True,
            factory,
            self.prepare,
            self.device,
            (*notes, *draft.notes, *done.notes),
            {name: value.cpu() for name, value in done.path.items()},
        )

    # ----------------------------------------------------------------------------------------------- weights

    def weights(self) -> dict[str, Floats]:
        """Return every weight, and the statistics that normalisation layers keep, by name."""
        return {name: value.detach().cpu().numpy().copy() for name, value in _floating(self.native).items()}

    def with_weights(self, weights: Mapping[str, Floats]) -> TorchModel:
        """Return the same net with these weights and statistics.

        Raises
        ------
        ModelError
            Their shapes are not the net's.
        """
        made = copy.deepcopy(self.native)
        held = _floating(made)
        with torch.no_grad():
            for name, value in weights.items():
                if name not in held or held[name].shape != np.shape(value):
                    shape = tuple(held[name].shape) if name in held else "none"
                    raise ModelError(f"{name} has shape {np.shape(value)}, and the net's has {shape}.")
                held[name].copy_(torch.from_numpy(np.ascontiguousarray(value)))
        unsolved(made)
        return replace(self, native=made)

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for some rows; statistics and what is frozen do not learn: zero.

        See `incumbent.models.torch._fisher.importances` for the equations. "path" is what the weights did for the loss
        in the training that made this net; where that was not watched, its Fisher information stands in.
        """
        zero = {name: np.zeros(tuple(value.shape)) for name, value in _floating(self.native).items()}
        if kind == "path" and self.path:
            return zero | {name: value.double().numpy() for name, value in self.path.items() if name in zero}
        kind = "fisher" if kind == "path" else kind
        if kind == "uniform":
            return {name: np.ones_like(value) for name, value in zero.items()}
        rows = self.reader.rows(batch.x)
        target = self.speech.targets(batch.labels) if kind == "empirical" else None
        return zero | importances(self.native, rows, self.speech, kind, target)

    # ----------------------------------------------------------------------------------------------- storage

    def save(self, folder: Path) -> None:
        """Write weights, how the net is made, and how its outputs are read; none of it runs code when it is read."""
        updates = _updates_of(self.native)
        about = {
            "format": _FORMAT,
            "blueprint": described(without_head(self.native)) if self.factory is None else self.factory,
            "from_factory": self.factory is not None,
            "same": save_weights(self.native, folder),
            "kind": self.speech.kind,
            "outputs": encoded(self.speech.outputs),
            "probabilities": self.speech.probabilities,
            "told": self.told,
            "prepare": self.prepare,
            "fixed": [name for name, p in self.native.named_parameters() if not p.requires_grad],
            "named": hasattr(self.native, "classes_"),
            "updates": updates,
            "analytic": described_head(self.native),
            "training": self.native.training,
        }
        (folder / "net.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        again = TorchModel.load(folder).native.state_dict()
        for name, value in self.native.state_dict().items():
            if not torch.equal(again[name], value.cpu()):
                raise ModelError(f"{name} of {type(self.native).__name__} is read back otherwise than it was written.")

    @classmethod
    def load(cls, folder: Path) -> TorchModel:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            A file is damaged, or the class or factory of the net cannot be imported here.
        """
        about = read_json(folder / "net.json")
        native = built(about["blueprint"])
        if about["updates"]:
            adapt(native, about["updates"]["rank"], about["updates"]["layers"], None)
        if about.get("analytic"):
            native = with_head_again(native, about["analytic"])
        weights, note = drop_kept_rows(read_weights(folder, about["same"]), about.get("analytic"))
        fit(native, weights)
        for name, p in native.named_parameters():
            p.requires_grad_(name not in about["fixed"])
        native.train(about["training"])
        speech = Speech(about["kind"], decoded(about["outputs"]), about["probabilities"])
        if about["named"]:
            _note_classes(native, speech.outputs)
        factory = about["blueprint"] if about["from_factory"] else None
        return cls(native, speech, about["told"], factory, about["prepare"], notes=(note,) if note else ())


# ------------------------------------------------------------------------------------------------- details


def _note_classes(native: nn.Module, outputs: Array | None) -> None:
    """Write the classes down on the net itself, in the order of its outputs, for whoever holds it alone."""
    vars(native)["classes_"] = outputs


def _floating(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and the numbers that layers keep beside them, by name; counters are left out."""
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return {name: value.detach() for name, value in named.items() if value.is_floating_point()}


def _check_weights(native: nn.Module) -> None:
    named = dict(native.named_parameters())
    if not named:
        raise ModelError(f"{type(native).__name__} has no weights, so there is nothing to learn or to store.")
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in named.values()):
        raise ModelError(
            f"{type(native).__name__} has lazy layers without weights yet; run it once on some rows first."
        )
    broken = next((name for name, p in named.items() if not bool(torch.isfinite(p).all())), None)
    if broken is not None:
        raise ModelError(f"The weights {broken} of {type(native).__name__} are not all finite numbers.")


def _updates_of(native: nn.Module) -> dict[str, Any] | None:
    """Return where low-rank updates lie beside the weights, and of which rank."""
    if not is_adapted(native):
        return None
    layers = {name: part for name, part in native.named_modules() if hasattr(part, "lora_A")}
    rank = next(int(part.r["default"]) for part in layers.values())
    return {"layers": list(layers), "rank": rank}
