"""Grow an ensemble of trees further."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Continue(Edit):
    """Append trees or boosting rounds that are fitted to the new rows, or re-estimate the leaves of those there are.

    scikit-learn forests and gradient boosting (`warm_start`), LightGBM (`init_model`, `refit`), XGBoost (`xgb_model`,
    `refresh`). Where an ensemble has grown to its cap, the adapter fits anew and says so: prediction slows with trees.

    Parameters
    ----------
    rounds : int
        Boosting rounds or trees to append.
    shrink : float, optional
        Learning rate of the appended rounds; None keeps the model's own.
    l2 : float
        L2 penalty on the new leaves. Without one, leaves that see few new rows take extreme values and ruin the
        probabilities of a model that was good; 1 is measured to be safe.
    refit : float, optional
        Append nothing; keep the trees and re-estimate their leaves, with this share of the old value.

    Examples
    --------
    >>> Continue(50), Continue(refit=0.9)
    (Continue(50), Continue(20, refit=0.9))
    """

    rounds: int = 20
    shrink: float | None = None
    l2: float = 1.0
    refit: float | None = None

    def __post_init__(self) -> None:
        positive(self, "rounds", self.rounds, whole=True)
        for name in ("shrink", "refit"):
            if getattr(self, name) is not None:
                positive(self, name, getattr(self, name))
        if self.l2:
            positive(self, "l2", self.l2)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion's trees."""
        recipe = recipe.but(start="champion", l2=self.l2, shrink=self.shrink)
        return recipe.but(append=self.rounds) if self.refit is None else recipe.but(releaf=self.refit)
