"""Fit from scratch: on all rows, on a balanced sample, or with a search of settings."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Memory, Recipe, ReplayRows, Search
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Retrain(Edit):
    """Fit the champion's own settings from scratch on all remembered rows and the new ones.

    It works with every model, and cheaper strategies are measured against it. Its cost is bounded because the memory
    is.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Retrain().prepare(Recipe(), Memory())
    Recipe(Data(ReplayRows()), structure=Structure('scratch'))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="scratch", replay=ReplayRows())


@dataclass(frozen=True, repr=False)
class GDumb(Edit):
    """Fit from scratch on a class-balanced sample of old and new rows.

    It is hard to beat if classes arrive over time, and shows whether a cleverer method is worth its cost.

    Parameters
    ----------
    rows : int
        Rows in the sample, old and new together.

    References
    ----------
    Prabhu, Torr and Dokania (2020), GDumb: A Simple Approach that Questions Our Progress in Continual Learning, ECCV.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> GDumb(500).prepare(Recipe(), Memory()).data
    Data(ReplayRows(sample='balanced'), max_rows=500)
    """

    rows: int = 2000

    def __post_init__(self) -> None:
        self._check_positive("rows", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="scratch", replay=ReplayRows(sample="balanced"), max_rows=self.rows)


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
        self._check_positive("trials", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="scratch", replay=ReplayRows(), search=Search(self.trials))
