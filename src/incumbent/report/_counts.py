"""What the plots draw: confusion, calibration and agreement, counted from paired predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, PairedPredictions, Prediction
from incumbent.metrics import wrong

OTHERS = "(others)"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Rows by true class (down) and predicted class (across).

    Parameters
    ----------
    labels : list of str
        The k classes; the last stands for all others where there were too many.
    champion, challenger : (k, k) array of int
        The counts.
    """

    labels: list[str]
    champion: NDArray[np.int64]
    challenger: NDArray[np.int64]


_BINS = 10
"""The points of a calibration curve."""


def confusion(paired: PairedPredictions, most: int = 9) -> Confusion:
    """Count both confusion matrices, of the `most` classes where they differ most and of all others together.

    Examples
    --------
    >>> said = Prediction(np.array(["a", "b", "b"])), Prediction(np.array(["a", "a", "b"]))
    >>> confusion(PairedPredictions(np.array(["a", "a", "b"]), *said)).challenger.tolist()
    [[2, 0], [0, 1]]
    """
    labels, (y, old, new) = codes(paired.y, paired.champion.label, paired.challenger.label)
    k = len(labels)
    first, second = (np.bincount(y * k + said, minlength=k * k).reshape(k, k) for said in (old, new))
    if k <= most + 1:
        return Confusion(labels, first, second)
    moved = np.abs(second - first)
    order = np.argsort(-(moved.sum(axis=0) + moved.sum(axis=1)), kind="stable")
    keep = np.sort(order[:most])
    shown = [*(labels[i] for i in keep), OTHERS]
    return Confusion(shown, _fold(first, keep), _fold(second, keep))


def codes(*columns: Array) -> tuple[list[str], list[NDArray[np.intp]]]:
    """Return all classes as text, and each column as numbers of them."""
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
    """Count who is right where; the lost rows are the negative flips."""
    was, now = right(paired)
    return Agreement(*(int(np.sum(rows)) for rows in (was & now, ~was & now, was & ~now, ~was & ~now)))


def several(paired: PairedPredictions) -> bool:
    """Return whether rows have several labels or values at once, (n, m)."""
    return np.ndim(paired.y) == 2


def right(paired: PairedPredictions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows champion and challenger have right; with several labels at once, which they have all right."""
    if several(paired):
        return ~wrong(paired.champion.label, paired.y), ~wrong(paired.challenger.label, paired.y)
    _, (y, old, new) = codes(paired.y, paired.champion.label, paired.challenger.label)
    return old == y, new == y


@dataclass(frozen=True)
class OneLabel:
    """One of several labels: on how many rows it is on, and on how many each model found, missed or made it up."""

    name: str
    on: int
    champion: tuple[int, int, int]
    challenger: tuple[int, int, int]


def labels(paired: PairedPredictions) -> list[OneLabel]:
    """Count what champion and challenger make of each label, where rows have several at once.

    Examples
    --------
    >>> said = Prediction(np.array([[1, 0], [1, 1]])), Prediction(np.array([[1, 1], [0, 1]]))
    >>> labels(PairedPredictions(np.array([[1, 0], [1, 1]]), *said))[0]
    OneLabel(name='0', on=2, champion=(2, 0, 0), challenger=(1, 1, 0))
    """
    y, known = np.asarray(paired.y) == 1, paired.champion.classes
    names = range(y.shape[1]) if known is None else known
    before, after = (_outcomes(y, np.asarray(s.label) == 1) for s in (paired.champion, paired.challenger))
    on = y.sum(axis=0).tolist()
    return [OneLabel(str(name), on[i], before[i], after[i]) for i, name in enumerate(names)]


def _outcomes(y: Array, said: Array) -> list[tuple[int, int, int]]:
    found, missed, made_up = (rows.sum(axis=0).tolist() for rows in (y & said, y & ~said, ~y & said))
    return list(zip(found, missed, made_up, strict=True))


def calibration(y: Array, said: Prediction) -> tuple[Floats, Floats, NDArray[np.int64]] | None:
    """Return mean probability, observed share and rows of each bin; None where there are no probabilities.

    Of two classes, the probability is that of the second; of more, that of the predicted class; and of several labels
    at once, each label of each row is a statement of its own. Bins hold equally many rows: with bins of equal width
    most points of a sure model would rest on a handful of rows.
    """
    if said.proba is None or said.classes is None or not len(said) or said.proba.shape[1] < 2:
        return None
    if np.ndim(y) == 2:
        sure, hit = said.proba.ravel(), np.asarray(y).ravel() == 1
    elif len(said.classes) == 2:
        _, (truth, second) = codes(y, np.full(len(y), np.asarray(said.classes)[1]))
        sure, hit = said.proba[:, 1], truth == second
    else:
        _, (truth, label) = codes(y, said.label)
        sure, hit = said.proba.max(axis=1), truth == label
    known = np.isfinite(sure)
    order = np.argsort(sure[known], kind="stable")
    parts = [p for p in np.array_split(order, min(_BINS, max(1, len(order) // 10))) if len(p)]
    if not parts:
        return None
    mean = [(float(sure[known][p].mean()), float(hit[known][p].mean()), len(p)) for p in parts]
    x, share, rows = zip(*mean, strict=True)
    return np.array(x), np.array(share), np.array(rows)


def errors(paired: PairedPredictions, most: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return truth, champion's and challenger's values, of at most `most` rows on which all three are finite.

    With several values a row, every value of every row is one of them.
    """
    columns: list[Any] = [
        np.asarray(c, dtype=float).ravel() for c in (paired.y, paired.champion.label, paired.challenger.label)
    ]
    at = np.flatnonzero(np.isfinite(columns).all(axis=0))
    if len(at) > most:
        at = np.sort(np.random.default_rng(seed).choice(at, most, replace=False))
    y, old, new = (c[at] for c in columns)
    return y, old, new
