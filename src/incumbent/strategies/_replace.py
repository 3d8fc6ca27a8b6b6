"""Another net in the place of the champion, or the champion with less of what it learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incumbent.core import Memory, Recipe
from incumbent.errors import UsageError
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Replace(Edit):
    """Put another architecture in the place of a net; what agrees in name and shape starts as the champion has it.

    Parameters
    ----------
    factory : str, optional
        "package.module:name" that builds it; None is what built the champion.
    arguments : tuple of (str, value)
        What it is called with; for the champion's own factory, what shall be different.

    Examples
    --------
    >>> Replace("nets:build", (("hidden", 128),))
    Replace('nets:build', arguments=(('hidden', 128),))
    """

    factory: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.factory is not None and ":" not in self.factory:
            raise UsageError(f'Replace(factory=...) takes "package.module:name"; it was given {self.factory!r}.')

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the other net, on all that is remembered and the new rows."""
        return recipe.but(start="champion", replay=None, factory=self.factory or "", arguments=self.arguments)


@dataclass(frozen=True, repr=False)
class ShrinkPerturb(Edit):
    """Start from the champion's weights, shrunk and with noise: ``w = keep * w + N(0, noise**2)``.

    Learning on from a net on old and new rows together generalises worse than learning anew; so started it does not,
    and takes fewer steps.

    Parameters
    ----------
    keep : float in (0, 1]
        What share of each weight is kept.
    noise : float
        Standard deviation of the noise.

    References
    ----------
    Ash and Adams (2020), On Warm-Starting Neural Network Training, NeurIPS, section 4.

    Examples
    --------
    >>> ShrinkPerturb(0.6)
    ShrinkPerturb(0.6)
    """

    keep: float = 0.4
    noise: float = 0.01

    def __post_init__(self) -> None:
        positive(self, "keep", self.keep)
        if self.noise:
            positive(self, "noise", self.noise)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the shrunk champion, on all that is remembered and the new rows."""
        return recipe.but(start="champion", replay=None, keep=self.keep, noise=self.noise)
