"""The sums over rows that a ridge regression is solved from: added, merged and subtracted, never averaged away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import Array, Floats
from incumbent.errors import DataError
from incumbent.models.exact._grid import Grid

ROWS = 4096
"""Rows of one matrix product: enough to run at full speed, few enough to be exact in single precision."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Sufficient statistics of a ridge regression on n rows of m features, for k classes or one numeric target.

    They are sums over rows. So statistics of parts add up to those of the whole, in any order and from any number of
    workers; classes may arrive in any order; and rows are forgotten by subtraction. All sums are float64. Features
    that are multiples of powers of two, as those of a `RandomReLU` are, are summed without any rounding: then merging
    and forgetting are exact to the last bit, whatever the order, the blocks or the threads.

    Parameters
    ----------
    gram : (m, m) array
        ``sum w x x'``; the upper triangle counts, whatever lies below it.
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

    @property
    def nbytes(self) -> int:
        """Bytes that `to_arrays` takes: half of the symmetric matrix, and the sums."""
        return 4 * self.width * (self.width + 1) + 8 * (self.cross.size + self.width + 2 * len(self.count) + 1)

    def __add__(self, other: Statistics) -> Statistics:
        """Return the statistics of the rows of both.

        Raises
        ------
        DataError
            They are of other features, or of classes and of numbers.
        """
        self._check_alike(other)
        return self._joined(other, np.add)

    def __iadd__(self, other: Statistics) -> Statistics:
        """Return the statistics of the rows of both, in the large matrix of these: nothing else may still need it."""
        self._check_alike(other)
        return self._joined(other, np.add, into=self.gram)

    def forget(self, other: Statistics, *, spend: bool = False) -> Statistics:
        """Return the statistics as if the rows of `other` had never been seen; a class without rows is gone.

        With `spend` they come in the large matrix of `other`, which nothing else may still need.

        Raises
        ------
        DataError
            Those rows cannot all be among these.
        """
        self._check_alike(other)
        unknown = np.empty(0) if self.classes is None else np.setdiff1d(other.classes, self.classes)  # type: ignore[arg-type]  # both have classes, or adding says so
        if len(unknown) or other.rows > self.rows:
            raise DataError(
                f"{other.rows:g} rows with {_aim(other)} were to be forgotten, but only {self.rows:g} with "
                f"{_aim(self)} were learned; give rows that were learned, with their labels."
            )
        left = self._joined(other, np.subtract, into=other.gram if spend else None)
        slack = 1e-9 * (1.0 + self.gram.diagonal())
        if (left.gram.diagonal() < -slack).any() or (self.classes is not None and (left.count < -1e-9).any()):
            raise DataError("Some of the rows to forget were never learned: fewer than none would be left.")
        if left.classes is None:
            return left
        return left._kept(left.count > 1e-9)

    def to_arrays(self) -> dict[str, Array]:
        """Return plain arrays by name, the symmetric matrix as its upper triangle, column by column."""
        from scipy.linalg import lapack

        told = {"cross": self.cross, "total": self.total, "count": self.count, "square": self.square}
        packed, _ = lapack.dtrttp(self.gram)
        classes = {} if self.classes is None else {"classes": _storable(self.classes)}
        return {"gram": packed, **told, "rows": np.array(self.rows), **classes}

    @staticmethod
    def from_arrays(arrays: Mapping[str, Array]) -> Statistics:
        """Return what `to_arrays` took apart; other arrays, such as the kept rows of version 0.1, are ignored."""
        from scipy.linalg import lapack

        gram, _ = lapack.dtpttr(len(arrays["total"]), arrays["gram"])
        cross, total, count, square = (arrays[name] for name in ("cross", "total", "count", "square"))
        return Statistics(gram, cross, total, count, square, float(arrays["rows"]), arrays.get("classes"))

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file of plain arrays, which can hold no code."""
        np.savez(path, allow_pickle=False, **self.to_arrays())

    @staticmethod
    def load(path: Path) -> Statistics:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            There is no such file, or it is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return Statistics.from_arrays(dict(arrays))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path} holds no statistics of Incumbent: {error}") from error

    def _check_alike(self, other: Statistics) -> None:
        if self.width != other.width or (self.classes is None) != (other.classes is None):
            raise DataError(
                f"Statistics of {self.width} features for {_aim(self)} and of {other.width} for {_aim(other)} do not "
                "add up; both must come from the same features and the same kind of target."
            )

    def _joined(self, other: Statistics, how: np.ufunc, into: Floats | None = None) -> Statistics:
        one, two = self, other
        if self.classes is not None and other.classes is not None:
            joined = np.union1d(self.classes, other.classes)
            one, two = self._spread(joined), other._spread(joined)
        return Statistics(
            how(one.gram, two.gram, out=into),
            how(one.cross, two.cross),
            how(one.total, two.total),
            how(one.count, two.count),
            how(one.square, two.square),
            float(how(one.rows, two.rows)),
            one.classes,
        )

    def _kept(self, keep: Array) -> Statistics:
        if self.classes is None or keep.all():
            return self
        cross, count, square = self.cross[:, keep], self.count[keep], self.square[keep]
        return replace(self, cross=cross, count=count, square=square, classes=self.classes[keep])

    def _spread(self, classes: Array) -> Statistics:
        assert self.classes is not None, "only classes are aligned"
        if np.array_equal(classes, self.classes):
            return self
        cross, count = np.zeros((self.width, len(classes))), np.zeros(len(classes))
        at = np.searchsorted(classes, self.classes)
        cross[:, at], count[at] = self.cross, self.count
        return replace(self, cross=cross, count=count, square=count, classes=classes)


def gather(
    blocks: Iterable[tuple[Array, Array, Floats | None]],
    *,
    classification: bool = True,
    grid: Grid | None = None,
) -> Statistics:
    """Return the statistics of rows that come in blocks, in one pass; the blocks make no difference.

    Parameters
    ----------
    blocks : iterable of (x, y, weight)
        Features (n, m), labels or target values (n,), and row weights (n,) or None for one each.
    classification : bool
        Whether y are classes or numbers.
    grid : Grid, optional
        The step that float32 features are whole multiples of. As it is a power of two, products are computed in
        single precision, twice as fast, and without rounding: a block whose sums of squares reach 2**24 squared steps
        (by Cauchy and Schwarz no sum of products is larger) is computed in double precision.

    Raises
    ------
    DataError
        No block was given, or a feature or target is not finite.
    """
    sums: _Sums | None = None
    for x, y, weight in blocks:
        sums = sums or _Sums(x.shape[1], classification=classification, grid=grid)
        for start in range(0, len(x), ROWS):
            part = slice(start, start + ROWS)
            sums.add(x[part], np.asarray(y)[part], None if weight is None else weight[part])
    if sums is None:
        raise DataError("There are no rows to gather statistics from.")
    return sums.done()


class _Sums:
    """Accumulators of `gather`, added to in place."""

    def __init__(self, width: int, *, classification: bool, grid: Grid | None) -> None:
        self.grid, self.classification = grid, classification
        self.gram, self.total = np.empty((0, 0)), np.zeros(width)
        self.by: dict[Any, tuple[Floats, float]] = {}
        self.cross, self.count, self.square, self.rows = np.zeros((width, 1)), 0.0, 0.0, 0.0

    def add(self, x: Array, y: Array, weight: Floats | None) -> None:
        exact = weight is None and self.grid is not None and x.dtype == np.float32 and self.grid.sums_are_exact(x)
        x = np.ascontiguousarray(x if exact else np.asarray(x, dtype=np.float64))
        w = np.ones(len(x), dtype=x.dtype) if weight is None else np.asarray(weight, dtype=np.float64)
        self._add_gram(x, None if weight is None else w)
        self.rows += float(w.sum())
        if self.classification:
            self._add_classes(x, y, w)
            return
        target = np.asarray(y, dtype=np.float64)
        if not np.isfinite(target).all():
            raise DataError("A target value is missing or infinite; statistics are sums, and it would spoil them all.")
        self.cross[:, 0] += (w * target) @ x
        self.total += w @ x
        self.count += float(w @ target)
        self.square += float(w @ target**2)

    def _add_gram(self, x: Array, weight: Floats | None) -> None:
        from scipy.linalg import blas

        scaled = x if weight is None else x * np.sqrt(weight)[:, None]
        product = blas.ssyrk if x.dtype == np.float32 else blas.dsyrk
        made = product(1.0, scaled.T)  # a view in column order, so nothing is copied; only the upper triangle is made
        if not np.isfinite(made.diagonal()).all():
            raise DataError("A feature is missing or infinite; statistics are sums, and it would spoil them all.")
        if len(self.gram):
            self.gram += made
        else:
            self.gram = made.astype(np.float64)

    def _add_classes(self, x: Array, y: Array, w: Array) -> None:
        known, at = np.unique(y, return_inverse=True)
        hot = np.zeros((len(x), len(known)), dtype=x.dtype)
        hot[np.arange(len(x)), at] = w
        columns, counts = (hot.T @ x).astype(np.float64), np.bincount(at, weights=w, minlength=len(known))
        for label, column, count in zip(known.tolist(), columns, counts, strict=True):
            before, seen = self.by.get(label, (0.0, 0.0))
            self.by[label] = (before + column, seen + float(count))
            self.total += column

    def done(self) -> Statistics:
        if not self.classification:
            one = np.array([self.count]), np.array([self.square])
            return Statistics(self.gram, self.cross, self.total, *one, self.rows)
        classes = np.array(sorted(self.by))
        count = np.array([self.by[label][1] for label in classes.tolist()])
        cross = np.stack([self.by[label][0] for label in classes.tolist()], axis=1)
        return Statistics(self.gram, cross, self.total, count, count, self.rows, classes)


def _storable(classes: Array) -> Array:
    return classes.astype(str) if classes.dtype.kind == "O" else classes


def _aim(statistics: Statistics) -> str:
    if statistics.classes is None:
        return "a numeric target"
    shown = ", ".join(map(str, statistics.classes[:5].tolist()))
    return f"the classes {shown}{' and more' if len(statistics.classes) > 5 else ''}"
