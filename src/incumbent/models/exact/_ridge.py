"""Ridge regression solved exactly from its statistics, which choose its penalty too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incumbent.core import Floats
from incumbent.errors import DataError
from incumbent.models.exact._statistics import Statistics

_PROBES, _NARROW = 16, 500
_STEP, _FLAT, _TRIES = np.log(10.0), 0.005, 12
_START, _LEAST, _MOST, _NEAR, _PLATEAU = 1e-2, 1e-7, 1e3, 0.2, 0.01


@dataclass(frozen=True, eq=False)
class Solution:
    """The minimiser W, b of ``sum_i w_i ||y_i - W'x_i - b||**2 + ridge * ||W||**2``, and the sums it was solved from.

    W is `coef` (m, k); b is `intercept` (k,), which is not penalised.
    """

    coef: Floats
    intercept: Floats
    ridge: float
    statistics: Statistics


def solve(statistics: Statistics, ridge: float | None = None, *, start: float | None = None) -> Solution:
    r"""Return the ridge solution of these statistics: one Cholesky factorisation, or a few to choose the penalty.

    Parameters
    ----------
    statistics : Statistics
        Sums over all rows.
    ridge : float, optional
        The penalty, as in scikit-learn's ``Ridge(alpha=...)``. None chooses the minimiser of the generalised
        cross-validation score

        .. math:: \mathrm{GCV}(\lambda) = \frac{\frac1n \sum_i \|y_i - \hat y_i\|^2}
                  {(1 - \mathrm{dof}(\lambda) / n)^2}, \qquad
                  \mathrm{dof} = 1 + \mathrm{tr}\, S (S + \lambda I)^{-1}

        (S the centred Gram matrix), which needs only the sums. The slope in :math:`\log\lambda` comes from the same
        factorisation, so the search steps downhill and stops where the score is almost level, mostly after one to three
        steps. The trace is exact up to 500 features and if rows are fewer than features. Otherwise it is an average
        over 16 random sign vectors, the same for every penalty.
    start : float, optional
        Where the search starts, such as the last penalty; by default a hundredth of the mean eigenvalue of S.

    Raises
    ------
    DataError
        There are no rows, or the features are linearly dependent and the penalty is too small.

    Examples
    --------
    >>> from incumbent.models.exact import gather
    >>> x = np.arange(10.0)[:, None]
    >>> solution = solve(gather([(x, 3 * x[:, 0] + 1, None)], classification=False), 1e-9)
    >>> solution.coef.round(6).tolist(), solution.intercept.round(6).tolist()
    ([[3.0]], [1.0])

    References
    ----------
    Golub, Heath and Wahba (1979), Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter,
    Technometrics 21, 215-223. Girard (1989), A fast Monte-Carlo cross-validation procedure, Numer. Math. 56, 1-23.
    """
    if statistics.rows <= 0:
        raise DataError("A ridge regression needs at least one row, and there are none.")
    if ridge is not None:
        return _factorize(statistics, ridge)[0]
    scale = mean_eigenvalue(statistics)
    if statistics.rows < 2 or not scale > 0:
        return _factorize(statistics, scale if scale > 0 else 1.0)[0]
    if start is None:
        return _search(statistics, scale, _START, near=0.0)
    return _search(statistics, scale, start / scale, near=_NEAR)


def _search(statistics: Statistics, scale: float, start: float, *, near: float) -> Solution:
    """Step down the slope of GCV by factors of ten, then close in on where it is level.

    From a penalty that was chosen before (`near` is not 0), a slope twice as large counts as level, and the first step
    is shorter if the slope is less than `near` of the two terms whose difference it is. If these are almost zero, the
    search starts again from the default.
    """
    spot, flat = float(np.log(np.clip(start, _LEAST, _MOST))), 2.0 * _FLAT if near else _FLAT
    best, score, slope, force = _gcv(statistics, scale * np.exp(spot))
    if near and force < _PLATEAU:  # the penalty is too small for this many rows to make a difference
        return _search(statistics, scale, _START, near=0.0)
    low, high = (None, (spot, slope)) if slope > 0 else ((spot, slope), None)
    for _ in range(_TRIES):
        if abs(slope) < flat:
            break
        if low is not None and high is not None:
            if high[0] - low[0] < 0.5:
                break
            fraction = float(np.clip(low[1] / (low[1] - high[1]), 0.1, 0.9))
            spot = low[0] + fraction * (high[0] - low[0])
        else:
            step = 5.0 * abs(slope) / force if abs(slope) < near * force else _STEP
            spot, near = spot - step if slope > 0 else spot + step, 0.0
            if not np.log(_LEAST) <= spot <= np.log(_MOST):
                break
        made, value, slope, force = _gcv(statistics, scale * np.exp(spot))
        low, high = (low, (spot, slope)) if slope > 0 else ((spot, slope), high)
        if value < score:
            best, score = made, value
    return best


def _gcv(statistics: Statistics, ridge: float) -> tuple[Solution, float, float, float]:
    """Return the solution, the logarithm of its GCV score, and the slope of that over the logarithm of the penalty.

    The last value is the sum of the two terms, misfit and freedom, whose difference the slope is.
    """
    (made, factor), n = _factorize(statistics, ridge), statistics.rows
    coef, target = made.coef, _centred_cross(statistics)
    variation = float((statistics.square - statistics.count**2 / n).sum())
    misfit = max(variation - float((coef * target).sum()) - ridge * float((coef**2).sum()), 1e-12 * variation)
    trace, squares = _traces(factor, statistics)
    left = max(n - 1.0 - statistics.width + ridge * trace, 1e-9 * n)
    steeper = 2.0 * ridge * float((coef * _solve(factor, coef)).sum())
    misfitting, freedom = ridge * steeper / max(misfit, 1e-300), 2.0 * ridge * (trace - ridge * squares) / left
    score = float(np.log(max(misfit, 1e-300)) - 2.0 * np.log(left / n))
    return made, score, misfitting - freedom, misfitting + freedom


def _traces(factor: Floats, statistics: Statistics) -> tuple[float, float]:
    """Return the traces of the inverse and of its square."""
    from scipy.linalg import lapack

    if statistics.width <= _NARROW or statistics.rows < statistics.width:
        inverse, _ = lapack.dpotri(factor, lower=0)
        upper = np.triu(inverse, 1)
        diagonal = inverse.diagonal()
        return float(diagonal.sum()), float(2.0 * (upper**2).sum() + (diagonal**2).sum())
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(statistics.width, _PROBES))
    solved = _solve(factor, signs)
    return float((signs * solved).sum() / _PROBES), float((solved**2).sum() / _PROBES)


def _factorize(statistics: Statistics, ridge: float) -> tuple[Solution, Floats]:
    """Return the solution for a penalty, and the upper Cholesky factor of the centred Gram matrix plus the penalty."""
    from scipy.linalg import blas, lapack

    mean = statistics.total / statistics.rows
    centred = blas.dsyr(-statistics.rows, mean, a=np.array(statistics.gram, order="F"), overwrite_a=1)
    centred[np.diag_indices_from(centred)] += ridge
    factor, failed = lapack.dpotrf(centred, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise DataError(
            f"The features are linearly dependent to within rounding, and a ridge of {ridge:g} is too small to "
            "separate them; give a larger one, or None to choose it."
        )
    coef = _solve(factor, _centred_cross(statistics))
    intercept = (statistics.count - statistics.total @ coef) / statistics.rows
    return Solution(coef, intercept, ridge, statistics), factor


def _solve(factor: Floats, target: Floats) -> Floats:
    from scipy.linalg import lapack

    made: Floats = lapack.dpotrs(factor, np.asfortranarray(target), lower=0)[0]
    return made


def _centred_cross(statistics: Statistics) -> Floats:
    made: Floats = statistics.cross - np.outer(statistics.total, statistics.count / statistics.rows)
    return made


def mean_eigenvalue(statistics: Statistics) -> float:
    """Return the mean eigenvalue of the centred Gram matrix: the scale that a penalty is compared with."""
    variation = statistics.gram.diagonal() - statistics.total**2 / statistics.rows
    return float(np.maximum(variation, 0.0).mean())
