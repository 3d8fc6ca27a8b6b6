"""Learn from the newest rows only."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows
from incumbent.strategies._check import extent
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Window(Edit):
    """Learn from the newest of all remembered and new rows, and from nothing older.

    Use it after an abrupt change, when old rows teach the wrong thing.

    Parameters
    ----------
    size : int or str
        A number of rows, or a span of time such as "30d" (s, min, h, d, w), which needs a time column.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Window("30d").prepare(Recipe(), Memory())
    Recipe(Data(ReplayRows(), window='30d'))
    """

    size: int | str = 10_000

    def __post_init__(self) -> None:
        extent(self, "size", self.size, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Take all rows, then cut at the window."""
        return recipe.replace(replay=ReplayRows(), window=self.size)
