"""Pull each weight back by how much it did or moves, rather than by its Fisher information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core import Batch, Importance, Memory, Model, Recipe, differentiable
from incumbent.errors import UsageError
from incumbent.memory import carry
from incumbent.strategies._check import one_of, positive
from incumbent.strategies._edit import Edit


class _Pull(Edit):
    """What all of them share: importances that are carried from update to update."""

    def _carried(
        self, memory: Memory, model: Model, batch: Batch, kind: Importance, gamma: float, *, normalise: bool = False
    ) -> Memory:
        if not differentiable(model):
            return memory
        return carry(memory, model.sensitivity(batch, kind), kind, gamma=gamma, normalise=normalise)


@dataclass(frozen=True, repr=False)
class OnlineEWC(_Pull):
    """Add ``strength/2 * sum(F * (w - w_champion)**2)``, with a Fisher information that is scaled and decays.

    As `EWC`, but every new F is scaled to a mean of one before it joins the old: ``F = gamma * F_old + F_new``. So the
    strength means the same for every net, and updates on few or on easy rows count as much as others. A few weights are
    then pulled thousands of times harder than the mean; nets bear that with every optimizer and rate.

    Parameters
    ----------
    strength : float
        How strong the pull is, beside a loss that is a mean over rows.
    gamma : float in (0, 1]
        What share of the old importance an update keeps.
    fisher : {"exact", "empirical"}
        In expectation over the model's own labels, or at the labels seen, which is cheaper with many classes.

    References
    ----------
    Schwarz et al. (2018), Progress & Compress, ICML, eq. 9 and section 4 (scaling). Kirkpatrick et al. (2017), PNAS.
    Kunstner, Hennig and Balles (2019), Limitations of the Empirical Fisher Approximation, NeurIPS.

    Examples
    --------
    >>> OnlineEWC(0.5, fisher="empirical")
    OnlineEWC(0.5, fisher='empirical')
    """

    strength: float = 0.1
    gamma: float = 0.9
    fisher: Literal["exact", "empirical"] = "exact"

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)
        positive(self, "gamma", self.gamma)
        if self.gamma > 1:
            raise UsageError(f"OnlineEWC(gamma=...) takes a number above 0 and at most 1; it was given {self.gamma!r}.")
        one_of(self, "fisher", self.fisher, ("exact", "empirical"))

    @property
    def _kind(self) -> Importance:
        return "fisher" if self.fisher == "exact" else "empirical"

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull each weight by how much it matters."""
        return recipe.but(start="champion", pull=self.strength, importance=self._kind, normalise=True)

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Carry ``F = gamma * F_old + F_new``, each scaled to a mean of one."""
        return self._carried(memory, model, batch, self._kind, self.gamma, normalise=True)


@dataclass(frozen=True, repr=False)
class SI(_Pull):
    """Add ``strength/2 * sum(Omega * (w - w_champion)**2)``, with Omega from what each weight did along the training.

    Synaptic intelligence: ``Omega = sum over updates of omega / (change**2 + xi)``, where omega adds up minus the
    gradient times the change of each step, so that it costs no pass over the rows. Of a model that was trained
    elsewhere no path is known; its Fisher information stands in until its first update, and the notes say so.

    Parameters
    ----------
    strength : float
        How strong the pull is; twice the c of the paper.

    References
    ----------
    Zenke, Poole and Ganguli (2017), Continual Learning Through Synaptic Intelligence, ICML, eq. 3-5.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> SI(0.5).prepare(Recipe(), Memory()).loss
    Loss(0.5, importance='path')
    """

    strength: float = 1.0

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull each weight by what it did, and watch the new path."""
        return recipe.but(start="champion", pull=self.strength, importance="path")

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Add the importance of the path that was just gone."""
        return self._carried(memory, model, batch, "path", 1.0)


@dataclass(frozen=True, repr=False)
class MAS(_Pull):
    """Add ``strength/2 * sum(Omega * (w - w_champion)**2)``, with Omega by how much each weight moves the outputs.

    Memory aware synapses: ``Omega = mean |d ||f(x)||**2 / dw|`` needs no labels, so that any rows will do.

    Parameters
    ----------
    strength : float
        How strong the pull is; twice the lambda of the paper.
    gamma : float in (0, 1]
        What share of the old importance an update keeps.

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
        positive(self, "strength", self.strength)
        positive(self, "gamma", self.gamma)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull each weight by how much it moves the outputs."""
        return recipe.but(start="champion", pull=self.strength, importance="output")

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Carry ``Omega = gamma * Omega_old + Omega_new``."""
        return self._carried(memory, model, batch, "output", self.gamma)


@dataclass(frozen=True, repr=False)
class L2SP(Edit):
    """Add ``strength/2 * sum((w - w_champion)**2) + fresh/2 * sum(w_new**2)``, w_new what the champion does not have.

    As `Anchor`, with a pull to zero for a new head.

    Parameters
    ----------
    strength : float
        How strong the pull to the champion is.
    fresh : float
        How strong that to zero is.

    References
    ----------
    Li, Grandvalet and Davoine (2018), Explicit Inductive Bias for Transfer Learning with Convolutional Networks, ICML,
    eq. 3.

    Examples
    --------
    >>> from incumbent.strategies import NewHead, chain
    >>> chain(NewHead(), L2SP(0.1))
    chain(NewHead(), L2SP(0.1))
    """

    strength: float = 0.1
    fresh: float = 0.01

    def __post_init__(self) -> None:
        positive(self, "strength", self.strength)
        if self.fresh:
            positive(self, "fresh", self.fresh)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Pull old weights to the champion's and new ones to zero."""
        return recipe.but(start="champion", pull=self.strength, fresh=self.fresh)
