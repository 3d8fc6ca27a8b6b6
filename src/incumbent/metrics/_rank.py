"""Area under the ROC curve, under many row weightings at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Prediction
from incumbent.metrics._base import Score
from incumbent.metrics._labels import columns, encode_truth, label_names, probabilities, several


@dataclass(frozen=True, repr=False)
class AUC(Score):
    """Probability that a positive row is ranked above a negative one; ties count half. nan if only one class occurs.

    With more than two classes, the mean of each class against the rest. With several labels, the mean over those that
    are on in some rows and off in others. A class that the model does not know has score zero on every row.

    Parameters
    ----------
    positive : label, optional
        The positive class; None takes the last of two classes in sorted order.
    classes : tuple, optional
        The classes; None takes those that occur.

    References
    ----------
    Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143.

    ``AUC = sum_{i: y=1, j: y=0} w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / (sum w_i sum w_j)``

    Examples
    --------
    >>> made = Prediction(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6]]), np.array([0, 1]))
    >>> AUC().score(np.array([0, 1, 0]), made)
    0.5
    """

    positive: Any = None
    classes: tuple[Any, ...] | None = None

    name = "auc"
    needs_proba = True

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n)."""
        each = list((self._of_labels if several(y) else self._of_classes)(y, prediction, weight))
        areas = [area for area in each if area is not None]
        return np.mean(areas, axis=0) if areas else np.full(len(weight), math.nan)

    def _of_classes(self, y: Array, prediction: Prediction, weight: Floats) -> Iterator[Floats | None]:
        classes, truth = encode_truth(self.classes, y, prediction)
        positive = classes[-1] if self.positive is None and len(classes) == 2 else self.positive
        wanted = classes if positive is None else tuple(each for each in (positive,) if each in classes)
        for name, score in zip(wanted, columns(prediction, wanted, self.name), strict=True):
            yield _areas(score, truth == classes.index(name), weight)

    def _of_labels(self, y: Array, prediction: Prediction, weight: Floats) -> Iterator[Floats | None]:
        proba, on = probabilities(prediction, self.name)[0], np.asarray(y) == 1
        for at, name in enumerate(label_names(y, prediction)):
            if self.positive is None or name == self.positive:
                yield _areas(proba[:, at], on[:, at], weight)


def _areas(score: Floats, positive: Array, weight: Floats) -> Floats | None:
    """Return the area (B,) of one class against the rest, or None if either side has no row.

    The side with more rows is sorted and summed once. Each row of the other side then reads off the weight below it and
    the weight level with it.
    """
    if positive.all() or not positive.any():
        return None
    many = positive if 2 * positive.sum() > len(positive) else ~positive
    ranked = np.flatnonzero(many)[np.argsort(score[many], kind="stable")]
    few = np.flatnonzero(~many)
    below = np.searchsorted(score[ranked], score[few], side="left")
    upto = np.searchsorted(score[ranked], score[few], side="right")
    total = np.zeros((len(weight), len(ranked) + 1))
    np.cumsum(weight[:, ranked], axis=1, out=total[:, 1:])
    own = weight[:, few]
    level = np.einsum("ij,ij->i", own, total[:, below] + total[:, upto])
    whole = own.sum(axis=1) * total[:, -1]
    share = np.divide(0.5 * level, whole, out=np.full(len(weight), 0.5), where=whole > 0)
    return np.asarray(1.0 - share if many is positive else share)
