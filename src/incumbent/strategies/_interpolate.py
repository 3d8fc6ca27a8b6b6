"""Interpolate between the weights of champion and challenger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Memory, Recipe
from incumbent.errors import UsageError
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Interpolate(Edit):
    """Interpolate the weights: ``w = (1 - alpha) * w_champion + alpha * w_challenger``.

    Alpha 0 is the champion and 1 the challenger, so this strategy can always step back. Preprocessing stays frozen,
    because weights can only be compared if the features mean the same. The outputs of new classes are the challenger's
    for every alpha but 0.

    Parameters
    ----------
    alpha : float in [0, 1] or "auto"
        "auto" takes the alpha with the smallest loss on select rows, new and old together.

    References
    ----------
    Wortsman et al. (2022), Robust Fine-Tuning of Zero-Shot Models (WiSE-FT), CVPR.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(Incremental("adam"), Interpolate(0.5))
    chain(Incremental('adam'), Interpolate(0.5))
    """

    alpha: float | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        number = isinstance(self.alpha, int | float) and 0 <= self.alpha <= 1
        if not number and self.alpha != "auto":
            raise UsageError(
                f'Interpolate(alpha=...) takes "auto" or a number from 0 to 1; it was given {self.alpha!r}.'
            )

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Finish by interpolation, on frozen preprocessing."""
        return recipe.replace(alpha=self.alpha, freeze=(*recipe.structure.freeze, "preprocess"))
