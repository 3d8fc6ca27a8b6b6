"""Small updates beside the weights of a net."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class LoRA(Edit):
    """Leave the weights of a net alone and learn low-rank updates beside them: ``w + (alpha / rank) * B A``.

    Far fewer numbers learn, which is cheap and forgets less. The last layer learns in full. At the end the updates are
    added to the weights, so that the net is as quick as before; kept apart they are a small file beside weights that
    are the champion's bit for bit.

    Parameters
    ----------
    rank : int
        Rank of each update; alpha is twice as much.
    layers : tuple of str
        Names or patterns of the linear and convolution layers that get one; empty means all of them.
    apart : bool
        Keep the updates apart.

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
    apart: bool = False

    def __post_init__(self) -> None:
        positive(self, "rank", self.rank, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion's weights, which stay."""
        return recipe.but(start="champion", rank=self.rank, adapt=self.layers, apart=self.apart)
