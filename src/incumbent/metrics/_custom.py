"""Any Python function as a metric: ``module:function``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent._import_named import import_named
from incumbent.core import Array, Floats, Prediction
from incumbent.errors import UsageError
from incumbent.metrics._base import Score
from incumbent.metrics._labels import probabilities


@dataclass(frozen=True, repr=False)
class Custom(Score):
    """A function ``f(y_true, y_pred[, y_proba][, sample_weight]) -> float``, found by name.

    Larger is better unless the function has an attribute ``greater_is_better = False``. It gets class probabilities and
    row weights only if it has parameters of those names. Margins are fractions of the champion's score, since the unit
    is not known.

    Parameters
    ----------
    path : str
        ``module:function``; modules in the working directory are found too.

    Raises
    ------
    UsageError
        If there is no such function, or it does not return a number.

    Examples
    --------
    >>> Custom("math:dist").score(np.array([0.0, 0.0]), Prediction(np.array([3.0, 4.0])))
    5.0
    """

    path: str

    relative = True

    def __post_init__(self) -> None:
        _load(self.path)

    @property
    def name(self) -> str:  # type: ignore[override]  # of the function, not of the class
        """Its name on the command line."""
        return self.path

    @property
    def needs_proba(self) -> bool:  # type: ignore[override]  # depends on the function
        """Whether the function cannot be called without probabilities."""
        return _parameters(self.path).get("y_proba", False)

    @property
    def greater_is_better(self) -> bool:  # type: ignore[override]  # depends on the function
        """The attribute of the function; True without one."""
        return bool(getattr(_load(self.path), "greater_is_better", True))

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""
        if weight is None or "sample_weight" in _parameters(self.path):
            return self._call(np.asarray(y), prediction, weight)
        index = _copies(np.asarray(weight, dtype=np.float64))
        return self._call(np.asarray(y)[index], prediction.take(index), None)

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings (B, n); without `sample_weight` rows are repeated."""
        return np.array([self.score(y, prediction, row) for row in weight])

    def _call(self, y: Array, prediction: Prediction, weight: Floats | None) -> float:
        takes, given = _parameters(self.path), {}
        if "y_proba" in takes and (self.needs_proba or prediction.proba is not None):
            given["y_proba"] = probabilities(prediction, self.path)[0]
        if "sample_weight" in takes and weight is not None:
            given["sample_weight"] = weight
        try:
            value = _load(self.path)(y, prediction.label, **given)
        except Exception as error:  # the function can raise anything
            raise UsageError(
                f"{self.path} failed on {len(y):,} rows with {type(error).__name__}: {error}. A metric takes (y_true, "
                "y_pred) and returns a number, whatever rows it is given."
            ) from error
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{self.path} returned {value!r}; a metric returns one number.") from error


def _copies(weight: Floats) -> Array:
    """Return n row numbers, each repeated in proportion to its weight (systematic rounding)."""
    total = weight.sum()
    if total <= 0:
        return np.arange(0)
    edge = np.floor(np.cumsum(weight) * (len(weight) / total) + 0.5).astype(np.intp)
    return np.repeat(np.arange(len(weight)), np.diff(edge, prepend=0))


@functools.cache
def _load(path: str) -> Callable[..., Any]:
    found: Any = import_named(path, "metric", UsageError)
    if not callable(found):
        raise UsageError(f"{path} is a {type(found).__name__}, not a function f(y_true, y_pred) -> float.")
    return found  # type: ignore[no-any-return]  # callable was checked


@functools.cache
def _parameters(path: str) -> dict[str, bool]:
    """Return the names of the parameters, each with whether it is required."""
    try:
        parameters = inspect.signature(_load(path)).parameters
    except ValueError:  # some functions written in C have no signature
        return {}
    return {name: p.default is p.empty for name, p in parameters.items()}
