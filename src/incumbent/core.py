"""Every noun of Incumbent, and the promises that hold between them. Read this file first.

An update reads from top to bottom here: a `Batch` of new rows meets a `Model`; a `Strategy` edits a
`Recipe`; the model follows the recipe and gives a `Challenger`; both predict the same unseen rows once,
which makes `Evidence`; a gate turns evidence into a `Verdict`; all of it is an `Outcome`; and what the next
update may still know of the old rows is a `Memory` and an `AnchorSet`.

Nothing here imports a framework, pandas or scikit-learn: this module costs numpy and nothing more.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, TypeAlias, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from incumbent.errors import DataError, UsageError

if TYPE_CHECKING:
    from incumbent.data import DataCheck
    from incumbent.updating import Lines

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]
Task: TypeAlias = Literal["classification", "regression"]
Decision: TypeAlias = Literal["promote", "reject", "inconclusive"]
Importance: TypeAlias = Literal["uniform", "fisher", "empirical", "output", "path"]

# --------------------------------------------------------------------------------------------- values


class Value:
    """A frozen dataclass that prints as the expression which makes it, and changes by `but`.

    ``eval(repr(value)) == value``: what is printed in a report can be typed again.

    Examples
    --------
    >>> from incumbent.strategies import Replay
    >>> Replay(2000, sample="balanced")
    Replay(2000, sample='balanced')
    >>> Replay().but(rows=50)
    Replay(50)
    """

    _lead: ClassVar[bool] = False  # show the first field even at its default, where it is what one looks for

    def __repr__(self) -> str:
        shown, positional, lead = [], True, self._lead
        for f in dataclasses.fields(self):  # type: ignore[arg-type]  # every Value is a dataclass
            if not f.repr:
                continue
            value = getattr(self, f.name)
            default = f.default_factory() if callable(f.default_factory) else f.default
            if value != default or (lead and value is not None):
                shown.append(repr(value) if positional and not f.kw_only else f"{f.name}={value!r}")
            positional = lead = False
        return f"{type(self).__name__}({', '.join(shown)})"

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        known = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            if name not in known:
                raise UsageError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(known)}.")
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


# ----------------------------------------------------------------------------------------------- data


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows that belong together.

    Parameters
    ----------
    x : (n, ...) data frame, array, lazy rows, list of texts, or a dict of those for several modalities
        What a model sees. Lazy rows (`incumbent.data.LazyRows`) are read like an array, a part at a time.
    y : (n,) array, or (n, m), optional
        Labels or target values; m of them where a row has several labels, each on (1) or off (0), or several values.
    weight : (n,) array, optional
        Row weights; absent means one each.
    soft : (n, k) array, optional
        Soft targets: what an older model said of these rows; NaN where nobody knows.
    time : (n,) array, optional
        When each row was observed; rows that have it are ordered.
    group : (n,) array, optional
        Rows that share a group (a customer, a device) are never split apart.
    features : object, optional
        What the frozen part of a model made of them, for as long as an update lasts (`incumbent.models.passed`).

    Examples
    --------
    >>> rows = Batch(np.eye(3), np.array([0, 1, 0]))
    >>> len(rows.take([0, 2])), rows.take([0, 2]).y.tolist()
    (2, [0, 0])
    """

    x: Any
    y: Array | None = None
    weight: Floats | None = None
    soft: Floats | None = None
    time: Array | None = None
    group: Array | None = None
    features: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        n = len(self)
        for name in ("y", "weight", "soft", "time", "group", "features"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise DataError(f"{name} has {len(column)} rows but x has {n}; a Batch pairs them row by row.")

    def __len__(self) -> int:
        return _length(next(iter(self.x.values())) if isinstance(self.x, dict) else self.x)

    @property
    def labels(self) -> Array:
        """The labels or target values, where rows must have them.

        Raises
        ------
        DataError
            The rows have none.
        """
        if self.y is None:
            raise DataError("These rows have no labels, and learning or scoring needs them; name the target column.")
        return self.y

    def take(self, index: Array | Sequence[int]) -> Batch:
        """Return the rows at `index` (positions or a boolean mask), in that order."""
        at = _positions(index)
        return Batch(**{f.name: _take(getattr(self, f.name), at) for f in dataclasses.fields(self)})

    def but(self, **changes: Any) -> Batch:
        """Return the same rows with some columns changed."""
        return dataclasses.replace(self, **changes)

    @staticmethod
    def join(batches: Sequence[Batch]) -> Batch:
        """Return all rows in one batch.

        A column that some of them lack is dropped, but missing weights are one and missing soft targets NaN.
        """
        kept = [b for b in batches if len(b)] or list(batches[:1])
        if len(kept) == 1:
            return kept[0]
        if any(b.weight is not None for b in kept):
            kept = [b if b.weight is not None else b.but(weight=np.ones(len(b))) for b in kept]
        if any(b.soft is not None for b in kept):
            kept = _with_soft(kept)
        return Batch(**{f.name: _join([getattr(b, f.name) for b in kept]) for f in dataclasses.fields(Batch)})


def _with_soft(batches: Sequence[Batch]) -> list[Batch]:
    """Give all batches soft targets of one width, NaN where nobody knows them: a model may have grown in between."""
    width = max(b.soft.shape[1] for b in batches if b.soft is not None)
    wide = []
    for batch in batches:
        soft = np.full((len(batch), width), np.nan)
        if batch.soft is not None:
            soft[:, : batch.soft.shape[1]] = batch.soft
        wide.append(batch.but(soft=soft))
    return wide


def _positions(index: Array | Sequence[int]) -> NDArray[np.intp]:
    at = np.asarray(index)
    return np.flatnonzero(at) if at.dtype == bool else at.astype(np.intp)


def _length(x: Any) -> int:
    return int(x.shape[0]) if hasattr(x, "shape") else len(x)


def _take(x: Any, at: NDArray[np.intp]) -> Any:
    if x is None:
        return None
    if isinstance(x, dict):
        return {name: _take(part, at) for name, part in x.items()}
    if hasattr(x, "iloc"):
        return x.iloc[at]
    if hasattr(x, "pick"):  # rows that stay in a file until they are asked for
        return x.pick(at)
    return [x[i] for i in at] if isinstance(x, list) else x[at]


def _join(parts: Sequence[Any]) -> Any:
    if any(part is None for part in parts):
        return None
    first = parts[0]
    if isinstance(first, dict):
        return {name: _join([part[name] for part in parts]) for name in first}
    if hasattr(first, "iloc"):
        return _join_frames(parts)
    lazy = next((part for part in parts if hasattr(part, "pick")), None)
    if lazy is not None:
        return lazy.join(parts)
    if hasattr(first, "tocsr"):
        import scipy.sparse as sp

        return sp.vstack(parts).tocsr()
    return [row for part in parts for row in part] if isinstance(first, list) else np.concatenate(parts)


def _join_frames(frames: Sequence[Any]) -> Any:
    """Join data frames; a categorical column that has gained categories stays categorical, the old ones first."""
    import pandas as pd  # the caller already holds a frame

    categorical = [name for name, kind in frames[0].dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    wider = {}
    for name in categorical:
        kinds = [frame[name].dtype for frame in frames]
        if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds) and any(kind != kinds[0] for kind in kinds):
            known = kinds[0].categories
            for kind in kinds[1:]:
                known = known.append(kind.categories[~kind.categories.isin(known)])
            wider[name] = pd.CategoricalDtype(known, all(kind.ordered for kind in kinds))
    return pd.concat([frame.astype(wider) for frame in frames] if wider else list(frames), ignore_index=True)


@dataclass(frozen=True, eq=False)
class Memory:
    """What an update may carry to the next one: bounded, countable in bytes, stored with its version.

    Parameters
    ----------
    rows : Batch, optional
        A reservoir: a uniform sample of all rows ever learned from, with rare classes kept.
    key : (n,) array, optional
        The random number in (0, 1) that each remembered row drew when it arrived.
    threshold : float
        A row is in the reservoir when its key is at most this (or its class is rare).
    seen : int
        How many rows have been learned from in all.
    importance : mapping of str to array
        How much each weight mattered for the old rows (the diagonal Fisher information), by weight name.
    statistics : mapping of str to array
        Sums over all rows learned from, from which an analytic head is solved and rows are forgotten exactly.
    """

    rows: Batch | None = None
    key: Floats | None = None
    threshold: float = 1.0
    seen: int = 0
    importance: Mapping[str, Floats] = field(default_factory=dict)
    statistics: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    def but(self, **changes: Any) -> Memory:
        """Return the same memory with some parts changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, eq=False)
class AnchorSet:
    """The old holdout: rows that no version was ever trained on, so that forgetting shows.

    Parameters
    ----------
    rows : Batch, optional
        The rows.
    used : (n,) array, optional
        How many gate decisions each row has served in; each use spends part of the error budget.
    seen : int
        How many rows were ever offered to the set.
    """

    rows: Batch | None = None
    used: NDArray[np.int64] | None = None
    seen: int = 0

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    @property
    def use(self) -> int:
        """The number k of the next use. Half of the rows being new makes a set new: the median counts."""
        return 1 if self.used is None or not len(self.used) else 1 + math.floor(float(np.median(self.used)))


# --------------------------------------------------------------------------------------------- recipe

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
    projection : {"auto", "relu", "quadratic"}
        Random features of what that head reads, or quadratic ones of its principal components.
    reads : {"last", "input"}
        What that head reads: what the last layer does, or the rows themselves, in the place of the whole net.
    neighbours : int or "auto"
        How many rows of each class are kept beside it, whose votes for their class are mixed in; "auto" as the champion
        has it, or 200 where rows are remembered.
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
    projection: Literal["auto", "relu", "quadratic"] = "auto"
    reads: Literal["last", "input"] = "last"
    neighbours: int | Literal["auto"] = "auto"


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


# ------------------------------------------------------------------------------- models and strategies


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of some rows, each predicted once.

    Parameters
    ----------
    label : (n,) array, or (n, m)
        Predicted classes, or values for a regression; of rows with several labels at once, which of them are on.
    proba : (n, k) array, optional
        Class probabilities, in the order of `classes`; of several labels the probability of each to be on.
    classes : (k,) array, optional
        The classes that the model knows, or what the several labels are called, in their order.
    """

    label: Array
    proba: Floats | None = None
    classes: Array | None = None

    def __len__(self) -> int:
        return len(self.label)

    def take(self, index: Array | Sequence[int]) -> Prediction:
        """Return the predictions at `index` (positions or a boolean mask), in that order."""
        at = _positions(index)
        return Prediction(self.label[at], None if self.proba is None else self.proba[at], self.classes)


@runtime_checkable
class Model(Protocol):
    """The adapter around a native model.

    Promises: `fit` returns a new model and self never changes; `predict` is pure; a model that was saved and loaded
    predicts exactly the same; the same recipe with the same seed gives the same model.

    Rows reach it as a data frame. An adapter with an attribute ``takes = "tensors"`` is given arrays (n, ...), or a
    dict of them for several inputs, where the rows came as such: of their own type, and as lazy rows where they are
    many.
    """

    @property
    def native(self) -> Any:
        """The model as its own framework knows it."""

    @property
    def abilities(self) -> frozenset[str]:
        """What it can do: words of `ABILITIES`."""

    @property
    def task(self) -> Task:
        """Whether it predicts classes or values."""

    @property
    def classes(self) -> Array | None:
        """The classes it knows, sorted; None for a regression."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known about how it was fitted, such as a fallback that was taken."""

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""

    def fit(self, recipe: Recipe) -> Model:
        """Follow a bound recipe and return the challenger it makes."""

    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, in a format that runs no code when it is read."""


class Differentiable(Model, Protocol):
    """A model whose weights can be read, valued and set. Weights of both methods share names and shapes."""

    def weights(self) -> dict[str, Floats]:
        """Return the weights by name."""

    def with_weights(self, weights: Mapping[str, Floats]) -> Model:
        """Return the same model with these weights."""

    def sensitivity(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for these rows, by weight name.

        "fisher" is the diagonal of the Fisher information: the mean over rows of the squared gradient of the log
        likelihood, in expectation over the labels that the model itself predicts. A model that can do so gives other
        kinds too.
        """


class Outspoken(Model, Protocol):
    """A model that tells what it says before it becomes a class or a probability."""

    def logits(self, x: Any) -> Floats:
        """Return the outputs (n, k): logits in the order in which it got to know its classes, or values."""


def outspoken(model: Model) -> TypeGuard[Outspoken]:
    """Whether this model tells its outputs, and learns from those of another."""
    return "soft" in model.abilities


def differentiable(model: Model) -> TypeGuard[Differentiable]:
    """Whether the weights of this model can be read, valued and set."""
    return "gradient" in model.abilities


@runtime_checkable
class Strategy(Protocol):
    """A small frozen value that edits a recipe and says what to remember. It never trains."""

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory that the version made by this strategy carries on, given what was just learned."""


class Metric(Protocol):
    """A score with a name and a direction, and where it has one, a loss per row whose mean it is."""

    @property
    def name(self) -> str:
        """As the command line spells it."""

    @property
    def greater_is_better(self) -> bool:
        """The direction of `score`. Losses are always better when smaller."""

    @property
    def bound(self) -> float:
        """The largest loss of one row; infinity where there is none."""

    def losses(self, y: Array, prediction: Prediction) -> Floats | None:
        """Loss of each row (n,), or None where the metric belongs to the rows as a whole (AUC, F1)."""

    def score(self, y: Array, prediction: Prediction, weight: Floats | None = None) -> float:
        """Return the score over all rows."""

    def resample(self, y: Array, prediction: Prediction, weight: Floats) -> Floats:
        """Return the score under each of B row weightings: `weight` is (B, n), the result (B,)."""


# ------------------------------------------------------------------------------------------- evidence


@dataclass(frozen=True, eq=False)
class Paired:
    """Champion and challenger on the same unseen rows of one holdout.

    Parameters
    ----------
    y : (n,) array, or (n, m)
        The truth.
    champion, challenger : Prediction
        What each said of every row.
    source : str
        Where the rows come from: "holdout", "anchor", "crossfit" (by stand-ins) or "train" (biased).
    weight : (n,) array, optional
        Row weights.
    block : (n,) array of int, optional
        Rows of one block (a group) are one unit of evidence.
    ordered : bool
        The rows are in time order, so that neighbours may be alike.
    clip : float
        Losses are cut off here; fixed on the champion before the holdout was looked at.
    x : data frame of n rows, optional
        What the models saw, where slices of it are to be judged.
    """

    y: Array
    champion: Prediction
    challenger: Prediction
    source: str = "holdout"
    weight: Floats | None = None
    block: Array | None = None
    ordered: bool = False
    clip: float = math.inf
    x: Any = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Interval:
    """An estimate with its one-sided bounds at one level."""

    value: float
    lower: float
    upper: float
    alpha: float
    test: str
    rows: int


@dataclass(frozen=True)
class LineEvidence:
    """What is known of a line: challengers of one strategy that learned every batch after they had predicted it.

    Parameters
    ----------
    interval : Interval
        The gain over the champions of that time, over all rows so far, with bounds that hold at all times.
    e_value : float
        The evidence that the line was better.
    needed : float
        The evidence from which that is shown.
    shown : bool
        Whether it is.
    batches : int
        How many batches were predicted.
    """

    interval: Interval
    e_value: float
    needed: float
    shown: bool
    batches: int


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a gate may look at.

    Parameters
    ----------
    metric : Metric
        The score that decides.
    new : Paired
        The gate split of the new rows.
    old : Paired, optional
        The anchor set or its stand-in.
    anchor_use : int
        How often the anchor set will have been used, this time included.
    measured : mapping of str to (float, float)
        Champion's and challenger's value of everything a limit may name: latency, bytes, calibration, metrics.
    level : float, optional
        The level of this update where alpha is shared among many; None is the gate's alpha.
    suspects : tuple of Slice
        Subgroups that were worse on the select rows, to be confirmed or cleared on `new`.
    routine : str
        The strategy that is live, where the challenger learned by the same one; empty is a change of strategy.
    line : LineEvidence, optional
        What is known of the challenger's line over several batches, where that is the source of evidence.
    """

    metric: Metric
    new: Paired
    old: Paired | None = None
    anchor_use: int = 1
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    level: float | None = None
    suspects: tuple[Any, ...] = ()
    routine: str = ""
    line: LineEvidence | None = None


@dataclass(frozen=True)
class Reason:
    """One condition of the verdict: a number beside its limit.

    Parameters
    ----------
    name : str
        Such as "better on the new rows".
    value : float
        The number that is held against the limit: a confidence bound, or a measured value.
    limit : float
        What it is held against.
    holds : bool
        Whether the condition is met.
    broken : bool
        Whether the opposite is shown (then more rows would not help).
    text : str
        The condition in one sentence, with its numbers.
    interval : Interval, optional
        The estimate behind the value.
    """

    name: str
    value: float
    limit: float
    holds: bool
    broken: bool
    text: str
    interval: Interval | None = None


@dataclass(frozen=True)
class Verdict:
    """The decision, every reason for it, and what would change it.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        What happens to the challenger.
    reasons : tuple of Reason
        Each a number beside its limit; all must hold for a promotion.
    promise : str
        What a promotion guarantees.
    source : str
        Which rows the old-data condition was judged on.
    kind : {"prove", "refresh"}
        Which promise was given: that what is promoted is shown better, or that what is shown worse is not.
    new_source : str
        Which rows the gain on the new rows was judged on.
    smallest_gain : float
        The smallest gain that this holdout could have shown with probability 0.8.
    rows_needed : int, optional
        How many gate rows would show the gain that was seen, with probability 0.8; None where no gain was seen.
    advice : tuple of str
        What to do next.
    """

    decision: Decision
    reasons: tuple[Reason, ...] = ()
    promise: str = ""
    source: str = ""
    smallest_gain: float = math.nan
    rows_needed: int | None = None
    advice: tuple[str, ...] = ()
    kind: Literal["prove", "refresh"] = "prove"
    new_source: str = "holdout"

    def __str__(self) -> str:
        lines = [self.decision.upper(), *(f"  {'yes' if r.holds else 'no ':3}  {r.text}" for r in self.reasons)]
        return "\n".join([*lines, *(f"  next: {text}" for text in self.advice)])


# -------------------------------------------------------------------------------------------- outcome


@dataclass(frozen=True, eq=False)
class Challenger:
    """One try: what it was, what it cost, how it did on the select split, or why it failed.

    Parameters
    ----------
    strategy : str
        The expression that makes the strategy.
    recipe : Recipe, optional
        The recipe it prepared (unbound); None if it could not be prepared.
    model : Model, optional
        What was made; None if it failed.
    seconds : float
        Wall time of fit and predict.
    rows : int
        Rows it learned from.
    gain : float
        Improvement of the deciding loss over the champion on the select rows; positive is better.
    gains : mapping of str to float
        The same by rows, "new" and "old"; `gain` weighs them.
    score : float
        The deciding metric on the new select rows.
    chosen : bool
        Whether this is the one that met the gate.
    notes : tuple of str
        What should be known, such as a fallback.
    error : str
        Why it failed; empty if it did not.
    spared : str
        Why there was no need to try it; empty if it was tried.
    """

    strategy: str
    recipe: Recipe | None = None
    model: Model | None = None
    seconds: float = 0.0
    rows: int = 0
    gain: float = math.nan
    score: float = math.nan
    chosen: bool = False
    notes: tuple[str, ...] = ()
    error: str = ""
    spared: str = ""
    gains: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Champion beside challenger on one holdout, in the numbers that people read.

    Parameters
    ----------
    name : {"new", "anchor"}
        Which rows.
    champion, challenger : mapping of str to float
        Every metric by name.
    interval : Interval
        The gain on the deciding loss.
    per_class : mapping of str to (float, float, int)
        Accuracy of champion and challenger and number of rows, by class (empty for a regression); the F1 of each where
        rows have several labels at once.
    paired : Paired
        The predictions, for plots.
    """

    name: str
    champion: Mapping[str, float]
    challenger: Mapping[str, float]
    interval: Interval
    per_class: Mapping[str, tuple[float, float, int]]
    paired: Paired


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that an update found out.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        The verdict's decision.
    model : object
        The native model that should be live: the challenger's after a promotion, else the champion's.
    verdict : Verdict
        Decision, reasons, advice.
    challengers : tuple of Challenger
        Every try.
    champion : Model
        The model that was live.
    metric : str
        The deciding metric.
    comparisons : mapping of str to Comparison
        Champion beside the chosen challenger on "new" and "anchor".
    prequential : mapping of str to mapping of str to float
        Metrics on the whole batch before anybody learned from it: champion, standing challengers, no-change.
    check : DataCheck
        What was found in the data.
    rows : mapping of str to int
        Row counts: read, train, select, gate, anchor, memory, duplicate, contradictory, known, leaked.
    cost : mapping of str to float
        Seconds by stage, and in all.
    memory : Memory
        What the next update may know.
    anchor : AnchorSet
        The old holdout for the next update.
    seed : int
        The seed.
    control : mapping
        The state of the error control after this update: how much of alpha is spent over a lifetime.
    lines : Lines, optional
        Standing challengers that keep learning, and the evidence about them, after this update.
    followed : mapping
        Whether today's rows or history's have been the better guide, after this update.
    name, version_before, version_after, update : str, int, int, str
        Where a registry recorded it; empty and 0 in memory.
    candidate : int
        The version that passed the gate and waits for approval, where that was asked for; 0 is none. The champion is
        live until then, so `model` and `version_after` are the champion's.
    lineage : tuple of mapping
        Earlier events of the same model, newest first, for the report.
    """

    decision: Decision
    model: Any
    verdict: Verdict
    challengers: tuple[Challenger, ...]
    champion: Model
    metric: str
    comparisons: Mapping[str, Comparison]
    prequential: Mapping[str, Mapping[str, float]]
    check: DataCheck
    rows: Mapping[str, int]
    cost: Mapping[str, float]
    memory: Memory
    anchor: AnchorSet
    seed: int
    control: Mapping[str, Any] = field(default_factory=dict)
    lines: Lines | None = None
    followed: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    version_before: int = 0
    version_after: int = 0
    update: str = ""
    candidate: int = 0
    lineage: tuple[Mapping[str, Any], ...] = ()

    @property
    def chosen(self) -> Challenger | None:
        """The challenger that met the gate, if any did."""
        return next((c for c in self.challengers if c.chosen), None)

    @property
    def winner(self) -> Model:
        """The adapter of the model that should be live."""
        made = self.chosen.model if self.chosen is not None else None
        return made if self.decision == "promote" and made is not None and not self.candidate else self.champion

    def but(self, **changes: Any) -> Outcome:
        """Return the same outcome with some parts changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: plain numbers, texts, lists and dicts."""
        from incumbent.report import to_dict

        return to_dict(self)

    def report(self, path: str | Path) -> Path:
        """Write the page that a person reads, one self-contained HTML file, and return where it lies."""
        from incumbent.report import write

        return write(self, Path(path))

    def __str__(self) -> str:
        from incumbent.report import to_text

        return to_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from incumbent.report import to_html_summary

        return to_html_summary(self)


@dataclass(frozen=True)
class Event:
    """Something that happened during an update, for whoever shows progress.

    Parameters
    ----------
    stage : str
        "check", "split", "prequential", "fit", "fitted", "failed", "spared", "compare", "gate" or "done".
    text : str
        One line for a person.
    done, total : int
        How far the challengers are.
    left : float
        Seconds left in the budget.
    """

    stage: str
    text: str
    done: int = 0
    total: int = 0
    left: float = math.inf


Progress: TypeAlias = Callable[[Event], None]
