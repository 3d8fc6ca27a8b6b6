"""The columns of a batch that no model sees as features: labels, times and groups."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pandas as pd

from incumbent.core import Array, Finding, Floats, Task
from incumbent.data.schema._kinds import Kind, Scalar, kind_of, numbers, parsed_numbers, parsed_times, refuse
from incumbent.errors import DataError, SchemaError
from incumbent.words import counted, listed

_TYPES: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64, str: object}


# ------------------------------------------------------------------------- what the target is


def task_of(target: pd.Series[Any]) -> Task:
    """Return the task that a target column asks for.

    Numbers with fractions are values to predict where there are more than ten distinct ones, or more distinct ones than
    half of the rows; whole numbers where there are more than 20 and more than the square root of the rows. All else is
    classes.
    """
    if kind_of(target) != "number":
        return "classification"
    values = numbers(target)
    values = values[~pd.isna(values)]
    distinct = len(pd.unique(values))
    if (values != np.rint(values)).any():
        return "regression" if distinct > min(10, len(values) / 2) else "classification"
    return "regression" if distinct > max(20.0, math.sqrt(len(values))) else "classification"


def classes_of(target: pd.Series[Any]) -> tuple[Scalar, ...]:
    """Return the classes in a target column, sorted; empty text is no class."""
    kind = kind_of(target)
    if kind == "time":
        raise DataError(
            f"The label column {target.name!r} holds times; classes were expected. Name another with --target."
        )
    distinct = pd.unique(target[~unlabelled(target)])
    if kind == "number" and target.isna().any() and (distinct == np.rint(distinct)).all():
        distinct = distinct.astype(np.int64)  # whole numbers became floats only because some rows lack one
    if kind == "number" and len(distinct) > max(50, len(target) // 2) and (distinct != np.rint(distinct)).any():
        raise DataError(
            f"The label column {target.name!r} holds {len(distinct):,} distinct numbers with fractions; "
            f"that is no set of classes. Predict its values with --task regression."
        )
    return tuple(sorted(value.item() if isinstance(value, np.generic) else value for value in distinct))


def check_values(target: pd.Series[Any]) -> None:
    """Raise where a target column is no column of numbers, which a regression needs."""
    if kind_of(target) == "number":
        return
    try:
        parsed_numbers(target)
    except (SchemaError, TypeError) as error:
        raise DataError(f"A regression needs numbers as labels: {error}") from error


# ------------------------------------------------------------------------------------- labels


def unlabelled(target: pd.Series[Any], classes: tuple[Scalar, ...] = ()) -> Array:
    """Return which rows (n,) have no label: missing values, and empty text where that is no class."""
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
        first, count = int(np.argmax(gaps)) + 1, int(gaps.sum())
        raise SchemaError(
            f"{counted(count, 'row')} of {rows:,} {'has' if count == 1 else 'have'} no label in {name!r} (the first is "
            f"row {first:,}); leave these rows out."
        )


def values(target: pd.Series[Any]) -> tuple[Floats, list[Finding]]:
    """Return the labels (n,) of a regression as float64, and findings about them."""
    name, findings = target.name, []
    _check_complete(target, unlabelled(target))
    if kind_of(target, mixed=True) != "number":
        try:
            target = parsed_numbers(target)
        except TypeError as error:
            raise SchemaError(f"The labels {name!r} are {target.dtype}; a regression needs numbers.") from error
        _check_complete(target, target.isna().to_numpy())
        findings.append(Finding("note", str(name), f"The labels {name!r} were given as text and read as numbers."))
    y = numbers(pd.to_numeric(target) if target.dtype == object else target).astype(np.float64, copy=False)
    if (wrong := ~np.isfinite(y)).any():
        raise refuse(target, wrong, "finite numbers as labels")
    if len(y) > 1 and y.min() == y.max():
        findings.append(_only(str(name), float(y[0]), len(y)))
    return y, findings


def labels(target: pd.Series[Any], known: tuple[Scalar, ...]) -> tuple[Array, list[Finding]]:
    """Return the labels (n,) of a classification in the type of the known classes, and findings about them."""
    _check_complete(target, unlabelled(target, known))
    codes, distinct = pd.factorize(target)
    given = [value.item() if isinstance(value, np.generic) else value for value in distinct]
    wanted = type(known[0]) if known else type(given[0])
    meant = [value if type(value) is wanted else _converted(value, wanted, target, known) for value in given]
    findings = []
    if any(type(a) is not type(b) for a, b in zip(given, meant, strict=True)):
        if not set(meant) & set(known):
            raise _mismatch(target, given, known)
        text = f"The labels {target.name!r} were given as {target.dtype} and read as the model's classes."
        findings.append(Finding("note", str(target.name), text))
    y = np.array(meant, dtype=_TYPES.get(wanted, object))[codes]
    counts = np.bincount(codes, minlength=len(meant))
    return y, [*findings, *_class_findings(str(target.name), meant, counts, known)]


def _class_findings(name: str, found: list[Any], counts: Array, known: tuple[Scalar, ...]) -> list[Finding]:
    findings, rows = [], int(counts.sum())
    if len(set(found)) == 1:
        findings.append(_only(name, found[0], rows))
    new = {value: int(count) for value, count in zip(found, counts, strict=True) if value not in known}
    if new and known:
        held = f"in {counted(sum(new.values()), 'row')} of {rows:,}"
        text = f"{name!r} has a new class, one that the model does not know, {held}: {listed(new)}."
        findings.append(Finding("note", name, text))
        if len(new) == len(set(found)):
            text = f"No label in {name!r} is a class that the model knows ({listed(known)}): is it the same column?"
            findings.append(Finding("warning", name, text))
    return findings


def _only(name: str, value: Any, rows: int) -> Finding:
    text = f"The only label in {name!r} is {value!r} ({counted(rows, 'row')}): nothing can be learned from one label."
    return Finding("warning", name, text)


def _converted(value: Any, wanted: type, target: pd.Series[Any], known: tuple[Scalar, ...]) -> Any:
    """Return a label in the type of the known classes: 1 and "1", 1.0 and 1, True and 1 are the same label."""
    if wanted is str:
        if isinstance(value, bool):
            return next((name for name in known if str(name).lower() == str(value).lower()), str(value))
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
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
        f"The labels {target.name!r} hold {listed(given, 4)} ({target.dtype}), but the model's classes are "
        f"{listed(known, 4)}; give the labels as they were in training."
    )


# -------------------------------------------------------------------------- times and groups


def times(series: pd.Series[Any]) -> Array:
    """Return when each row was observed: numbers as they are, times and text as datetime64[us] in UTC."""
    gaps = series.isna().to_numpy()
    if gaps.any():
        raise refuse(series, gaps, "a time in every row")
    kind: Kind = kind_of(series, mixed=True)
    if kind in ("text", "category"):
        try:
            series, kind = parsed_numbers(series), "number"
        except SchemaError:
            series, kind = parsed_times(series), "time"
    if kind == "time":
        return parsed_times(series).to_numpy()
    found = numbers(pd.to_numeric(series) if series.dtype == object else series)
    if found.dtype.kind == "b" or not np.isfinite(found).all():
        wrong = np.ones(len(series), bool) if found.dtype.kind == "b" else ~np.isfinite(found)
        raise refuse(series, wrong, "times or finite numbers")
    return found


def groups(series: pd.Series[Any]) -> Array:
    """Return the group of each row (n,): numbers as they are, all else as objects."""
    gaps = series.isna().to_numpy()
    if gaps.any():
        raise refuse(series, gaps, "a group in every row")
    if kind_of(series, mixed=True) == "number":
        return numbers(pd.to_numeric(series) if series.dtype == object else series)
    return series.to_numpy(dtype=object)
