"""Remember what was said of old rows, and keep saying it."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Batch, Memory, Model, Recipe, outspoken
from incumbent.memory import recalled
from incumbent.strategies._check import positive
from incumbent.strategies._edit import Edit


class _Dark(Edit):
    """What both share: rows are remembered with the outputs that they had when they were learned."""

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Note what the model says of every remembered row that nobody has noted it of yet."""
        if memory.rows is None or not len(memory) or not outspoken(model):
            return memory
        return memory.but(rows=memory.rows.but(soft=recalled(model, memory.rows)))


@dataclass(frozen=True, repr=False)
class DER(_Dark):
    """Add ``alpha * mean((h(x) - z)**2)`` on remembered rows, with z the outputs when they were learned.

    Dark experience replay: the outputs tell more of the old than labels do. Rows are drawn anew beside each mini-batch.
    Of a classifier whose outputs are large, alpha is taken as smaller than it is given (see References).

    Parameters
    ----------
    rows : int
        How many remembered rows to draw from.
    alpha : float
        How much the outputs count.

    References
    ----------
    Buzzega et al. (2020), Dark Experience for General Continual Learning: a Strong, Simple Baseline, NeurIPS, eq. 4.
    There alpha is the same for every net; here, for classes and labels, it is ``alpha * min(1, (10 / rms(z))**2)``.
    Beside a net whose log odds are about 100 the published loss explodes at rates that the loss on labels bears.

    Examples
    --------
    >>> DER(1000)
    DER(1000)
    """

    rows: int = 1000
    alpha: float = 0.3

    def __post_init__(self) -> None:
        positive(self, "rows", self.rows, whole=True)
        positive(self, "alpha", self.alpha)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Learn on, with the old outputs beside the new rows."""
        return recipe.but(start="champion", replay=self.rows, beside=True, logits=self.alpha, labels=0.0)


@dataclass(frozen=True, repr=False)
class DERpp(_Dark):
    """Add ``alpha * mean((h(x') - z')**2) + beta * loss(h(x"), y")`` on two independent draws of remembered rows.

    DER++: outputs as they were and labels as they are. A large alpha with a large learning rate diverges; training
    stops then and says so. That outputs are large is no reason for it to: alpha is adapted to them, as in `DER`.

    Parameters
    ----------
    rows : int
        How many remembered rows to draw from.
    alpha : float
        How much the outputs count.
    beta : float
        How much the labels count.

    References
    ----------
    Buzzega et al. (2020), Dark Experience for General Continual Learning: a Strong, Simple Baseline, NeurIPS, eq. 6;
    where the outputs are large log odds, with a smaller alpha than there (see `DER`).

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(DERpp(500, alpha=0.1), Incremental("sgd", lr=0.05))
    chain(DERpp(500, alpha=0.1), Incremental('sgd', lr=0.05))
    """

    rows: int = 1000
    alpha: float = 0.3
    beta: float = 1.0

    def __post_init__(self) -> None:
        positive(self, "rows", self.rows, whole=True)
        positive(self, "alpha", self.alpha)
        positive(self, "beta", self.beta)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Learn on, with old outputs and old labels beside the new rows."""
        return recipe.but(start="champion", replay=self.rows, beside=True, logits=self.alpha, labels=self.beta)
