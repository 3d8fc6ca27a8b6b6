"""Map-style Datasets: examples one by one, read into arrays where they fit and left where they are otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.data.rows._lazy import LazyRows
from incumbent.data.rows._tensors import Tensors, as_array, pair_parts
from incumbent.errors import DataError

HELD = 1 << 28  # bytes: a Dataset up to this size is read once and held, because its examples are asked for many times


def is_dataset(source: Any) -> bool:
    """Whether this gives examples by their number, as a torch Dataset or a list of (x, y) does."""
    kind = type(source)
    whole = ("__array__", "detach", "tocsr", "__arrow_c_stream__", "__dataframe__")  # arrays and tables
    counts = hasattr(kind, "__getitem__") and hasattr(kind, "__len__")
    return (
        counts
        and not any(hasattr(source, name) for name in whole)
        and not isinstance(source, str | bytes | Mapping | tuple)
    )


def read_dataset(source: Any, *, target: str) -> Tensors:
    """Return the examples of a Dataset.

    Parameters
    ----------
    source : Dataset
        Its items are pairs (x, y), or x alone; x is an array, a tensor, a picture or a dict of those. An item that is a
        dict with the name `target` has its label there.
    target : str
        What the labels are called.

    Returns
    -------
    Tensors
        Up to 256 MiB are read once. Beyond that, examples are read again whenever they are asked for, so that each must
        be the same every time: augmentation belongs in the model's `prepare`, not in the Dataset.

    Raises
    ------
    DataError
        It is empty, or its items differ in their form.
    """
    where = type(source).__name__
    if not len(source):
        raise DataError(f"The {where} is empty; at least one example was expected.")
    held = getattr(source, "tensors", None)  # a TensorDataset: the arrays are there already
    if isinstance(held, tuple) and len(held) == 2 and all(hasattr(part, "detach") for part in held):
        return pair_parts({"x": held[0], target: held[1]}, where)
    examples = _Examples(source, target, where)
    if examples.row_bytes * len(source) <= HELD:
        return pair_parts(examples.all(), where, named=examples.named)
    lazy = {name: LazyRows.of(_Column(examples, name)) for name in examples.first}
    labels = [y for _, y in examples.each(range(len(source)))] if examples.labelled else None
    return pair_parts(lazy if labels is None else {**lazy, target: labels}, where, named=examples.named)


class _Examples:
    """The items of a Dataset, taken apart; those that were read last are kept, for the other inputs of the same rows.

    Parameters
    ----------
    source : Dataset
        Where they come from.
    target : str
        What the label is called.
    where : str
        What the Dataset is called in a message.
    """

    def __init__(self, source: Any, target: str, where: str) -> None:
        self.source, self.target, self.where = source, target, where
        item = source[0]
        self.named = isinstance(item[0] if isinstance(item, tuple) else item, Mapping)
        self.first, y = self._apart(item, 0)
        self.labelled = y is not None
        self._last: tuple[bytes, dict[str, Array]] = (b"-", {})

    @property
    def row_bytes(self) -> int:
        return sum(part.nbytes for part in self.first.values())

    def _apart(self, item: Any, number: int) -> tuple[dict[str, Array], Any]:
        """Return the inputs of one item by name, and its label or None."""
        if isinstance(item, tuple) and len(item) != 2:
            raise DataError(
                f"Example {number:,} of the {self.where} is a tuple of {len(item)}; a pair (x, y) was expected. For "
                "several inputs, let x be a dict of them."
            )
        x, y = item if isinstance(item, tuple) else (item, None)
        inputs = dict(x) if isinstance(x, Mapping) else {"x": x}
        y = inputs.pop(self.target, None) if y is None else y
        found = {str(name): as_array(part, str(name)) for name, part in inputs.items()}
        y = as_array(y, self.target) if hasattr(y, "detach") else y
        return found, y.tolist() if hasattr(y, "tolist") else y

    def each(self, numbers: Iterable[int]) -> Iterator[tuple[dict[str, Array], Any]]:
        """Yield inputs and label of these examples, each of the form of the first."""
        for number in numbers:
            inputs, y = self._apart(self.source[int(number)], int(number))
            for name, expected in self.first.items():
                if name not in inputs or inputs[name].shape != expected.shape:
                    given = f"{name!r} of shape {inputs[name].shape}" if name in inputs else f"no {name!r}"
                    raise DataError(
                        f"Example {int(number):,} of the {self.where} has {given}, and the first has one of shape "
                        f"{expected.shape}; all must have one form. Pad, cut or resize them in the Dataset."
                    )
            yield inputs, y

    def all(self) -> dict[str, Any]:
        """Return the inputs of all examples, and their labels where they have them, by name."""
        found, labels = self._empty(len(self.source)), []
        for place, (inputs, y) in enumerate(self.each(range(len(self.source)))):
            labels.append(y)
            for name, rows in found.items():
                rows[place] = inputs[name]
        return {**found, self.target: labels} if self.labelled else found

    def at(self, positions: Array) -> dict[str, Array]:
        """Return the inputs at some positions by name."""
        asked, (last, found) = positions.tobytes(), self._last
        if last != asked:
            found = self._empty(len(positions))
            for place, (inputs, _) in enumerate(self.each(positions)):
                for name, rows in found.items():
                    rows[place] = inputs[name]
            self._last = (asked, found)
        return found

    def _empty(self, count: int) -> dict[str, Array]:
        return {name: np.empty((count, *part.shape), part.dtype) for name, part in self.first.items()}


class _Column:
    """One input of all examples, as a source of lazy rows."""

    def __init__(self, examples: _Examples, name: str) -> None:
        self.examples, self.name = examples, name
        self.shape: tuple[int, ...] = (len(examples.source), *examples.first[name].shape)
        self.dtype = examples.first[name].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: Array) -> Array:
        return self.examples.at(at)[self.name].copy()  # the kept rows must stay what they are
