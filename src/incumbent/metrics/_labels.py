"""Class labels as whole numbers, so that everything after works on arrays of integers; and several labels at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, Prediction
from incumbent.errors import AbilityError

Codes: TypeAlias = NDArray[np.intp]


def encode(labels: Array, classes: Sequence[Any] | Array) -> Codes:
    """Return each label's position among `classes`, -1 where it is none of them."""
    import pandas as pd

    known, given = np.asarray(classes), np.asarray(labels)
    if known.dtype.kind not in "biuf" or given.dtype.kind not in "biuf":  # strings, or strings against numbers
        known, given = known.astype(object), given.astype(object)
    # left to itself, pandas copies objects that are texts into a type of its own, which takes longer than the look-up
    index = pd.Index(known, dtype=known.dtype)
    return np.asarray(index.get_indexer(pd.Index(given, dtype=given.dtype)), dtype=np.intp)


def several(y: Array) -> bool:
    """Return whether a row has several labels, each on or off, or several values: (n, m) where others have (n,)."""
    return np.ndim(y) == 2


def wrong(label: Array, y: Array) -> NDArray[np.bool_]:
    """Return which rows are predicted wrong (n,): where there are several labels, those that have any of them wrong.

    Examples
    --------
    >>> wrong(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])).tolist()
    [False, True]
    """
    unlike: NDArray[np.bool_] = np.asarray(np.asarray(label) != np.asarray(y), dtype=np.bool_)
    return np.asarray(unlike.any(axis=1)) if several(unlike) else unlike


def averaged(loss: Floats) -> Floats:
    """Return one loss for each row (n,): the mean over its labels or values where it has several."""
    return np.asarray(loss.mean(axis=1)) if several(loss) else loss


def label_names(y: Array, *said: Prediction) -> tuple[Any, ...]:
    """Return what the m columns of labels (n, m) are called: as a model has it, else 0 to m - 1."""
    width = int(np.shape(y)[1])
    known = next((p.classes for p in said if p.classes is not None and len(p.classes) == width), np.arange(width))
    return tuple(np.asarray(known).tolist())


def label_counts(y: Array, label: Array, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weights (B, m) on which each of m labels is on and said to be, is on, and is said to be on."""
    truly, said = (np.asarray(np.asarray(each) == 1, dtype=np.float64) for each in (y, label))
    return weight @ (truly * said), weight @ truly, weight @ said


def classes_of(*labels: Array | None) -> tuple[Any, ...]:
    """Return every label that occurs, sorted."""
    import pandas as pd

    found: set[Any] = set()
    for some in labels:
        if some is not None:
            found.update(pd.unique(np.asarray(some)).tolist())
    try:
        return tuple(sorted(found))
    except TypeError:  # numbers and strings together have no order of their own
        return tuple(sorted(found, key=str))


def settled(classes: tuple[Any, ...] | None, y: Array, prediction: Prediction) -> tuple[tuple[Any, ...], Codes]:
    """Return the classes that a score is over, and the codes of `y`; a class of `y` is never left out."""
    known = classes_of(y, prediction.label, prediction.classes) if classes is None else tuple(classes)
    code = encode(y, known)
    if (code < 0).any():
        known = classes_of(np.asarray(known, dtype=object), y)
        code = encode(y, known)
    return known, code


def probabilities(prediction: Prediction, name: str) -> tuple[Floats, Array]:
    """Return the class probabilities and their classes, or say that the model gives none."""
    if prediction.proba is None or prediction.classes is None:
        raise AbilityError(
            f"{name} needs class probabilities and this model lacks 'proba'; it gives labels only. "
            "Choose a metric on labels: --metric accuracy, balanced_accuracy, precision, recall, f1 or cost:FILE."
        )
    return np.asarray(prediction.proba, dtype=np.float64), np.asarray(prediction.classes)


def column(prediction: Prediction, wanted: Any, name: str) -> Floats:
    """Return the probability of one class (n,); zero where the model does not know the class."""
    return next(columns(prediction, (wanted,), name))


def columns(prediction: Prediction, wanted: Sequence[Any], name: str) -> Iterator[Floats]:
    """Yield the probabilities (n,) of each of some classes."""
    proba, classes = probabilities(prediction, name)
    for at in encode(np.asarray(wanted, dtype=object), classes).tolist():
        yield proba[:, at] if at >= 0 else np.zeros(len(proba))


def tallies(code: Codes, size: int, weight: Floats) -> Floats:
    """Return the weight (B, size) that falls on each code, for weights (B, n); code -1 is left out."""
    inside = code >= 0
    if not inside.all():
        code, weight = code[inside], weight[:, inside]
    if len(weight) == 1:
        return np.bincount(code, weights=weight[0], minlength=size)[None, :].astype(np.float64)
    from scipy import sparse

    rows = np.arange(len(code))
    table = sparse.csr_array((np.ones(len(code)), (code, rows)), shape=(size, len(code)))
    return np.asarray((table @ weight.T).T)
