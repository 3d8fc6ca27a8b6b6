"""Train on some of the rows, or on each class equally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent._deprecated import renamed_members
from incumbent.core import Memory, Recipe, Subset
from incumbent.strategies._edit import Edit


@renamed_members({"share": "fraction"})
@dataclass(frozen=True, repr=False)
class SelectSubset(Edit):
    """Train on a fraction of the rows in each epoch: a random one, or the rows that teach the most.

    Parameters
    ----------
    fraction : float in (0, 1]
        That fraction.
    by : {"random", "loss", "rho"}
        "random" draws a new subset for every epoch. "loss" takes the rows of highest loss. "rho" takes those whose loss
        is highest compared with that of a net trained on the select rows only, which leaves out wrong labels.

    References
    ----------
    Okanovic et al. (2024), Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning, ICLR.
    Mindermann et al. (2022), Prioritized Training on Points that are Learnable, ICML, eq. 3 ("rho").

    Examples
    --------
    >>> SelectSubset(0.3), SelectSubset(0.3, by="rho")
    (SelectSubset(0.3), SelectSubset(0.3, by='rho'))
    """

    fraction: float = 0.5
    by: Literal["random", "loss", "rho"] = "random"

    def __post_init__(self) -> None:
        self._check_fraction("fraction")
        self._check_one_of("by", ("random", "loss", "rho"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(subset=Subset(self.by, self.fraction))


@dataclass(frozen=True, repr=False)
class Balance(Edit):
    """Draw the rows of each epoch so that every class is as frequent as any other.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, Replay, chain
    >>> chain(Replay(1000), Balance(), Incremental())
    chain(Replay(1000), Balance(), Incremental())
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(balanced=True)
