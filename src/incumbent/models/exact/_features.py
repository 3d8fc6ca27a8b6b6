"""What the frozen part of a model made of rows, kept while an update lasts, so that no row passes through it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Batch, Model, Prediction, SplitModel, is_split
from incumbent.models.exact._grid import Grid

MOST_BYTES = 1 << 30
"""Features that would take more are not kept, and rows pass again whenever a model is asked."""
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Features:
    """Features of rows that were taken from one batch, by what made them.

    Parameters
    ----------
    made : (N, d) array, frame or sparse matrix
        Features of every row of the batch.
    by : object
        Names what made them: equal for models that share it.
    at : (n,) array
        Which of them these rows have.
    grid : Grid, optional
        The steps that they are held as bytes of; None where they are held as they are.
    """

    made: Any
    by: object
    at: NDArray[np.intp]
    grid: Grid | None = None

    @staticmethod
    def of(made: Any, by: object, grid: Grid | None = None) -> Features:
        """Return the features of a whole batch, given in bytes where they have a grid."""
        return Features(made, by, np.arange(made.shape[0]), grid)

    def __len__(self) -> int:
        return len(self.at)

    def take(self, at: NDArray[np.intp]) -> Features:
        """Return those of some of the rows; nothing is copied."""
        return Features(self.made, self.by, self.at[at], self.grid)

    def join(self, parts: Sequence[Features]) -> Features | None:
        """Return those of all parts, where they are of one batch."""
        if any(part.made is not self.made for part in parts):
            return None
        return Features(self.made, self.by, np.concatenate([part.at for part in parts]), self.grid)

    def read(self) -> Any:
        """Return the features (n, d) as they were made."""
        taken = self.made.iloc[self.at] if hasattr(self.made, "iloc") else self.made[self.at]
        return taken if self.grid is None else self.grid.unpack(taken)


def passed(model: Model, rows: Batch) -> tuple[Batch, Prediction]:
    """Predict rows, and return them with what the model's frozen part made of them where that is worth keeping.

    Models made from this one that share its frozen part then predict and learn these rows, or any taken from them,
    without passing them through again.

    Parameters
    ----------
    model : Model
        The one that is asked.
    rows : Batch
        Rows that it can predict.

    Returns
    -------
    Batch
        The same rows, with `Batch.features` where they are kept.
    Prediction
        What the model says of each.
    """
    if not is_split(model) or len(rows) < 2 or not _is_worth_it(model, rows):
        return rows, model.predict(rows.x)
    if model.grid is not None:
        return _passed_in_blocks(model, rows)
    read = model.head_input(rows.x)
    if read.shape[0] != len(rows):  # a step that drops or adds rows
        return rows, model.predict(rows.x)
    return rows.replace(features=Features.of(read, model.frozen)), model.predict_from(read)


def _passed_in_blocks(model: SplitModel, rows: Batch) -> tuple[Batch, Prediction]:
    """Keep bytes of a few thousand rows at a time: as numbers, all of them would take four times as much at once."""
    assert model.grid is not None, "asked only of models whose features fit into bytes"
    grid, codes = model.grid, list[Array]()
    said: list[Prediction] = []
    for start in range(0, len(rows), _BLOCK):
        read = model.head_input(rows.take(np.arange(start, min(start + _BLOCK, len(rows)))).x)
        said.append(model.predict_from(read))
        codes.append(grid.pack(read))
    label = np.concatenate([part.label for part in said])
    proba = None if said[0].proba is None else np.concatenate([part.proba for part in said if part.proba is not None])
    kept = Features.of(np.concatenate(codes), model.frozen, grid)
    return rows.replace(features=kept), Prediction(label, proba, said[0].classes)


def predict(model: Model, rows: Batch) -> Prediction:
    """Return what a model says of rows, from their features where its own frozen part made them."""
    if not is_split(model):
        return model.predict(rows.x)
    read = known(rows, model.frozen)
    if read is not None:
        return model.predict_from(read)
    features = known(rows, model.body)
    return model.predict(rows.x) if features is None else model.predict_from(model.project(features))


def known(rows: Batch, by: object) -> Any | None:
    """Return the features of rows where this made them; None where it has to be asked."""
    return rows.features.read() if _made(rows, by) else None


def _made(rows: Batch, by: object) -> bool:
    return rows.features is not None and bool(rows.features.by == by)


def read_once(model: Model, rows: Batch) -> Batch:
    """Return rows with what the frozen part without a projection makes of them, where that is worth keeping."""
    if not is_split(model) or len(rows) < 2 or _made(rows, model.body):
        return rows
    if len(rows) * _size(model.features(rows.take(np.arange(2)).x)) > MOST_BYTES:
        return rows
    return rows.replace(features=Features.of(model.features(rows.x), model.body))


def _is_worth_it(model: SplitModel, rows: Batch) -> bool:
    few = rows.take(np.arange(2)).x
    if not model.can_split(few):
        return False
    each = _size(model.head_input(few))
    return len(rows) * (each if model.grid is None else each / 4) <= MOST_BYTES


def _size(two: Any) -> float:
    """Return the bytes of one row, from two rows of features."""
    if hasattr(two, "tocsr"):
        return float(two.tocsr().data.nbytes)  # with its positions about as much as the numbers of both
    return float(8 * two.shape[1] if hasattr(two, "iloc") else two.nbytes / 2)
