"""Read map-style Datasets: into arrays if they fit in RAM, else as lazy rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.data.rows._lazy import LazyRows
from incumbent.data.rows._tensors import Tensors, as_array, pair_parts
from incumbent.errors import DataError

HELD = 1 << 28  # bytes: a Dataset up to this size is read once and held, because its examples are needed many times


def is_dataset(source: Any) -> bool:
    """Return whether a source gives examples by number, as a torch Dataset or a list of (x, y) does."""
    kind = type(source)
    whole = ("__array__", "detach", "tocsr", "__arrow_c_stream__", "__dataframe__")  # arrays and tables
    return (
        hasattr(kind, "__getitem__")
        and hasattr(kind, "__len__")
        and not any(hasattr(source, name) for name in whole)
        and not isinstance(source, str | bytes | Mapping | tuple)
    )


def read_dataset(source: Any, *, target: str) -> Tensors:
    """Return the examples of a Dataset: pairs (x, y) or x alone, where x is an array, a tensor, an image or a dict.

    A large Dataset is read again on every access, so its examples must not change: augmentation belongs in the model's
    `prepare`.
    """
    where = type(source).__name__
    if not len(source):
        raise DataError(f"The {where} is empty; at least one example was expected.")
    held = getattr(source, "tensors", None)  # a TensorDataset has its arrays already
    if isinstance(held, tuple) and len(held) == 2 and all(hasattr(part, "detach") for part in held):
        return pair_parts({"x": held[0], target: held[1]}, where)
    examples = _Examples(source, target)
    every = range(len(source))
    if sum(part.nbytes for part in examples.first.values()) * len(source) <= HELD:
        parts: dict[str, Any]
        parts, labels = examples.stack(every)
    else:
        parts = {name: LazyRows.of(_Column(examples, name)) for name in examples.first}
        labels = [y for _, y in examples.each(every)] if examples.labelled else []
    return pair_parts(parts | ({target: labels} if examples.labelled else {}), where, named=examples.named)


class _Examples:
    """The items of a Dataset, taken apart. The last ones read are kept, for the other inputs of the same rows."""

    def __init__(self, source: Any, target: str) -> None:
        self.source, self.target = source, target
        self.where = type(source).__name__
        item = source[0]
        self.named = isinstance(item[0] if isinstance(item, tuple) else item, Mapping)
        self.first, y = self._split(item, 0)
        self.labelled = y is not None
        self._last: tuple[bytes, dict[str, Array]] = (b"-", {})

    def _split(self, item: Any, number: int) -> tuple[dict[str, Array], Any]:
        """Return the inputs of one item by name, and its label or None."""
        if isinstance(item, tuple) and len(item) != 2:
            raise DataError(
                f"Example {number:,} of the {self.where} is a tuple of {len(item)}; a pair (x, y) was expected. For "
                "several inputs, let x be a dict of them."
            )
        x, y = item if isinstance(item, tuple) else (item, None)
        inputs = dict(x) if isinstance(x, Mapping) else {"x": x}
        y = inputs.pop(self.target, None) if y is None else y
        y = as_array(y, self.target) if hasattr(y, "detach") else y
        arrays = {str(name): as_array(part, str(name)) for name, part in inputs.items()}
        return arrays, y.tolist() if hasattr(y, "tolist") else y

    def each(self, numbers: Iterable[int]) -> Iterator[tuple[dict[str, Array], Any]]:
        """Yield inputs and label of these examples, each of the shape of the first."""
        for number in map(int, numbers):
            inputs, y = self._split(self.source[number], number)
            for name, expected in self.first.items():
                if name not in inputs or inputs[name].shape != expected.shape:
                    given = f"{name!r} of shape {inputs[name].shape}" if name in inputs else f"no {name!r}"
                    raise DataError(
                        f"Example {number:,} of the {self.where} has {given}, and the first has one of shape "
                        f"{expected.shape}; all must have one form. Pad, cut or resize them in the Dataset."
                    )
            yield inputs, y

    def stack(self, numbers: Any) -> tuple[dict[str, Array], list[Any]]:
        """Return the inputs of these examples by name, and their labels."""
        found = {name: np.empty((len(numbers), *part.shape), part.dtype) for name, part in self.first.items()}
        labels = []
        for place, (inputs, y) in enumerate(self.each(numbers)):
            labels.append(y)
            for name, rows in found.items():
                rows[place] = inputs[name]
        return found, labels

    def at(self, positions: Array) -> dict[str, Array]:
        """Return the inputs at these positions by name."""
        wanted = positions.tobytes()
        if self._last[0] != wanted:
            self._last = (wanted, self.stack(positions)[0])
        return self._last[1]


class _Column:
    """One input of all examples, as a source of lazy rows."""

    def __init__(self, examples: _Examples, name: str) -> None:
        self.examples, self.name = examples, name
        self.shape: tuple[int, ...] = (len(examples.source), *examples.first[name].shape)
        self.dtype = examples.first[name].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: Array) -> Array:
        return self.examples.at(at)[self.name].copy()  # the caller may change it
