"""Read the labels of a batch, and infer the task and the classes from them."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding, Floats, Task
from incumbent.data.schema._categories import plain, spell
from incumbent.data.schema._kinds import Scalar, kind_of, numbers, parse_numbers, rejection, row_of
from incumbent.errors import DataError, SchemaError
from incumbent.words import counted, listed

_TYPES: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64, str: object}


# ---------------------------------------------------------------------------- task and classes


def infer_task(target: pd.Series[Any]) -> Task:
    """Return the task that a target column defines.

    Numbers with fractions are a regression if more than ten of them, or more than half of the rows, are distinct. Whole
    numbers are a regression if more than 20, and more than the square root of the number of rows, are distinct.
    Everything else is a classification.
    """
    if kind_of(target) != "number":
        return "classification"
    values = numbers(target)
    values = values[~pd.isna(values)]
    distinct = len(pd.unique(values))
    if (values != np.rint(values)).any():
        return "regression" if distinct > min(10, len(values) / 2) else "classification"
    return "regression" if distinct > max(20.0, math.sqrt(len(values))) else "classification"


def find_classes(target: pd.Series[Any]) -> tuple[Scalar, ...]:
    """Return the classes in a target column, sorted; empty text is not a class."""
    kind = kind_of(target)
    if kind == "time":
        raise DataError(
            f"The label column {target.name!r} holds times; classes were expected. Name another one with --target."
        )
    distinct = pd.unique(target[~is_unlabelled(target)])
    if kind == "number" and target.isna().any() and (distinct == np.rint(distinct)).all():
        distinct = distinct.astype(np.int64)  # whole numbers became floats only because some labels are missing
    if kind == "number" and len(distinct) > max(50, len(target) // 2) and (distinct != np.rint(distinct)).any():
        raise DataError(
            f"The label column {target.name!r} holds {len(distinct):,} distinct numbers with fractions, too many for "
            f"classes. Predict the values with --task regression."
        )
    return tuple(sorted(map(plain, distinct)))


def check_numeric(target: pd.Series[Any]) -> None:
    """Raise an error if a target column does not hold numbers, which a regression needs."""
    if kind_of(target) == "number":
        return
    try:
        parse_numbers(target)
    except (SchemaError, TypeError) as error:
        raise DataError(f"A regression needs numbers as labels: {error}") from error


# ------------------------------------------------------------------------ one label for each row


def is_unlabelled(target: pd.Series[Any], classes: tuple[Scalar, ...] = ()) -> Array:
    """Return which rows (n,) have no label: missing values, and empty text unless it is a class."""
    gaps = target.isna().to_numpy()
    if kind_of(target, mixed=True) in ("text", "category") and "" not in classes:
        gaps = gaps | (target == "").fillna(False).to_numpy(dtype=bool)
    return cast(Array, gaps)


def _check_complete(target: pd.Series[Any], gaps: Array) -> None:
    name, rows = target.name, len(target)
    if gaps.all():
        raise SchemaError(
            f"No row has a label in {name!r}; an update learns from labelled rows. To predict, use predict."
        )
    if gaps.any():
        first, count = row_of(gaps), int(gaps.sum())
        raise SchemaError(
            f"{counted(count, 'row')} of {rows:,} {'has' if count == 1 else 'have'} no label in {name!r} (the first is "
            f"row {first:,}); leave these rows out."
        )


def read_values(target: pd.Series[Any]) -> tuple[Floats, list[Finding]]:
    """Return the labels (n,) of a regression as float64, and findings about them."""
    name, findings = target.name, []
    _check_complete(target, is_unlabelled(target))
    if kind_of(target, mixed=True) != "number":
        try:
            target = parse_numbers(target)
        except TypeError as error:
            raise SchemaError(f"The labels {name!r} are {target.dtype}; a regression needs numbers.") from error
        _check_complete(target, target.isna().to_numpy())
        findings.append(Finding("note", str(name), f"The labels {name!r} were text and are read as numbers."))
    y = numbers(pd.to_numeric(target) if target.dtype == object else target).astype(np.float64, copy=False)
    if (wrong := ~np.isfinite(y)).any():
        raise rejection(target, wrong, "finite numbers as labels")
    if len(y) > 1 and y.min() == y.max():
        findings.append(_single_label(str(name), float(y[0]), len(y)))
    return y, findings


def read_labels(target: pd.Series[Any], known: tuple[Scalar, ...]) -> tuple[Array, list[Finding]]:
    """Return the labels (n,) of a classification in the type of the known classes, and findings about them."""
    _check_complete(target, is_unlabelled(target, known))
    codes, distinct = pd.factorize(target)
    given = [plain(value) for value in distinct]
    wanted = type(known[0]) if known else type(given[0])
    read = [value if type(value) is wanted else _convert(value, wanted, target, known) for value in given]
    findings = []
    if any(type(a) is not type(b) for a, b in zip(given, read, strict=True)):
        if not set(read) & set(known):
            raise _mismatch(target, given, known)
        text = f"The labels {target.name!r} were {target.dtype} and are read as the model's classes."
        findings.append(Finding("note", str(target.name), text))
    y = np.array(read, dtype=_TYPES.get(wanted, object))[codes]
    counts = np.bincount(codes, minlength=len(read))
    return y, [*findings, *_class_findings(str(target.name), read, counts, known)]


def _class_findings(name: str, found: list[Any], counts: Array, known: tuple[Scalar, ...]) -> list[Finding]:
    findings, rows = [], int(counts.sum())
    if len(set(found)) == 1:
        findings.append(_single_label(name, found[0], rows))
    new = {value: int(count) for value, count in zip(found, counts, strict=True) if value not in known}
    if new and known:
        held = f"in {counted(sum(new.values()), 'row')} of {rows:,}"
        text = f"{name!r} has a new class, one that the model does not know, {held}: {listed(new)}."
        findings.append(Finding("note", name, text))
        if len(new) == len(set(found)):
            text = f"No label in {name!r} is a class that the model knows ({listed(known)}): is it the same column?"
            findings.append(Finding("warning", name, text))
    return findings


def _single_label(name: str, value: Any, rows: int) -> Finding:
    text = f"The only label in {name!r} is {value!r} ({counted(rows, 'row')}): nothing can be learned from one label."
    return Finding("warning", name, text)


def _convert(value: Any, wanted: type, target: pd.Series[Any], known: tuple[Scalar, ...]) -> Any:
    """Return a label in the type of the known classes: 1 and "1", 1.0 and 1, True and 1 are the same label."""
    if wanted is str:
        if isinstance(value, bool):
            return next((name for name in known if str(name).lower() == str(value).lower()), str(value))
        return spell(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        value = value.strip().lower() == "true"
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _mismatch(target, [value], known) from error
    converted = wanted(number)
    if converted != number or not math.isfinite(number):
        raise _mismatch(target, [value], known)
    return converted


def _mismatch(target: pd.Series[Any], given: list[Any], known: tuple[Scalar, ...]) -> SchemaError:
    return SchemaError(
        f"The labels {target.name!r} are {listed(given, 4)} ({target.dtype}), but the model's classes are "
        f"{listed(known, 4)}; give the labels as they were in training."
    )


# ------------------------------------------------------------------- several labels for each row


def count_labels(target: Any) -> int:
    """Return how many labels or values each row has."""
    return int(target.shape[1]) if target.ndim == 2 and not hasattr(target, "iloc") else 1


def infer_task_of_several(target: Any) -> Task:
    """Return the task that labels (n, m) define: a classification if all are 0 or 1, else a regression."""
    return "classification" if np.isin(np.asarray(target), (0, 1)).all() else "regression"


def read_several(target: Any, name: str, width: int, task: Task) -> Array:
    """Return labels (n, m) as whole numbers 0 and 1, or values (n, m) as float64."""
    if count_labels(target) != width or target.ndim != 2:
        raise SchemaError(
            f"{name!r} has shape {target.shape}, but the model was trained on {counted(width, 'label')} for each row; "
            "give one column for each label."
        )
    y = np.asarray(target)
    wanted = "0 or 1" if task == "classification" else "finite numbers"
    valid = np.zeros(y.shape, bool) if y.dtype.kind not in "biuf" else np.isfinite(y)
    if task == "classification":
        valid &= np.isin(y, (0, 1))
    if not valid.all():
        row = int(np.argmin(valid.all(axis=1)))
        raise SchemaError(
            f"{name!r} should hold {wanted} in every column, but row {row + 1:,} holds {y[row].tolist()}."
        )
    return y.astype(np.int64 if task == "classification" else np.float64)
