"""A balanced handful of rows, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class GDumb(Edit):
    """Fit from scratch on a class-balanced sample of old and new rows.

    Hard to beat where classes arrive over time, and a check that a cleverer method earns its cost.

    Parameters
    ----------
    rows : int
        Rows in the sample, old and new together.

    References
    ----------
    Prabhu, Torr and Dokania (2020), GDumb: A Simple Approach that Questions Our Progress in Continual Learning, ECCV.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> GDumb(500).prepare(Recipe(), Memory()).data
    Data(None, sample='balanced', cap=500)
    """

    rows: int = 2000

    def __post_init__(self) -> None:
        positive(self, "rows", self.rows, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from scratch on the balanced sample."""
        return recipe.but(start="scratch", replay=None, cap=self.rows, sample="balanced")
