"""Learn only the rows that are worth it, or each class alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Memory, Recipe
from incumbent.errors import UsageError
from incumbent.strategies._check import one_of, positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Select(Edit):
    """Learn a share of the rows in each epoch: another random one, or those that teach the most.

    Parameters
    ----------
    share : float in (0, 1]
        That share.
    by : {"random", "loss", "rho"}
        "random" draws it anew for every epoch, which is hard to beat at the same cost; "loss" takes the rows of highest
        loss; "rho" those whose loss is highest beyond that of a net which learned the select rows only, so that rows
        which nobody can learn, such as wrong labels, are left out.

    References
    ----------
    Okanovic et al. (2024), Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning, ICLR.
    Mindermann et al. (2022), Prioritized Training on Points that are Learnable, Worth Learning, and not yet Learnt,
    ICML, eq. 3.

    Examples
    --------
    >>> Select(0.3), Select(0.3, by="rho")
    (Select(0.3), Select(0.3, by='rho'))
    """

    share: float = 0.5
    by: Literal["random", "loss", "rho"] = "random"

    def __post_init__(self) -> None:
        positive(self, "share", self.share)
        if self.share > 1:
            raise UsageError(f"Select(share=...) takes a number above 0 and at most 1; it was given {self.share!r}.")
        one_of(self, "by", self.by, ("random", "loss", "rho"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Learn a part of the rows in each epoch."""
        return recipe.but(share=self.share, subset=self.by)


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
        """Draw rows class by class."""
        return recipe.but(balanced=True)
