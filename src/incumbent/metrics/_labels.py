"""Class labels as whole numbers, and rows with several labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, Prediction
from incumbent.errors import AbilityError

Codes: TypeAlias = NDArray[np.intp]


def encode(labels: Array, classes: Sequence[Any] | Array) -> Codes:
    """Return the position of each label among `classes`, -1 if it is not among them."""
    import pandas as pd

    known, given = np.asarray(classes), np.asarray(labels)
    if known.dtype.kind not in "biuf" or given.dtype.kind not in "biuf":  # strings, or strings against numbers
        known, given = known.astype(object), given.astype(object)
    # without a dtype, pandas copies texts into a type of its own, which takes longer than the look-up
    index = pd.Index(known, dtype=known.dtype)
    return np.asarray(index.get_indexer(pd.Index(given, dtype=given.dtype)), dtype=np.intp)


def several(y: Array) -> bool:
    """Return whether rows have several labels, each on or off, or several values: (n, m) instead of (n,)."""
    return np.ndim(y) == 2


def wrong(label: Array, y: Array) -> NDArray[np.bool_]:
    """Return which rows (n,) are predicted wrong; of rows with several labels, those with any of them wrong.

    Examples
    --------
    >>> wrong(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])).tolist()
    [False, True]
    """
    unlike: NDArray[np.bool_] = np.asarray(np.asarray(label) != np.asarray(y), dtype=np.bool_)
    return np.asarray(unlike.any(axis=1)) if several(unlike) else unlike


def averaged(loss: Floats) -> Floats:
    """Return one loss for each row (n,): the mean over its labels or values if it has several."""
    return np.asarray(loss.mean(axis=1)) if several(loss) else loss


def label_names(y: Array, *predictions: Prediction) -> tuple[Any, ...]:
    """Return the names of the m columns of labels (n, m): those of a model, else 0 to m - 1."""
    width = int(np.shape(y)[1])
    known = next(
        (p.classes for p in predictions if p.classes is not None and len(p.classes) == width), np.arange(width)
    )
    return tuple(np.asarray(known).tolist())


def label_counts(y: Array, label: Array, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weights (B, m) of rows on which each label is on and predicted on, is on, and is predicted on."""
    on, predicted = (np.asarray(np.asarray(each) == 1, dtype=np.float64) for each in (y, label))
    return weight @ (on * predicted), weight @ on, weight @ predicted


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


def encode_truth(classes: tuple[Any, ...] | None, y: Array, prediction: Prediction) -> tuple[tuple[Any, ...], Codes]:
    """Return the classes of a score, and the codes of `y` among them; a class of `y` is never left out."""
    known = classes_of(y, prediction.label, prediction.classes) if classes is None else tuple(classes)
    code = encode(y, known)
    if (code < 0).any():
        known = classes_of(np.asarray(known, dtype=object), y)
        code = encode(y, known)
    return known, code


def probabilities(prediction: Prediction, name: str) -> tuple[Floats, Array]:
    """Return the class probabilities and their classes, or raise an error if the model predicts labels only."""
    if prediction.proba is None or prediction.classes is None:
        raise AbilityError(
            f"{name} needs class probabilities and this model lacks 'proba'; it gives labels only. "
            "Choose a metric on labels: --metric accuracy, balanced_accuracy, precision, recall, f1 or cost:FILE."
        )
    return np.asarray(prediction.proba, dtype=np.float64), np.asarray(prediction.classes)


def column(prediction: Prediction, wanted: Any, name: str) -> Floats:
    """Return the probability (n,) of one class; zero if the model does not know it."""
    return next(columns(prediction, (wanted,), name))


def columns(prediction: Prediction, wanted: Sequence[Any], name: str) -> Iterator[Floats]:
    """Yield the probabilities (n,) of each of some classes."""
    proba, classes = probabilities(prediction, name)
    for at in encode(np.asarray(wanted, dtype=object), classes).tolist():
        yield proba[:, at] if at >= 0 else np.zeros(len(proba))


def tallies(code: Codes, size: int, weight: Floats) -> Floats:
    """Return the total weight (B, size) of each code, for weights (B, n); code -1 is left out."""
    inside = code >= 0
    if not inside.all():
        code, weight = code[inside], weight[:, inside]
    if len(weight) == 1:
        return np.bincount(code, weights=weight[0], minlength=size)[None, :].astype(np.float64)
    from scipy import sparse

    rows = np.arange(len(code))
    table = sparse.csr_array((np.ones(len(code)), (code, rows)), shape=(size, len(code)))
    return np.asarray((table @ weight.T).T)
