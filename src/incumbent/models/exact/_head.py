"""A head that is solved exactly on frozen features, and models that give such features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard

from incumbent.core import Array, Batch, Floats, Model
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


class Featured(Model, Protocol):
    """A model whose last layer can be replaced by one that is solved exactly. Its features never change by that."""

    @property
    def raw(self) -> bool:
        """Whether the features are the columns as they come, of unlike units."""

    @property
    def head(self) -> Head | None:
        """The analytic head that it has, if it has one."""

    def features(self, x: Any) -> Any:
        """Return what the last layer reads (n, d), before any `Head.lift`: an array, a frame or a sparse matrix.

        A row must give the same numbers whatever rows are beside it, or it cannot be forgotten exactly.
        """

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Model:
        """Return a model that predicts by these features, `head.lift` and the layer, and keeps `head`."""


def featured(model: Model) -> TypeGuard[Featured]:
    """Whether this model gives the features that its last layer reads, and takes another layer."""
    return "features" in model.abilities and hasattr(model, "with_head")


def headed(solution: Solution, lift: Any, temperature: float, token: str, train: Batch | None) -> Head:
    """Return the head of a solution."""
    classes, coef, intercept = solution.statistics.classes, solution.coef.T, solution.intercept
    return Head(coef, intercept, classes, lift, temperature, solution.ridge, token, solution, train)
