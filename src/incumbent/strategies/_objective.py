"""Set the task loss of a net, and the schedule of its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from incumbent.core import Memory, Recipe, TaskObjective
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Objective(Edit):
    """Set the loss that a net minimises on its labels, the weight of each class, and label smoothing.

    Parameters
    ----------
    loss : str, optional
        "cross_entropy", "bce", "mse", "huber", or "module:function" of outputs (n, k) and targets that gives (n,)
        losses; None is the loss that fits the labels.
    smoothing : float in [0, 1)
        Fraction of each label that is spread over all classes.
    class_weight : "balanced" or tuple of (class, float), optional
        Weight of a row of each class.

    References
    ----------
    Szegedy et al. (2016), Rethinking the Inception Architecture for Computer Vision, CVPR, section 7 (smoothing).

    Examples
    --------
    >>> Objective("huber"), Objective(class_weight=(("fraud", 20.0),))
    (Objective('huber'), Objective(class_weight=(('fraud', 20.0),)))
    """

    loss: str | None = None
    smoothing: float = 0.0
    class_weight: Literal["balanced"] | tuple[tuple[Any, float], ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            self._refuse("smoothing", "takes a number from 0 to below 1")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        objective = TaskObjective(self.loss, self.smoothing, self.class_weight)
        return recipe.replace(objective=objective if objective != TaskObjective() else None)


@dataclass(frozen=True, repr=False)
class Schedule(Edit):
    """Set how a net is trained: the learning rate over the steps, gradient clipping, early stopping.

    Parameters
    ----------
    course : {"linear", "cosine", "constant"}
        How the learning rate falls over the steps.
    warmup : float in [0, 1)
        Fraction of the steps over which it first rises.
    layer_decay : float in (0, 1]
        Learning rate of each block relative to the block after it. Early layers are more general and should move less.
    clip : float, optional
        Largest norm of a gradient.
    patience : int, optional
        Stop after this many epochs without a smaller loss on the select rows, and keep the best weights.
    weight_decay : float, optional
        Decay of the weights; None is 0.01 for AdamW and 0 otherwise.

    References
    ----------
    Howard and Ruder (2018), Universal Language Model Fine-tuning, ACL, section 3.2 (rates by layer).

    Examples
    --------
    >>> from incumbent.strategies import Incremental, chain
    >>> chain(Incremental("adamw", lr=1e-3, epochs=5), Schedule("cosine", warmup=0.1, clip=1.0))
    chain(Incremental('adamw', lr=0.001, epochs=5), Schedule('cosine', warmup=0.1, clip=1.0))
    """

    course: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.0
    layer_decay: float = 1.0
    clip: float | None = None
    patience: int | None = None
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        self._check_one_of("course", ("linear", "cosine", "constant"))
        if not 0 <= self.warmup < 1:
            self._refuse("warmup", "takes a number from 0 to below 1")
        self._check_fraction("layer_decay")
        self._check_positive("clip")
        self._check_positive("patience", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(
            schedule=self.course,
            warmup=self.warmup,
            layer_decay=self.layer_decay,
            clip=self.clip,
            patience=self.patience,
            weight_decay=self.weight_decay,
        )
