"""Penalise moves of the weights that the old rows need."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Batch, Memory, Model, Pull, Recipe, has_weights
from incumbent.memory import accumulate_importance
from incumbent.strategies._check import fraction, positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class EWC(Edit):
    """Add ``strength/2 * sum(F * (w - w_champion)**2)`` to the mean loss, with F the diagonal Fisher information.

    F is exact: the expectation over the model's own labels, row by row, not the square of a mean gradient. It is
    accumulated over updates with decay `gamma`, around the latest optimum only (online EWC). Nets take any strength: an
    infinite one leaves the weights where they are.

    Parameters
    ----------
    strength : float
        Weight of the penalty, next to a loss that is a mean over rows.
    gamma : float in (0, 1]
        Fraction of the old importance that an update keeps.

    References
    ----------
    Kirkpatrick et al. (2017), Overcoming Catastrophic Forgetting in Neural Networks, PNAS, eq. 3.
    Schwarz et al. (2018), Progress & Compress, ICML, eq. 9. Huszár (2018), arXiv:1712.03847.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> EWC(10.0).prepare(Recipe(), Memory()).loss
    Loss(Pull(10.0, importance='fisher'))
    """

    strength: float = 1.0
    gamma: float = 0.9

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)
        fraction(self, "gamma", self.gamma)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull each weight by its Fisher information."""
        return recipe.replace(start="champion", pull=Pull(self.strength, "fisher"))

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Keep ``F = gamma * F_old + F_new``, in the shapes that the model has now."""
        if not has_weights(model):
            return memory
        return accumulate_importance(memory, model.weight_importance(batch), "fisher", gamma=self.gamma)
