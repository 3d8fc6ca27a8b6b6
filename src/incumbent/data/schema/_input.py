"""The inputs of a network's schema: shape, type and range of each, and the check of new arrays against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding, Value
from incumbent.data.rows._lazy import LazyRows, blocks
from incumbent.data.rows._tensors import describe
from incumbent.data.schema._column import Column
from incumbent.errors import SchemaError
from incumbent.words import counted, describe_missing, listed, percent


@dataclass(frozen=True, repr=False)
class Input(Value):
    """What a model was trained on in one of its inputs.

    Parameters
    ----------
    name : str
        Its name; empty if the model takes one array instead of a dict.
    shape : tuple of int
        Shape of one row.
    dtype : str
        The numpy dtype, such as "uint8"; "table" if the input is a data frame.
    low, high : float, optional
        Smallest and largest value.
    columns : tuple of Column
        The columns of a table.

    Examples
    --------
    >>> Input.of("image", np.zeros((5, 28, 28), dtype=np.uint8))
    Input('image', shape=(28, 28), dtype='uint8', low=0.0, high=0.0)
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None = None
    high: float | None = None
    columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, name: str, part: Any) -> Input:
        """Return the input that describes an array, lazy rows or a data frame.

        Raises
        ------
        SchemaError
            It does not hold numbers, or its rows are empty.
        """
        if isinstance(part, pd.DataFrame):
            columns = tuple(Column.of(part[column]) for column in part.columns)
            return cls(name, (len(columns),), "table", columns=columns)
        if part.dtype.kind not in "biuf":
            raise SchemaError(
                f"{_the(name)} holds {part.dtype}, such as {np.asarray(part[:1]).ravel()[:1].tolist()}; a network "
                "takes numbers. Encode it as numbers, or give it as a column of a data frame if the model takes one."
            )
        if 0 in part.shape[1:]:
            raise SchemaError(f"{_the(name)} has shape {part.shape}, so its rows are empty; numbers were expected.")
        low, high = _extent(part)
        return cls(name, tuple(map(int, part.shape[1:])), str(part.dtype), low, high)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Input:
        """Return the input that `dataclasses.asdict` wrote."""
        columns = tuple(map(Column.from_dict, stored["columns"]))
        return cls(**stored | {"shape": tuple(stored["shape"]), "columns": columns})

    @property
    def size(self) -> int:
        """Number of values in a row."""
        return int(np.prod(self.shape, dtype=np.int64))

    def extend(self, part: Any) -> Input:
        """Return the input of a model that was trained on these checked values too."""
        if self.columns:
            return self.replace(columns=tuple(column.extend(part[column.name]) for column in self.columns))
        low, high = _extent(part)
        return self.replace(low=_combine(min, self.low, low), high=_combine(max, self.high, high))

    def check(self, part: Any) -> tuple[Any, list[Finding]]:
        """Return the values in the form of training, and findings about them.

        Raises
        ------
        SchemaError
            The shape or type differs, a value is NaN or infinite, or a column of a table has another kind.
        """
        if self.columns:
            return self._check_table(part)
        if isinstance(part, pd.DataFrame):
            raise SchemaError(
                f"{_the(self.name)} is a table of {part.shape[1]} columns, but the model was trained on an array of "
                f"{self._form()}."
            )
        self._check_shape(part)
        low, high = _extent(part)
        if not (np.isfinite(low) and np.isfinite(high)):
            raise self._not_finite(part)
        values, findings = self._cast(part, low, high)
        return values, [*findings, *self._range(values, low, high)]

    def _check_table(self, part: Any) -> tuple[pd.DataFrame, list[Finding]]:
        if not isinstance(part, pd.DataFrame):
            raise SchemaError(
                f"{_the(self.name)} is an array {describe(part)}, but the model was trained on a table with "
                f"the columns {', '.join(column.name for column in self.columns[:12])}; give a data frame."
            )
        missing = [column.name for column in self.columns if column.name not in part.columns]
        if missing:
            raise SchemaError(
                describe_missing(f"The table {self.name!r}", "column", missing, [str(name) for name in part.columns])
            )
        return check_columns(part, self.columns)

    def _check_shape(self, part: Any) -> None:
        given = tuple(part.shape[1:])
        if given == self.shape:
            return
        if sorted(given) == sorted(self.shape):
            order = next(o for o in permutations(range(len(given))) if tuple(given[i] for i in o) == self.shape)
            hint = f"Reorder its axes with numpy.transpose(x, {(0, *(i + 1 for i in order))})."
        elif [n for n in given if n != 1] == [n for n in self.shape if n != 1]:
            hint = f"Only axes of length 1 differ: give x.reshape({(-1, *self.shape)})."
        else:
            hint = "Resize, cut or pad the rows as in training."
        raise SchemaError(
            f"{_the(self.name)} has rows of shape {given}, but the model was trained on rows of shape {self.shape}. "
            f"{hint}"
        )

    def _cast(self, part: Any, low: float, high: float) -> tuple[Any, list[Finding]]:
        """Return the values in the dtype of training if that loses only precision."""
        stored, given = np.dtype(self.dtype), part.dtype
        if stored == given:
            return part, []
        if (stored.kind == "f") != (given.kind == "f") or not self._can_hold(stored, low, high):
            raise SchemaError(
                f"{_the(self.name)} holds {given}, from {low:g} to {high:g}, but the model was trained on "
                f"{self._form()}; give it as in training, with the same scaling."
            )
        values = part.cast(stored) if isinstance(part, LazyRows) else part.astype(stored)
        if stored.kind == "f":
            return values, []
        return values, [Finding("note", self.name, f"{_the(self.name)} was {given} and is read as {stored}.")]

    @staticmethod
    def _can_hold(stored: np.dtype[Any], low: float, high: float) -> bool:
        if stored.kind == "b":
            return low >= 0 and high <= 1
        limits: Any = np.finfo(stored) if stored.kind == "f" else np.iinfo(stored)
        return low >= float(limits.min) and high <= float(limits.max)

    def _range(self, values: Any, low: float, high: float) -> list[Finding]:
        if self.low is None or self.high is None or not (low < self.low or high > self.high):
            return []
        # A new number of an item or a word matters however close it is; a slightly brighter pixel does not.
        span = 0.0 if np.dtype(self.dtype).kind in "iu" and np.dtype(self.dtype).itemsize > 1 else self.high - self.low
        bottom, top = self.low - span, self.high + span
        if low >= bottom and high <= top:
            return []
        far = sum(int(_any((block < bottom) | (block > top)).sum()) for block in blocks(values))
        text = (
            f"{_the(self.name)} is outside the training range, {self.low:g} to {self.high:g}, in "
            f"{counted(far, 'row')} of {len(values):,} ({percent(far, len(values))}); its range is now {low:g} to "
            f"{high:g}."
        )
        return [Finding("warning", self.name, text)]

    def _not_finite(self, part: Any) -> SchemaError:
        wrong = np.concatenate([_any(~np.isfinite(block)) for block in blocks(part)])
        first, count = int(np.argmax(wrong)) + 1, int(wrong.sum())
        more = f" ({counted(count, 'row')} of {len(wrong):,} have one)" if count > 1 else ""
        return SchemaError(
            f"{_the(self.name)} holds NaN or infinity in row {first:,}{more}; finite numbers were expected. Leave "
            "these rows out, or fill the gaps as in training."
        )

    def _form(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.dtype} of shape {self.shape}"
        return f"{self.dtype} from {self.low:g} to {self.high:g}"


