"""Ridge regression solved exactly from its statistics, its penalty chosen by them too, and rows taken out again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from incumbent.core import Array, Floats
from incumbent.errors import DataError
from incumbent.models.exact._statistics import Statistics

PROBES, _NARROW = 16, 500
_STEP, _FLAT, _TRIES = np.log(10.0), 0.005, 12
_START, _LEAST, _MOST, _NEAR, _PLATEAU = 1e-2, 1e-7, 1e3, 0.2, 0.01


@dataclass(frozen=True, eq=False)
class Solution:
    """The minimiser of ``sum_i w_i ||y_i - W'x_i - b||**2 + ridge * ||W||**2``, and what is needed to take rows out.

    Parameters
    ----------
    coef : (m, k) array
        W.
    intercept : (k,) array
        b, which is not penalised.
    ridge : float
        The penalty.
    statistics : Statistics
        The sums it was solved from.
    factor : (m, m) array
        Upper Cholesky factor of the centred Gram matrix plus the penalty, as it was when it was last factorised.
    removed : (r, m) array
        Directions that were taken out since: the present matrix is ``factor'factor - removed'removed``.

    Examples
    --------
    >>> from incumbent.models.exact._statistics import gather
    >>> x = np.arange(10.0)[:, None]
    >>> solution = solve(gather([(x, 3 * x[:, 0] + 1, None)], classification=False), 1e-9)
    >>> solution.coef.round(6).tolist(), solution.intercept.round(6).tolist()
    ([[3.0]], [1.0])
    """

    coef: Floats
    intercept: Floats
    ridge: float
    statistics: Statistics
    factor: Floats = field(repr=False)
    removed: Floats = field(repr=False)

    def scores(self, x: Array) -> Floats:
        """Return ``x W + b`` for each row, (n, k), multiplied in the precision of `x`."""
        made: Floats = x @ self.coef.astype(x.dtype if x.dtype.kind == "f" else np.float64) + self.intercept
        return made

    def forget(self, rows: Statistics, x: Array, weight: Floats | None = None, *, spend: bool = False) -> Solution:
        """Return the solution as if these rows had never been seen, with the same penalty.

        No new factorisation: with U the removed rows about their mean, and the step from the old mean to theirs,

        .. math:: (A - U'U)^{-1} = A^{-1} + A^{-1}U'(I - U A^{-1} U')^{-1} U A^{-1}

        (Woodbury), which costs m**2 for each row instead of m**3 / 3, and one step of iterative refinement against the
        sums that are left, so that its error is that of a fresh solution. Many rows at once are solved afresh.

        Parameters
        ----------
        rows : Statistics
            The statistics of the rows to forget.
        x : (r, m) array
            Their features.
        weight : (r,) array, optional
            Their weights.
        spend : bool
            Whether nothing else needs `rows` any more, whose large matrix then takes what is left.

        Raises
        ------
        DataError
            They cannot all be among the rows that were learned.

        References
        ----------
        Hager (1989), Updating the Inverse of a Matrix, SIAM Review 31, 221-239. Higham (2002), Accuracy and Stability
        of Numerical Algorithms, 2nd ed., chapter 12.
        """
        removed = np.vstack([self.removed, _directions(self.statistics, rows, x, weight)])
        left = self.statistics.forget(rows, spend=spend)
        if len(removed) > self.statistics.width // 4 or left.rows <= 0:
            return solve(left, self.ridge)
        solver = _Lowered(self.factor, removed)
        if not solver.sound:
            return solve(left, self.ridge)
        target = _centred_cross(left)
        coef = solver(target)
        coef += solver(target - _apply(left, coef, self.ridge))
        return replace(_with_intercept(left, coef, self), removed=removed)


def solve(statistics: Statistics, ridge: float | None = None, *, start: float | None = None) -> Solution:
    r"""Return the ridge solution of these statistics: one Cholesky factorisation, or a few where the penalty is chosen.

    Parameters
    ----------
    statistics : Statistics
        Sums over all rows.
    ridge : float, optional
        The penalty, as scikit-learn's ``Ridge(alpha=...)`` has it. None, the default, takes the one that minimises the
        generalised cross-validation score

        .. math:: \mathrm{GCV}(\lambda) = \frac{\frac1n \sum_i \|y_i - \hat y_i\|^2}
                  {(1 - \mathrm{dof}(\lambda) / n)^2}, \qquad
                  \mathrm{dof} = 1 + \mathrm{tr}\, S (S + \lambda I)^{-1}

        (S the centred Gram matrix), which needs no row that was held out: the sums are enough. Its slope in
        :math:`\log\lambda` comes from the same factorisation, so the search steps downhill and stops where it is all
        but level, mostly after one to three. The trace is exact up to 500 features and where rows are fewer than
        features, whose little freedom has to be known exactly, and else an average over 16 random signs, the same for
        every penalty, whose error is far below what the choice depends on.
    start : float, optional
        Where the search starts, such as the last penalty; by default a hundredth of the mean eigenvalue of S.

    Raises
    ------
    DataError
        There are no rows.

    References
    ----------
    Golub, Heath and Wahba (1979), Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter,
    Technometrics 21, 215-223. Girard (1989), A fast Monte-Carlo cross-validation procedure, Numer. Math. 56, 1-23.
    """
    if statistics.rows <= 0:
        raise DataError("A ridge regression needs at least one row, and there are none.")
    if ridge is not None:
        return _factorised(statistics, ridge)
    scale = mean_eigenvalue(statistics)
    if statistics.rows < 2 or not scale > 0:
        return _factorised(statistics, scale if scale > 0 else 1.0)
    if start is None:
        return _searched(statistics, scale, _START, near=0.0)
    return _searched(statistics, scale, start / scale, near=_NEAR)


def _searched(statistics: Statistics, scale: float, start: float, *, near: float) -> Solution:
    """Step down the slope of GCV by factors of ten, then close in on where it is level.

    From a penalty that was chosen before (`near` is not 0) a slope twice as large is level enough, and the first step
    is as short as the slope where that is less than `near` of the two forces it is the difference of. Where these are
    next to nothing the search begins anew.
    """
    spot, flat = float(np.log(np.clip(start, _LEAST, _MOST))), 2.0 * _FLAT if near else _FLAT
    best, score, slope, force = _judged(statistics, scale * np.exp(spot))
    if near and force < _PLATEAU:  # so small a penalty for so many rows that it makes no difference: no place to stay
        return _searched(statistics, scale, _START, near=0.0)
    low, high = (None, (spot, slope)) if slope > 0 else ((spot, slope), None)
    for _ in range(_TRIES):
        if abs(slope) < flat:
            break
        if low is not None and high is not None:
            if high[0] - low[0] < 0.5:
                break
            share = float(np.clip(low[1] / (low[1] - high[1]), 0.1, 0.9))
            spot = low[0] + share * (high[0] - low[0])
        else:
            step = 5.0 * abs(slope) / force if abs(slope) < near * force else _STEP
            spot, near = spot - step if slope > 0 else spot + step, 0.0
            if not np.log(_LEAST) <= spot <= np.log(_MOST):
                break
        made, value, slope, force = _judged(statistics, scale * np.exp(spot))
        low, high = (low, (spot, slope)) if slope > 0 else ((spot, slope), high)
        if value < score:
            best, score = made, value
    return best


def _judged(statistics: Statistics, ridge: float) -> tuple[Solution, float, float, float]:
    """Return the solution and of its GCV score the logarithm, the slope of that over the logarithm of the penalty.

    Last comes the sum of the two forces, misfit and freedom, whose difference the slope is.
    """
    made, n = _factorised(statistics, ridge), statistics.rows
    coef, target = made.coef, _centred_cross(statistics)
    spread = float((statistics.square - statistics.count**2 / n).sum())
    misfit = max(spread - float((coef * target).sum()) - ridge * float((coef**2).sum()), 1e-12 * spread)
    inner = _Lowered(made.factor, made.removed)
    trace, squares = _traces(inner, statistics)
    left = max(n - 1.0 - statistics.width + ridge * trace, 1e-9 * n)
    steeper = 2.0 * ridge * float((coef * inner(coef)).sum())
    misfitting, freedom = ridge * steeper / max(misfit, 1e-300), 2.0 * ridge * (trace - ridge * squares) / left
    score = float(np.log(max(misfit, 1e-300)) - 2.0 * np.log(left / n))
    return made, score, misfitting - freedom, misfitting + freedom


def _traces(inner: _Lowered, statistics: Statistics) -> tuple[float, float]:
    """Return the traces of the inverse and of its square."""
    from scipy.linalg import lapack

    if statistics.width <= _NARROW or statistics.rows < statistics.width:
        inverse, _ = lapack.dpotri(inner.factor, lower=0)
        upper = np.triu(inverse, 1)
        diagonal = inverse.diagonal()
        return float(diagonal.sum()), float(2.0 * (upper**2).sum() + (diagonal**2).sum())
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(statistics.width, PROBES))
    solved = inner(signs)
    return float((signs * solved).sum() / PROBES), float((solved**2).sum() / PROBES)


def _factorised(statistics: Statistics, ridge: float) -> Solution:
    from scipy.linalg import blas, lapack

    centred = np.array(statistics.gram, order="F")
    mean = statistics.total / statistics.rows
    centred = blas.dsyr(-statistics.rows, mean, a=centred, overwrite_a=1)
    centred[np.diag_indices_from(centred)] += ridge
    factor, failed = lapack.dpotrf(centred, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise DataError(
            f"The features are linearly dependent to within rounding, and a ridge of {ridge:g} does not part them; "
            "give a larger one, or None to choose it."
        )
    nothing = np.empty((0, statistics.width))
    made = Solution(np.empty(0), np.empty(0), ridge, statistics, factor, nothing)
    return _with_intercept(statistics, _Lowered(factor, nothing)(_centred_cross(statistics)), made)


def _with_intercept(statistics: Statistics, coef: Floats, like: Solution) -> Solution:
    intercept = (statistics.count - statistics.total @ coef) / statistics.rows
    return replace(like, coef=coef, intercept=intercept, statistics=statistics)


def _centred_cross(statistics: Statistics) -> Floats:
    made: Floats = statistics.cross - np.outer(statistics.total, statistics.count / statistics.rows)
    return made


def _apply(statistics: Statistics, coef: Floats, ridge: float) -> Floats:
    """Return ``(S + ridge I) coef``."""
    from scipy.linalg import blas

    mean = statistics.total / statistics.rows
    made: Floats = blas.dsymm(1.0, statistics.gram, np.asfortranarray(coef))
    return made - statistics.rows * np.outer(mean, mean @ coef) + ridge * coef


def mean_eigenvalue(statistics: Statistics) -> float:
    """Return the mean eigenvalue of the centred Gram matrix, beside which a penalty is small or large."""
    spread = statistics.gram.diagonal() - statistics.total**2 / statistics.rows
    return float(np.maximum(spread, 0.0).mean())


def _directions(before: Statistics, rows: Statistics, x: Array, weight: Floats | None) -> Floats:
    """Return U with ``S_before - S_after = U'U``: the rows about their mean, and the way their mean lies off."""
    mean = rows.total / rows.rows
    step = np.sqrt(before.rows * rows.rows / (before.rows - rows.rows)) if before.rows > rows.rows else 0.0
    about = np.asarray(x, dtype=np.float64) - mean
    about = about if weight is None else about * np.sqrt(weight)[:, None]
    return np.vstack([about, step * (mean - before.total / before.rows)])


class _Lowered:
    """Solves with ``factor'factor - removed'removed``."""

    def __init__(self, factor: Floats, removed: Floats) -> None:
        from scipy.linalg import blas, lapack

        self.factor, self.sound = factor, True
        self.turned = np.empty((len(factor), 0))
        if len(removed):
            self.turned = blas.dtrsm(1.0, factor, np.asfortranarray(removed.T), trans_a=1)
            inner = np.asfortranarray(np.eye(len(removed)) - self.turned.T @ self.turned)
            self.inner, failed = lapack.dpotrf(inner, lower=0)
            self.sound = not failed

    def __call__(self, target: Floats) -> Floats:
        from scipy.linalg import blas, lapack

        turned = blas.dtrsm(1.0, self.factor, np.asfortranarray(target), trans_a=1)
        if self.turned.shape[1]:
            shift, _ = lapack.dpotrs(self.inner, self.turned.T @ turned, lower=0)
            turned = turned + self.turned @ shift
        made: Floats = blas.dtrsm(1.0, self.factor, np.asfortranarray(turned))
        return made
