"""The five elements of a recipe: data, structure, loss, optimizer, finish.

A field holds a plain number or word, or an option (`_options`). The metadata of a plain field names the abilities that
it needs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from incumbent.core._options import (
    Architecture,
    Distill,
    Ensemble,
    Exact,
    FreshHead,
    LowRank,
    NewClasses,
    Perturb,
    Pull,
    RefitLeaves,
    ReplayRows,
    Search,
    StoredLogits,
    Subset,
    TaskObjective,
    Trees,
)
from incumbent.core._recipe_0_1 import accepts_0_1
from incumbent.core._values import Value


def _needing(default: Any, *abilities: str, besides: tuple[str, ...] = ()) -> Any:
    """Return a field that needs these abilities unless it is at its default; its parts in `besides` need none."""
    return field(default=default, metadata={"needs": frozenset(abilities), "besides": besides})


@accepts_0_1
@dataclass(frozen=True, repr=False)
class Data(Value):
    """Which rows to learn from, the weight of each, and their order.

    Parameters
    ----------
    replay : ReplayRows, optional
        Rows from memory; None uses only the new ones.
    max_rows : int, optional
        At most this many rows in all, old and new together.
    window : int or str, optional
        Only the newest rows: a count, or a span of time such as "30d".
    half_life : int, float or str, optional
        A row this much older than the newest (in rows, or a span of time) has half its weight.
    ordered : bool
        Present rows in their own order instead of shuffled.
    subset : Subset, optional
        Train on a fraction of the rows in each epoch.
    balanced : bool
        Draw rows so that each class is as frequent as any other.
    new_row_weight : float
        Weight of a new row relative to a remembered one.
    """

    replay: ReplayRows | None = None
    max_rows: int | None = None
    window: int | str | None = None
    half_life: float | str | None = _needing(None, "weight")
    ordered: bool = False
    subset: Subset | None = None
    balanced: bool = _needing(False, "batch_sampling")
    new_row_weight: float = _needing(1.0, "weight")


@accepts_0_1
@dataclass(frozen=True, repr=False)
class Structure(Value):
    """Where the challenger starts and what may change in it.

    Parameters
    ----------
    start : {"champion", "scratch"}, optional
        Keep the champion's weights or trees, or fit from scratch with its settings; None leaves the choice to
        `Recipe.resolve_start`.
    trees : Trees or RefitLeaves, optional
        Append trees, or estimate the values of their leaves again.
    freeze : tuple of str
        Parts that do not change: "preprocess" is every step of a Pipeline but the last; of a net "backbone", "head",
        "first:3" (its first three blocks), or a pattern of names such as "layer1.*".
    search : Search, optional
        Search the model's own hyper-parameters.
    head : FreshHead or Exact, optional
        Replace the last layer.
    classes : NewClasses, optional
        How outputs for new classes are initialised.
    lora : LowRank, optional
        Train low-rank updates of the weights.
    architecture : Architecture, optional
        Build another architecture.
    perturb : Perturb, optional
        Shrink the champion's weights and add noise.
    """

    start: Literal["champion", "scratch"] | None = None
    trees: Trees | RefitLeaves | None = None
    freeze: tuple[str, ...] = _needing((), "layers", besides=("preprocess",))
    search: Search | None = None
    head: FreshHead | Exact | None = None
    classes: NewClasses | None = None
    lora: LowRank | None = None
    architecture: Architecture | None = None
    perturb: Perturb | None = None


@accepts_0_1
@dataclass(frozen=True, repr=False)
class Loss(Value):
    """What is minimised in addition to the model's own loss.

    Parameters
    ----------
    pull : Pull, optional
        Penalty on the distance to the champion's weights.
    l2_new_weights : float
        L2 penalty on weights that the champion does not have, such as those of a new head.
    distill : Distill, optional
        Divergence from the champion's predictions.
    stored_logits : StoredLogits, optional
        Distance to the logits stored with remembered rows.
    replay_weight : float
        Weight of the task loss on the rows that are drawn for each mini-batch.
    objective : TaskObjective, optional
        Another task loss, label smoothing or class weights.
    """

    pull: Pull | None = None
    l2_new_weights: float = _needing(0.0, "loss")
    distill: Distill | None = None
    stored_logits: StoredLogits | None = None
    replay_weight: float = 1.0
    objective: TaskObjective | None = None


OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw")


@accepts_0_1
@dataclass(frozen=True, repr=False)
class Optimizer(Value):
    """How the loss is minimised.

    Parameters
    ----------
    name : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}, optional
        None uses the model's own rule (`partial_fit`), or Adam if it has none.
    lr : float, optional
        Learning rate; None picks it by a short trial.
    epochs : int, optional
        Passes over the rows. None is one; a net stops once the loss on the select rows no longer falls.
    batch_size : int, optional
        Rows per step; 1 is online learning. None is 256, and 64 for a net.
    weight_decay : float, optional
        Decay of the weights per step, decoupled for AdamW; None is 0.01 for AdamW and 0 otherwise.
    schedule : {"linear", "cosine", "constant"}
        How the learning rate falls over the steps of mini-batch learning.
    warmup : float in [0, 1)
        Fraction of the steps over which it first rises from zero.
    layer_decay : float in (0, 1]
        Learning rate of each block relative to the block after it: 1 is the same for all.
    clip : float, optional
        Largest norm of a step's gradient.
    patience : int, optional
        Stop after this many epochs without a smaller loss on the select rows, and keep the best weights.
    """

    name: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    weight_decay: float | None = _needing(None, "training_hooks")
    schedule: Literal["linear", "cosine", "constant"] = _needing("linear", "training_hooks")
    warmup: float = _needing(0.0, "training_hooks")
    layer_decay: float = _needing(1.0, "training_hooks")
    clip: float | None = _needing(None, "training_hooks")
    patience: int | None = _needing(None, "training_hooks")


@accepts_0_1
@dataclass(frozen=True, repr=False)
class Finish(Value):
    """How champion and challenger are combined at the end.

    Parameters
    ----------
    alpha : float or "auto", optional
        Interpolate the weights: 0 is the champion, 1 the challenger; "auto" picks it on the select rows.
    ensemble : Ensemble, optional
        Keep both as members of an ensemble.
    soup : int
        Train this many challengers, with other seeds and learning rates, and average the weights of those that help
        (0: just the one).
    ema : float in (0, 1), optional
        Use the moving average of the weights; each step keeps this fraction of it.
    """

    alpha: float | Literal["auto"] | None = _needing(None, "gradient")
    ensemble: Ensemble | None = None
    soup: int = _needing(0, "gradient")
    ema: float | None = _needing(None, "training_hooks")


ELEMENTS: dict[str, type[Value]] = {
    "data": Data,
    "structure": Structure,
    "loss": Loss,
    "optimizer": Optimizer,
    "finish": Finish,
}


def field_needs(element: Value) -> frozenset[str]:
    """Return what the plain fields of an element need, by their metadata."""
    needs: set[str] = set()
    for f in dataclasses.fields(element):  # type: ignore[arg-type]
        value = getattr(element, f.name)
        if isinstance(value, tuple):
            value = tuple(part for part in value if part not in f.metadata.get("besides", ()))
        if value != f.default:
            needs |= f.metadata.get("needs", frozenset())
    return frozenset(needs)
