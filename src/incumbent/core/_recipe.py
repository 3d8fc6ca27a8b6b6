"""The recipe of a challenger: data, structure, loss, optimizer, finish. Strategies edit it, adapters follow it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any, Literal

from incumbent._deprecated import warn_ignored
from incumbent.core._rows import Batch, Memory
from incumbent.core._values import Importance, Value
from incumbent.errors import UsageError

ABILITIES: dict[str, str] = {
    "retrain": "can be fitted from scratch with its own settings",
    "weight": "takes row weights when it is fitted from scratch",
    "incremental": "learns further rows from where it stands, by its own rule",
    "gradient": "learns further rows by gradient steps on its weights, with any optimiser",
    "append": "appends trees or boosting rounds",
    "releaf": "re-estimates the values in the leaves of its trees",
    "proba": "gives class probabilities",
    "grow": "takes in a class that it has not seen",
    "tune": "has hyper-parameters that can be searched",
    "features": "gives the numbers that its last layer reads, for an analytic head on top of them",
    "layers": "has layers that can be frozen, replaced or adapted one by one",
    "loss": "takes another task loss, class weights or label smoothing",
    "soft": "learns from soft targets: what an older model said of its rows",
    "draw": "draws rows anew for each mini-batch or epoch",
    "steps": "lets its training steps be steered, watched and averaged",
}


@dataclass(frozen=True, repr=False)
class Data(Value):
    """Which rows to learn from, how much each weighs, in which order.

    Parameters
    ----------
    replay : int or None
        How many remembered rows to mix in; None means all that are remembered.
    sample : {"reservoir", "balanced"}
        How rows are drawn where not all are taken: uniformly, or the same number of each class.
    cap : int, optional
        At most this many rows in all, old and new together.
    window : int or str, optional
        Only the newest rows: a count, or a span of time such as "30d".
    half_life : int, float or str, optional
        A row this much older than the newest (in rows, or a span of time) weighs half.
    ordered : bool
        Present rows in their own order instead of shuffled.
    beside : bool
        Draw remembered rows anew beside each mini-batch of new ones, instead of mixing them in once.
    subset : {"random", "loss", "rho"}, optional
        Learn only a share of the rows in each epoch: drawn at random, those of highest loss, or those of highest loss
        beyond what a model of held-out rows has.
    share : float in (0, 1]
        That share.
    balanced : bool
        Draw rows so that each class is as frequent as any other.
    emphasis : float
        How much each new row weighs beside a remembered one.
    """

    replay: int | None = 0
    sample: Literal["reservoir", "balanced"] = "reservoir"
    cap: int | None = None
    window: int | str | None = None
    half_life: float | str | None = None
    ordered: bool = False
    beside: bool = False
    subset: Literal["random", "loss", "rho"] | None = None
    share: float = 1.0
    balanced: bool = False
    emphasis: float = 1.0


@dataclass(frozen=True, repr=False)
class Structure(Value):
    """Where the challenger starts from and what may change in it.

    Parameters
    ----------
    start : {"champion", "scratch"}, optional
        Keep the champion's weights or trees, or fit anew with its settings; None leaves it to `Recipe.settle`.
    append : int
        How many boosting rounds or trees to append (0: none).
    shrink : float, optional
        Learning rate of appended rounds; None keeps the model's own.
    releaf : float, optional
        Keep the trees and re-estimate their leaves, with this share of the old value.
    freeze : tuple of str
        Parts that stay as they are: "preprocess" is every step of a Pipeline but the last; of a net "backbone", "head",
        "first:3" (its first three blocks), or a pattern of names such as "layer1.*".
    search : int
        How many settings of its own hyper-parameters to try (0: none).
    new_head : bool
        Replace the last layer by a fresh one.
    grow : {"prior", "imprint"}, optional
        How rows for new classes in the last layer start: at the class's share, or at the mean of its features. A model
        that grows does so anyway where it must, by "prior".
    rank : int
        Learn low-rank updates of this rank beside the weights, which stay (0: none).
    adapt : tuple of str
        Names or patterns of the layers that get them; empty means every linear and convolution layer.
    apart : bool
        Keep the low-rank updates apart from the weights instead of adding them in at the end.
    factory : str, optional
        "package.module:build", which makes another architecture; what agrees in name and shape is taken over.
    arguments : tuple of (str, value)
        What it is called with.
    keep : float, optional
        Start from the champion's weights times this.
    noise : float
        And add normal noise with this standard deviation.
    analytic : int or "auto", optional
        Freeze the features and solve a ridge head on a projection of this width (0: on the features as they are;
        "auto": as the champion has it, or as fits the rows and the budget).
    reads : {"last", "input"}
        What that head reads: what the last layer does, or the rows themselves, in the place of the whole net.
    projection, neighbours : deprecated
        Options of version 0.1, which are ignored.
    """

    start: Literal["champion", "scratch"] | None = None
    append: int = 0
    shrink: float | None = None
    releaf: float | None = None
    freeze: tuple[str, ...] = ()
    search: int = 0
    new_head: bool = False
    grow: Literal["prior", "imprint"] | None = None
    rank: int = 0
    adapt: tuple[str, ...] = ()
    apart: bool = False
    factory: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()
    keep: float | None = None
    noise: float = 0.0
    analytic: int | Literal["auto"] | None = None
    projection: InitVar[str | None] = None
    reads: Literal["last", "input"] = "last"
    neighbours: InitVar[int | str | None] = None

    def __post_init__(self, projection: str | None, neighbours: int | str | None) -> None:
        warn_ignored("Structure", projection=projection, neighbours=neighbours)


@dataclass(frozen=True, repr=False)
class Loss(Value):
    """What is minimised beyond the model's own loss.

    Parameters
    ----------
    pull : float
        Strength of the quadratic pull to the champion's weights (0: none).
    importance : {"uniform", "fisher", "empirical", "output", "path"}
        How hard each weight is pulled: alike; by its Fisher information on the old rows, in expectation over the
        model's own labels or with the labels seen; by how much it moves the outputs; by what it did for the loss along
        the training.
    normalise : bool
        Scale importances to a mean of one, so that `pull` means the same for every model.
    fresh : float
        L2 penalty on weights that the champion does not have, such as a new head's.
    l2 : float, optional
        L2 penalty on leaf values of appended trees, where None keeps the model's own, or on the coefficients of an
        analytic head, where None chooses it by generalised cross-validation.
    soft : float
        Weight of the divergence from what the champion says of the training rows (0: none).
    temperature : float
        At which both speak then; higher shows more of the order among the classes that are not chosen.
    logits : float
        Weight of the squared distance to the outputs that remembered rows had when they were learned (0: none).
    labels : float
        Weight of the task loss on rows drawn beside the new ones.
    task_loss : str, optional
        "cross_entropy", "bce", "mse", "huber", or "module:function" of outputs and targets that gives a loss for each
        row; None is what fits the labels.
    smoothing : float
        Share of each label that is spread over all classes.
    class_weight : "balanced" or tuple of (class, float), optional
        How much a row of each class counts.
    """

    pull: float = 0.0
    importance: Importance = "uniform"
    normalise: bool = False
    fresh: float = 0.0
    l2: float | None = None
    soft: float = 0.0
    temperature: float = 2.0
    logits: float = 0.0
    labels: float = 1.0
    task_loss: str | None = None
    smoothing: float = 0.0
    class_weight: Literal["balanced"] | tuple[tuple[Any, float], ...] | None = None


OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw")


@dataclass(frozen=True, repr=False)
class Optimiser(Value):
    """How the loss is minimised.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}, optional
        None means the model's own rule (`partial_fit`), or Adam where it has none.
    lr : float, optional
        Learning rate; None picks it by a short trial.
    epochs : int, optional
        Passes over the rows; None is one, and for a net as many as still lower the loss on the select rows.
    batch_size : int, optional
        Rows per step; 1 is online learning. None is 256, and 64 for a net.
    weight_decay : float, optional
        Decay of the weights per step, decoupled for AdamW; None is 0.01 for AdamW and 0 otherwise.
    schedule : {"linear", "cosine", "constant"}
        How the rate falls over the steps of mini-batch learning.
    warmup : float in [0, 1)
        Share of the steps over which it rises from zero first.
    layer_decay : float in (0, 1]
        Rate of each block as a share of that of the block after it: 1 is the same for all.
    clip : float, optional
        Largest norm of a step's gradient.
    patience : int, optional
        Stop after this many epochs without a smaller loss on the select rows, and keep the best.
    """

    optimizer: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    weight_decay: float | None = None
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.0
    layer_decay: float = 1.0
    clip: float | None = None
    patience: int | None = None


@dataclass(frozen=True, repr=False)
class Finish(Value):
    """What is made of champion and challenger at the end.

    Parameters
    ----------
    alpha : float or "auto", optional
        Interpolate the weights: 0 is the champion, 1 the challenger; "auto" picks it on the select split.
    blend : {"vote", "weighted", "stack"}, optional
        Keep both as members of an ensemble.
    members : int
        The most members that an ensemble keeps.
    soup : int
        Train this many, from other seeds and rates, and average the weights of those that help (0: just the one).
    ema : float in (0, 1), optional
        Finish with the moving average of the weights along the training, of which each step keeps this share.
    """

    alpha: float | Literal["auto"] | None = None
    blend: Literal["vote", "weighted", "stack"] | None = None
    members: int = 5
    soup: int = 0
    ema: float | None = None


ELEMENTS: dict[str, type[Value]] = {
    "data": Data,
    "structure": Structure,
    "loss": Loss,
    "optimiser": Optimiser,
    "finish": Finish,
}


_ELEMENT_OF = {f.name: name for name, kind in ELEMENTS.items() for f in dataclasses.fields(kind)}  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class Recipe(Value):
    """How to make a challenger: data, structure, loss, optimiser, finish. Strategies edit it, adapters follow it.

    The five elements are what is printed, compared and stored. `bind` adds the rows at hand; only a bound recipe
    can be followed.

    Parameters
    ----------
    data, structure, loss, optimiser, finish : Value
        The elements.
    train : Batch, optional
        The rows to learn from, assembled as `data` says.
    select : Batch, optional
        Rows held out of training, for choices along the way (a learning rate, alpha, weights of an ensemble).
    memory : Memory
        What is remembered of the old rows.
    seed : int
        Where randomness enters.
    deadline : float
        When to stop, in seconds of `time.monotonic`; iterative work checks it.
    checkpoint : Path, optional
        A file that long training is saved to as it goes, and goes on from if it is there.

    Examples
    --------
    >>> Recipe().but(start="scratch", replay=None)
    Recipe(Data(None), structure=Structure('scratch'))
    """

    data: Data = Data()
    structure: Structure = Structure()
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    finish: Finish = Finish()
    train: Batch | None = field(default=None, repr=False, compare=False)
    select: Batch | None = field(default=None, repr=False, compare=False)
    memory: Memory = field(default=Memory(), repr=False, compare=False)
    seed: int = field(default=0, repr=False, compare=False)
    deadline: float = field(default=math.inf, repr=False, compare=False)
    checkpoint: Path | None = field(default=None, repr=False, compare=False)

    def but(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed, named without their element: ``recipe.but(epochs=3)``."""
        ignored = {name: changes.pop(name, None) for name in ("projection", "neighbours")}
        warn_ignored("Recipe.but", stacklevel=3, **ignored)
        inner: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            if name not in _ELEMENT_OF:
                raise UsageError(f"A recipe has no field {name!r}; it has {', '.join(sorted(_ELEMENT_OF))}.")
            inner.setdefault(_ELEMENT_OF[name], {})[name] = value
        elements = {name: getattr(self, name).but(**edit) for name, edit in inner.items()}
        return dataclasses.replace(self, **elements)

    def bind(self, **rows: Any) -> Recipe:
        """Return the same instructions with `train`, `select`, `memory`, `seed`, `deadline` or `checkpoint` set."""
        return dataclasses.replace(self, **rows)

    def settle(self, abilities: frozenset[str]) -> Recipe:
        """Return the recipe with its start decided for a model of these abilities.

        Where no strategy said it, a model that can learn on from where it stands does so, unless the recipe weighs or
        cuts the rows by age: what was learned from the rows that are left out can only be left out by a fresh fit.
        """
        if self.structure.start is not None:
            return self
        aged = self.data.window is not None or self.data.half_life is not None
        return self.but(start="champion" if "incremental" in abilities and not aged else "scratch")

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that a model must have to follow this recipe."""
        structure, optimiser = self.structure, self.optimiser
        needs: set[str] = set()
        if structure.search:
            needs |= {"retrain", "tune"}
        if structure.append:
            needs.add("append")
        elif structure.releaf is not None:
            needs.add("releaf")
        elif structure.analytic is not None:
            needs.add("features")
        elif structure.start == "scratch":
            needs.add("retrain")
        elif structure.start == "champion":
            needs.add("incremental" if optimiser.optimizer is None else "gradient")
        if self.loss.pull or self.finish.alpha is not None:
            needs.add("gradient")
        if self.data.half_life is not None or (self.data.emphasis != 1 and structure.analytic is None):
            needs.add("weight")
        return frozenset(needs) | self._finer_needs()

    def _finer_needs(self) -> frozenset[str]:
        data, structure, loss, finish = self.data, self.structure, self.loss, self.finish
        frozen = set(structure.freeze) - {"preprocess"}
        shrunk = structure.keep is not None or structure.noise > 0
        steered = self.optimiser.but(optimizer=None, lr=None, epochs=None, batch_size=None) != Optimiser()
        asked = {
            "layers": frozen
            or structure.new_head
            or structure.rank
            or structure.factory is not None
            or shrunk
            or structure.reads == "input",
            "grow": structure.grow is not None,
            "loss": loss.task_loss is not None or loss.smoothing or loss.class_weight is not None or loss.fresh,
            "soft": loss.soft or loss.logits,
            "draw": data.beside or data.subset is not None or data.balanced,
            "steps": steered or finish.ema is not None or loss.importance == "path",
            "gradient": finish.soup,
        }
        return frozenset(word for word, wanted in asked.items() if wanted)
