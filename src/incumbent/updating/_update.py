"""Update a model in memory, without a registry."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import AnchorSet, Batch, Memory, Metric, Model, Outcome, Progress, Task
from incumbent.data import DataCheck, Finding, Schema, examine, read
from incumbent.engine import parse_budget
from incumbent.errors import DataError, UsageError
from incumbent.gate import Gate
from incumbent.memory import remember
from incumbent.models import open_model, wrap
from incumbent.policy import Choice
from incumbent.updating._case import Case, rare_rows, silent
from incumbent.updating._run import prepare, run


def update(
    model: Any,
    new: Any,
    *,
    target: str | None = None,
    data: Any = None,
    anchor: Any = None,
    time: str | None = None,
    group: str | None = None,
    task: Task | None = None,
    strategies: Choice = "auto",
    budget: str | float | None = "5m",
    metric: str | Metric | None = None,
    gate: Gate | None = None,
    seed: int = 0,
    trust_pickle: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Train challengers on new rows, and say with evidence whether one should take over from the live model.

    Nothing is changed: not the model that is given, nor any file. `outcome.model` is what should be live.

    Parameters
    ----------
    model : native model, or path
        The live model: a fitted scikit-learn estimator or Pipeline, a LightGBM or XGBoost model or booster, or a file
        that holds one.
    new : frame, array, (x, y) pair, or path
        New labelled rows. pandas, polars and pyarrow frames, numpy arrays, files and folders are taken as they are; for
        a net also arrays and tensors of any dimensions, dicts of them, Datasets, and folders of images by class.
    target : str, optional
        The column to predict; not needed for a pair (x, y).
    data : frame, array, (x, y) pair, or path, optional
        The rows that the model was trained on. They are remembered, replayed, and stand in for old rows that nobody has
        seen while there are none.
    anchor : frame, array, (x, y) pair, or path, optional
        Old rows that the model was *not* trained on: the holdout on which forgetting shows. Without `anchor` and `data`
        nothing can be promoted, for "no worse on the old" cannot be shown; ``Gate(tolerance=None)`` waives it.
    time, group : str, optional
        Columns that order the rows, and that say which rows belong together.
    task : {"classification", "regression"}, optional
        What the model does, where it does not say so itself.
    strategies : "auto", str, Strategy, or a sequence of those
        What to try; "auto" tries all that fit the model, cheapest first, within the budget.
    budget : str or float, optional
        Time for training challengers, such as "5m"; None is no limit.
    metric : str or Metric, optional
        What decides: "accuracy" (the default for classes), "log_loss", "f1", "auc", "rmse" (the default for values),
        "mae", "cost:FILE", "module:function" and others.
    gate : Gate, optional
        The rule of promotion; the default promotes what is shown better on the new rows and no worse on the old, each
        at the 5 % level.
    seed : int
        Where all randomness comes from: the same input and seed give the same outcome.
    trust_pickle : bool
        Open a pickled model file, which can run any code.
    progress : callable, optional
        Told of every step, as an `Event`.

    Returns
    -------
    Outcome
        Decision, reasons, evidence, every try, and the model that should be live.

    Raises
    ------
    DataError
        The rows cannot be used; the message says which, and what to do.
    ModelError
        The model cannot be read or updated.
    UsageError
        An argument means nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(3000, 2))
    >>> old, new = (x[:1000, 0] > 0).astype(int), (x[1000:].sum(axis=1) > 0).astype(int)
    >>> model = LogisticRegression().fit(x[:500], old[:500])
    >>> outcome = update(model, (x[1000:], new), data=(x[:500], old[:500]), gate=Gate(tolerance=None))
    >>> outcome.decision
    'promote'
    """
    if gate is not None and gate.source == "prequential":
        raise UsageError(
            "Prequential evidence adds up over updates, and an update in memory knows of none before it; use "
            "Registry.update, or Gate(source='crossfit')."
        )
    champion = wrap(open_model(model, trust_pickle=trust_pickle) if isinstance(model, str | Path) else model)
    column = target or ("target" if _is_pair(new) or takes_tensors(champion) else None)
    if column is None:
        raise DataError("target= is needed to know which column of the new rows to predict, such as target='class'.")
    names, tensors = feature_names(champion), takes_tensors(champion)
    first = read(new if data is None else data, names=names, target=column, tensors=tensors)
    champion = acquainted(champion, first, column, task)
    schema = Schema.of(first, target=column, time=time, group=group, task=task_of(champion, task), features=names)
    champion, schema, notes = same_classes(champion, schema)
    frame = first
    if data is not None:  # images as those that the model learned; an array may hold the target, which has no name yet
        frame = schema.read(new) if schema.inputs else read(new, names=names, target=column, tensors=tensors)
    batch, check = schema.check(frame)
    check = check.replace(findings=(*check.findings, *notes))
    held = AnchorSet() if anchor is None else anchor_set(schema, schema.read(anchor))
    memory = Memory()
    if data is not None:
        learned = schema.check(first)[0]
        memory = remember(memory, learned, seed=seed, rare=rare_rows(champion))
        held, check = unseen(held, learned, check, task=champion.task)
    case = Case(
        champion,
        batch,
        check,
        memory,
        held,
        strategies=strategies,
        budget=parse_budget(budget),
        metric=metric,
        gate=gate or Gate(),
        seed=seed,
        progress=progress,
    )
    return run(prepare(case))


