"""A head that is solved exactly on frozen features, and models that give such features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from incumbent.core import Array, Batch, Floats
from incumbent.models.exact._ridge import Solution


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer on frozen features, and where its statistics belong.

    Parameters
    ----------
    coef, intercept : (k, m) and (k,) arrays
        Weights of the scores; one row for a numeric target.
    classes : (k,) array, optional
        The classes, sorted.
    lift : transformer, optional
        What lies between the features and the layer: a `RandomReLU`, a scaler, or nothing.
    temperature : float
        Class probabilities are ``softmax(temperature * scores)``.
    ridge : float
        The penalty it was solved with.
    token : str
        Names the features, so that statistics of others are never mixed in.
    solution : Solution, optional
        What it was solved from; not stored with the model.
    train : Batch, optional
        The rows that were new then; not stored with the model.
    """

    coef: Floats
    intercept: Floats
    classes: Array | None
    lift: Any
    temperature: float
    ridge: float
    token: str
    solution: Solution | None = field(default=None, repr=False)
    train: Batch | None = field(default=None, repr=False)


def headed(solution: Solution, lift: Any, temperature: float, token: str, train: Batch | None) -> Head:
    """Return the head of a solution."""
    classes, coef, intercept = solution.statistics.classes, solution.coef.T, solution.intercept
    return Head(coef, intercept, classes, lift, temperature, solution.ridge, token, solution, train)
