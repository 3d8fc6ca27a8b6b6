"""Find out what the outputs of a model mean: its task, and the classes it shares with the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from incumbent.core import Finding, Model, Task
from incumbent.data import Schema
from incumbent.errors import UsageError
from incumbent.models import wrap


def infer_outputs(champion: Model, rows: Any, target: str, task: Task | None) -> Model:
    """Return the champion with its outputs interpreted by the labels, if the model itself does not define them.

    Parameters
    ----------
    champion : Model
        The model.
    rows : data frame
        Rows with the target column.
    target : str
        The column of the labels.
    task : {"classification", "regression"}, optional
        What the model predicts, if known.

    Raises
    ------
    ModelError
        The outputs do not fit the labels.
    """
    columns = getattr(rows, "parts", rows)
    return champion.infer_outputs(np.asarray(columns[target]), task) if target in columns else champion


def task_of(champion: Model, given: Task | None) -> Task:
    """Return what the champion predicts.

    Raises
    ------
    UsageError
        Another task was given.
    """
    if given is not None and given != champion.task:
        what = "classes" if champion.task == "classification" else "values"
        kind = type(champion.native).__name__
        raise UsageError(f"{kind} predicts {what}, so the task is {champion.task}; {given!r} was given.")
    return champion.task


def match_classes(champion: Model, schema: Schema) -> tuple[Model, Schema, tuple[Finding, ...]]:
    """Return champion and schema with the same classes, and what had to be assumed.

    A native booster only knows the codes 0 to k - 1. If the data have k names instead, the names get the codes in
    sorted order, as in scikit-learn's LabelEncoder.
    """
    codes, labels = champion.classes, sorted(map(str, schema.classes or ()))
    texts = all(isinstance(label, str) for label in schema.classes or ())
    if codes is None or not texts or not np.array_equal(codes, np.arange(len(labels))):
        return champion, with_classes(schema, champion), ()
    named = wrap(champion.native, classes=np.array(labels, dtype=object))
    if named.classes is None or named.classes.tolist() != labels:
        return champion, with_classes(schema, champion), ()
    text = (
        f"the model knows its classes as 0 to {len(labels) - 1}; they were taken for {', '.join(labels)}, in this order"
    )
    return named, with_classes(schema, named), (Finding("warning", schema.target or "", text),)


def with_classes(schema: Schema, champion: Model) -> Schema:
    """Return the schema with the champion's classes, in the champion's own type."""
    return schema if champion.classes is None else schema.replace(classes=tuple(champion.classes.tolist()))
