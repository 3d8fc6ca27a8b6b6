"""Streams whose drift is known: where it begins, how large it is, and how well the best model can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from incumbent.core import Batch, Floats, Task
from incumbent.errors import UsageError


def no_change(
    *,
    batches: int = 10,
    rows: int = 500,
    features: int = 5,
    task: Task = "classification",
    classes: int = 2,
    noise: float = 0.1,
    seed: int = 0,
) -> Iterator[Batch]:
    """Yield batches that follow one rule throughout: whatever looks like drift here is chance.

    Features are independent standard normal numbers ``x``. The rule is a direction ``w`` of length one: a regression's
    target is ``x @ w`` plus `noise` times a standard normal number; a class is the interval that ``x @ w`` falls into,
    between quantiles, so that the classes are equally frequent, and with probability `noise` it is drawn anew. The best
    possible model has a root mean squared error of `noise`, or an accuracy of ``1 - noise * (classes - 1) / classes``.

    Parameters
    ----------
    batches : int
        How many batches.
    rows : int
        Rows in each.
    features : int
        Columns, named x0, x1, ...; at least 2, for a rule must have room to turn.
    task : {"classification", "regression"}
        What is to be predicted.
    classes : int
        How many classes, labelled 0, 1, ...
    noise : float
        How far targets stray from the rule.
    seed : int
        Where randomness enters; the same seed gives the same stream.

    Yields
    ------
    Batch
        With a data frame as `x`, labels `y`, and the number of the row in the stream as `time`.

    Examples
    --------
    >>> first, second = no_change(batches=2, rows=3)
    >>> list(first.x.columns), second.y.shape, second.time.tolist()
    (['x0', 'x1', 'x2', 'x3', 'x4'], (3,), [3, 4, 5])
    """
    return _Rule(rows, features, task, classes, noise, 0.0, seed).stream(batches, lambda at: np.zeros(len(at)))


def sudden(
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
    """Yield batches whose rule changes at once, with the first row of batch number `at` (counted from 0).

    Until then the stream is that of `no_change`; then the direction has turned by `angle`. With two classes the new
    rule disagrees with the old one on a share ``angle / 180`` of the rows.

    Parameters
    ----------
    at : int
        The first batch of the new rule.
    angle : float
        By how much the direction turns, in degrees from 0 to 180.
    batches, rows, features, task, classes, noise, seed
        As in `no_change`.

    Examples
    --------
    >>> before, after = sudden(at=1, batches=2, angle=180.0, noise=0.0)
    >>> from sklearn.linear_model import LogisticRegression
    >>> old = LogisticRegression(C=100).fit(before.x, before.y)
    >>> bool(old.score(before.x, before.y) > 0.95), bool(old.score(after.x, after.y) < 0.05)
    (True, True)
    """
    made = _Rule(rows, features, task, classes, noise, angle, seed)
    return made.stream(batches, lambda row: (row >= at * rows).astype(np.float64))


def gradual(
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
    """Yield batches in which more and more rows follow the new rule, each either the old or the new (Gama et al. 2014).

    The share of the new rule rises linearly, from 0 at the first row of batch `start` to 1 at the first row of `end`.

    Parameters
    ----------
    start, end : int
        The batches with whose first rows the change begins and is complete.
    angle : float
        By how much the direction of the new rule is turned, in degrees from 0 to 180.
    batches, rows, features, task, classes, noise, seed
        As in `no_change`.

    References
    ----------
    Gama, Zliobaite, Bifet, Pechenizkiy and Bouchachia (2014), A Survey on Concept Drift Adaptation, ACM Computing
    Surveys 46.

    Examples
    --------
    >>> [len(batch) for batch in gradual(start=1, end=2, batches=3, rows=10)]
    [10, 10, 10]
    """
    if not start < end:
        raise UsageError(f"gradual(start=..., end=...) needs start < end; it was given {start} and {end}.")
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

    def stream(self, batches: int, share: Callable[[Floats], Floats]) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        old, aside = np.linalg.qr(rng.normal(size=(self.features, 2)))[0].T
        turn = np.deg2rad(self.angle)
        new = np.cos(turn) * old + np.sin(turn) * aside
        for number in range(batches):
            time = np.arange(number * self.rows, (number + 1) * self.rows)
            x = rng.normal(size=(self.rows, self.features))
            follows_new = rng.random(self.rows) < share(time.astype(np.float64))
            y = self._target(np.where(follows_new, x @ new, x @ old), rng)
            yield Batch(pd.DataFrame(x, columns=[f"x{i}" for i in range(self.features)]), y, time=time)

    def _target(self, score: Floats, rng: np.random.Generator) -> np.ndarray:
        if self.task == "regression":
            return score + self.noise * rng.normal(size=self.rows)
        bounds = [NormalDist().inv_cdf(i / self.classes) for i in range(1, self.classes)]
        drawn = rng.integers(self.classes, size=self.rows)
        return np.where(rng.random(self.rows) < self.noise, drawn, np.searchsorted(bounds, score))
