"""Metrics of the confusion table: scores of all rows together.

If rows have several labels, each label has a table of its own, on against off, and the score is the mean over them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._base import Score
from incumbent.metrics._labels import encode, encode_truth, label_counts, label_names, several, tallies


class TableMetric(Score):
    """A metric that needs only how often each class was right, occurred and was predicted.

    It is the score of the positive class if there are two classes, else the mean over classes.
    """

    labels_only = True
    positive: Any = None
    classes: tuple[Any, ...] | None
    always_mean: bool = False  # over two classes as well

    @abstractmethod
    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return the score of each class (B, k) from its weights (B, k)."""

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        if several(y):
            names, counts = label_names(y, prediction), label_counts(y, prediction.label, weight)
            return self._combine(names, counts, mean=self.positive is None)
        classes, truth = encode_truth(self.classes, y, prediction)
        label = encode(prediction.label, classes)
        codes = (np.where(label == truth, truth, -1), truth, label)
        return self._combine(classes, [tallies(code, len(classes), weight) for code in codes], mean=self.always_mean)

    def _combine(self, classes: tuple[Any, ...], counts: Any, *, mean: bool) -> Floats:
        """Return the score (B,) of B tables."""
        each = self.per_class(*counts)
        positive = classes[-1] if self.positive is None and len(classes) == 2 else self.positive
        if not mean and positive is not None and positive in classes:
            return np.asarray(each[:, classes.index(positive)])
        occurs = counts[1] > 0  # a class without rows has no score, even if it was predicted
        return _ratio(np.where(occurs, each, 0.0).sum(axis=1), occurs.sum(axis=1).astype(np.float64))


@dataclass(frozen=True, repr=False)
class BalancedAccuracy(TableMetric):
    """Mean over the classes of the fraction that is predicted right: every class counts alike.

    Parameters
    ----------
    classes : tuple, optional
        The classes; None takes those that occur.

    Examples
    --------
    >>> BalancedAccuracy().score(np.array([0, 0, 0, 1]), Prediction(np.array([0, 0, 0, 0])))
    0.5
    """

    classes: tuple[Any, ...] | None = None

    name = "balanced_accuracy"
    always_mean = True

    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return the fraction of each class that is predicted right."""
        return _ratio(right, occurring)


@dataclass(frozen=True, repr=False)
class Precision(TableMetric):
    """Fraction of the rows predicted positive that are; with more than two classes, the mean over them.

    Parameters
    ----------
    positive : label, optional
        The positive class; None takes the last of two classes in sorted order.
    classes : tuple, optional
        The classes; None takes those that occur.

    Examples
    --------
    >>> Precision().score(np.array([0, 1, 1, 0]), Prediction(np.array([1, 1, 0, 0])))
    0.5
    """

    positive: Any = None
    classes: tuple[Any, ...] | None = None

    name = "precision"

    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return right / predicted of each class."""
        return _ratio(right, predicted)


@dataclass(frozen=True, repr=False)
class Recall(TableMetric):
    """Fraction of the positive rows that are predicted so; with more than two classes, the mean over them.

    Parameters
    ----------
    positive : label, optional
        The positive class; None takes the last of two classes in sorted order.
    classes : tuple, optional
        The classes; None takes those that occur.

    Examples
    --------
    >>> Recall().score(np.array([0, 1, 1, 0]), Prediction(np.array([1, 1, 0, 0])))
    0.5
    """

    positive: Any = None
    classes: tuple[Any, ...] | None = None

    name = "recall"

    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return right / occurring of each class."""
        return _ratio(right, occurring)


@dataclass(frozen=True, repr=False)
class F1(TableMetric):
    """Harmonic mean of precision and recall; with more than two classes, the mean over them.

    ``F1 = 2 right / (occurring + predicted)``

    Parameters
    ----------
    positive : label, optional
        The positive class; None takes the last of two classes in sorted order.
    classes : tuple, optional
        The classes; None takes those that occur.

    Examples
    --------
    >>> F1().score(np.array([0, 1, 1, 1]), Prediction(np.array([1, 1, 0, 1])))
    0.6666666666666666
    """

    positive: Any = None
    classes: tuple[Any, ...] | None = None

    name = "f1"

    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return the F1 of each class."""
        return _ratio(2.0 * right, occurring + predicted)


@dataclass(frozen=True, repr=False)
class MicroF1(TableMetric):
    """F1 of all decisions together: a frequent label counts more than a rare one.

    ``2 sum_j right_j / sum_j (predicted_j + occurring_j)``; with one label per row it is the accuracy.

    Parameters
    ----------
    classes : tuple, optional
        The labels; None takes those of the model.

    Examples
    --------
    >>> y, label = np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])
    >>> MicroF1().score(y, Prediction(label)), round(F1().score(y, Prediction(label)), 4)
    (0.8, 0.5)
    """

    classes: tuple[Any, ...] | None = None

    name = "f1_micro"
    always_mean = True

    def per_class(self, right: Floats, occurring: Floats, predicted: Floats) -> Floats:
        """Return the F1 of all classes together, for each of them."""
        total = _ratio(2.0 * right.sum(axis=1), (occurring + predicted).sum(axis=1))
        return np.repeat(total[:, None], right.shape[1], axis=1)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Return top / bottom, and 0 if nothing is counted: a class that is never predicted has no precision."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
