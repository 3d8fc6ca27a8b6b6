"""Pull the weights back to where the champion had them."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Batch, Memory, Model, Recipe, differentiable
from incumbent.errors import UsageError
from incumbent.memory._importance import carry
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Anchor(Edit):
    """Add ``strength/2 * sum((w - w_champion)**2)`` to the mean loss (L2-SP).

    Parameters
    ----------
    strength : float
        How strong the pull is, beside a loss that is a mean over rows.

    References
    ----------
    Li, Grandvalet and Davoine (2018), Explicit Inductive Bias for Transfer Learning with Convolutional Networks, ICML.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(Anchor(0.1), Incremental("adam"))
    chain(Anchor(0.1), Incremental('adam'))
    """

    strength: float = 0.1

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull every weight alike."""
        return recipe.but(start="champion", pull=self.strength)


@dataclass(frozen=True, repr=False)
class EWC(Edit):
    """Add ``strength/2 * sum(F * (w - w_champion)**2)`` to the mean loss, with F the diagonal Fisher information.

    F is the exact one (expectation over the model's own labels, row by row), not the square of a mean gradient, and it
    is carried from update to update with decay `gamma` around the latest optimum only (online EWC). Nets bear any
    strength: an endless pull leaves the weights where they are.

    Parameters
    ----------
    strength : float
        How strong the pull is, beside a loss that is a mean over rows.
    gamma : float in (0, 1]
        What share of the old importance an update keeps.

    References
    ----------
    Kirkpatrick et al. (2017), Overcoming Catastrophic Forgetting in Neural Networks, PNAS, eq. 3.
    Schwarz et al. (2018), Progress & Compress, ICML, eq. 9. Huszár (2018), arXiv:1712.03847.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> EWC(10.0).prepare(Recipe(), Memory()).loss
    Loss(10.0, importance='fisher')
    """

    strength: float = 1.0
    gamma: float = 0.9

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)
        positive(self, "gamma", self.gamma)
        if self.gamma > 1:
            raise UsageError(f"EWC(gamma=...) takes a number above 0 and at most 1; it was given {self.gamma!r}.")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull each weight by how much it matters."""
        return recipe.but(start="champion", pull=self.strength, importance="fisher")

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Carry ``F = gamma * F_old + F_new``, in the shapes that the model has now."""
        if not differentiable(model):
            return memory
        return carry(memory, model.sensitivity(batch), "fisher", gamma=self.gamma)
