"""Mix old rows with the new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import one_of, positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Replay(Edit):
    """Learn remembered rows together with the new ones, so that the old is not forgotten.

    Experience replay from a reservoir that every row ever seen had the same chance to enter (Vitter 1985, Algorithm R
    and kin). It says nothing of how to learn: alone, a model that can learn on does so, any other is fitted anew on
    exactly these rows.

    Parameters
    ----------
    rows : int
        How many remembered rows to mix in.
    sample : {"reservoir", "balanced"}
        Drawn uniformly, or the same number of each class.
    beside : bool
        Draw as many of them as there are new rows beside each mini-batch, instead of mixing all of them in once: few
        old rows then count as much as many new ones. For models that draw in the loop, such as nets.

    References
    ----------
    Chaudhry et al. (2019), On Tiny Episodic Memories in Continual Learning, arXiv:1902.10486.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Replay(1000).prepare(Recipe(), Memory())
    Recipe(Data(1000))
    """

    rows: int = 2000
    sample: Literal["reservoir", "balanced"] = "reservoir"
    beside: bool = False

    def __post_init__(self) -> None:
        positive(self, "rows", self.rows, whole=True)
        one_of(self, "sample", self.sample, ("reservoir", "balanced"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Add remembered rows to the new ones."""
        return recipe.but(replay=self.rows, sample=self.sample, beside=self.beside)
