"""Five gradient optimisers over arrays by name, as small pure steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from incumbent.core import Floats

Step = Callable[[Floats, float], Floats]


def stepper(name: str) -> Step:
    """Return a function ``(gradient, lr) -> change`` that keeps its own state; one for each array of weights.

    Parameters
    ----------
    name : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}
        The published rule, with the constants of its paper: momentum 0.9 (Polyak 1964), AdaGrad (Duchi et al. 2011,
        eq. 1), RMSProp with decay 0.9 (Tieleman and Hinton 2012), Adam with 0.9 and 0.999 and bias correction (Kingma
        and Ba 2015, Algorithm 1). AdamW is the same here: what decays the weights is the estimator's own penalty.

    Examples
    --------
    >>> step = stepper("momentum")
    >>> [step(np.ones(1), 0.1).item(), step(np.ones(1), 0.1).item()]
    [-0.1, -0.19]
    """
    return _STEPPERS[name]()


def _sgd() -> Step:
    return lambda gradient, lr: -lr * gradient


def _momentum(decay: float = 0.9) -> Step:
    velocity: Floats | float = 0.0

    def step(gradient: Floats, lr: float) -> Floats:
        nonlocal velocity
        velocity = decay * velocity + gradient
        return -lr * velocity

    return step


def _adagrad(tiny: float = 1e-10) -> Step:
    total: Floats | float = 0.0

    def step(gradient: Floats, lr: float) -> Floats:
        nonlocal total
        total = total + gradient * gradient
        change: Floats = -lr * gradient / (np.sqrt(total) + tiny)
        return change

    return step


def _rmsprop(decay: float = 0.9, tiny: float = 1e-8) -> Step:
    mean: Floats | float = 0.0

    def step(gradient: Floats, lr: float) -> Floats:
        nonlocal mean
        mean = decay * mean + (1 - decay) * gradient * gradient
        change: Floats = -lr * gradient / (np.sqrt(mean) + tiny)
        return change

    return step


def _adam(first: float = 0.9, second: float = 0.999, tiny: float = 1e-8) -> Step:
    mean: Floats | float = 0.0
    square: Floats | float = 0.0
    count = 0

    def step(gradient: Floats, lr: float) -> Floats:
        nonlocal mean, square, count
        count += 1
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * gradient * gradient
        unbiased = np.sqrt(square / (1 - second**count)) + tiny
        change: Floats = -lr * mean / (1 - first**count) / unbiased
        return change

    return step


_STEPPERS: dict[str, Callable[[], Step]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
}
