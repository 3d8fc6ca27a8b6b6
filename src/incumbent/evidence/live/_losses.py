"""What may come in: losses of two models on the same rows, in [0, bound]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from incumbent.core import Floats
from incumbent.errors import DataError, UsageError


def check_settings(alpha: float, min_gain: float, bound: float) -> None:
    """Raise UsageError where the settings mean nothing."""
    if not 0.0 < alpha <= 0.5:
        raise UsageError(f"alpha is the chance of a false alarm, in (0, 0.5], such as 0.05; {alpha} was given.")
    if not 0.0 < bound < math.inf:
        raise UsageError(
            f"bound is the largest loss that a row can have, above 0 and finite; {bound} was given. For a loss without "
            "one, give a quantile of the champion's losses on earlier rows, such as the 99 % one: losses are cut there."
        )
    if not -bound < min_gain < bound:
        raise UsageError(f"min_gain is a gain in mean loss, inside (-{bound:g}, {bound:g}); {min_gain} was given.")


def paired(champion: ArrayLike, challenger: ArrayLike, bound: float) -> Floats:
    """Return champion's loss minus challenger's in units of `bound`, each cut off at `bound`.

    Raises
    ------
    DataError
        If the two have different lengths, or a loss is negative or not a number.
    """
    ours, theirs = _losses(champion, "champion", bound), _losses(challenger, "challenger", bound)
    if len(ours) != len(theirs):
        raise DataError(
            f"champion has {len(ours)} losses but challenger has {len(theirs)}; they are paired row by row."
        )
    return (ours - theirs) / bound


def scaled(differences: ArrayLike, bound: float) -> Floats:
    """Return differences of losses in units of `bound`.

    Raises
    ------
    DataError
        If one is outside [-bound, bound]: what was cut off must be cut off in each loss, not in the difference.
    """
    values = _column(differences, "differences")
    wrong = ~(np.abs(values) <= bound)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"differences of losses in [0, {bound:g}] lie in [-{bound:g}, {bound:g}]; row {at} has {values[at]}. Give "
            "the losses themselves to update(), which cuts them off, or a larger bound to a new monitor."
        )
    return values / bound


def _losses(given: ArrayLike, whose: str, bound: float) -> Floats:
    losses = _column(given, whose)
    wrong = ~(losses >= 0.0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{whose} has {losses[at]} as the loss of row {at}; a loss is a number, 0 or more.")
    return np.minimum(losses, bound)


def _column(given: ArrayLike, name: str) -> Floats:
    try:
        column = np.atleast_1d(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        raise DataError(f"{name} must be numbers, one for each row; {given!r:.80} was given.") from None
    if column.ndim != 1:
        raise DataError(f"{name} must be one number for each row, of shape (n,); shape {column.shape} was given.")
    return column
