"""What goes on with an exact head: rows that join its sums, and rows that leave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, HasFeatures, Memory, Model, has_features
from incumbent.data import row_keys
from incumbent.errors import ModelError
from incumbent.models.exact._head import Head, headed
from incumbent.models.exact._ridge import Solution, solve
from incumbent.models.exact._statistics import Statistics
from incumbent.models.exact._summed import gathered, lifted, sums


def absorb(memory: Memory, model: Model, batch: Batch) -> Memory:
    """Return the memory with the statistics of a model that learned these rows last; without an exact head none."""
    if has_features(model):
        statistics: Mapping[str, Array] = statistics_after(model, memory, batch)
    else:
        statistics = model.updated_statistics(memory, batch)
    return memory.replace(statistics=statistics) if statistics or memory.statistics else memory


def statistics_after(model: HasFeatures, memory: Memory, batch: Batch) -> dict[str, Array]:
    """Return the statistics of all rows that a model learned, those of `batch` included; empty without an exact head.

    If the model was just solved from the first rows of the batch, only the others pass through its features.

    Parameters
    ----------
    model : HasFeatures
        The model.
    memory : Memory
        What is remembered, the batch included.
    batch : Batch
        The rows that were learned last.
    """
    head: Head | None = model.head
    if head is None:
        return {}
    old: Statistics | None = None
    if head.solution is not None and head.train is not None and _begins_with(batch, head.train):
        old, batch = head.solution.statistics, batch.take(np.arange(len(head.train), len(batch)))
    elif token_in(memory) == head.token:
        old = statistics_of(memory)
    elif memory.rows is not None:
        unknown = ~np.isin(row_keys(batch), row_keys(memory.rows))
        batch = Batch.join([memory.rows, batch.take(unknown)])
    if len(batch):
        fresh = gathered(model, head.lift, batch)
        if old is not None:
            fresh += old
        old = fresh
    assert old is not None, "a model has learned from at least one row"
    return _carried(old, head.token)


def extended(model: Model, rows: Batch) -> Model:
    """Return a model whose head was just solved, solved from these further rows too, with the same penalty.

    One factorisation, and a pass of rows whose features are not kept. Others come back as they are.

    Parameters
    ----------
    model : Model
        A model that has just been made by a recipe.
    rows : Batch
        Rows that it did not learn.
    """
    head = model.head if has_features(model) else None
    if head is None or not has_features(model) or head.solution is None or head.train is None or not len(rows):
        return model
    statistics = gathered(model, head.lift, rows)
    statistics += head.solution.statistics
    made = _again(head, solve(statistics, head.ridge), Batch.join([head.train, rows]))
    return model.with_head(made, (*model.notes, f"learned the {len(rows):,} rows that chose it too"))


def forget(model: Model, memory: Memory, rows: Batch) -> tuple[Model, Memory]:
    """Return the model and the memory as if these rows had never been learned, exactly and without retraining.

    The penalty and the temperature stay as they are; a class whose last row goes is gone.

    Parameters
    ----------
    model : Model
        One with an analytic head.
    memory : Memory
        The memory that belongs to it.
    rows : Batch
        Rows as they were learned: features and labels (and weights, if they had any).

    Raises
    ------
    ModelError
        The model has no analytic head, or the memory holds no statistics for it: only training anew forgets.
    DataError
        The rows cannot all be among those that were learned.
    """
    head = model.head if has_features(model) else None
    if head is None or not has_features(model) or token_in(memory) != head.token:
        raise ModelError(
            f"{type(model.native).__name__} carries no statistics that rows could be taken out of; only a version made "
            "by Analytic() forgets exactly. Others must be trained anew without the rows."
        )
    if head.solution is not None and head.solution.statistics.rows == float(memory.statistics["rows"]):
        x = lifted(model, head.lift, rows)
        gone = sums(model, head.lift, [(x, rows.labels, rows.weight)])
        solution = head.solution.forget(gone, x, rows.weight, spend=True)
    else:
        gone = gathered(model, head.lift, rows)
        solution = solve(statistics_of(memory).forget(gone, spend=True), head.ridge)
    left = model.with_head(_again(head, solution, None), (f"forgot {len(rows):,} rows exactly",))
    return left, without(memory, rows).replace(statistics=_carried(solution.statistics, head.token))


def _again(head: Head, solution: Solution, train: Batch | None) -> Head:
    """Return the head of another solution, with the same temperature."""
    return headed(solution, head.lift, head.temperature, head.token, train)


def without(memory: Memory, rows: Batch) -> Memory:
    """Return the memory without these rows in its reservoir; rows of equal content go together."""
    if memory.rows is None:
        return memory
    keep = ~np.isin(row_keys(memory.rows), row_keys(rows))
    key = None if memory.key is None else memory.key[keep]
    return memory.replace(rows=memory.rows.take(keep), key=key, seen=max(memory.seen - len(rows), int(keep.sum())))


def statistics_of(memory: Memory) -> Statistics:
    """Return the statistics that a memory carries."""
    return Statistics.from_arrays(memory.statistics)


def _carried(statistics: Statistics, token: str) -> dict[str, Array]:
    return {**statistics.to_arrays(), "token": np.array(token)}


def token_in(memory: Memory) -> str:
    """Return the name of the features that a memory's statistics are of."""
    return str(memory.statistics["token"]) if "token" in memory.statistics else "none"


def _begins_with(batch: Batch, first: Batch) -> bool:
    if batch is first:
        return True
    if len(batch) < len(first):
        return False
    start = batch.take(np.arange(len(first)))
    return all(_equal(getattr(start, name), getattr(first, name)) for name in ("x", "y", "weight"))


def _equal(one: Any, two: Any) -> bool:
    if one is None or two is None:
        return one is two
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_equal(one[name], two[name]) for name in one)
    if hasattr(one, "iloc"):
        return bool(one.reset_index(drop=True).equals(two.reset_index(drop=True)))
    if hasattr(one, "tocsr"):
        return bool(one.shape == two.shape and (one != two).nnz == 0)
    return bool(np.array_equal(np.asarray(one), np.asarray(two)))
