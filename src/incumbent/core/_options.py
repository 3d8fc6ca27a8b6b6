"""Options of a recipe: values that name the abilities which a model needs to follow them.

An option is ``None`` in a recipe, or one of these values. A new option is a class here and a field of an element in
`_recipe`; no other line of `core` changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from incumbent.core._values import Importance, Value


class Option(Value):
    """A value of a recipe's field that names the abilities which it needs."""

    _lead = True

    requires: ClassVar[frozenset[str]] = frozenset()  # words of `ABILITIES` that it always needs
    provides: ClassVar[frozenset[str]] = frozenset()  # abilities that the model then does not need for other fields
    replaces_fit: ClassVar[bool] = False  # the model learns by this option only, so its own way to learn is not needed

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that a model must have: words of `ABILITIES`."""
        return self.requires


@dataclass(frozen=True, repr=False)
class ReplayRows(Option):
    """Train on rows from memory as well.

    Parameters
    ----------
    rows : int, optional
        Number of remembered rows; None takes all.
    sample : {"reservoir", "balanced"}
        How rows are drawn if not all are taken: uniformly, or the same number of each class.
    per_batch : bool
        Draw remembered rows for each mini-batch of new ones, instead of mixing them in once.
    """

    rows: int | None = None
    sample: Literal["reservoir", "balanced"] = "reservoir"
    per_batch: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """Batch sampling, if rows are drawn for each mini-batch."""
        return frozenset({"batch_sampling"}) if self.per_batch else self.requires


@dataclass(frozen=True, repr=False)
class Subset(Option):
    """Train on a fraction of the rows in each epoch.

    Parameters
    ----------
    by : {"random", "loss", "rho"}
        Which rows: drawn at random, those of highest loss, or those whose loss is highest compared with that of a
        model of held-out rows.
    fraction : float in (0, 1]
        That fraction.
    """

    by: Literal["random", "loss", "rho"] = "random"
    fraction: float = 0.5

    requires = frozenset({"batch_sampling"})


@dataclass(frozen=True, repr=False)
class Trees(Option):
    """Append trees or boosting rounds to those of the champion.

    Parameters
    ----------
    rounds : int
        How many.
    learning_rate : float, optional
        Learning rate of the appended rounds; None keeps the model's own.
    l2 : float, optional
        L2 penalty on the values of the new leaves; None keeps the model's own.
    """

    rounds: int
    learning_rate: float | None = None
    l2: float | None = None

    replaces_fit = True
    requires = frozenset({"add_trees"})


@dataclass(frozen=True, repr=False)
class RefitLeaves(Option):
    """Keep the trees and estimate the values of their leaves again.

    Parameters
    ----------
    decay : float
        Fraction of the old value that each leaf keeps.
    l2 : float, optional
        L2 penalty on the values of the leaves; None keeps the model's own.
    """

    decay: float
    l2: float | None = None

    replaces_fit = True
    requires = frozenset({"refit_leaves"})


@dataclass(frozen=True, repr=False)
class Search(Option):
    """Search the hyper-parameters of the model while it is fitted from scratch.

    Parameters
    ----------
    tries : int
        How many settings to try.
    """

    tries: int

    requires = frozenset({"retrain", "hyperparameter_search"})


@dataclass(frozen=True, repr=False)
class FreshHead(Option):
    """Replace the last layer by a newly initialised one."""

    requires = frozenset({"layers"})


@dataclass(frozen=True, repr=False)
class Exact(Option):
    """Freeze the features and solve a ridge regression on them, in place of the last layer.

    Parameters
    ----------
    width : int or "auto"
        Number of projected features; 0 uses the features as they are. "auto" keeps the champion's number, or chooses
        one for the number of rows and the budget.
    reads : {"last", "input"}
        Input of the head: that of the last layer, or the rows themselves instead of the whole net.
    l2 : float, optional
        L2 penalty on the coefficients; None chooses it by generalised cross-validation.
    """

    width: int | Literal["auto"] = "auto"
    reads: Literal["last", "input"] = "last"
    l2: float | None = None

    replaces_fit = True
    provides = frozenset({"weight"})  # sums over rows take any row weight

    @property
    def needs(self) -> frozenset[str]:
        """Features, and layers if the head reads the rows themselves."""
        return frozenset({"features", "layers"} if self.reads == "input" else {"features"})


@dataclass(frozen=True, repr=False)
class NewClasses(Option):
    """Initialise the outputs of new classes in the last layer.

    A model that can add classes does so whenever it must, by "prior".

    Parameters
    ----------
    init : {"prior", "imprint"}
        From the fraction of rows that the class has, or from the mean of its features.
    """

    init: Literal["prior", "imprint"] = "prior"

    requires = frozenset({"add_classes"})


@dataclass(frozen=True, repr=False)
class LowRank(Option):
    """Freeze the weights and train low-rank updates of them.

    Parameters
    ----------
    rank : int
        Rank of each update.
    layers : tuple of str
        Names or patterns of the layers that get one; empty means every linear and convolution layer.
    merge : bool
        Add the updates to the weights at the end.
    """

    rank: int
    layers: tuple[str, ...] = ()
    merge: bool = True

    requires = frozenset({"layers"})


@dataclass(frozen=True, repr=False)
class Architecture(Option):
    """Build another architecture; weights whose name and shape agree start as the champion has them.

    Parameters
    ----------
    factory : str, optional
        "package.module:build"; None calls what built the champion.
    arguments : tuple of (str, value)
        Arguments of the call; for the champion's own factory, those that differ.
    """

    factory: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()

    requires = frozenset({"layers"})


@dataclass(frozen=True, repr=False)
class Perturb(Option):
    """Start from the champion's weights, shrunk and with noise: ``keep * w + N(0, noise**2)``.

    Parameters
    ----------
    keep : float
        Factor of each weight.
    noise : float
        Standard deviation of the noise.
    """

    keep: float = 1.0
    noise: float = 0.0

    requires = frozenset({"layers"})


@dataclass(frozen=True, repr=False)
class Pull(Option):
    """Add a quadratic penalty on the distance to the champion's weights.

    Parameters
    ----------
    strength : float
        Weight of the penalty, next to a loss that is a mean over rows.
    importance : {"uniform", "fisher", "empirical", "output", "path"}
        Factor of each weight: one; its Fisher information on the old rows, in expectation over the model's own labels
        or at the observed labels; how much it moves the outputs; how much it lowered the loss during training.
    normalise : bool
        Scale importances to a mean of one, so that `strength` means the same for every model.
    """

    strength: float
    importance: Importance = "uniform"
    normalise: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """Gradient steps, and training hooks if the path of the training is recorded."""
        return frozenset({"gradient", "training_hooks"} if self.importance == "path" else {"gradient"})


@dataclass(frozen=True, repr=False)
class Distill(Option):
    """Add the divergence from the champion's predictions of the training rows.

    Parameters
    ----------
    weight : float
        Weight of this loss term.
    temperature : float
        Softens both predictions; a higher one compares unlikely classes as well.
    """

    weight: float
    temperature: float = 2.0

    requires = frozenset({"soft_targets"})


@dataclass(frozen=True, repr=False)
class StoredLogits(Option):
    """Add the squared distance to the logits that remembered rows had when they were learned.

    Parameters
    ----------
    weight : float
        Weight of this loss term.
    """

    weight: float

    requires = frozenset({"soft_targets"})


@dataclass(frozen=True, repr=False)
class TaskObjective(Option):
    """Set the task loss, which compares outputs with labels.

    Parameters
    ----------
    loss : str, optional
        "cross_entropy", "bce", "mse", "huber", or "module:function" of outputs and targets that gives a loss for each
        row; None is the loss that fits the labels.
    smoothing : float
        Fraction of each label that is spread over all classes.
    class_weight : "balanced" or tuple of (class, float), optional
        Weight of a row of each class.
    """

    loss: str | None = None
    smoothing: float = 0.0
    class_weight: Literal["balanced"] | tuple[tuple[Any, float], ...] | None = None

    requires = frozenset({"loss"})


@dataclass(frozen=True, repr=False)
class Ensemble(Option):
    """Keep champion and challenger as members of an ensemble.

    Parameters
    ----------
    combine : {"vote", "weighted", "stack"}
        Average the members, weight them by their performance, or fit a linear model on their predictions.
    members : int
        The most members that the ensemble keeps.
    """

    combine: Literal["vote", "weighted", "stack"]
    members: int = 5


OPTIONS: dict[str, type[Option]] = {kind.__name__: kind for kind in Option.__subclasses__()}
