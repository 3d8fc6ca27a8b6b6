"""Metrics of the confusion table: they belong to the rows as a whole, not to one row.

Of several labels at once each has a table of its own, on against off, and the score is the mean over them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Prediction, Value
from incumbent.metrics._labels import encode, label_counts, label_names, settled, several, tallies


class TableMetric(Value):
    """A metric that needs only how often each class was right, occurred and was predicted."""

    relative = False
    needs_proba = False
    labels_only = True
    """Rows with the same truth and label are interchangeable, so a bootstrap may count them together."""
    classes: tuple[Any, ...] | None
    positive: Any

    @property
    def greater_is_better(self) -> bool:
        """Larger is better."""
        return True

    @property
    def bound(self) -> float:
        """A row has no loss of its own here."""
        return math.inf

    @abstractmethod
    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return the score of each class (B, k), given its weights (B, k): predicted right, occurring, predicted."""

    def losses(self, y: Array, prediction: Prediction) -> None:
        """Return None: this metric is not a mean over rows."""
        return None

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""
        rows = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        return float(self.resample(y, prediction, rows[None, :])[0])

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        if several(y):
            counts = label_counts(y, prediction.label, weight)
            return self.of_counts(label_names(y, prediction), *counts, one=self.positive is not None)
        classes, truth = settled(self.classes, y, prediction)
        label = encode(prediction.label, classes)
        right = tallies(np.where(label == truth, truth, -1), len(classes), weight)
        return self.of_counts(
            classes, right, tallies(truth, len(classes), weight), tallies(label, len(classes), weight)
        )

    def of_counts(
        self, classes: tuple[Any, ...], right: Floats, truly: Floats, said: Floats, *, one: bool = True
    ) -> Floats:
        """Return the score (B,) of B tables: of the positive class where there are two, else the mean over classes.

        Where `one` is false it is the mean over two as well: labels that can be on at once.
        """
        each = self.per_class(right, truly, said)
        positive = classes[-1] if self.positive is None and len(classes) == 2 else self.positive
        if one and positive is not None and positive in classes:
            return np.asarray(each[:, classes.index(positive)])
        occurs = truly > 0  # a class without rows has no score, even if it was predicted
        return _ratio(np.where(occurs, each, 0.0).sum(axis=1), occurs.sum(axis=1).astype(np.float64))


@dataclass(frozen=True, repr=False)
class BalancedAccuracy(TableMetric):
    """Mean over the classes of the share that is predicted right: every class counts alike.

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

    positive = None

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "balanced_accuracy"

    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return the share of each class that is predicted right."""
        return _ratio(right, truly)

    def of_counts(
        self, classes: tuple[Any, ...], right: Floats, truly: Floats, said: Floats, *, one: bool = True
    ) -> Floats:
        """Return the mean over the classes that occur."""
        occurs = truly > 0
        return _ratio((_ratio(right, truly) * occurs).sum(axis=1), occurs.sum(axis=1).astype(np.float64))


@dataclass(frozen=True, repr=False)
class Precision(TableMetric):
    """Share of the rows predicted positive that are; with more than two classes, the mean over them.

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

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "precision"

    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return right / predicted of each class."""
        return _ratio(right, said)


@dataclass(frozen=True, repr=False)
class Recall(TableMetric):
    """Share of the positive rows that are predicted so; with more than two classes, the mean over them.

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

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "recall"

    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return right / occurring of each class."""
        return _ratio(right, truly)


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

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "f1"

    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return the F1 of each class."""
        return _ratio(2.0 * right, truly + said)


@dataclass(frozen=True, repr=False)
class MicroF1(TableMetric):
    """F1 of all decisions together: with several labels at once, a frequent one counts more than a rare one.

    ``2 sum_j right_j / sum_j (predicted_j + occurring_j)``; with one label a row it is the accuracy.

    Parameters
    ----------
    classes : tuple, optional
        The labels; None takes those of the model.

    Examples
    --------
    >>> y, said = np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])
    >>> MicroF1().score(y, Prediction(said)), round(F1().score(y, Prediction(said)), 4)
    (0.8, 0.5)
    """

    classes: tuple[Any, ...] | None = None

    positive = None

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "f1_micro"

    def per_class(self, right: Floats, truly: Floats, said: Floats) -> Floats:
        """Return the F1 of each label."""
        return _ratio(2.0 * right, truly + said)

    def of_counts(
        self, classes: tuple[Any, ...], right: Floats, truly: Floats, said: Floats, *, one: bool = True
    ) -> Floats:
        """Return the F1 of all counts together."""
        return _ratio(2.0 * right.sum(axis=1), (truly + said).sum(axis=1))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Return top / bottom, and zero where nothing is counted: a class never predicted earns no precision."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
