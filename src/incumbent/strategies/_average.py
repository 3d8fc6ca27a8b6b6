"""Average weights: with the champion's, of several trainings, or over the steps of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Memory, Recipe
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Interpolate(Edit):
    """Interpolate the weights: ``w = (1 - alpha) * w_champion + alpha * w_challenger``.

    Alpha 0 is the champion and 1 the challenger. Preprocessing stays frozen, so that the weights have the same meaning.
    The outputs of new classes are the challenger's for every alpha but 0.

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
            self._refuse("alpha", 'takes "auto" or a number from 0 to 1')

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(alpha=self.alpha, freeze=(*recipe.structure.freeze, "preprocess"))


@dataclass(frozen=True, repr=False)
class Soup(Edit):
    """Train several challengers with other seeds and learning rates, and average the weights of those that help.

    A greedy soup: the best on the select rows comes first, then each one that does not make the average worse there.

    Parameters
    ----------
    members : int
        How many to train; each costs as much as one.

    References
    ----------
    Wortsman et al. (2022), Model Soups, ICML, Recipe 1.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, Replay, chain
    >>> chain(Replay(2000), Incremental("adam", epochs=2), Soup(3))
    chain(Replay(2000), Incremental('adam', epochs=2), Soup(3))
    """

    members: int = 4

    def __post_init__(self) -> None:
        self._check_positive("members", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        frozen = (*recipe.structure.freeze, "preprocess")
        return recipe.replace(start="champion", soup=self.members, freeze=frozen)


@dataclass(frozen=True, repr=False)
class EMA(Edit):
    """Use the moving average of the weights over the training: ``average = d * average + (1 - d) * w``.

    Statistics of batch normalisation are those of the last step.

    Parameters
    ----------
    decay : float in (0, 1)
        Fraction of the average that each step keeps; over the first steps it is less.

    References
    ----------
    Polyak and Juditsky (1992), Acceleration of Stochastic Approximation by Averaging, SIAM J. Control Optim. 30.

    Examples
    --------
    >>> EMA(0.99)
    EMA(0.99)
    """

    decay: float = 0.99

    def __post_init__(self) -> None:
        self._check_positive("decay")
        if self.decay >= 1:
            self._refuse("decay", "takes a number between 0 and 1")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(ema=self.decay)
