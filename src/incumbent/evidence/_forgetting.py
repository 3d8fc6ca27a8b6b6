"""Forgetting, class by class: a mean over all rows hides a small class that was lost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from incumbent.core import PairedPredictions
from incumbent.metrics._labels import classes_of, encode, label_counts, label_names, several, tallies


def per_class(paired: PairedPredictions) -> dict[str, tuple[float, float, int]]:
    """Return the accuracy on each class that occurs, or the F1 of each label where a row has several at once.

    A model that calls a label everywhere finds it on every row that has it; F1 counts its false alarms too.

    Parameters
    ----------
    paired : PairedPredictions
        Champion and challenger on the same rows; row weights count.

    Returns
    -------
    dict of str to (float, float, int)
        Champion's accuracy, challenger's accuracy and number of rows, by class in sorted order; of several labels their
        F1 and the number of rows with the label on, nan where neither the truth nor the model ever has it on.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> both = PairedPredictions(np.array([0, 0, 1]), Prediction(np.array([0, 0, 1])), Prediction(np.array([0, 1, 1])))
    >>> per_class(both)
    {'0': (1.0, 0.5, 2), '1': (1.0, 1.0, 1)}
    """
    if several(paired.y):
        return _per_label(paired)
    classes = classes_of(paired.y)
    truth = encode(paired.y, classes)
    weight = (np.ones(len(truth)) if paired.weight is None else np.asarray(paired.weight, dtype=np.float64))[None, :]
    total = tallies(truth, len(classes), weight)[0]
    shares = []
    for prediction in (paired.champion, paired.challenger):
        hit = encode(prediction.label, classes) == truth
        right = tallies(truth, len(classes), weight * hit)[0]
        shares.append(np.divide(right, total, out=np.full(len(classes), np.nan), where=total > 0).tolist())
    rows = np.bincount(truth, minlength=len(classes)).tolist()
    return {str(c): (shares[0][i], shares[1][i], rows[i]) for i, c in enumerate(classes)}


def _per_label(paired: PairedPredictions) -> dict[str, tuple[float, float, int]]:
    weight = (np.ones(len(paired)) if paired.weight is None else np.asarray(paired.weight, dtype=np.float64))[None, :]
    shares = []
    for prediction in (paired.champion, paired.challenger):
        right, truly, called = (counts[0] for counts in label_counts(paired.y, prediction.label, weight))
        whole = truly + called
        shares.append(np.divide(2.0 * right, whole, out=np.full(len(whole), np.nan), where=whole > 0).tolist())
    rows = np.asarray(paired.y).sum(axis=0).astype(int).tolist()
    names = label_names(paired.y, paired.champion, paired.challenger)
    return {str(name): (shares[0][i], shares[1][i], rows[i]) for i, name in enumerate(names)}


def change(classes: Mapping[str, tuple[float, float, int]]) -> dict[str, float]:
    """Return challenger less champion by class: below zero is forgotten, on old rows.

    Examples
    --------
    >>> change({"0": (1.0, 0.5, 2)})
    {'0': -0.5}
    """
    return {name: challenger - champion for name, (champion, challenger, _) in classes.items()}
