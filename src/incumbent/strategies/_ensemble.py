"""Keep the champion, and add the challenger to an ensemble with it."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Ensemble, Memory, Recipe
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Vote(Edit):
    """Average the members' probabilities (or values), each with the same weight.

    A later update adds its challenger to the same ensemble; with more than `members`, the oldest leaves.

    Parameters
    ----------
    members : int
        The most members that are kept.

    Examples
    --------
    >>> from incumbent.strategies import Window, chain
    >>> chain(Window(5000), Vote())
    chain(Window(5000), Vote(5))
    """

    members: int = 5

    def __post_init__(self) -> None:
        self._check_positive("members", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(ensemble=Ensemble("vote", self.members))


@dataclass(frozen=True, repr=False)
class Weighted(Edit):
    """Average the members with weights from their performance on the select rows.

    A classifier's weight is ``max(0, mse_r - mse_i)``, with ``mse_i`` the mean of ``(1 - p(true class))**2`` and
    ``mse_r`` that of a model that knows only the class frequencies; a regressor's is ``1 / mse_i``. With more than
    `members`, the one of least weight leaves.

    Parameters
    ----------
    members : int
        The most members that are kept.

    References
    ----------
    Wang, Fan, Yu and Han (2003), Mining Concept-Drifting Data Streams using Ensemble Classifiers, KDD, eq. 8.

    Examples
    --------
    >>> Weighted(members=3)
    Weighted(3)
    """

    members: int = 5

    def __post_init__(self) -> None:
        self._check_positive("members", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(ensemble=Ensemble("weighted", self.members))


@dataclass(frozen=True, repr=False)
class Stack(Edit):
    """Combine champion and challenger by a small linear model that is fitted on the select rows.

    That is a regularised logistic regression of their log-probabilities, or for a regression non-negative least squares
    of their values.

    References
    ----------
    Wolpert (1992), Stacked Generalization, Neural Networks 5.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Stack().prepare(Recipe(), Memory()).finish
    Finish(ensemble=Ensemble('stack', members=2))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(ensemble=Ensemble("stack", 2))