def check_columns(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[pd.DataFrame, list[Finding]]:
    """Return these columns of a table in the form of training, and findings; a table in that form is not copied."""
    findings: list[Finding] = []
    checked, changed = {}, [column.name for column in columns] != list(frame.columns)
    for column in columns:
        series = frame[column.name]
        checked[column.name], found = column.check(series)
        changed = changed or checked[column.name] is not series
        findings += found
    return (pd.DataFrame(checked, copy=False) if changed else frame), findings


def check_inputs(inputs: Sequence[Input], given: dict[str, Any], source: str) -> tuple[Any, list[Finding]]:
    """Return new arrays as the model takes them, one array or a dict, and findings about them."""
    given = _match_single(inputs, given)
    known = [each.name for each in inputs]
    if missing := [name for name in known if name not in given]:
        raise SchemaError(describe_missing(source, "input", missing, list(given)))
    x, findings = {}, note_extra([name for name in given if name not in known], "an input")
    for each in inputs:
        x[each.name], found = each.check(given[each.name])
        findings += found
    return (x[""] if known == [""] else x), findings


def _match_single(inputs: Sequence[Input], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays under the names of the inputs; a model with one input takes the only array, or "x"."""
    if len(inputs) != 1 or inputs[0].name in given:
        return given
    name = "x" if "x" in given else next(iter(given), "x")
    if len(given) > 1 and name != "x":
        raise SchemaError(
            f"There are {len(given)} arrays, {listed(given)}, but the model takes one. Give that one alone, or name it "
            "'x'."
        )
    return {inputs[0].name if other == name else other: part for other, part in given.items()}


def note_extra(names: Sequence[str], what: str) -> list[Finding]:
    """Return a note about columns or arrays that the model does not use."""
    if not names:
        return []
    only = names[0] if len(names) == 1 else ""
    verb = f"is not {what} of the model and is" if only else f"are not {what.split()[1]}s of the model and are"
    return [Finding("note", only, f"{listed(names)} {verb} ignored.")]


def _extent(part: Any) -> tuple[float, float]:
    """Return the smallest and the largest value; NaN or infinity if there is one."""
    return part.extent if isinstance(part, LazyRows) else (float(part.min()), float(part.max()))


def _any(marked: Array) -> Array:
    """Return which rows hold a marked value (n,)."""
    return np.asarray(marked.reshape(len(marked), -1).any(axis=1))


def _combine(choose: Any, known: float | None, new: float) -> float | None:
    return known if known is None or not np.isfinite(new) else float(choose(known, new))


def _the(name: str) -> str:
    return f"The input {name!r}" if name else "The input"
