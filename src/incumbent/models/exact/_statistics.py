"""The sums over rows that a ridge regression is solved from: they are added, merged and subtracted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from incumbent.core import Array, Floats
from incumbent.errors import DataError
from incumbent.models.exact._grid import Grid

ROWS = 4096
"""Rows of one matrix product: enough to run at full speed, few enough to be exact in single precision."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Sufficient statistics of a ridge regression on n rows of m features, for k classes or one numeric target.

    Statistics of parts add up to those of the whole, in any order. Classes may arrive in any order, and rows are
    forgotten by subtraction. All sums are float64. Features on a grid, such as those of a `RandomReLU`, are summed
    without rounding: merging and forgetting are then exact to the last bit, whatever the order, blocks or threads.

    Parameters
    ----------
    gram : (m, m) array
        ``sum w x x'``; only the upper triangle is used.
    cross : (m, k) array
        ``sum w x y'``, with y one column for each class, 1 on its rows, or the target.
    total : (m,) array
        ``sum w x``, for the intercept.
    count, square : (k,) arrays
        ``sum w y`` and ``sum w y**2``.
    rows : float
        ``sum w``.
    classes : (k,) array, optional
        The classes, sorted; None for a numeric target.

    Examples
    --------
    >>> x, y = np.eye(4), np.array(["b", "a", "b", "c"])
    >>> whole = gather([(x, y, None)])
    >>> whole.classes.tolist(), whole.count.tolist()
    (['a', 'b', 'c'], [1.0, 2.0, 1.0])
    >>> parts = gather([(x[2:], y[2:], None)]) + gather([(x[:2], y[:2], None)])
    >>> bool((parts.cross == whole.cross).all())
    True
    >>> whole.forget(gather([(x[3:], y[3:], None)])).classes.tolist()
    ['a', 'b']
    """

    gram: Floats
    cross: Floats
    total: Floats
    count: Floats
    square: Floats
    rows: float
    classes: Array | None = None

    @property
    def width(self) -> int:
        """The number m of features."""
        return len(self.total)

    def __add__(self, other: Statistics) -> Statistics:
        """Return the statistics of the rows of both; they must be of the same features and kind of target."""
        self._check_alike(other)
        return self._joined(other, np.add)

    def forget(self, other: Statistics) -> Statistics:
        """Return the statistics as if the rows of `other` had never been seen; a class without rows is gone."""
        self._check_alike(other)
        unknown = np.empty(0) if self.classes is None else np.setdiff1d(other.classes, self.classes)  # type: ignore[arg-type]  # both have classes, or adding says so
        if len(unknown) or other.rows > self.rows:
            raise DataError(
                f"{other.rows:g} rows with {_target_text(other)} were to be forgotten, but only {self.rows:g} with "
                f"{_target_text(self)} were learned; give rows that were learned, with their labels."
            )
        left = self._joined(other, np.subtract)
        slack = 1e-9 * (1.0 + self.gram.diagonal())
        if (left.gram.diagonal() < -slack).any() or (self.classes is not None and (left.count < -1e-9).any()):
            raise DataError("Some of the rows to forget were never learned: their number would fall below zero.")
        if left.classes is None:
            return left
        return left._with_classes(left.classes[left.count > 1e-9])

    def to_arrays(self) -> dict[str, Array]:
        """Return plain arrays by name, the symmetric matrix as its upper triangle, column by column."""
        from scipy.linalg import lapack

        packed, _ = lapack.dtrttp(self.gram)
        sums = {"cross": self.cross, "total": self.total, "count": self.count, "square": self.square}
        classes = {} if self.classes is None else {"classes": storable(self.classes)}
        return {"gram": packed, **sums, "rows": np.array(self.rows), **classes}

    @staticmethod
    def from_arrays(arrays: Mapping[str, Array]) -> Statistics:
        """Return what `to_arrays` took apart. Other arrays, such as the kept rows of version 0.1, are ignored."""
        from scipy.linalg import lapack

        gram, _ = lapack.dtpttr(len(arrays["total"]), arrays["gram"])
        cross, total, count, square = (arrays[name] for name in ("cross", "total", "count", "square"))
        return Statistics(gram, cross, total, count, square, float(arrays["rows"]), arrays.get("classes"))

    def _check_alike(self, other: Statistics) -> None:
        if self.width != other.width or (self.classes is None) != (other.classes is None):
            raise DataError(
                f"Statistics of {self.width} features for {_target_text(self)} and of {other.width} for "
                f"{_target_text(other)} do not add up; both need the same features and the same kind of target."
            )

    def _joined(self, other: Statistics, combine: np.ufunc) -> Statistics:
        one, two = self, other
        if self.classes is not None and other.classes is not None:
            joined = np.union1d(self.classes, other.classes)
            one, two = self._with_classes(joined), other._with_classes(joined)
        names = ("gram", "cross", "total", "count", "square")
        parts = {name: combine(getattr(one, name), getattr(two, name)) for name in names}
        return Statistics(**parts, rows=float(combine(one.rows, two.rows)), classes=one.classes)

    def _with_classes(self, classes: Array) -> Statistics:
        """Return the same statistics with a column for each of these classes, which include all that have rows."""
        assert self.classes is not None, "only classes are aligned"
        if np.array_equal(classes, self.classes):
            return self
        cross, count = np.zeros((self.width, len(classes))), np.zeros(len(classes))
        known = np.isin(self.classes, classes)
        at = np.searchsorted(classes, self.classes[known])
        cross[:, at], count[at] = self.cross[:, known], self.count[known]
        return replace(self, cross=cross, count=count, square=count, classes=classes)


def gather(
    blocks: Iterable[tuple[Array, Array, Floats | None]],
    *,
    classification: bool = True,
    grid: Grid | None = None,
) -> Statistics:
    """Return the statistics of rows that come in blocks, in one pass; how they are cut makes no difference.

    Parameters
    ----------
    blocks : iterable of (x, y, weight)
        Features (n, m), labels or target values (n,), and row weights (n,) or None for one each.
    classification : bool
        Whether y are classes or numbers.
    grid : Grid, optional
        The grid of float32 features. Products are then computed in single precision, twice as fast and without
        rounding. Blocks whose sums of squares are too large for that are computed in double precision.

    Raises
    ------
    DataError
        No block was given, or a feature or target is not finite.
    """
    found: Statistics | None = None
    for x, y, weight in blocks:
        for start in range(0, len(x), ROWS):
            part = slice(start, start + ROWS)
            weights = None if weight is None else np.asarray(weight[part], dtype=np.float64)
            new = _of_block(x[part], np.asarray(y)[part], weights, classification=classification, grid=grid)
            found = new if found is None else found + new
    if found is None:
        raise DataError("There are no rows to gather statistics from.")
    return found


def _of_block(x: Array, y: Array, weight: Floats | None, *, classification: bool, grid: Grid | None) -> Statistics:
    is_exact = weight is None and grid is not None and x.dtype == np.float32 and grid.sums_are_exact(x)
    x = np.ascontiguousarray(x if is_exact else np.asarray(x, dtype=np.float64))
    w = np.ones(len(x), dtype=x.dtype) if weight is None else weight
    gram = _gram(x, weight)
    if classification:
        found, at = np.unique(y, return_inverse=True)
        classes, target = np.array(found.tolist()), np.zeros((len(x), len(found)), dtype=x.dtype)
        target[np.arange(len(x)), at] = 1.0
    else:
        classes, target = None, np.asarray(y, dtype=np.float64)[:, None]
        if not np.isfinite(target).all():
            raise DataError("A target value is missing or infinite, which would spoil all sums.")
    weighted = w[:, None] * target
    cross = (weighted.T @ x).T.astype(np.float64)
    total, count, square = (
        each.astype(np.float64) for each in (w @ x, weighted.sum(axis=0), (weighted * target).sum(axis=0))
    )
    return Statistics(gram, cross, total, count, square, float(w.sum()), classes)


def _gram(x: Array, weight: Floats | None) -> Floats:
    from scipy.linalg import blas

    scaled = x if weight is None else x * np.sqrt(weight)[:, None]
    product = blas.ssyrk if x.dtype == np.float32 else blas.dsyrk
    made = product(1.0, scaled.T)  # a view in column order: nothing is copied; only the upper triangle is computed
    if not np.isfinite(made.diagonal()).all():
        raise DataError("A feature is missing or infinite, which would spoil all sums.")
    gram: Floats = made.astype(np.float64)
    return gram


def storable(classes: Array) -> Array:
    """Return class names in a type that a file without pickles can hold."""
    return classes.astype(str) if classes.dtype.kind == "O" else classes


def _target_text(statistics: Statistics) -> str:
    if statistics.classes is None:
        return "a numeric target"
    shown = ", ".join(map(str, statistics.classes[:5].tolist()))
    return f"the classes {shown}{' and more' if len(statistics.classes) > 5 else ''}"
