"""Fit from scratch."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Retrain(Edit):
    """Fit the champion's own settings from scratch on all remembered rows and the new ones.

    It works with every model, and cheaper strategies are measured against it. Its cost is bounded because the memory
    is.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Retrain().prepare(Recipe(), Memory())
    Recipe(Data(ReplayRows()), structure=Structure('scratch'))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from scratch on every row."""
        return recipe.replace(start="scratch", replay=ReplayRows())
