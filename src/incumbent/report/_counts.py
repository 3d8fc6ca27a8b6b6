"""Counts behind the plots: confusion, agreement and calibration of paired predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, PairedPredictions, Prediction
from incumbent.metrics import wrong

OTHERS = "(others)"
_BINS = 10  # points of a calibration curve


@dataclass(frozen=True, eq=False)
class Confusion:
    """Rows by true class (down) and predicted class (across).

    Parameters
    ----------
    labels : list of str
        The k classes; the last is "(others)" if there are too many.
    champion, challenger : (k, k) array of int
        The counts.
    """

    labels: list[str]
    champion: NDArray[np.int64]
    challenger: NDArray[np.int64]


def confusion(paired: PairedPredictions, most: int = 9) -> Confusion:
    """Return both confusion matrices. With many classes, the `most` that differ most keep a row of their own.

    Examples
    --------
    >>> both = Prediction(np.array(["a", "b", "b"])), Prediction(np.array(["a", "a", "b"]))
    >>> confusion(PairedPredictions(np.array(["a", "a", "b"]), *both)).challenger.tolist()
    [[2, 0], [0, 1]]
    """
    labels, (y, old, new) = codes(paired.y, paired.champion.label, paired.challenger.label)
    k = len(labels)
    first, second = (np.bincount(y * k + label, minlength=k * k).reshape(k, k) for label in (old, new))
    if k <= most + 1:
        return Confusion(labels, first, second)
    moved = np.abs(second - first)
    order = np.argsort(-(moved.sum(axis=0) + moved.sum(axis=1)), kind="stable")
    keep = np.sort(order[:most])
    shown = [*(labels[i] for i in keep), OTHERS]
    return Confusion(shown, _fold(first, keep), _fold(second, keep))


def codes(*columns: Array) -> tuple[list[str], list[NDArray[np.intp]]]:
    """Return all classes as text, and each column as positions in them."""
    arrays = [np.asarray(c) for c in columns]
    if not all(a.dtype.kind in "biuf" for a in arrays):
        arrays = [a.astype(str) for a in arrays]  # classes of mixed kinds cannot be sorted
    labels, codes = np.unique(np.concatenate(arrays), return_inverse=True)
    return [str(label) for label in labels.tolist()], np.split(codes.ravel(), len(arrays))


def _fold(matrix: NDArray[np.int64], keep: NDArray[np.intp]) -> NDArray[np.int64]:
    group = np.full(len(matrix), len(keep))
    group[keep] = np.arange(len(keep))
    folded = np.zeros((len(keep) + 1, len(keep) + 1), dtype=np.int64)
    np.add.at(folded, (group[:, None], group[None, :]), matrix)
    return folded


@dataclass(frozen=True, eq=False)
class Agreement:
    """How many rows both, only the challenger, only the champion, or neither got right."""

    both: int
    gained: int
    lost: int
    neither: int


def agreement(paired: PairedPredictions) -> Agreement:
    """Return how many rows each model has right; the lost rows are the negative flips."""
    was, now = right(paired)
    return Agreement(*(int(np.sum(rows)) for rows in (was & now, ~was & now, was & ~now, ~was & ~now)))


def several(paired: PairedPredictions) -> bool:
    """Return whether rows have several labels or values at once, (n, m)."""
    return np.ndim(paired.y) == 2


def right(paired: PairedPredictions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows champion and challenger predict right: all labels of the row, if it has several."""
    if several(paired):
        return ~wrong(paired.champion.label, paired.y), ~wrong(paired.challenger.label, paired.y)
    _, (y, old, new) = codes(paired.y, paired.champion.label, paired.challenger.label)
    return old == y, new == y


@dataclass(frozen=True)
class LabelCounts:
    """On how many rows a label is on, and on how many each model found it, missed it or predicted it wrongly."""

    name: str
    on: int
    champion: tuple[int, int, int]
    challenger: tuple[int, int, int]


def count_labels(paired: PairedPredictions) -> list[LabelCounts]:
    """Return the counts of each label, if rows have several.

    Examples
    --------
    >>> both = Prediction(np.array([[1, 0], [1, 1]])), Prediction(np.array([[1, 1], [0, 1]]))
    >>> count_labels(PairedPredictions(np.array([[1, 0], [1, 1]]), *both))[0]
    LabelCounts(name='0', on=2, champion=(2, 0, 0), challenger=(1, 1, 0))
    """
    y, known = np.asarray(paired.y) == 1, paired.champion.classes
    names = range(y.shape[1]) if known is None else known
    before, after = (_outcomes(y, np.asarray(s.label) == 1) for s in (paired.champion, paired.challenger))
    on = y.sum(axis=0).tolist()
    return [LabelCounts(str(name), on[i], before[i], after[i]) for i, name in enumerate(names)]


def _outcomes(y: Array, predicted: Array) -> list[tuple[int, int, int]]:
    found, missed, wrong_ = (rows.sum(axis=0).tolist() for rows in (y & predicted, y & ~predicted, ~y & predicted))
    return list(zip(found, missed, wrong_, strict=True))


def calibration(y: Array, prediction: Prediction) -> tuple[Floats, Floats, NDArray[np.int64]] | None:
    """Return mean probability, observed frequency and rows of each bin; None without probabilities.

    The probability is that of the second of two classes, else that of the predicted class. Of several labels, each
    label of each row counts. Bins have equal numbers of rows: in bins of equal width, most points of a confident model
    would rest on a handful of rows.
    """
    if prediction.proba is None or prediction.classes is None or not len(prediction) or prediction.proba.shape[1] < 2:
        return None
    if np.ndim(y) == 2:
        sure, hit = prediction.proba.ravel(), np.asarray(y).ravel() == 1
    elif len(prediction.classes) == 2:
        _, (truth, second) = codes(y, np.full(len(y), np.asarray(prediction.classes)[1]))
        sure, hit = prediction.proba[:, 1], truth == second
    else:
        _, (truth, label) = codes(y, prediction.label)
        sure, hit = prediction.proba.max(axis=1), truth == label
    known = np.isfinite(sure)
    order = np.argsort(sure[known], kind="stable")
    parts = [p for p in np.array_split(order, min(_BINS, max(1, len(order) // 10))) if len(p)]
    if not parts:
        return None
    mean = [(float(sure[known][p].mean()), float(hit[known][p].mean()), len(p)) for p in parts]
    x, share, rows = zip(*mean, strict=True)
    return np.array(x), np.array(share), np.array(rows)


def errors(paired: PairedPredictions, most: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return truth, champion and challenger of at most `most` values (all values of all rows) that are finite."""
    columns: list[Any] = [
        np.asarray(c, dtype=float).ravel() for c in (paired.y, paired.champion.label, paired.challenger.label)
    ]
    at = np.flatnonzero(np.isfinite(columns).all(axis=0))
    if len(at) > most:
        at = np.sort(np.random.default_rng(seed).choice(at, most, replace=False))
    y, old, new = (c[at] for c in columns)
    return y, old, new
