"""Another last layer for a net: fresh, or with room for new classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import one_of
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class NewHead(Edit):
    """Replace the last layer of a net by a fresh one, and keep the rest.

    For a task that has little to do with the old one; chained with ``Freeze("backbone")`` it is the classic way to
    reuse a net that was trained on much data.

    Examples
    --------
    >>> from incumbent.strategies import Freeze, chain
    >>> chain(NewHead(), Freeze("backbone"))
    chain(NewHead(), Freeze('backbone'))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion, but for its last layer."""
        return recipe.but(start="champion", new_head=True)


@dataclass(frozen=True, repr=False)
class Grow(Edit):
    """Say how rows for new classes start in the last layer of a net; what it says of the others does not change a bit.

    A net grows by itself when it meets a class that it does not know, as by ``Grow("prior")``, and when it meets ids
    beyond its tables, whose rows start at the mean of those that are there.

    Parameters
    ----------
    start : {"prior", "imprint"}
        At zero, with the bias that gives the class its share of the rows; or at the mean of what the last layer reads
        of its rows, as long as other rows are.

    References
    ----------
    Qi, Brown and Lowe (2018), Low-Shot Learning with Imprinted Weights, CVPR, eq. 4.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Grow("imprint").prepare(Recipe(), Memory()).structure
    Structure('champion', grow='imprint')
    """

    start: Literal["prior", "imprint"] = "prior"

    def __post_init__(self) -> None:
        one_of(self, "start", self.start, ("prior", "imprint"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion, with room for new classes."""
        return recipe.but(start="champion", grow=self.start)
