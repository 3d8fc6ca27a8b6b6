"""Train low-rank updates of the weights of a net."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent._deprecated import renamed_members
from incumbent.core import LowRank, Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@renamed_members({"apart": "not merge"})
@dataclass(frozen=True, repr=False)
class LoRA(Edit):
    """Freeze the weights of a net and train low-rank updates of them: ``w + (alpha / rank) * B A``.

    Far fewer weights are trained. That is cheap, and the net forgets less. The last layer is trained in full. At the
    end the updates are added to the weights, so that the net predicts as fast as before. With ``merge=False`` they stay
    separate: a small file, and the champion's weights bit for bit.

    Parameters
    ----------
    rank : int
        Rank of each update; alpha is twice the rank.
    layers : tuple of str
        Names or patterns of the linear and convolution layers that get an update; empty means all of them.
    merge : bool
        Add the updates to the weights at the end.

    References
    ----------
    Hu et al. (2022), LoRA: Low-Rank Adaptation of Large Language Models, ICLR, eq. 3.

    Examples
    --------
    >>> LoRA(4, layers=("encoder.*",))
    LoRA(4, layers=('encoder.*',))
    """

    rank: int = 8
    layers: tuple[str, ...] = ()
    merge: bool = True

    def __post_init__(self) -> None:
        positive(self, "rank", self.rank, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion's weights and freeze them."""
        return recipe.replace(start="champion", lora=LowRank(self.rank, self.layers, self.merge))
