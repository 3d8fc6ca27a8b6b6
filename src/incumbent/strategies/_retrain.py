"""Fit anew."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Retrain(Edit):
    """Fit the champion's own settings from scratch on all that is remembered and the new rows.

    Works with every model, and is what every cheaper strategy is measured against. Its cost stays bounded because the
    memory is.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Retrain().prepare(Recipe(), Memory())
    Recipe(Data(None), structure=Structure('scratch'))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from scratch on every row."""
        return recipe.but(start="scratch", replay=None)
