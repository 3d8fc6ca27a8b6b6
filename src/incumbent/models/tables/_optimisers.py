"""Five gradient optimizers over arrays, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from incumbent.core import Floats

Step = Callable[[Floats, float], Floats]


def stepper(name: str) -> Step:
    """Return a function ``(gradient, lr) -> change`` with its own state, for one array of weights.

    Parameters
    ----------
    name : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}
        The published rule, with the constants of its paper: momentum 0.9 (Polyak 1964), AdaGrad (Duchi et al. 2011,
        eq. 1), RMSProp with decay 0.9 (Tieleman and Hinton 2012), Adam with 0.9 and 0.999 and bias correction (Kingma
        and Ba 2015, Algorithm 1). AdamW is the same here: the estimator's own penalty decays the weights.

    Examples
    --------
    >>> step = stepper("momentum")
    >>> [step(np.ones(1), 0.1).item(), step(np.ones(1), 0.1).item()]
    [-0.1, -0.19]
    """
    mean: Floats | float = 0.0
    square: Floats | float = 0.0
    count = 0

    def step(gradient: Floats, lr: float) -> Floats:
        nonlocal mean, square, count
        count += 1
        change: Floats = gradient
        if name == "momentum":
            mean = 0.9 * mean + gradient
            change = np.asarray(mean)
        elif name == "adagrad":
            square = square + gradient * gradient
            change = gradient / (np.sqrt(square) + 1e-10)
        elif name == "rmsprop":
            square = 0.9 * square + 0.1 * gradient * gradient
            change = gradient / (np.sqrt(square) + 1e-8)
        elif name in ("adam", "adamw"):
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient * gradient
            change = mean / (1 - 0.9**count) / (np.sqrt(square / (1 - 0.999**count)) + 1e-8)
        return -lr * change

    return step
