"""Losses of linear models: their value, the slope by the score, and the Fisher information if there is one.

Scores are (n, k): one column for a binary classifier or a regression, one per class otherwise. Targets are (n, k) too:
0 and 1 for the likelihoods, -1 and 1 for the margins, the value itself for a regression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, softmax

from incumbent.core import Floats

Function = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class LinearLoss:
    """A loss of scores (n, k) and targets (n, k).

    `value` is the loss per row (n,), `slope` its derivative by the score (n, k). `fisher` of a score is the expectation
    of ``slope**2`` over labels drawn from the model; None if the loss is not a likelihood. With `signs`, targets are -1
    and 1.
    """

    value: Function
    slope: Function
    fisher: Callable[[Floats], Floats] | None = None
    signs: bool = False


def _bernoulli(score: Floats) -> Floats:
    p: Floats = expit(score)
    variance: Floats = p * (1 - p)
    return variance


def _categorical(score: Floats) -> Floats:
    p: Floats = softmax(score, axis=1)
    variance: Floats = p * (1 - p)  # E[(p_k - 1{y = k})**2] = p_k (1 - p_k)
    return variance


def _modified_huber(score: Floats, sign: Floats) -> Floats:
    z = score * sign
    value: Floats = np.where(z < -1, -4 * z, np.maximum(0, 1 - z) ** 2).sum(axis=1)
    return value


def _modified_huber_slope(score: Floats, sign: Floats) -> Floats:
    z = score * sign
    return sign * np.where(z < -1, -4.0, np.where(z < 1, -2 * (1 - z), 0.0))


def huber(width: float) -> LinearLoss:
    """Return the squared error that grows linearly beyond `width`."""
    return LinearLoss(
        lambda s, t: np.where(abs(s - t) <= width, (s - t) ** 2 / 2, width * abs(s - t) - width**2 / 2).sum(axis=1),
        lambda s, t: np.clip(s - t, -width, width),
    )


def epsilon_insensitive(width: float) -> LinearLoss:
    """Return the absolute error beyond a free band of `width`."""
    return LinearLoss(
        lambda s, t: np.maximum(0, abs(s - t) - width).sum(axis=1),
        lambda s, t: np.sign(s - t) * (abs(s - t) > width),
    )


def squared_epsilon_insensitive(width: float) -> LinearLoss:
    """Return the squared error beyond a free band of `width`."""
    return LinearLoss(
        lambda s, t: (np.maximum(0, abs(s - t) - width) ** 2).sum(axis=1),
        lambda s, t: 2 * np.sign(s - t) * np.maximum(0, abs(s - t) - width),
    )


SOFTMAX = LinearLoss(
    lambda s, t: -(t * log_softmax(s, axis=1)).sum(axis=1), lambda s, t: softmax(s, axis=1) - t, _categorical
)
LOG = LinearLoss(lambda s, t: (np.logaddexp(0, s) - t * s).sum(axis=1), lambda s, t: expit(s) - t, _bernoulli)
SQUARED = LinearLoss(lambda s, t: ((s - t) ** 2).sum(axis=1) / 2, lambda s, t: s - t, np.ones_like)  # unit variance
HINGE = LinearLoss(lambda s, t: np.maximum(0, 1 - s * t).sum(axis=1), lambda s, t: -t * (s * t < 1), signs=True)
SQUARED_HINGE = LinearLoss(
    lambda s, t: (np.maximum(0, 1 - s * t) ** 2).sum(axis=1), lambda s, t: -2 * t * np.maximum(0, 1 - s * t), signs=True
)
PERCEPTRON = LinearLoss(lambda s, t: np.maximum(0, -s * t).sum(axis=1), lambda s, t: -t * (s * t <= 0), signs=True)
MODIFIED_HUBER = LinearLoss(_modified_huber, _modified_huber_slope, signs=True)
