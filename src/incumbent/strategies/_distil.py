"""Train the challenger on the champion's predictions too."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Distill, Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class LwF(Edit):
    """Add ``strength * T**2 * KL(champion at T || challenger at T)`` on the new rows, over the classes of the champion.

    Learning without forgetting: the challenger keeps the champion's predictions of the new rows, and needs no old row.
    The factor T**2 makes the strength independent of the temperature (Hinton et al. 2015, section 2.1).

    Parameters
    ----------
    strength : float
        Weight of this term next to the loss on the labels.
    temperature : float
        Above 1, unlikely classes are compared as well.

    References
    ----------
    Li and Hoiem (2016), Learning without Forgetting, ECCV, eq. 2-4.
    Hinton, Vinyals and Dean (2015), Distilling the Knowledge in a Neural Network, arXiv:1503.02531.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(LwF(0.5), Incremental(epochs=3))
    chain(LwF(0.5), Incremental(epochs=3))
    """

    strength: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)
        positive(self, "temperature", self.temperature)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Continue to train, with the champion as a teacher."""
        return recipe.replace(start="champion", distill=Distill(self.strength, self.temperature))
