"""A business metric from a table of costs: what it costs to predict one class when another is true."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.errors import UsageError
from incumbent.metrics._base import MeanLoss
from incumbent.metrics._labels import Codes, encode


@dataclass(frozen=True, repr=False)
class CostMatrix(MeanLoss):
    """Mean cost per row, smaller is better. Gains may be written as negative costs.

    Parameters
    ----------
    costs : (k, k) nested sequence, or mapping of true label to mapping of predicted label to cost
        ``costs[true][predicted]``, in any unit.
    classes : (k,) sequence, optional
        The labels, in the order of rows and columns; a mapping brings its own.

    Raises
    ------
    UsageError
        If the table is not square, not finite, or lacks a class that occurs.

    Examples
    --------
    >>> missed_fraud_is_expensive = CostMatrix({0: {0: 0, 1: 1}, 1: {0: 25, 1: 0}})
    >>> missed_fraud_is_expensive.score(np.array([0, 1]), Prediction(np.array([1, 0])))
    13.0
    """

    costs: tuple[tuple[float, ...], ...]
    classes: tuple[Any, ...] = ()

    name = "cost"
    relative = True

    def __post_init__(self) -> None:
        costs, classes = _square(self.costs, tuple(self.classes))
        object.__setattr__(self, "costs", costs)
        object.__setattr__(self, "classes", classes)

    @property
    def bound(self) -> float:  # type: ignore[override]  # depends on the costs
        """The most that the losses of a row can differ by, and at least the largest cost."""
        table = np.asarray(self.costs)
        return float(table.max() - min(0.0, float(table.min())))

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the cost of each row."""
        return np.asarray(self.costs)[self._codes(y), self._codes(prediction.label)]

    def _codes(self, labels: Array) -> Codes:
        code = encode(labels, self.classes)
        if (code < 0).any():
            unknown = np.asarray(labels)[code < 0][:1].tolist()[0]
            raise UsageError(
                f"The cost matrix has no class {unknown!r}; it has {', '.join(map(repr, self.classes))}. "
                "Add a row and a column for it."
            )
        return code


def read_costs(path: str | Path, *, classes: Sequence[Any] | None = None) -> CostMatrix:
    """Read a cost matrix from a CSV or JSON file.

    A CSV file has the predicted labels in its first line and the true label in its first column. A JSON file is an
    object of objects: ``{"good": {"good": 0, "bad": 1}, "bad": {"good": 5, "bad": 0}}``.

    Parameters
    ----------
    path : str or Path
        The file.
    classes : sequence, optional
        The model's classes; labels in the file are matched to them by how they are written.

    Raises
    ------
    UsageError
        If the file is missing or is not such a table.
    """
    at = Path(path)
    try:
        text = at.read_text(encoding="utf-8-sig")
        table = json.loads(text) if at.suffix.lower() == ".json" else _from_csv(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The cost matrix {str(path)!r} cannot be read ({error}). Give a CSV or JSON file.") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is not a table of costs: {error}") from error
    if not isinstance(table, Mapping) or not all(isinstance(row, Mapping) for row in table.values()):
        raise UsageError(f"{str(path)!r} should map each true label to its costs by predicted label.")
    label = _spelling(classes)
    return CostMatrix({label(t): {label(p): cost for p, cost in row.items()} for t, row in table.items()})  # type: ignore[arg-type]  # made square on construction


def _from_csv(text: str) -> dict[str, dict[str, float]]:
    lines = [line for line in csv.reader(text.splitlines()) if line]
    if len(lines) < 2:
        raise ValueError("it has no rows; the first line names the predicted labels, the first column the true ones.")
    head = [name.strip() for name in lines[0][1:]]
    if any(len(line) != len(head) + 1 for line in lines[1:]):
        raise ValueError(f"every row needs a label and {len(head)} costs.")
    return {line[0].strip(): dict(zip(head, map(float, line[1:]), strict=True)) for line in lines[1:]}


def _spelling(classes: Sequence[Any] | None) -> Any:
    """Return a function from a label as text to the model's class that is written so, else to a number or the text."""
    known = {str(c): c for c in (np.asarray(classes).tolist() if classes is not None else ())}

    def read(text: str) -> Any:
        if text in known:
            return known[text]
        try:
            return int(text)
        except ValueError:
            return text

    return read


def _square(costs: Any, classes: tuple[Any, ...]) -> tuple[tuple[tuple[float, ...], ...], tuple[Any, ...]]:
    if isinstance(costs, Mapping):
        classes = tuple(costs)
        missing = [(t, p) for t in classes for p in classes if p not in costs[t]]
        if missing or any(p not in costs for row in costs.values() for p in row):
            raise UsageError(
                "A cost matrix needs the same labels as rows and as columns; "
                f"rows {list(classes)}, columns {list(next(iter(costs.values()), ()))} were given."
            )
        costs = [[costs[t][p] for p in classes] for t in classes]
    table = np.asarray(costs, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2 or not np.isfinite(table).all():
        raise UsageError(
            f"A cost matrix is square, has at least two classes and finite costs; shape {table.shape} was given."
        )
    classes = classes or tuple(range(len(table)))
    if len(classes) != len(table):
        raise UsageError(f"The cost matrix has {len(table)} rows but {len(classes)} classes were named.")
    return tuple(tuple(map(float, row)) for row in table), classes
