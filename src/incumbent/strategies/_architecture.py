"""Replace the architecture of a net, or start it from weakened weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incumbent.core import Architecture, Memory, Perturb, Recipe, ReplayRows
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class ReplaceArchitecture(Edit):
    """Replace a net by another architecture; weights whose name and shape agree start as the champion has them.

    Parameters
    ----------
    factory : str, optional
        "package.module:name" that builds the net; None calls what built the champion.
    arguments : tuple of (str, value)
        Arguments of the call; for the champion's own factory, those that differ.

    Examples
    --------
    >>> ReplaceArchitecture("nets:build", (("hidden", 128),))
    ReplaceArchitecture('nets:build', arguments=(('hidden', 128),))
    """

    factory: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.factory is not None and ":" not in self.factory:
            self._refuse("factory", 'takes "package.module:name"')

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        architecture = Architecture(self.factory, self.arguments)
        return recipe.replace(start="champion", replay=ReplayRows(), architecture=architecture)


@dataclass(frozen=True, repr=False)
class ShrinkPerturb(Edit):
    """Start from the champion's weights, shrunk and with noise: ``w = keep * w + N(0, noise**2)``.

    A net that continues to train on old and new rows generalises worse than one trained from scratch. This start does
    not, and takes fewer steps.

    Parameters
    ----------
    keep : float in (0, 1]
        Fraction of each weight that is kept.
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
        self._check_positive("keep")
        self._check_positive("noise", or_zero=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", replay=ReplayRows(), perturb=Perturb(self.keep, self.noise))
