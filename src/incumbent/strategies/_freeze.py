"""Freeze parts of a net."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Freeze(Edit):
    """Freeze parts of a net, and train only the others.

    With a frozen backbone only the last layer learns: the cheapest way to move a net to a new task (transfer
    learning). Batch normalisation and dropout of frozen parts stay in evaluation mode, so their outputs do not change.

    Parameters
    ----------
    parts : str or tuple of str
        "backbone" (all but the last layer), "head" (the last layer), or names of layers and weights with ``*`` and
        ``?``, such as "layer1.*".
    first : int, optional
        Freeze the first blocks instead: the children of the net in their order, those of plain rows one by one.

    Examples
    --------
    >>> Freeze("backbone"), Freeze(("conv*", "norm*")), Freeze(first=2)
    (Freeze('backbone'), Freeze(('conv*', 'norm*')), Freeze('backbone', first=2))
    """

    parts: str | tuple[str, ...] = "backbone"
    first: int | None = None

    def __post_init__(self) -> None:
        if self.first is not None:
            positive(self, "first", self.first, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion, with these parts frozen."""
        named = (self.parts,) if isinstance(self.parts, str) else self.parts
        frozen = named if self.first is None else (f"first:{self.first}",)
        return recipe.replace(start="champion", freeze=(*recipe.structure.freeze, *frozen))
