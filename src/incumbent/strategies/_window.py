"""Learn from the newest rows only."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import extent
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Window(Edit):
    """Learn from the newest rows of memory and new together, and from nothing older.

    For data whose past must go: after an abrupt change the old rows teach the wrong thing.

    Parameters
    ----------
    size : int or str
        A number of rows, or a span of time such as "30d" (s, min, h, d, w), which needs a time column.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Window("30d").prepare(Recipe(), Memory())
    Recipe(Data(None, window='30d'))
    """

    size: int | str = 10_000

    def __post_init__(self) -> None:
        extent(self, "size", self.size, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Take all rows, then cut at the window."""
        return recipe.but(replay=None, window=self.size)
