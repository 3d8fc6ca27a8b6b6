"""Baselines that a useful model beats: chance, and repeating the last label."""

from __future__ import annotations

import math

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._labels import classes_of, encode


def persistence_baseline(y: Array, *, before: object = None) -> Prediction:
    """Predict each row's label or value to be that of the row before it.

    Parameters
    ----------
    y : (n,) array
        True labels or values, in time order.
    before : label or value, optional
        That of the row before the first one; None lets the first row predict itself.

    References
    ----------
    Bifet, A. et al. (2013). Pitfalls in benchmarking data stream classification and how to avoid them. ECML PKDD.

    Examples
    --------
    >>> persistence_baseline(np.array([0, 0, 1, 1])).label.tolist()
    [0, 0, 0, 1]
    """
    truth = np.asarray(y)
    label = np.concatenate([truth[:1], truth[:-1]])
    if before is not None and len(label):
        label[0] = before
    return Prediction(label)


def kappa(y: Array, prediction: Prediction, *, weight: Floats | None = None) -> float:
    """Return Cohen's kappa: accuracy compared with guessing by the same frequencies.

    ``kappa = (p - p_chance) / (1 - p_chance)``, with accuracy p and
    ``p_chance = sum_k P(y = k) P(predicted = k)``.

    Parameters
    ----------
    y : (n,) array
        True labels.
    prediction : Prediction
        Predictions of the same rows.
    weight : (n,) array, optional
        Row weights.

    Returns
    -------
    float
        1 is perfect, 0 is chance; nan if chance is always right.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20.

    Examples
    --------
    >>> kappa(np.array([0, 0, 1, 1]), Prediction(np.array([0, 0, 1, 0])))
    0.5
    """
    classes = classes_of(y, prediction.label)
    truth, label = encode(y, classes), encode(prediction.label, classes)
    rows = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
    total = rows.sum()
    if not total > 0:
        return math.nan
    frequencies = [np.bincount(code, weights=rows, minlength=len(classes)) / total for code in (truth, label)]
    return _above(float(rows @ (truth == label) / total), float(frequencies[0] @ frequencies[1]))


def kappa_temporal(y: Array, prediction: Prediction, *, before: object = None) -> float:
    """Return kappa temporal: accuracy compared with repeating the last label.

    ``kappa_per = (p - p_per) / (1 - p_per)``, with accuracy p and the accuracy p_per of `persistence_baseline`.

    Parameters
    ----------
    y : (n,) array
        True labels, in time order.
    prediction : Prediction
        Predictions of the same rows.
    before : label, optional
        That of the row before the first one; None leaves the first row out.

    Returns
    -------
    float
        Below 0 the model is worse than no model; nan if the label never changes.

    References
    ----------
    Žliobaitė, I., Bifet, A., Read, J., Pfahringer, B., Holmes, G. (2015). Evaluation methods and decision theory for
    classification of streaming data with temporal dependence. Machine Learning 98. Bifet, A., de Francisci Morales,
    G., Read, J., Holmes, G., Pfahringer, B. (2015). Efficient online evaluation of big data stream classifiers. KDD.

    Examples
    --------
    >>> kappa_temporal(np.array([0, 0, 1, 1, 0]), Prediction(np.array([0, 0, 1, 1, 1])))
    0.5
    """
    start = 1 if before is None else 0
    truth = np.asarray(y)[start:]
    if not len(truth):
        return math.nan
    right = float(np.mean(truth == np.asarray(prediction.label)[start:]))
    return _above(right, float(np.mean(truth == persistence_baseline(y, before=before).label[start:])))


def _above(right: float, reference: float) -> float:
    return (right - reference) / (1.0 - reference) if reference < 1.0 else math.nan
