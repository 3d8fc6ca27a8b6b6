"""Forgetting, class by class: a mean over all rows hides a small class that was lost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from incumbent.core import Paired
from incumbent.evaluation._labels import classes_of, encode, tallies


def per_class(paired: Paired) -> dict[str, tuple[float, float, int]]:
    """Return the accuracy on each class that occurs.

    Parameters
    ----------
    paired : Paired
        Champion and challenger on the same rows; row weights count.

    Returns
    -------
    dict of str to (float, float, int)
        Champion's accuracy, challenger's accuracy and number of rows, by class in sorted order.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> both = Paired(np.array([0, 0, 1]), Prediction(np.array([0, 0, 1])), Prediction(np.array([0, 1, 1])))
    >>> per_class(both)
    {'0': (1.0, 0.5, 2), '1': (1.0, 1.0, 1)}
    """
    classes = classes_of(paired.y)
    truth = encode(paired.y, classes)
    weight = (np.ones(len(truth)) if paired.weight is None else np.asarray(paired.weight, dtype=np.float64))[None, :]
    total = tallies(truth, len(classes), weight)[0]
    shares = []
    for said in (paired.champion, paired.challenger):
        hit = encode(said.label, classes) == truth
        right = tallies(truth, len(classes), weight * hit)[0]
        shares.append(np.divide(right, total, out=np.full(len(classes), np.nan), where=total > 0).tolist())
    rows = np.bincount(truth, minlength=len(classes)).tolist()
    return {str(c): (shares[0][i], shares[1][i], rows[i]) for i, c in enumerate(classes)}


def change(classes: Mapping[str, tuple[float, float, int]]) -> dict[str, float]:
    """Return challenger less champion by class: below zero is forgotten, on old rows.

    Examples
    --------
    >>> change({"0": (1.0, 0.5, 2)})
    {'0': -0.5}
    """
    return {name: challenger - champion for name, (champion, challenger, _) in classes.items()}
