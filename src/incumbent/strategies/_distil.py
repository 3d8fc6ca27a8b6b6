"""Keep old outputs: the champion's on new rows, or those stored with old rows."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Batch, Distill, Memory, Model, Recipe, ReplayRows, StoredLogits, has_logits
from incumbent.memory import stored_logits
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class LwF(Edit):
    """Add ``strength * T**2 * KL(champion at T || challenger at T)`` on the new rows, over the classes of the champion.

    Learning without forgetting: the challenger keeps the champion's predictions of the new rows, and needs no old row.
    The factor T**2 makes the strength independent of the temperature.

    Parameters
    ----------
    strength : float
        Weight of this term next to the loss on the labels.
    temperature : float
        Above 1, unlikely classes are compared as well.

    References
    ----------
    Li and Hoiem (2016), Learning without Forgetting, ECCV, eq. 2-4. Hinton, Vinyals and Dean (2015), section 2.1.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(LwF(0.5), Incremental(epochs=3))
    chain(LwF(0.5), Incremental(epochs=3))
    """

    strength: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        self._check_positive("strength", "temperature")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", distill=Distill(self.strength, self.temperature))


class _DarkReplay(Edit):
    """A strategy that stores logits with the rows in memory."""

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Store the logits of every remembered row that has none yet."""
        if memory.rows is None or not len(memory) or not has_logits(model):
            return memory
        return memory.replace(rows=memory.rows.replace(soft=stored_logits(model, memory.rows)))


@dataclass(frozen=True, repr=False)
class DER(_DarkReplay):
    """Add ``alpha * mean((h(x) - z)**2)`` on remembered rows, with z their logits when they were learned.

    Dark experience replay: logits keep more of the old model than labels do. Rows are drawn for each mini-batch. If the
    logits of a classifier are large, a smaller alpha is used (see References).

    Parameters
    ----------
    rows : int
        How many remembered rows to draw from.
    alpha : float
        Weight of the loss on the logits.

    References
    ----------
    Buzzega et al. (2020), Dark Experience for General Continual Learning: a Strong, Simple Baseline, NeurIPS, eq. 4.
    There alpha is the same for every net; here, for classes and labels, it is ``alpha * min(1, (10 / rms(z))**2)``.
    With logits of about 100, the published loss diverges at learning rates that suit the loss on labels.

    Examples
    --------
    >>> DER(1000)
    DER(1000)
    """

    rows: int = 1000
    alpha: float = 0.3

    def __post_init__(self) -> None:
        self._check_positive("rows", whole=True)
        self._check_positive("alpha")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        replay = ReplayRows(self.rows, per_batch=True)
        return recipe.replace(
            start="champion", replay=replay, stored_logits=StoredLogits(self.alpha), replay_weight=0.0
        )


@dataclass(frozen=True, repr=False)
class DERpp(_DarkReplay):
    """Add ``alpha * mean((h(x') - z')**2) + beta * loss(h(x"), y")`` on two independent draws of remembered rows.

    DER++: the logits as they were, and the labels. With large logits alpha is smaller, as in `DER`. If alpha and the
    learning rate are both large, training diverges and stops with an error.

    Parameters
    ----------
    rows : int
        How many remembered rows to draw from.
    alpha : float
        Weight of the loss on the logits.
    beta : float
        Weight of the loss on the labels.

    References
    ----------
    Buzzega et al. (2020), as in `DER`, eq. 6.

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
        self._check_positive("rows", whole=True)
        self._check_positive("alpha", "beta")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        replay = ReplayRows(self.rows, per_batch=True)
        return recipe.replace(
            start="champion", replay=replay, stored_logits=StoredLogits(self.alpha), replay_weight=self.beta
        )
