"""Classification metrics that are the mean of a loss per row: the gate tests the paired differences of these losses.

If rows have several labels (n, m), the loss of a row is the mean of the losses of its m labels. Only accuracy takes the
row as a whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._base import MeanLoss
from incumbent.metrics._labels import averaged, encode, probabilities, several, wrong

SMALLEST = 1e-15
"""Probabilities are clipped to [1e-15, 1 - 1e-15], so that the loss of one row is at most 34.5 nats."""


@dataclass(frozen=True, repr=False)
class Accuracy(MeanLoss):
    """Fraction of rows whose label is predicted right. The loss of a row is 0 or 1.

    A row with several labels is right if all of them are (subset accuracy).

    Examples
    --------
    >>> Accuracy().score(np.array([0, 1, 1, 0]), Prediction(np.array([0, 1, 0, 0])))
    0.75
    """

    name = "accuracy"
    greater_is_better = True
    bound = 1.0

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return 0 if the label is right, and 1 if it is wrong."""
        return np.asarray(wrong(prediction.label, y), dtype=np.float64)

    def from_mean(self, mean: Floats) -> Floats:
        """Return the fraction that is right."""
        return np.asarray(1.0 - mean)


@dataclass(frozen=True, repr=False)
class HammingLoss(MeanLoss):
    """Fraction of wrong labels, for rows with several labels.

    Margins are fractions of the champion's mean loss. If few of many labels are ever on, one point would be a large
    tolerance: a model that predicts none of them is a few points away from a perfect one.

    References
    ----------
    Schapire, R. E. and Singer, Y. (2000). BoosTexter: a boosting-based system for text categorization. Machine
    Learning 39. ``loss_i = sum_j [f_ij != y_ij] / m``

    Examples
    --------
    >>> HammingLoss().score(np.array([[1, 0], [1, 1]]), Prediction(np.array([[1, 0], [1, 0]])))
    0.25
    """

    name = "hamming_loss"
    bound = 1.0
    relative = True

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the fraction of wrong labels of each row."""
        return averaged(np.asarray(np.asarray(prediction.label) != np.asarray(y), dtype=np.float64))


@dataclass(frozen=True, repr=False)
class LogLoss(MeanLoss):
    """Mean of ``-log p(true class)`` in nats, probabilities clipped at 1e-15.

    A class that the model does not know has probability zero, so such a row costs 34.5 nats. If rows have several
    labels, the loss of each is ``-log p(on)`` or ``-log p(off)``, whichever is true.

    Examples
    --------
    >>> sure = Prediction(np.array([1]), np.array([[0.2, 0.8]]), np.array([0, 1]))
    >>> round(LogLoss().score(np.array([1]), sure), 4)
    0.2231
    """

    name = "log_loss"
    bound = -math.log(SMALLEST)
    needs_proba = True

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return ``-log p(true class)`` of each row."""
        return averaged(-np.log(np.clip(_of_truth(y, prediction, self.name), SMALLEST, 1.0 - SMALLEST)))


@dataclass(frozen=True, repr=False)
class Brier(MeanLoss):
    """Half the squared distance between the probabilities and the truth, in [0, 1] (Brier 1950).

    ``loss_i = sum_k (p_ik - [y_i = k])**2 / 2``. With two classes that is ``(p_i - y_i)**2``; with several labels, the
    mean of that over them.

    Examples
    --------
    >>> sure = Prediction(np.array([1]), np.array([[0.2, 0.8]]), np.array([0, 1]))
    >>> round(Brier().score(np.array([1]), sure), 4)
    0.04
    """

    name = "brier"
    bound = 1.0
    needs_proba = True

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return half the squared distance of each row."""
        proba, _ = probabilities(prediction, self.name)
        truth = _of_truth(y, prediction, self.name)
        if several(y):
            return averaged(np.square(1.0 - truth))
        return np.asarray(0.5 * (np.einsum("ij,ij->i", proba, proba) - 2.0 * truth + 1.0))


def _of_truth(y: Array, prediction: Prediction, name: str) -> Floats:
    """Return the probability (n,) of the true class, or (n, m) of the true state of each label."""
    proba, classes = probabilities(prediction, name)
    if several(y):
        return np.where(np.asarray(y) == 1, proba, 1.0 - proba)
    code = encode(y, classes)
    picked = proba[np.arange(len(code)), np.maximum(code, 0)]
    return np.where(code >= 0, picked, 0.0)
