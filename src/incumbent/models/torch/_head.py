"""What the outputs of a net mean, and which of its layers makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Array, Prediction, Task
from incumbent.errors import ModelError, UsageError
from incumbent.models.torch._input import Inputs, Reader, apply

Kind: TypeAlias = Literal["softmax", "binary", "multilabel", "values"]
HEADS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True, eq=False)
class Speech:
    """How the outputs of a net are read.

    Parameters
    ----------
    kind : {"softmax", "binary", "multilabel", "values"}
        One output for each class; one output for the second of two classes; one for each of several labels that can be
        on at once; or plain values.
    outputs : (k,) array, optional
        Which class each output stands for, in the net's own order; None for values.
    probabilities : bool
        Whether the outputs are probabilities already, because the net ends in a softmax or sigmoid.
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
        """Which output each of the sorted classes has; labels that can be on at once keep the order of the outputs."""
        assert self.outputs is not None, "values have no classes"
        return np.arange(len(self.outputs)) if self.kind == "multilabel" else np.argsort(self.outputs, kind="stable")

    @property
    def width(self) -> int | None:
        """How many outputs the net must have; None where any number will do."""
        if self.outputs is None:
            return None
        return 1 if self.kind == "binary" else len(self.outputs)

    def logits(self, given: Tensor) -> Tensor:
        """Return outputs (n, k) in single precision as logits (as values for a regression)."""
        out = given.float()
        if not self.probabilities or self.kind == "values":
            return out
        tiny = torch.finfo(torch.float32).tiny
        return out.clamp_min(tiny).log() if self.kind == "softmax" else torch.logit(out, eps=1e-7)

    def said(self, logits: Tensor) -> Prediction:
        """Return what logits (n, k) say of each row."""
        if self.kind == "values":
            values = logits.double().cpu().numpy()
            return Prediction(values[:, 0] if values.shape[1] == 1 else values)
        proba = self._proba(logits.double()).cpu().numpy()
        assert self.classes is not None, "only values have no classes"
        if self.kind == "multilabel":
            return Prediction((proba > 0.5).astype(np.int64), proba, self.classes)
        proba = proba[:, self.order]
        return Prediction(self.classes[proba.argmax(axis=1)], proba, self.classes)

    def _proba(self, logits: Tensor) -> Tensor:
        if self.kind == "softmax":
            return logits.softmax(dim=1)
        on = logits.sigmoid()
        return torch.cat([1 - on, on], dim=1) if self.kind == "binary" else on

    def targets(self, y: Array) -> Tensor:
        """Return labels (n,) or (n, m) as the task loss takes them.

        Raises
        ------
        ModelError
            A label is none of the classes, or is no number.
        """
        if self.kind in ("values", "multilabel"):
            table = np.asarray(y, dtype=np.float32)
            return torch.from_numpy(table[:, None] if table.ndim == 1 else table)
        assert self.classes is not None, "it is a classifier"
        place = np.searchsorted(self.classes, y).clip(0, len(self.classes) - 1)
        strange = self.classes[place] != y
        if np.any(strange):
            known = ", ".join(map(str, self.classes[:10]))
            raise ModelError(f"The label {y[strange].tolist()[0]!r} is none of the classes of the net: {known}.")
        code = torch.from_numpy(self.order[place])
        return code.float()[:, None] if self.kind == "binary" else code

    def grown(self, unseen: Array) -> Speech:
        """Return the same with outputs for classes that it does not know, behind those it has."""
        assert self.outputs is not None, "only a classifier grows"
        joined = np.concatenate([self.outputs, unseen])
        return replace(self, outputs=joined, kind="softmax" if self.kind == "binary" else self.kind)


def heard(
    width: int | None, probabilities: bool, labels: Any = None, classes: Any = None, task: Task | None = None
) -> Speech:
    """Return how the outputs of a net are to be read, from its last layer's width and what is known of the labels.

    Parameters
    ----------
    width : int, optional
        Outputs of the last layer, where that could be told.
    probabilities : bool
        Whether the net ends in a softmax or sigmoid.
    labels : (n,) or (n, m) array, optional
        Labels of some rows.
    classes : (k,) sequence, optional
        What the user says the outputs stand for, in order.
    task : {"classification", "regression"}, optional
        What the user says the net does.

    Raises
    ------
    ModelError
        The outputs do not fit the labels.
    """
    y = None if labels is None else np.asarray(labels)
    if classes is not None:
        return _named(width, np.asarray(classes), probabilities, y)
    if y is not None and y.ndim == 2:
        return _several(width, y, probabilities, task)
    if task == "regression" or (task is None and width in (1, None) and not _is_pair(y)):
        return Speech("values")
    if width == 1:
        pair = np.arange(2) if y is None else np.unique(y)
        if len(pair) != 2:
            raise ModelError(f"The net has one output, which tells two classes apart; the labels show {len(pair)}.")
        return Speech("binary", pair, probabilities)
    return Speech("softmax", _codes(width, y), probabilities)


