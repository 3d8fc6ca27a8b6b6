"""Append trees to those of the champion."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent._deprecated import renamed_members
from incumbent.core import Memory, Recipe, RefitLeaves, Trees
from incumbent.strategies._edit import Edit


@renamed_members({"shrink": "learning_rate"})
@dataclass(frozen=True, repr=False)
class AppendTrees(Edit):
    """Append trees or boosting rounds that are fitted to the new rows, or refit the leaves of the existing trees.

    Works with scikit-learn forests and gradient boosting (`warm_start`), LightGBM (`init_model`, `refit`) and XGBoost
    (`xgb_model`, `refresh`). Prediction gets slower with each tree, so there is a limit: an adapter that would pass it
    fits from scratch and adds a note.

    Parameters
    ----------
    rounds : int
        Boosting rounds or trees to append.
    learning_rate : float, optional
        Learning rate of the appended rounds; None keeps the model's own.
    l2 : float
        L2 penalty on the new leaves. Without it, leaves with few new rows take extreme values.
    refit : float, optional
        Append nothing. Keep the trees and refit their leaves; each keeps this fraction of its old value.

    Examples
    --------
    >>> AppendTrees(50), AppendTrees(refit=0.9)
    (AppendTrees(50), AppendTrees(20, refit=0.9))
    """

    rounds: int = 20
    learning_rate: float | None = None
    l2: float = 1.0
    refit: float | None = None

    def __post_init__(self) -> None:
        self._check_positive("rounds", whole=True)
        self._check_positive("learning_rate", "refit")
        self._check_positive("l2", or_zero=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        if self.refit is not None:
            return recipe.replace(start="champion", trees=RefitLeaves(self.refit, self.l2))
        return recipe.replace(start="champion", trees=Trees(self.rounds, self.learning_rate, self.l2))
