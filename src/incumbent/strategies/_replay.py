"""Mix old rows with the new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent._deprecated import renamed_members
from incumbent.core import Memory, Recipe, ReplayRows
from incumbent.strategies._edit import Edit


@renamed_members({"beside": "per_batch"})
@dataclass(frozen=True, repr=False)
class Replay(Edit):
    """Learn remembered rows together with the new ones, so that the model does not forget the old.

    Experience replay from a reservoir that every row so far had the same chance to enter. It does not set how to learn.
    Alone, it lets a model continue to learn if it can; any other model is fitted from scratch on exactly these rows.

    Parameters
    ----------
    rows : int
        How many remembered rows to mix in.
    sample : {"reservoir", "balanced"}
        Drawn uniformly, or the same number of each class.
    per_batch : bool
        For each mini-batch, draw as many remembered rows as it has new ones. Few old rows then have as much weight as
        many new ones. Needs a model that draws rows in its training loop, such as a net.

    References
    ----------
    Chaudhry et al. (2019), On Tiny Episodic Memories in Continual Learning, arXiv:1902.10486.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Replay(1000).prepare(Recipe(), Memory())
    Recipe(Data(ReplayRows(1000)))
    """

    rows: int = 2000
    sample: Literal["reservoir", "balanced"] = "reservoir"
    per_batch: bool = False

    def __post_init__(self) -> None:
        self._check_positive("rows", whole=True)
        self._check_one_of("sample", ("reservoir", "balanced"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(replay=ReplayRows(self.rows, self.sample, self.per_batch))