def _is_pair(y: Array | None) -> bool:
    if y is None or y.dtype.kind == "f" and not np.isin(y, (0.0, 1.0)).all():
        return False
    return len(np.unique(y)) == 2


def _named(width: int | None, classes: Array, probabilities: bool, y: Array | None) -> Speech:
    if len(np.unique(classes)) != len(classes):
        raise UsageError(f"classes= names {len(classes)} outputs, some of them twice; each output is one class.")
    if width == 1 and len(classes) == 2:
        return Speech("binary", classes, probabilities)
    if width is not None and len(classes) != width:
        raise ModelError(
            f"The net has {width} outputs, and classes= names {len(classes)}; name one for each, in order."
        )
    if y is None or y.ndim == 1:
        return Speech("softmax", classes, probabilities)
    if y.shape[1] != len(classes):
        raise ModelError(
            f"classes= names {len(classes)} labels, and the rows have {y.shape[1]} columns of them; name one for each."
        )
    return Speech("multilabel", classes, probabilities)


def _several(width: int | None, y: Array, probabilities: bool, task: Task | None) -> Speech:
    if width is not None and y.shape[1] != width:
        raise ModelError(
            f"The net has {width} outputs, and the labels have {y.shape[1]} columns; one for each is needed."
        )
    if task != "regression" and np.isin(y, (0, 1)).all():
        return Speech("multilabel", np.arange(y.shape[1]), probabilities)
    return Speech("values")


def _codes(width: int | None, y: Array | None) -> Array:
    """Return which class each output stands for: its number, or the sorted labels where they are as many."""
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
        "say which output stands for which: incumbent.wrap(net, classes=[...]), in the order of the outputs."
    )


# --------------------------------------------------------------------------------------------- the layer


def last_layer(module: nn.Module) -> tuple[str, nn.Module] | None:
    """Return the layer that was registered last and could make the outputs, by name; None if there is none."""
    found = [(name, part) for name, part in module.named_modules() if isinstance(part, HEADS)]
    return found[-1] if found else None


def width_of(layer: nn.Module) -> int:
    """Return how many outputs a layer has."""
    return int(layer.get_parameter("weight").shape[0])


def ends_in_probabilities(module: nn.Module) -> bool:
    """Whether the last layer that was registered is a softmax or a sigmoid."""
    leaves = [part for part in module.modules() if not list(part.children())]
    return bool(leaves) and isinstance(leaves[-1], nn.Softmax | nn.Sigmoid)


def head_of(module: nn.Module, reader: Reader, x: Any) -> tuple[str, nn.Module]:
    """Return the layer that makes the outputs, by running a few rows through the net.

    Raises
    ------
    ModelError
        No layer's width is that of the outputs, so a class cannot be added and a head not replaced.
    """
    called: list[tuple[str, nn.Module]] = []
    hooks = [
        part.register_forward_hook(lambda *_, named=(name, part): called.append(named))
        for name, part in module.named_modules()
        if isinstance(part, HEADS)
    ]
    rows = reader.rows(x)
    try:
        width = run(module, rows.at(torch.arange(min(2, len(rows)))), rows.call).shape[1]
    finally:
        for hook in hooks:
            hook.remove()
    fits = [named for named in called if width_of(named[1]) == width]
    if not fits:
        raise ModelError(
            f"None of the layers of {type(module).__name__} makes its {width} outputs directly, so none of them is its "
            "head; a net grows, and takes a new head, where it ends in a linear or convolution layer."
        )
    return fits[-1]


class _Read(Exception):
    """What leaves a net whose features are read."""


def run(module: nn.Module, inputs: Inputs, call: Any) -> Tensor:
    """Return the outputs for a few rows on the device of the module, with dropout and batch statistics at rest."""
    home = next((p.device for p in module.parameters()), torch.device("cpu"))
    with at_rest(module), torch.inference_mode():
        return apply(module, {name: part.to(home) for name, part in inputs.items()}, call)


def features_of(module: nn.Module, layer: nn.Module, inputs: Inputs, call: Any) -> Tensor:
    """Return what a layer reads (n, d) for a mini-batch; a map is averaged over its places.

    The net is left as soon as it is read: the layer itself, such as a wide projection, may cost more than all before.
    """
    read: list[Tensor] = []

    def leave(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        read.append(given[0])
        raise _Read

    hook = layer.register_forward_pre_hook(leave)
    try:
        run(module, inputs, call)
    except _Read:
        pass
    finally:
        hook.remove()
    seen = read[-1].float()
    flat = seen.mean(dim=tuple(range(2, seen.ndim))) if isinstance(layer, HEADS[1:]) else seen.reshape(len(seen), -1)
    return flat


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Set a module to predict, and every part of it back to what it was."""
    busy = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in busy:
            part.training = True
