"""Solve the last layer exactly, instead of training it."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Literal

from incumbent._deprecated import warn_ignored
from incumbent.core import Batch, Exact, Memory, Model, Recipe
from incumbent.memory import scale_weights
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Analytic(Edit):
    r"""Freeze the champion's features and solve a ridge regression on them, exactly, for all rows ever learned.

    It takes one pass over the new rows and none over the old. Sums over rows (`memory.statistics`) are all that

    .. math:: W = (S + \lambda I)^{-1} \sum_i (\phi_i - \bar\phi)(y_i - \bar y)', \qquad
              S = \sum_i (\phi_i - \bar\phi)(\phi_i - \bar\phi)'

    needs, with :math:`\phi_i` random ReLU features of row i, and :math:`y_i` its one-hot class or its value. The head
    forgets nothing. New classes are new columns, in whatever order they arrive. Rows can be deleted exactly
    (`incumbent.models.forget`). Scores become probabilities by ``softmax(T * scores)``, with T fitted on the select
    rows.

    The features are the input of the last step of a Pipeline or of the last layer of a net. A scikit-learn model alone
    has its scaled columns; it becomes a Pipeline of projection and linear layer. The first time, the statistics are
    computed from the rows in memory.

    Parameters
    ----------
    width : int or "auto"
        Number of projected features; more are better, and the cost grows with their square. 0 is no projection. "auto"
        keeps the champion's number, or takes the number of rows, from 256 to 1,500, and less if the budget is short. It
        starts over with up to 2,000 when the number of rows has doubled, as long as all are still remembered.
    ridge : float, optional
        The penalty; None, the default, chooses it by generalised cross-validation, from the statistics alone.
    weight : float
        Weight of each new row relative to an old one: k acts as if each had been learned k times.
    reads : {"last", "input"}
        Input of the head: that of the last layer, or the rows themselves. Layers that were trained on two classes
        separate other classes less well.
    projection, neighbours : deprecated
        Options of version 0.1, which are ignored: features are always random, and no rows are kept in the model.

    References
    ----------
    McDonnell et al. (2023), RanPAC: Random Projections and Pre-trained Models for Continual Learning, NeurIPS, eq. 4-6.
    Zhuang et al. (2022), ACIL: Analytic Class-Incremental Learning, NeurIPS. Here with an intercept.

    Examples
    --------
    >>> from incumbent.core import Recipe
    >>> Analytic(2000).prepare(Recipe(), Memory())
    Recipe(structure=Structure('champion', head=Exact(2000)))
    """

    width: int | Literal["auto"] = "auto"
    ridge: float | None = None
    weight: float = 1.0
    reads: Literal["last", "input"] = "last"
    projection: InitVar[str | None] = None
    neighbours: InitVar[int | str | None] = None

    def __post_init__(self, projection: str | None, neighbours: int | str | None) -> None:
        warn_ignored("Analytic", projection=projection, neighbours=neighbours)
        whole = isinstance(self.width, int) and not isinstance(self.width, bool) and self.width >= 0
        if not whole and self.width != "auto":
            self._refuse("width", 'takes "auto" or a whole number from 0')
        self._check_positive("ridge", "weight")
        self._check_one_of("reads", ("last", "input"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        head = Exact(self.width, self.reads, self.ridge)
        return recipe.replace(start="champion", new_row_weight=self.weight, head=head)

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Keep the statistics, with the rows just learned."""
        statistics = model.updated_statistics(memory, scale_weights(batch, self.weight))
        return memory.replace(statistics=statistics) if statistics or memory.statistics else memory