def anchor_set(schema: Schema, frame: Any) -> AnchorSet:
    """Return an anchor set of rows that have served in no decision yet."""
    rows, _ = schema.check(frame)
    return AnchorSet(rows, np.zeros(len(rows), dtype=np.int64), len(rows))


def unseen(held: AnchorSet, learned: Batch, check: DataCheck, *, task: Task) -> tuple[AnchorSet, DataCheck]:
    """Leave out anchor rows that stand among the rows that the champion learned from, and say so in the check."""
    if held.rows is None or held.used is None:
        return held, check
    seen = examine(held.rows, memory=Memory(learned), anchor=AnchorSet(), task=task).known
    if not seen.any():
        return held, check
    text = f"{seen.sum():,} of {len(held):,} anchor rows stand in the training rows too; they were left out of it."
    kept = AnchorSet(held.rows.take(~seen), held.used[~seen], int((~seen).sum()))
    return kept, dataclasses.replace(check, findings=(*check.findings, Finding("warning", "", text)))


def task_of(champion: Model, given: Task | None) -> Task:
    """Return what the champion predicts, and refuse to call it something else."""
    if given is not None and given != champion.task:
        what = "classes" if champion.task == "classification" else "values"
        kind = type(champion.native).__name__
        raise UsageError(f"{kind} predicts {what}, so the task is {champion.task}; {given!r} was given.")
    return champion.task


def same_classes(champion: Model, schema: Schema) -> tuple[Model, Schema, tuple[Finding, ...]]:
    """Return champion and schema with the same classes, and what had to be assumed for it.

    A native booster only knows the codes 0 to k - 1. Where the data hold k names instead, they are taken for the codes
    in sorted order, as scikit-learn's LabelEncoder gives them out.
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
    """Return the schema with the classes that the champion knows, in the champion's own type."""
    return schema if champion.classes is None else schema.replace(classes=tuple(champion.classes.tolist()))


def _is_pair(new: Any) -> bool:
    return isinstance(new, tuple) and len(new) == 2


def acquainted(champion: Model, rows: Any, target: str, task: Task | None) -> Model:
    """Return the champion with its outputs read as the labels ask for, where it does not say by itself what they mean.

    Raises
    ------
    ModelError
        The outputs do not fit the labels.
    """
    columns = getattr(rows, "parts", rows)
    return champion.infer_outputs(np.asarray(columns[target]), task) if target in columns else champion


def takes_tensors(champion: Model) -> bool:
    """Return whether a model takes arrays as they are, where others take them as columns of a table."""
    return champion.takes == "tensors"


def feature_names(champion: Model) -> list[str] | None:
    """Return the names of the columns that the champion was trained on, in its order, if it kept them."""
    return champion.feature_names
