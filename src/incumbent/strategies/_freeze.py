"""Train a part of a net: some layers, or low-rank updates."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent._deprecated import renamed_members
from incumbent.core import LowRank, Memory, Recipe
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
        self._check_positive("first", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        named = (self.parts,) if isinstance(self.parts, str) else self.parts
        frozen = named if self.first is None else (f"first:{self.first}",)
        return recipe.replace(start="champion", freeze=(*recipe.structure.freeze, *frozen))


@renamed_members({"apart": "not merge"})
@dataclass(frozen=True, repr=False)
class LoRA(Edit):
    """Freeze the weights of a net and train low-rank updates of them: ``w + (alpha / rank) * B A``.

    That is cheap, and the net forgets less. The last layer is trained in full. At the end the updates are added to the
    weights; with ``merge=False`` they stay separate: a small file, and the champion's weights bit for bit.

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
        self._check_positive("rank", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", lora=LowRank(self.rank, self.layers, self.merge))
