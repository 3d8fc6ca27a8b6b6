"""Class labels as whole numbers, so that everything after works on arrays of integers."""

from __future__ import annotations

from collections.abc import Sequence
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
    proba, classes = probabilities(prediction, name)
    at = int(encode(np.asarray([wanted]), classes)[0])
    return proba[:, at] if at >= 0 else np.zeros(len(proba))


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
