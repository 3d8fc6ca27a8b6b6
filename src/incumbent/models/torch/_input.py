"""Rows as tensors, and how a module takes them: one tensor, its keyword arguments, or a dict of tensors."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from incumbent._import_named import import_named
from incumbent.core import Batch
from incumbent.data import materialize
from incumbent.errors import DataError, ModelError
from incumbent.models.nets._net import Inputs
from incumbent.models.torch._images import explain_images, first_convolution

EAGER = 1 << 30
"""Bytes up to which rows become tensors at once; more become tensors mini-batch by mini-batch, never all at once."""

TABLES = (nn.Embedding, nn.EmbeddingBag)
_OURS = "incumbent.data:"

Call: TypeAlias = Literal["one", "names", "dict"]
"""How a module takes its inputs: one tensor, keyword arguments, or one dict."""


@dataclass(frozen=True, eq=False)
class Reader:
    """How rows become what one module takes."""

    names: tuple[str, ...] | None  # the keyword arguments of its forward; None if it takes any
    needed: tuple[str, ...]  # those without a default
    whole: bool  # whether whole numbers stay whole, because it looks them up in a table
    prepare: str | None = None  # "module:function" that is applied to the rows before they become tensors
    channels: int | None = None  # of images, if the first layer and `prepare` show them

    @staticmethod
    def from_module(module: nn.Module, prepare: str | None = None) -> Reader:
        """Look at the signature of a module's forward."""
        kinds = inspect.signature(module.forward).parameters.values()
        named = [p for p in kinds if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        anything = any(p.kind is p.VAR_KEYWORD for p in kinds)
        whole = any(isinstance(part, TABLES) for part in module.modules())
        needed = tuple(p.name for p in named if p.default is p.empty)
        # functions of ours keep the channels; another function may change them
        first = first_convolution(module) if (prepare or "").startswith(_OURS) else None
        channels = first.in_channels if first is not None and first.in_channels in (1, 3) else None
        return Reader(None if anything else tuple(p.name for p in named), needed, whole, prepare, channels)

    def rows(self, x: Any, device: torch.device) -> Rows:
        """Return arrays, tensors or frames (n, ...), or a dict of those, ready to be taken in mini-batches.

        Bytes of images (n, ...) of uint8 with three dimensions or more become numbers from 0 to 1.

        Raises
        ------
        DataError
            A part holds something that is no number.
        ModelError
            The module takes other inputs than these.
        """
        if self.prepare is not None and _is_lazy(x):
            return self._prepare_later(x, self.prepare, device)
        parts, call = self._parts(x if self.prepare is None else _apply_to_rows(self.prepare, x))
        made = {name: p if _stays(p) else _tensor(p, name, self.whole).to(device) for name, p in parts.items()}
        return Rows(made, call, None, self.whole, device)

    def call(self, inputs: Inputs) -> Call:
        """Return how the module takes inputs of these names."""
        return "one" if "" in inputs else self._call_for(tuple(inputs))

    def _prepare_later(self, x: Any, prepare: str, device: torch.device) -> Rows:
        """Return rows that are prepared mini-batch by mini-batch, as one call would prepare all of them."""

        def prepared(parts: dict[str, Any]) -> tuple[dict[str, Any], Call]:
            return self._parts(_apply_to_rows(prepare, parts if isinstance(x, Mapping) else parts[""]))

        rows = dict(x) if isinstance(x, Mapping) else {"": x}
        few = materialize(Batch(rows).take(np.arange(min(1, len(next(iter(rows.values())))))))
        return Rows(rows, prepared(few.x)[1], lambda parts: prepared(parts)[0], self.whole, device)

    def _parts(self, x: Any) -> tuple[dict[str, Any], Call]:
        if isinstance(x, Mapping):
            return dict(x), self._call_for(tuple(x))
        if hasattr(x, "iloc") and hasattr(x, "columns"):
            columns = tuple(map(str, x.columns))
            if self.needed and set(self.needed) <= set(columns) and self._fits(columns):
                return {str(name): x[name] for name in x.columns}, "names"
        return {"": x}, "one"

    def _fits(self, given: tuple[str, ...]) -> bool:
        return self.names is None or set(given) <= set(self.names)

    def _call_for(self, given: tuple[str, ...]) -> Call:
        if set(self.needed) <= set(given) and self._fits(given):
            return "names"
        if len(self.needed) == 1 or (not self.needed and self.names):
            return "dict"
        takes = ", ".join(self.names or ())
        raise ModelError(f"The net's forward takes {takes}, and the rows have {', '.join(given)}; give them one name.")


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that are taken in mini-batches by position."""

    parts: dict[str, Any]
    call: Call
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None
    whole: bool
    device: torch.device

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def at(self, index: Tensor) -> Inputs:
        """Return the rows at these positions as tensors that a module takes."""
        if self.prepare is None:
            taken = {name: _take(part, index) for name, part in self.parts.items()}
        else:
            taken = self.prepare(materialize(Batch(self.parts).take(index.cpu().numpy())).x)
        return {name: self._ready(name, part) for name, part in taken.items()}

    def _ready(self, name: str, part: Any) -> Tensor:
        made = _tensor(part, name, self.whole).to(self.device, non_blocking=True)
        if made.dtype == torch.uint8 and made.ndim > 2:  # images
            return made.float().div_(255)
        is_whole = self.whole and not made.is_floating_point() and made.dtype != torch.bool
        return made.long() if is_whole else made.float()


def _take(part: Any, index: Tensor) -> Any:
    return part.index_select(0, index) if isinstance(part, Tensor) else part[index.cpu().numpy()]


def apply(module: nn.Module, inputs: Inputs, call: Call) -> Tensor:
    """Return the module's outputs (n, k) for a mini-batch; raise DataError if it takes other images than these."""
    try:
        given = module(inputs[""]) if call == "one" else module(**inputs) if call == "names" else module(inputs)
    except RuntimeError as error:
        if (found := explain_images(module, inputs, str(error))) is not None:
            raise found from error
        raise
    return two_dimensional(given)


def two_dimensional(given: Any) -> Tensor:
    """Return the result of a forward as (n, k): the tensor itself, or the logits of a tuple, dict or named output."""
    out = given
    if isinstance(given, Mapping):
        out = given["logits"] if "logits" in given else next(iter(given.values()))
    elif hasattr(given, "logits"):
        out = given.logits
    elif isinstance(given, tuple | list) and given:
        out = given[0]
    if not isinstance(out, Tensor) or out.ndim not in (1, 2):
        what = f"a tensor of shape {tuple(out.shape)}" if isinstance(out, Tensor) else f"a {type(out).__name__}"
        raise ModelError(f"The net gives {what}; outputs of shape (n, k), a row for each row given, were expected.")
    return out[:, None] if out.ndim == 1 else out


# ------------------------------------------------------------------------------------------------- parts


def _apply_to_rows(prepare: str, x: Any) -> Any:
    return import_named(prepare, "prepare function")(x)


def _is_lazy(x: Any) -> bool:
    """Whether rows are too many to be prepared at once; bytes may become numbers of four bytes."""
    parts = list(x.values()) if isinstance(x, Mapping) else [x]
    return any(_stays(part, 4 if str(getattr(part, "dtype", "")) == "uint8" else 1) for part in parts)


def _stays(part: Any, grows: int = 1) -> bool:
    """Whether rows are too many to become tensors at once."""
    if isinstance(part, Tensor | list) or hasattr(part, "iloc"):
        return False
    return bool(getattr(part, "nbytes", EAGER + 1) * grows > EAGER)


def _tensor(part: Any, name: str, whole: bool) -> Tensor:
    if isinstance(part, Tensor):
        return part.detach()
    if hasattr(part, "iloc"):
        part = _numbers(part)
    array = np.asarray(part)
    if array.dtype.kind not in "fiub":
        where = f" {name!r}" if name else ""
        raise _no_numbers(f"the input{where} holds {array.dtype} such as {array.flat[0]!r}")
    if array.dtype.kind == "f":
        array = array.astype(np.float32, copy=False)
    elif array.dtype.kind in "iu" and array.dtype != np.uint8:
        array = array.astype(np.int64 if whole else np.float32, copy=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a read-only array could be written to; it is not
        return torch.from_numpy(np.ascontiguousarray(array))


def _numbers(frame: Any) -> Any:
    """Return the columns of a frame as one array; raise an error that names the first without numbers."""
    for column in [frame[name] for name in frame.columns] if hasattr(frame, "columns") else [frame]:
        if getattr(column.dtype, "kind", "O") not in "fiub":
            raise _no_numbers(f"column {str(column.name)!r} holds {column.dtype}")
    return frame.to_numpy()


def _no_numbers(what: str) -> DataError:
    return DataError(
        f'A net takes numbers, and {what}; turn it into numbers first, or give prepare="module:function", which is '
        "stored with the model."
    )
