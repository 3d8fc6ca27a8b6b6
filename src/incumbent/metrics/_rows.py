"""Metrics that are the mean of a loss per row: the ones whose evidence is a paired difference, row by row.

Of rows with several labels or values (n, m), the loss of a row is the mean of the losses of its m labels or values.
Only accuracy takes the row as a whole.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, Prediction, Value
from incumbent.metrics._labels import averaged, encode, probabilities, several, wrong

SMALLEST = 1e-15
"""Probabilities are cut off here (and at one less this): the loss of one row is then at most 34.5 nats."""


class MeanLoss(Value):
    """A metric that is a mean over rows. Those below differ only in the loss and in how the mean is shown."""

    relative = False
    """Whether margins are shares of the champion's mean loss, since the loss has no scale of its own."""
    needs_proba = False

    @property
    def greater_is_better(self) -> bool:
        """Losses: smaller is better."""
        return False

    @property
    @abstractmethod
    def bound(self) -> float:
        """The largest loss of one row."""

    @abstractmethod
    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the loss of each row (n,)."""

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""
        loss = self.losses(y, prediction)
        mean = float(loss.mean() if weight is None else weight @ loss / weight.sum()) if len(loss) else math.nan
        return float(self.shown(np.asarray(mean)))

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        return self.shown(weight @ self.losses(y, prediction) / weight.sum(axis=1))

    def shown(self, mean: Floats) -> Floats:
        """Return the score that belongs to a mean loss."""
        return mean


@dataclass(frozen=True, repr=False)
class Accuracy(MeanLoss):
    """Share of rows whose label is predicted right. The loss of a row is 0 or 1.

    A row of several labels is right where all of them are (subset accuracy).

    Examples
    --------
    >>> Accuracy().score(np.array([0, 1, 1, 0]), Prediction(np.array([0, 1, 0, 0])))
    0.75
    """

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "accuracy"

    @property
    def greater_is_better(self) -> bool:
        """Larger is better."""
        return True

    @property
    def bound(self) -> float:
        """A row costs at most one."""
        return 1.0

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return 0 where the label is right, 1 where it is wrong."""
        return np.asarray(wrong(prediction.label, y), dtype=np.float64)

    def shown(self, mean: Floats) -> Floats:
        """Return the share that is right."""
        return np.asarray(1.0 - mean)


@dataclass(frozen=True, repr=False)
class HammingLoss(MeanLoss):
    """Share of the labels that are predicted wrong, of rows with several labels at once.

    Margins are shares of the champion's mean loss: where few of many labels are ever on, a model that calls none of
    them is a few points away from a perfect one, and one point would be no small tolerance.

    References
    ----------
    Schapire, R. E. and Singer, Y. (2000). BoosTexter: a boosting-based system for text categorization. Machine
    Learning 39. ``loss_i = sum_j [f_ij != y_ij] / m``

    Examples
    --------
    >>> HammingLoss().score(np.array([[1, 0], [1, 1]]), Prediction(np.array([[1, 0], [1, 0]])))
    0.25
    """

    relative = True

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "hamming_loss"

    @property
    def bound(self) -> float:
        """The loss of a row that has every label wrong."""
        return 1.0

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the share of each row's labels that are wrong."""
        return averaged(np.asarray(np.asarray(prediction.label) != np.asarray(y), dtype=np.float64))


@dataclass(frozen=True, repr=False)
class LogLoss(MeanLoss):
    """Mean of ``-log p(true class)`` in nats, probabilities cut off at 1e-15.

    A class that the model does not know has probability zero, so such a row costs 34.5 nats. With several labels at
    once it is the mean over them of ``-log p(on)`` or ``-log p(off)``, whichever is true.

    Examples
    --------
    >>> sure = Prediction(np.array([1]), np.array([[0.2, 0.8]]), np.array([0, 1]))
    >>> round(LogLoss().score(np.array([1]), sure), 4)
    0.2231
    """

    needs_proba = True

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "log_loss"

    @property
    def bound(self) -> float:
        """The loss of a row whose class was held to be impossible."""
        return -math.log(SMALLEST)

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return ``-log p(true class)`` of each row."""
        return averaged(-np.log(np.clip(_of_truth(y, prediction, self.name), SMALLEST, 1.0 - SMALLEST)))


@dataclass(frozen=True, repr=False)
class Brier(MeanLoss):
    """Half the squared distance between the probabilities and the truth, in [0, 1] (Brier 1950).

    ``loss_i = sum_k (p_ik - [y_i = k])**2 / 2``; with two classes that is ``(p_i - y_i)**2``, and with several labels
    at once the mean of that over them.

    Examples
    --------
    >>> sure = Prediction(np.array([1]), np.array([[0.2, 0.8]]), np.array([0, 1]))
    >>> round(Brier().score(np.array([1]), sure), 4)
    0.04
    """

    needs_proba = True

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "brier"

    @property
    def bound(self) -> float:
        """A row costs at most one."""
        return 1.0

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return half the squared distance of each row."""
        proba, _ = probabilities(prediction, self.name)
        truth = _of_truth(y, prediction, self.name)
        if several(y):
            return averaged(np.square(1.0 - truth))
        return np.asarray(0.5 * (np.einsum("ij,ij->i", proba, proba) - 2.0 * truth + 1.0))


@dataclass(frozen=True, repr=False)
class RMSE(MeanLoss):
    """Root of the mean squared error, in the target's unit. The loss of a row is its squared error.

    Of several values it is the root of the squared error averaged over them, so that they should be of one scale; R2
    weighs them alike whatever theirs.

    Examples
    --------
    >>> RMSE().score(np.array([0.0, 0.0]), Prediction(np.array([3.0, 4.0])))
    3.5355339059327378
    """

    relative = True

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "rmse"

    @property
    def bound(self) -> float:
        """There is none."""
        return math.inf

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the squared error of each row."""
        return averaged(np.square(_errors(y, prediction)))

    def shown(self, mean: Floats) -> Floats:
        """Return the root of the mean."""
        return np.asarray(np.sqrt(mean))


@dataclass(frozen=True, repr=False)
class MAE(MeanLoss):
    """Mean absolute error, in the target's unit; of several values, averaged over them.

    Examples
    --------
    >>> MAE().score(np.array([0.0, 0.0]), Prediction(np.array([3.0, 4.0])))
    3.5
    """

    relative = True

    @property
    def name(self) -> str:
        """As the command line spells it."""
        return "mae"

    @property
    def bound(self) -> float:
        """There is none."""
        return math.inf

    def losses(self, y: Array, prediction: Prediction) -> Floats:
        """Return the absolute error of each row."""
        return averaged(np.abs(_errors(y, prediction)))


def _errors(y: Array, prediction: Prediction) -> Floats:
    return np.asarray(prediction.label, dtype=np.float64) - np.asarray(y, dtype=np.float64)


def _of_truth(y: Array, prediction: Prediction, name: str) -> Floats:
    """Return the probability (n,) that was given to the class that came true, or (n, m) to each label as it came."""
    proba, classes = probabilities(prediction, name)
    if several(y):
        return np.where(np.asarray(y) == 1, proba, 1.0 - proba)
    code = encode(y, classes)
    picked = proba[np.arange(len(code)), np.maximum(code, 0)]
    return np.where(code >= 0, picked, 0.0)
