"""Add rows to an exact head, and delete rows from it, through the sums in the memory."""

from __future__ import annotations

import numpy as np

from incumbent.core import Array, Batch, HasFeatures, Memory, Model, has_features
from incumbent.data import row_keys
from incumbent.errors import ModelError
from incumbent.models.exact._head import Head
from incumbent.models.exact._inputs import compute_statistics
from incumbent.models.exact._ridge import Solution, solve
from incumbent.models.exact._statistics import Statistics


def update_statistics(memory: Memory, model: Model, batch: Batch) -> Memory:
    """Return the memory with the statistics of a model that learned these rows last, if it has an exact head."""
    statistics = model.updated_statistics(memory, batch)
    return memory.replace(statistics=statistics) if statistics or memory.statistics else memory


def head_statistics(model: HasFeatures, memory: Memory, batch: Batch) -> dict[str, Array]:
    """Return the statistics of all rows that a model learned, `batch` included; empty without an exact head.

    An adapter with the ability "features" returns this from `updated_statistics`.

    Parameters
    ----------
    model : HasFeatures
        The model.
    memory : Memory
        What is remembered, the batch included.
    batch : Batch
        The rows that were learned last. Those that the head was just solved from are not passed through again.
    """
    head: Head | None = model.head
    if head is None:
        return {}
    old: Statistics | None = None
    if head.solution is not None and head.train is not None and _begins_with(batch, head.train):
        old, batch = head.solution.statistics, batch.take(np.arange(len(head.train), len(batch)))
    elif token_of(memory) == head.token:
        old = read_statistics(memory)
    elif memory.rows is not None:
        unknown = ~np.isin(row_keys(batch), row_keys(memory.rows))
        batch = Batch.join([memory.rows, batch.take(unknown)])
    if len(batch):
        new = compute_statistics(model, head.lift, batch)
        old = new if old is None else new + old
    assert old is not None, "a model has learned from at least one row"
    return _stored(old, head.token)


def add_rows(model: Model, rows: Batch) -> Model:
    """Return a model whose head was just solved, solved from these rows too, with the same penalty.

    A model without such a head is returned as it is.

    Parameters
    ----------
    model : Model
        A model that a recipe has just made.
    rows : Batch
        Rows that it did not learn.
    """
    head = model.head if has_features(model) else None
    if head is None or not has_features(model) or head.solution is None or head.train is None or not len(rows):
        return model
    statistics = compute_statistics(model, head.lift, rows) + head.solution.statistics
    made = _with_solution(head, solve(statistics, head.ridge), Batch.join([head.train, rows]))
    return model.with_head(made, (*model.notes, f"learned the {len(rows):,} rows that chose it too"))


def forget(model: Model, memory: Memory, rows: Batch) -> tuple[Model, Memory]:
    """Return the model and the memory as if these rows had never been learned, exactly and without retraining.

    The penalty and the temperature stay as they are. A class whose last row goes is gone.

    Parameters
    ----------
    model : Model
        One with an exact head.
    memory : Memory
        The memory that belongs to it.
    rows : Batch
        Rows as they were learned: features and labels (and weights, if they had any).

    Raises
    ------
    ModelError
        The model has no exact head, or the memory holds no statistics for it: only training from scratch forgets.
    DataError
        The rows cannot all be among those that were learned.
    """
    head = model.head if has_features(model) else None
    if head is None or not has_features(model) or token_of(memory) != head.token:
        raise ModelError(
            f"{type(model.native).__name__} carries no statistics that rows could be taken out of; only a version made "
            "by Analytic() forgets exactly. Others must be trained from scratch without the rows."
        )
    statistics = read_statistics(memory).forget(compute_statistics(model, head.lift, rows))
    solved = _with_solution(head, solve(statistics, head.ridge), None)
    left = model.with_head(solved, (f"forgot {len(rows):,} rows exactly",))
    return left, _remove(memory, rows).replace(statistics=_stored(statistics, head.token))


def _with_solution(head: Head, solution: Solution, train: Batch | None) -> Head:
    return Head.from_solution(solution, head.lift, head.temperature, head.token, train)


def _remove(memory: Memory, rows: Batch) -> Memory:
    """Return the memory without these rows in its reservoir; rows of equal content go together."""
    if memory.rows is None:
        return memory
    keep = ~np.isin(row_keys(memory.rows), row_keys(rows))
    key = None if memory.key is None else memory.key[keep]
    return memory.replace(rows=memory.rows.take(keep), key=key, seen=max(memory.seen - len(rows), int(keep.sum())))


def read_statistics(memory: Memory) -> Statistics:
    """Return the statistics that a memory carries."""
    return Statistics.from_arrays(memory.statistics)


def token_of(memory: Memory) -> str:
    """Return the identity of the features that a memory's statistics are of."""
    return str(memory.statistics.get("token", "none"))


def _stored(statistics: Statistics, token: str) -> dict[str, Array]:
    return {**statistics.to_arrays(), "token": np.array(token)}


def _begins_with(batch: Batch, first: Batch) -> bool:
    """Return whether the first rows of a batch are these, in their order and with their weights."""
    if batch is first or len(batch) < len(first):
        return batch is first
    start = batch.take(np.arange(len(first)))
    if (start.weight is None) != (first.weight is None) or not np.array_equal(row_keys(start), row_keys(first)):
        return False
    return first.weight is None or np.array_equal(np.asarray(start.weight), first.weight)
