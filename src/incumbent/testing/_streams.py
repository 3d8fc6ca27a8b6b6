"""Streams with known drift: when it begins, how large it is, and how well the best model can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from incumbent.core import Batch, Floats, Task
from incumbent.errors import UsageError


def stationary_stream(
    *,
    batches: int = 10,
    rows: int = 500,
    features: int = 5,
    task: Task = "classification",
    classes: int = 2,
    noise: float = 0.1,
    seed: int = 0,
) -> Iterator[Batch]:
    """Yield batches that all follow one rule: what looks like drift here is chance.

    Features ``x`` are standard normal. The rule is a direction ``w`` of length one. A regression's target is ``x @ w``
    plus `noise` times a standard normal number. A class is the interval between quantiles that ``x @ w`` falls into, so
    classes are equally frequent; with probability `noise` it is drawn at random. The best model has a root mean squared
    error of `noise`, or an accuracy of ``1 - noise * (classes - 1) / classes``.

    Parameters
    ----------
    batches : int
        How many batches.
    rows : int
        Rows in each.
    features : int
        Columns, named x0, x1, ...; at least 2, so that the rule can turn.
    task : {"classification", "regression"}
        What to predict.
    classes : int
        How many classes, labelled 0, 1, ...
    noise : float
        How far targets are from the rule.
    seed : int
        The same seed gives the same stream.

    Yields
    ------
    Batch
        With a data frame as `x`, labels `y`, and the number of the row in the stream as `time`.

    Examples
    --------
    >>> first, second = stationary_stream(batches=2, rows=3)
    >>> list(first.x.columns), second.y.shape, second.time.tolist()
    (['x0', 'x1', 'x2', 'x3', 'x4'], (3,), [3, 4, 5])
    """
    return _Rule(rows, features, task, classes, noise, 0.0, seed).stream(batches, lambda at: np.zeros(len(at)))


def abrupt_drift_stream(
    *,
    at: int = 5,
    angle: float = 90.0,
    batches: int = 10,
    rows: int = 500,
    features: int = 5,
    task: Task = "classification",
    classes: int = 2,
    noise: float = 0.1,
    seed: int = 0,
) -> Iterator[Batch]:
    """Yield batches whose rule changes at once, with the first row of batch `at` (counted from 0).

    Before that, the stream is that of `stationary_stream`. With two classes the new rule disagrees with the old one
    on a fraction ``angle / 180`` of the rows.

    Parameters
    ----------
    at : int
        The first batch of the new rule.
    angle : float
        How far the direction turns, in degrees from 0 to 180.
    batches, rows, features, task, classes, noise, seed
        As in `stationary_stream`.

    Examples
    --------
    >>> before, after = abrupt_drift_stream(at=1, batches=2, angle=180.0, noise=0.0)
    >>> from sklearn.linear_model import LogisticRegression
    >>> old = LogisticRegression(C=100).fit(before.x, before.y)
    >>> bool(old.score(before.x, before.y) > 0.95), bool(old.score(after.x, after.y) < 0.05)
    (True, True)
    """
    made = _Rule(rows, features, task, classes, noise, angle, seed)
    return made.stream(batches, lambda row: (row >= at * rows).astype(np.float64))


def gradual_drift_stream(
    *,
    start: int = 3,
    end: int = 7,
    angle: float = 90.0,
    batches: int = 10,
    rows: int = 500,
    features: int = 5,
    task: Task = "classification",
    classes: int = 2,
    noise: float = 0.1,
    seed: int = 0,
) -> Iterator[Batch]:
    """Yield batches in which more and more rows follow the new rule, the others the old one [1]_.

    The fraction of the new rule rises linearly, from 0 at the first row of batch `start` to 1 at that of `end`.

    Parameters
    ----------
    start, end : int
        The change begins with the first row of batch `start` and is complete with the first row of batch `end`.
    angle : float
        How far the direction turns, in degrees from 0 to 180.
    batches, rows, features, task, classes, noise, seed
        As in `stationary_stream`.

    References
    ----------
    .. [1] Gama et al. (2014), A Survey on Concept Drift Adaptation, ACM Computing Surveys 46.

    Examples
    --------
    >>> [len(batch) for batch in gradual_drift_stream(start=1, end=2, batches=3, rows=10)]
    [10, 10, 10]
    """
    if not start < end:
        raise UsageError(f"gradual_drift_stream(start=..., end=...) needs start < end; it was given {start} and {end}.")
    made = _Rule(rows, features, task, classes, noise, angle, seed)
    return made.stream(batches, lambda row: np.clip((row / rows - start) / (end - start), 0.0, 1.0))


@dataclass(frozen=True)
class _Rule:
    rows: int
    features: int
    task: Task
    classes: int
    noise: float
    angle: float
    seed: int

    def __post_init__(self) -> None:
        least = {"rows": 1, "features": 2, "classes": 2, "noise": 0, "angle": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise UsageError(f"A stream takes {name} of at least {low}; it was given {getattr(self, name)!r}.")

    def stream(self, batches: int, new_fraction: Callable[[Floats], Floats]) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        old, orthogonal = np.linalg.qr(rng.normal(size=(self.features, 2)))[0].T
        turn = np.deg2rad(self.angle)
        new = np.cos(turn) * old + np.sin(turn) * orthogonal
        for number in range(batches):
            time = np.arange(number * self.rows, (number + 1) * self.rows)
            x = rng.normal(size=(self.rows, self.features))
            follows_new = rng.random(self.rows) < new_fraction(time.astype(np.float64))
            y = self._target(np.where(follows_new, x @ new, x @ old), rng)
            yield Batch(pd.DataFrame(x, columns=[f"x{i}" for i in range(self.features)]), y, time=time)

    def _target(self, score: Floats, rng: np.random.Generator) -> np.ndarray:
        if self.task == "regression":
            return score + self.noise * rng.normal(size=self.rows)
        bounds = [NormalDist().inv_cdf(i / self.classes) for i in range(1, self.classes)]
        drawn = rng.integers(self.classes, size=self.rows)
        return np.where(rng.random(self.rows) < self.noise, drawn, np.searchsorted(bounds, score))
