"""Penalise moves of the weights away from the champion's, by how much each matters for the old rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent._deprecated import renamed_members
from incumbent.core import Batch, Importance, Memory, Model, Pull, Recipe, has_weights
from incumbent.memory import accumulate_importance
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class EWC(Edit):
    """Add ``strength/2 * sum(F * (w - w_champion)**2)`` to the mean loss, with F the diagonal Fisher information.

    F is exact: the expectation over the model's own labels, row by row. It is accumulated over updates with decay
    `gamma`, around the latest optimum only (online EWC). Nets take any strength.

    Parameters
    ----------
    strength : float
        Weight of the penalty, next to a loss that is a mean over rows.
    gamma : float in (0, 1]
        Fraction of the old importance that an update keeps.

    References
    ----------
    Kirkpatrick et al. (2017), Overcoming Catastrophic Forgetting in Neural Networks, PNAS, eq. 3.
    Schwarz et al. (2018), Progress & Compress, ICML, eq. 9.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> EWC(10.0).prepare(Recipe(), Memory()).loss
    Loss(Pull(10.0, importance='fisher'))
    """

    strength: float = 1.0
    gamma: float = 0.9

    def __post_init__(self) -> None:
        self._check_positive("strength")
        self._check_fraction("gamma")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", pull=Pull(self.strength, "fisher"))

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Keep ``F = gamma * F_old + F_new``, in the shapes that the model has now."""
        return _accumulated(memory, model, batch, "fisher", self.gamma)


@dataclass(frozen=True, repr=False)
class OnlineEWC(Edit):
    """Add ``strength/2 * sum(F * (w - w_champion)**2)``, with a Fisher information that is scaled and decays.

    As `EWC`, but every new F is scaled to a mean of one before it is added: ``F = gamma * F_old + F_new``. So the
    strength means the same for every net, and updates on few or easy rows count as much as others.

    Parameters
    ----------
    strength : float
        Weight of the penalty, next to a loss that is a mean over rows.
    gamma : float in (0, 1]
        Fraction of the old importance that an update keeps.
    fisher : {"exact", "empirical"}
        In expectation over the model's own labels, or at the observed labels, which is cheaper with many classes.

    References
    ----------
    Schwarz et al. (2018), Progress & Compress, ICML, eq. 9 and section 4 (scaling). Kunstner, Hennig and Balles (2019),
    Limitations of the Empirical Fisher Approximation, NeurIPS.

    Examples
    --------
    >>> OnlineEWC(0.5, fisher="empirical")
    OnlineEWC(0.5, fisher='empirical')
    """

    strength: float = 0.1
    gamma: float = 0.9
    fisher: Literal["exact", "empirical"] = "exact"

    def __post_init__(self) -> None:
        self._check_positive("strength")
        self._check_fraction("gamma")
        self._check_one_of("fisher", ("exact", "empirical"))

    @property
    def _kind(self) -> Importance:
        return "fisher" if self.fisher == "exact" else "empirical"

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", pull=Pull(self.strength, self._kind, normalise=True))

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Keep ``F = gamma * F_old + F_new``, each scaled to a mean of one."""
        return _accumulated(memory, model, batch, self._kind, self.gamma, normalise=True)


@dataclass(frozen=True, repr=False)
class SI(Edit):
    """Add ``strength/2 * sum(Omega * (w - w_champion)**2)``, with Omega from what each weight did during training.

    Synaptic intelligence: ``Omega = sum over updates of omega / (change**2 + xi)``, with omega the sum of minus the
    gradient times the change over the steps. Before a model's first update, its Fisher information is used.

    Parameters
    ----------
    strength : float
        Weight of the penalty; twice the c of the paper.

    References
    ----------
    Zenke, Poole and Ganguli (2017), Continual Learning Through Synaptic Intelligence, ICML, eq. 3-5.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> SI(0.5).prepare(Recipe(), Memory()).loss
    Loss(Pull(0.5, importance='path'))
    """

    strength: float = 1.0

    def __post_init__(self) -> None:
        self._check_positive("strength")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", pull=Pull(self.strength, "path"))

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Add the importance of the latest path."""
        return _accumulated(memory, model, batch, "path", 1.0)


@dataclass(frozen=True, repr=False)
class MAS(Edit):
    """Add ``strength/2 * sum(Omega * (w - w_champion)**2)``, with Omega by how much each weight moves the outputs.

    Memory aware synapses: ``Omega = mean |d ||f(x)||**2 / dw|`` needs no labels, so any rows will do.

    Parameters
    ----------
    strength : float
        Weight of the penalty; twice the lambda of the paper.
    gamma : float in (0, 1]
        Fraction of the old importance that an update keeps.

    References
    ----------
    Aljundi et al. (2018), Memory Aware Synapses: Learning what (not) to forget, ECCV, eq. 3-5.

    Examples
    --------
    >>> MAS(0.1)
    MAS(0.1)
    """

    strength: float = 0.1
    gamma: float = 1.0

    def __post_init__(self) -> None:
        self._check_positive("strength", "gamma")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", pull=Pull(self.strength, "output"))

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Keep ``Omega = gamma * Omega_old + Omega_new``."""
        return _accumulated(memory, model, batch, "output", self.gamma)


@renamed_members({"fresh": "l2_new_weights"})
@dataclass(frozen=True, repr=False)
class L2SP(Edit):
    """Add ``strength/2 * sum((w - w_champion)**2) + l2_new_weights/2 * sum(w_new**2)`` to the mean loss.

    It pulls each weight to its value in the champion, and weights that the champion does not have, such as those of a
    new head, to zero. A model without layers needs ``l2_new_weights=0``.

    Parameters
    ----------
    strength : float
        Weight of the penalty on the distance to the champion.
    l2_new_weights : float
        Weight of the penalty on new weights.

    References
    ----------
    Li, Grandvalet and Davoine (2018), Explicit Inductive Bias for Transfer Learning, ICML, eq. 3.

    Examples
    --------
    >>> from incumbent.strategies import NewHead, chain
    >>> chain(NewHead(), L2SP(0.1))
    chain(NewHead(), L2SP(0.1))
    """

    strength: float = 0.1
    l2_new_weights: float = 0.01

    def __post_init__(self) -> None:
        self._check_positive("strength")
        self._check_positive("l2_new_weights", or_zero=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", pull=Pull(self.strength), l2_new_weights=self.l2_new_weights)


def _accumulated(
    memory: Memory, model: Model, batch: Batch, kind: Importance, gamma: float, *, normalise: bool = False
) -> Memory:
    """Return the memory with the importances of these rows added to the old ones."""
    if not has_weights(model):
        return memory
    return accumulate_importance(memory, model.weight_importance(batch, kind), kind, gamma=gamma, normalise=normalise)
