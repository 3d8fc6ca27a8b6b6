"""What the outputs of a net mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.special import expit, softmax

from incumbent.core import Array, Floats, Prediction, Task
from incumbent.errors import ModelError, UsageError
from incumbent.models.nets._net import OutputLayer
from incumbent.models.nets._ops import Ops, Tensor

Kind: TypeAlias = Literal["softmax", "binary", "multilabel", "values"]
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class OutputSpec:
    """What the outputs of a net mean.

    Parameters
    ----------
    kind : {"softmax", "binary", "multilabel", "values"}
        One output for each class; one output for the second of two classes; one output for each of several labels that
        can be on at once; or plain values.
    outputs : (k,) array, optional
        The class of each output, in the order of the net; None for values.
    probabilities : bool
        Whether the outputs are probabilities already, because the net ends in a softmax or sigmoid.

    Examples
    --------
    >>> spec = OutputSpec("softmax", np.array(["spam", "ham"]))
    >>> spec.classes.tolist(), spec.targets(np.array(["ham", "spam"])).tolist()
    (['ham', 'spam'], [1, 0])
    """

    kind: Kind
    outputs: Array | None = None
    probabilities: bool = False

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return "regression" if self.kind == "values" else "classification"

    @property
    def classes(self) -> Array | None:
        """The classes in sorted order."""
        return None if self.outputs is None else self.outputs[self.order]

    @property
    def order(self) -> Array:
        """The output of each sorted class; several labels at once keep the order of the outputs."""
        assert self.outputs is not None, "values have no classes"
        return np.arange(len(self.outputs)) if self.kind == "multilabel" else np.argsort(self.outputs, kind="stable")

    @property
    def width(self) -> int | None:
        """Number of outputs that the net must have; None if any number will do."""
        if self.outputs is None:
            return None
        return 1 if self.kind == "binary" else len(self.outputs)

    def logits(self, out: Tensor, ops: Ops) -> Tensor:
        """Return outputs (n, k) as logits (as values for a regression)."""
        if not self.probabilities or self.kind == "values":
            return out
        if self.kind == "softmax":
            return ops.log(ops.clip(out, _TINY, np.inf))
        p = ops.clip(out, 1e-7, 1 - 1e-7)
        return ops.log(p) - ops.log(1 - p)

    def predict(self, logits: Array) -> Prediction:
        """Return the predictions of logits (n, k)."""
        z = np.asarray(logits, dtype=np.float64)
        if self.kind == "values":
            return Prediction(z[:, 0] if z.shape[1] == 1 else z)
        assert self.classes is not None, "only values have no classes"
        if self.kind == "multilabel":
            proba = expit(z)
            return Prediction((proba > 0.5).astype(np.int64), proba, self.classes)
        proba = softmax(z, axis=1) if self.kind == "softmax" else np.concatenate([1 - expit(z), expit(z)], axis=1)
        proba = proba[:, self.order]
        return Prediction(self.classes[proba.argmax(axis=1)], proba, self.classes)

    def both(self, logits: Floats) -> Floats:
        """Return one output for each class: of two classes with one output, two that differ by it."""
        return np.concatenate([-logits, logits], axis=1) / 2 if self.kind == "binary" else logits

    def as_outputs(self, logits: Floats) -> Floats:
        """Return the inverse of `both`."""
        return logits[:, 1:2] - logits[:, 0:1] if self.kind == "binary" else logits

    def targets(self, y: Array) -> Array:
        """Return labels (n,) or (n, m) as the task loss takes them; raise ModelError if one is not a class."""
        if self.kind in ("values", "multilabel"):
            table = np.asarray(y, dtype=np.float32)
            return table[:, None] if table.ndim == 1 else table
        assert self.classes is not None, "it is a classifier"
        place = np.searchsorted(self.classes, y).clip(0, len(self.classes) - 1)
        strange = self.classes[place] != y
        if np.any(strange):
            known = ", ".join(map(str, self.classes[:10]))
            raise ModelError(f"The label {y[strange].tolist()[0]!r} is none of the classes of the net: {known}.")
        code: Array = self.order[place]
        return code.astype(np.float32)[:, None] if self.kind == "binary" else code

    def extended(self, unseen: Array) -> OutputSpec:
        """Return the same with outputs for new classes, after those it has."""
        assert self.outputs is not None, "only a classifier takes in classes"
        joined = np.concatenate([self.outputs, unseen])
        return replace(self, outputs=joined, kind="softmax" if self.kind == "binary" else self.kind)


def infer_output_spec(
    layer: OutputLayer, labels: Any = None, classes: Any = None, task: Task | None = None
) -> OutputSpec:
    """Return what the outputs of a net mean, from its last layer, some labels, and the classes and task if named."""
    width, probabilities = layer.width, layer.probabilities
    y = None if labels is None else np.asarray(labels)
    if classes is not None:
        return _named(width, np.asarray(classes), probabilities, y)
    if y is not None and y.ndim == 2:
        return _several(width, y, probabilities, task)
    if task == "regression" or (task is None and width in (1, None) and not _is_pair(y)):
        return OutputSpec("values")
    if width == 1:
        pair = np.arange(2) if y is None else np.unique(y)
        if len(pair) != 2:
            raise ModelError(f"The net has one output, which distinguishes two classes; the labels show {len(pair)}.")
        return OutputSpec("binary", pair, probabilities)
    return OutputSpec("softmax", _codes(width, y), probabilities)


def _is_pair(y: Array | None) -> bool:
    if y is None or y.dtype.kind == "f" and not np.isin(y, (0.0, 1.0)).all():
        return False
    return len(np.unique(y)) == 2


def _named(width: int | None, classes: Array, probabilities: bool, y: Array | None) -> OutputSpec:
    if len(np.unique(classes)) != len(classes):
        raise UsageError(f"classes= names {len(classes)} outputs, some of them twice; each output is one class.")
    if width == 1 and len(classes) == 2:
        return OutputSpec("binary", classes, probabilities)
    if width is not None and len(classes) != width:
        raise ModelError(
            f"The net has {width} outputs, and classes= names {len(classes)}; name one for each, in order."
        )
    if y is None or y.ndim == 1:
        return OutputSpec("softmax", classes, probabilities)
    if y.shape[1] != len(classes):
        raise ModelError(
            f"classes= names {len(classes)} labels, and the rows have {y.shape[1]} columns of them; name one for each."
        )
    return OutputSpec("multilabel", classes, probabilities)


def _several(width: int | None, y: Array, probabilities: bool, task: Task | None) -> OutputSpec:
    if width is not None and y.shape[1] != width:
        raise ModelError(
            f"The net has {width} outputs, and the labels have {y.shape[1]} columns; one for each is needed."
        )
    if task != "regression" and np.isin(y, (0, 1)).all():
        return OutputSpec("multilabel", np.arange(y.shape[1]), probabilities)
    return OutputSpec("values")


def _codes(width: int | None, y: Array | None) -> Array:
    """Return the class of each output: its number, or the sorted labels if there are as many."""
    assert width is not None, "a net of unknown width is taken for values unless its classes are named"
    if y is None:
        return np.arange(width)
    if y.dtype.kind == "f" and not np.array_equal(y, np.floor(y)):
        raise ModelError(
            f"The net has {width} outputs, one for each class, and the labels are numbers with fractions such as "
            f'{y[0]}; if they are values, give the net one output (or say task="regression").'
        )
    found = np.unique(y)
    numbers = found.dtype.kind in "iuf"
    if numbers and found.min() >= 0 and (found.max() < width or len(found) != width):
        return np.arange(width)  # labels beyond the last output are classes that the net has yet to learn
    if len(found) == width:
        return found
    raise ModelError(
        f"The net has {width} outputs and the labels show {len(found)} classes ({', '.join(map(str, found[:5]))}...); "
        "give the class of each output: incumbent.wrap(net, classes=[...]), in the order of the outputs."
    )
