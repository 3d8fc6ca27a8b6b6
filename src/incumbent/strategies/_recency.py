"""Prefer new rows: a window, or weights that fall with age."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows
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
        self._check_extent("size", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(replay=ReplayRows(), window=self.size)


@dataclass(frozen=True, repr=False)
class Recency(Edit):
    """Learn from all rows with a weight that halves with age: ``weight = 2 ** (-age / half_life)``.

    The soft form of a window. Needs a model that takes row weights.

    Parameters
    ----------
    half_life : float or str
        The age at which a row has half its weight: a number of rows, or a span of time such as "30d".

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Recency(5000).prepare(Recipe(), Memory())
    Recipe(Data(ReplayRows(), half_life=5000))
    """

    half_life: float | str = 10_000

    def __post_init__(self) -> None:
        self._check_extent("half_life")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(replay=ReplayRows(), half_life=self.half_life)
