"""Join logged predictions of two models with labels that arrive later, into losses on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array, Floats, Metric, Prediction
from incumbent.data import read
from incumbent.errors import DataError, UsageError
from incumbent.metrics import Accuracy
from incumbent.words import hint

ColumnNames: TypeAlias = str | Mapping[Any, str]


@dataclass(frozen=True, eq=False)
class LoggedLosses:
    """Losses of two models on the rows that have labels, and the number of rows that are not counted, by reason.

    Parameters
    ----------
    champion, challenger : (n,) array
        Losses, in the order of the log; what `Monitor.update` takes.
    ids : (n,) array
        The rows they belong to.
    waiting : int
        Logged rows that are not counted yet: no label, or too young.
    overdue : int
        Waiting rows that are old enough and still have no label. If there are many, labels get lost, and the counted
        rows may differ from the rest.
    unknown : int
        Labels for which no prediction was logged.
    """

    champion: Floats
    challenger: Floats
    ids: Array
    waiting: int
    overdue: int
    unknown: int

    def __len__(self) -> int:
        return len(self.ids)


def from_log(
    predictions: Any,
    labels: Any,
    *,
    id: str,
    champion: ColumnNames,
    challenger: ColumnNames,
    label: str,
    metric: Metric | None = None,
    time: str | None = None,
    before: Any = None,
) -> LoggedLosses:
    """Join a log of predictions with labels by id, and return both models' losses on every row that has its label.

    This is a pure function of two tables. Run it over the whole log at every look, and pass the losses to a new
    monitor. The evidence is the same as if each row had been added when its label came.

    Parameters
    ----------
    predictions : frame, file or other source that `incumbent.data.read` takes
        One row per id, with the predictions of both models.
    labels : frame, file, ... or None
        One row per id. A row whose id is absent or whose label is null waits. None if no label has come yet.
    id : str
        The column that identifies a row in both tables.
    champion, challenger : str or mapping of class to str
        The column of predicted labels or values; if the metric needs probabilities, the column of each class.
    label : str
        The column of true labels.
    metric : Metric, optional
        The losses; by default the fraction of wrong labels. The monitor clips a loss without a bound.
    time : str, optional
        The column of `predictions` with the time of each prediction.
    before : optional
        Count only rows predicted before this time, in the unit of `time`. Needed if the wait for a label depends on
        the label: a chargeback comes within 60 days, its absence is never reported. Then count only rows older than 60
        days, and label those without a chargeback as good.

    Raises
    ------
    DataError
        If a column is missing, an id is null or twice in a table, a model has no prediction for a row, labels and
        predictions are of different kinds, or times cannot be compared.
    UsageError
        If only one of `time` and `before` is given, or the metric has no loss for a single row.

    Examples
    --------
    >>> log = pd.DataFrame({"row": [1, 2, 3, 4], "live": [0, 0, 1, 1], "shadow": [0, 1, 1, 0]})
    >>> found = from_log(
    ...     log, {"row": [3, 2, 9], "truth": [1, 1, 0]}, id="row", champion="live", challenger="shadow", label="truth"
    ... )
    >>> found.champion, found.challenger, found.waiting, found.unknown
    (array([1., 0.]), array([0., 0.]), 2, 1)
    """
    if (time is None) != (before is None):
        raise UsageError(
            "time and before go together: the column with the times of predictions, and the end of those that count."
        )
    logged = {"champion": _columns(champion), "challenger": _columns(challenger)}
    log = _table(predictions, "predictions", [id, *_all_names(logged), *([time] if time is not None else [])])
    truth = _table({id: [], label: []} if labels is None else labels, "labels", [id, label])
    at, unknown = _matched(log[id], truth[id])
    there = at >= 0
    there[there] = truth[label].notna().to_numpy()[at[there]]
    old = _old(log, time, before)
    rows, y = log.loc[there & old], truth[label].iloc[at[there & old]]
    return LoggedLosses(
        **{who: _losses(rows, y, columns, who, metric or Accuracy()) for who, columns in logged.items()},
        ids=rows[id].to_numpy(),
        waiting=int((~(there & old)).sum()),
        overdue=int((old & ~there).sum()) if time is not None else 0,
        unknown=unknown,
    )


def _columns(given: ColumnNames) -> dict[Any, str]:
    return {None: given} if isinstance(given, str) else dict(given)


def _all_names(logged: Mapping[str, Mapping[Any, str]]) -> list[str]:
    return [name for columns in logged.values() for name in columns.values()]


def _table(source: Any, where: str, names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(source) if isinstance(source, dict) else source
    empty = where == "labels" and isinstance(frame, pd.DataFrame) and not len(frame)  # none has come yet
    table = frame if empty else read(frame)
    for name in names:
        if name not in table.columns:
            near = hint(name, list(table.columns))
            raise DataError(f"The {where} have no column {name!r}.{near} They have {', '.join(table.columns[:12])}.")
    return table


def _matched(logged: pd.Series[Any], labelled: pd.Series[Any]) -> tuple[NDArray[np.intp], int]:
    """Return for each logged row the position of its label, or -1, and the number of labels without a row."""
    key, found = _keys(logged, "predictions"), _keys(labelled, "labels")
    if len(key) and len(found) and _is_text(logged) != _is_text(labelled):
        raise DataError(
            f"{logged.name!r} is {logged.dtype} in the predictions but {labelled.dtype} in the labels, so no row would "
            "be found; write it the same way in both."
        )
    return found.get_indexer(key), int((key.get_indexer(found) < 0).sum())


def _keys(column: pd.Series[Any], where: str) -> pd.Index[Any]:
    """Return the ids, each of which must be there and be unique."""
    if column.isna().any():
        raise DataError(
            f"{int(column.isna().sum()):,} rows of the {where} have no {column.name!r}; each row needs its id."
        )
    twice = column[column.duplicated()]
    if len(twice):
        raise DataError(
            f"{twice.nunique():,} ids occur more than once in the {where} (such as {twice.iloc[0]!r} in "
            f"{column.name!r}); keep one row per id."
        )
    keys: pd.Index[Any] = pd.Index(column)
    return keys


def _old(log: pd.DataFrame, time: str | None, before: Any) -> NDArray[np.bool_]:
    if time is None:
        return np.ones(len(log), dtype=bool)
    try:
        return np.asarray(log[time] < before, dtype=bool)
    except TypeError:
        raise DataError(
            f"{time!r} is {log[time].dtype} and cannot be compared with {before!r}; give before= in the same unit."
        ) from None


def _losses(rows: pd.DataFrame, y: pd.Series[Any], columns: Mapping[Any, str], who: str, metric: Metric) -> Floats:
    lacking = rows[list(columns.values())].isna().any(axis=1)
    if lacking.any():
        raise DataError(
            f"{int(lacking.sum()):,} labelled rows have no prediction by the {who} ({', '.join(columns.values())}). "
            "Leaving them out would favour the model that fails; log what was served instead, or drop these rows on "
            "purpose."
        )
    prediction = _prediction(rows, columns)
    if len(rows) and _is_text(pd.Series(prediction.label)) != _is_text(y):
        raise DataError(
            f"The labels are {y.dtype} (such as {y.iloc[0]!r}) but the {who} predicts {prediction.label.dtype} "
            f"(such as {prediction.label[0]!r}), so no row would ever be right; write them the same way."
        )
    found = metric.losses(y.to_numpy(), prediction)
    if found is None:
        raise UsageError(f"{metric!r} has no loss for a single row, which a monitor needs; name another metric.")
    return found


def _prediction(rows: pd.DataFrame, columns: Mapping[Any, str]) -> Prediction:
    if None in columns:
        return Prediction(rows[columns[None]].to_numpy())
    classes = sorted(columns)
    proba = rows[[columns[name] for name in classes]].to_numpy(dtype=np.float64)
    return Prediction(np.array(classes)[proba.argmax(axis=1)], proba, np.array(classes))


def _is_text(column: pd.Series[Any]) -> bool:
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    return pd.api.types.infer_dtype(values, skipna=True) in ("string", "mixed", "mixed-integer", "bytes")
