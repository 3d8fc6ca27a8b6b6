"""Fit from scratch on a small balanced sample."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class GDumb(Edit):
    """Fit from scratch on a class-balanced sample of old and new rows.

    It is hard to beat if classes arrive over time, and shows whether a cleverer method is worth its cost.

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
    Data(ReplayRows(sample='balanced'), max_rows=500)
    """

    rows: int = 2000

    def __post_init__(self) -> None:
        positive(self, "rows", self.rows, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from scratch on the balanced sample."""
        return recipe.replace(start="scratch", replay=ReplayRows(sample="balanced"), max_rows=self.rows)
