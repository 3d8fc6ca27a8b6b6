"""Search the model's own settings while retraining."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows, Search
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Tune(Edit):
    """Retrain with the best of a few settings of the estimator's own hyper-parameters.

    Successive halving over random settings (scikit-learn's `HalvingRandomSearchCV`): all are tried on few rows, and
    the best third goes on to more rows. The champion's own settings are always among them.

    Parameters
    ----------
    trials : int
        Settings to try.

    References
    ----------
    Jamieson and Talwalkar (2016), Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Tune(9).prepare(Recipe(), Memory()).structure
    Structure('scratch', search=Search(9))
    """

    trials: int = 12

    def __post_init__(self) -> None:
        positive(self, "trials", self.trials, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from scratch, with a search."""
        return recipe.replace(start="scratch", replay=ReplayRows(), search=Search(self.trials))
