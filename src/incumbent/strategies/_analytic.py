"""Solve the last layer exactly, instead of training it."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Literal

from incumbent._deprecated import warn_ignored
from incumbent.core import Batch, Memory, Model, Recipe
from incumbent.errors import UsageError
from incumbent.strategies._check import one_of, positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Analytic(Edit):
    r"""Freeze the champion's features and solve a ridge regression on them, exactly, for all rows ever learned.

    One pass over the new rows and none over the old: sums over rows (`memory.statistics`) are all that

    .. math:: W = (S + \lambda I)^{-1} \sum_i (\phi_i - \bar\phi)(y_i - \bar y)', \qquad
              S = \sum_i (\phi_i - \bar\phi)(\phi_i - \bar\phi)'

    needs, with :math:`\phi_i` random ReLU features of row i and :math:`y_i` its class as a row of zeros with
    a one, or its value. So nothing is forgotten, new classes are new columns in whatever order they come, and rows can
    be deleted exactly (`incumbent.models.forget`). Scores become probabilities by ``softmax(T * scores)``, T fitted on
    the select rows.

    The features are what the last step of a Pipeline or the last layer of a net reads, or the scaled columns where a
    scikit-learn model stands alone; such a model becomes a Pipeline of projection and linear layer. The first time,
    the statistics are made from what is remembered.

    Parameters
    ----------
    width : int or "auto"
        Features of the projection; more are better and cost their square. 0 is no projection. "auto" keeps
        that of the champion, or takes the number of rows, from 256 to 1,500, and less where the budget is short. It
        begins anew with up to 2,000 when rows have become twice as many, as long as all are still remembered.
    ridge : float, optional
        The penalty; None, the default, chooses it by generalised cross-validation, from the statistics alone.
    weight : float
        How much each new row counts beside an old one. Few rows of a domain that is here to stay count for little
        among all that there were; the head is then the one that learned each of them so many times.
    reads : {"last", "input"}
        What the head reads: what the last layer does, or the rows themselves in the place of the whole net. Layers
        that were trained on two classes tell others apart less well than features of the rows do.
    projection, neighbours : deprecated
        Options of version 0.1, which are ignored: features are always random, and no rows are kept in the model.

    References
    ----------
    McDonnell, Gong, Parvaneh, Abbasnejad and van den Hengel (2023), RanPAC: Random Projections and Pre-trained Models
    for Continual Learning, NeurIPS, eq. 4 to 6. Zhuang et al. (2022), ACIL: Analytic Class-Incremental Learning with
    Absolute Memorization and Privacy Protection, NeurIPS. Here with an intercept and the penalty chosen by GCV.

    Examples
    --------
    >>> from incumbent.core import Recipe
    >>> Analytic(2000).prepare(Recipe(), Memory())
    Recipe(structure=Structure('champion', analytic=2000))
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
            raise UsageError(f'Analytic(width=...) takes "auto" or a whole number from 0; it was given {self.width!r}.')
        if self.ridge is not None:
            positive(self, "ridge", self.ridge)
        positive(self, "weight", self.weight)
        one_of(self, "reads", self.reads, ("last", "input"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Keep the features, solve the head."""
        made = recipe.but(start="champion", emphasis=self.weight, analytic=self.width, reads=self.reads)
        return made if self.ridge is None else made.but(l2=self.ridge)

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Carry the statistics on, with the rows just learned."""
        from incumbent.memory import emphasised
        from incumbent.models import absorb

        return absorb(memory, model, emphasised(batch, self.weight))
