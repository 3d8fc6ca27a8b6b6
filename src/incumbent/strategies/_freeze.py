"""Keep parts of a net as they are."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Freeze(Edit):
    """Let parts of a net stay as they are, and learn only the others.

    With the backbone frozen, only the last layer learns: the cheapest way to move a net to a new task (transfer
    learning). Batch statistics and dropout of frozen parts are at rest too, so that they say exactly what they said.

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
        """Start from the champion, with these parts at rest."""
        named = (self.parts,) if isinstance(self.parts, str) else self.parts
        frozen = named if self.first is None else (f"first:{self.first}",)
        return recipe.but(start="champion", freeze=(*recipe.structure.freeze, *frozen))
