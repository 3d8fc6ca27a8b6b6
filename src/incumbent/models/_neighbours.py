"""Rows that are kept beside an exact head, and what those near to a row say of its class."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats
from incumbent.data import row_keys
from incumbent.models._grid import Grid

EACH, MOST = 200, 10_000
"""Rows of a class that are kept unless another number is asked for, and rows of all classes together at most."""
SHARE = 0.3
"""What the neighbours say beside the head, out of 1."""
SHARPNESS = 30.0
"""A row at a right angle to another weighs exp(-30) of one in the same direction."""
ROWS = 256
"""Rows that are asked at once: their angles to 10,000 kept rows take 10 MB."""
PARTS = ("codes", "of", "weight", "step", "centre")
"""The arrays that `Votes` are made of, in order."""
_FIRST = "neighbours_"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Rows that are kept with their classes: the first of the features that a head reads, in bytes.

    Like sums they add up, in any order, and rows leave them again. Of a class with more rows than are kept those with
    the smallest hash of their content stay, which is a uniform sample of all that were ever added.

    Parameters
    ----------
    codes : (n, k) int8 or uint8 array
        Features, in whole steps of a `Grid`.
    labels : (n,) array
        The class of each row.
    weight : (n,) float32 array
        How much each row counts.
    each : int
        How many are kept of each class; fewer where all classes together would have more than 10,000.

    Examples
    --------
    >>> one = Neighbours.of(np.int8([[1, 2], [3, 4]]), np.array(["a", "b"]), None, each=10)
    >>> two = one + Neighbours.of(np.int8([[1, 2]]), np.array(["a"]), None, each=10)
    >>> len(two), len(two.without(one)), two.without(one).labels.tolist()
    (3, 1, ['a'])
    """

    codes: Array
    labels: Array
    weight: Floats
    each: int

    @staticmethod
    def of(codes: Array, labels: Array, weight: Floats | None, *, each: int) -> Neighbours:
        """Return rows of weight 1 where no other is given."""
        heavy = np.ones(len(codes)) if weight is None else weight
        return Neighbours(codes, np.asarray(labels), np.asarray(heavy, dtype=np.float32), each)._cut()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return sum(part.nbytes for part in self.to_arrays().values())

    def __add__(self, other: Neighbours) -> Neighbours:
        """Return the rows of both."""
        return Neighbours.join([self, other])

    @staticmethod
    def join(parts: Sequence[Neighbours]) -> Neighbours:
        """Return the rows of all parts, of which there is one at least."""
        codes, labels, weight = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("codes", "labels", "weight")
        )
        return Neighbours(codes, labels, weight, parts[0].each)._cut()

    def without(self, other: Neighbours) -> Neighbours:
        """Return the rows less one of the same features and class for each row of `other` that is among them."""
        which = np.unique(np.concatenate([self._keys(), other._keys()]), return_inverse=True)[1]
        own, gone = which[: len(self)], np.bincount(which[len(self) :], minlength=len(which))
        order = np.argsort(own, kind="stable")
        first = np.searchsorted(own[order], own[order])  # where the rows of equal content begin
        keep = np.empty(len(own), dtype=bool)
        keep[order] = np.arange(len(own)) - first >= gone[own[order]]
        return self._take(keep)

    def of_classes(self, classes: Array) -> Neighbours:
        """Return the rows of these classes."""
        return self._take(np.isin(self.labels, classes))

    def to_arrays(self) -> dict[str, Array]:
        """Return plain arrays by name."""
        labels = self.labels.astype(str) if self.labels.dtype.kind == "O" else self.labels
        parts = {"codes": self.codes, "labels": labels, "weight": self.weight, "each": np.array(self.each)}
        return {_FIRST + name: part for name, part in parts.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, Array]) -> Neighbours | None:
        """Return what `to_arrays` took apart; None where the arrays hold none."""
        if _FIRST + "codes" not in arrays:
            return None
        codes, labels, weight, each = (arrays[_FIRST + name] for name in ("codes", "labels", "weight", "each"))
        return Neighbours(codes, labels, weight, int(each))

    def _cut(self) -> Neighbours:
        classes, of, counts = np.unique(self.labels, return_inverse=True, return_counts=True)
        each = max(1, min(self.each, MOST // max(1, len(classes))))
        if counts.max(initial=0) <= each:
            return self
        order = np.lexsort((self._keys(), of))
        place = np.empty(len(self), dtype=np.intp)  # of a row among those of its class, by their keys
        place[order] = np.arange(len(self)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._take(place < each)

    def _keys(self) -> Array:
        return row_keys(Batch(self.codes, self.labels))

    def _take(self, at: Array) -> Neighbours:
        return Neighbours(self.codes[at], self.labels[at], self.weight[at], self.each)


def each_of(kept: Neighbours | None) -> int:
    """Return how many rows of each class are kept; 0 where none are."""
    return 0 if kept is None else kept.each


@dataclass(frozen=True, eq=False)
class Votes:
    r"""What kept rows say of others: each votes for its class, the more the smaller the angle between them.

    .. math:: v_c(x) = \frac{\sum_{i: y_i = c} w_i \, e^{\beta (\cos(x, x_i) - 1)}}
              {\sum_i w_i \, e^{\beta (\cos(x, x_i) - 1)}}, \qquad
              p_c(x) = (1 - \alpha) \, \mathrm{softmax}_c(T s(x)) + \alpha \, v_c(x)

    with the cosine of features about their mean, :math:`\alpha` = 0.3 and :math:`\beta` = 30: what a ridge regression
    smooths over, such as a few rows of one class amid those of another, near rows still know.

    Parameters
    ----------
    codes : (n, k) int8 or uint8 array
        The first features of the kept rows, in whole steps.
    of : (n,) int32 array
        Which of the classes, in sorted order, each votes for.
    weight : (n,) float32 array
        How much its vote counts.
    step, centre : (k,) float32 arrays
        The step and the mean of each feature.

    References
    ----------
    Nadaraya (1964) and Watson (1964) for the votes. Khandelwal, Levy, Jurafsky, Zettlemoyer and Lewis (2020),
    Generalization through Memorization: Nearest Neighbor Language Models, ICLR, eq. 2 and 3, for mixing them with what
    a model says, there with the distance of unnormalised features.
    """

    codes: Array
    of: Array
    weight: Floats
    step: Floats
    centre: Floats

    @staticmethod
    def by(kept: Neighbours, classes: Array, count: Floats, grid: Grid, mean: Floats) -> Votes:
        """Return the votes of kept rows for these classes, about the mean (m,) of all features.

        The rows of a class weigh together what all those did that were ever learned, `count`: those that are kept
        stand for the others.
        """
        many, of = kept.codes.shape[1], np.searchsorted(classes, kept.labels).astype(np.int32)
        step = np.broadcast_to(np.asarray(grid.first(many).step, dtype=np.float32), many)
        whole = np.bincount(of, weights=kept.weight, minlength=len(classes))
        weight: Floats = (kept.weight * (count / np.maximum(whole, 1e-30))[of]).astype(np.float32)
        return Votes(kept.codes, of, weight, np.array(step), mean[:many].astype(np.float32))

    @functools.cached_property
    def directions(self) -> Array:
        """The kept rows about the mean, of length 1, (n, k) float32."""
        return _unit(self.codes * self.step, self.centre)

    def shares(self, read: Array, classes: int) -> Array:
        """Return the share of the votes that each class has, (n, classes), float32, from what the head reads."""
        votes = self._ballots(classes)
        asked, out = _unit(read[:, : len(self.centre)], self.centre), np.empty((len(read), classes), dtype=np.float32)
        for start in range(0, len(asked), ROWS):
            near = asked[start : start + ROWS] @ self.directions.T
            near -= 1.0
            near *= SHARPNESS
            np.matmul(np.exp(near, out=near), votes, out=out[start : start + ROWS])
        out /= out.sum(axis=1, keepdims=True)
        return out

    def _ballots(self, classes: int) -> Array:
        """Return the weight of each kept row in the column of its class, (n, classes), made once."""
        made: Array | None = vars(self).get("ballots")
        if made is None or made.shape[1] != classes:
            made = np.zeros((len(self.of), classes), dtype=np.float32)
            made[np.arange(len(self.of)), self.of] = self.weight
            vars(self)["ballots"] = made
        return made


def mixed(proba: Any, shares: Any) -> Any:
    """Return probabilities of a head and the shares of votes, arrays or tensors, mixed."""
    return (1.0 - SHARE) * proba + SHARE * shares


def _unit(features: Array, centre: Array) -> Array:
    about: Array = np.asarray(features, dtype=np.float32) - centre
    length = np.sqrt(np.einsum("ij,ij->i", about, about))
    about /= np.maximum(length, np.float32(1e-30))[:, None]
    return about
