"""Which rows each step takes. NumPy draws them, so that one seed gives the same rows in every framework."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]


def epoch_generator(seed: int, epoch: int, purpose: int = 0) -> np.random.Generator:
    """Return the generator of one epoch: the same, no matter where training went on from."""
    return np.random.default_rng([seed, epoch, purpose])


def draw_balanced(classes: Positions, count: int, rng: np.random.Generator) -> Positions:
    """Draw positions with repetition so that every class has the same chance.

    Examples
    --------
    >>> at = draw_balanced(np.array([0] * 98 + [1] * 2), 1000, np.random.default_rng(0))
    >>> round(float(np.mean(at >= 98)), 1)
    0.5
    """
    by_class = np.argsort(classes, kind="stable")
    size = np.bincount(classes)
    present = np.flatnonzero(size)
    start = np.cumsum(size) - size
    chosen = present[rng.integers(len(present), size=count)]
    at: Positions = by_class[start[chosen] + (rng.random(count) * size[chosen]).astype(np.intp)]
    return at


def draw_replay(n: int, classes: Positions | None, count: int, steps: int, rng: np.random.Generator) -> Positions:
    """Draw the positions (steps, count) of old rows for each step: no row twice in a step, or balanced by class."""
    if classes is not None:
        return draw_balanced(classes, steps * count, rng).reshape(steps, count)
    return np.stack([rng.choice(n, count, replace=False) for _ in range(steps)])


def batch_bounds(n: int, size: int) -> list[tuple[int, int]]:
    """Return where mini-batches begin and end; a last row that would be alone joins the batch before it.

    Examples
    --------
    >>> batch_bounds(9, 4)
    [(0, 4), (4, 9)]
    """
    starts = list(range(0, n, size))
    if len(starts) > 1 and size > 1 and n - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n], strict=True))
