"""What a net is trained on: rows with their targets, and the task that is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Recipe
from incumbent.models.nets._hooks import QuadraticPenalty
from incumbent.models.nets._net import Net, Rows
from incumbent.models.nets._ops import Tensor
from incumbent.models.nets._output_spec import OutputSpec


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows with all that a loss needs to know about each."""

    rows: Rows
    target: Tensor  # labels as the task loss takes them
    weight: Tensor | None = None  # (n,), with a mean of one
    soft: tuple[Tensor, Tensor] | None = None  # soft targets (n, k) and their entropy (n,)
    stored: tuple[Tensor, Tensor] | None = None  # stored outputs (n, k), and which of them are known
    stored_weight: float = 1.0  # multiplies the loss on stored outputs
    classes: NDArray[np.intp] | None = None  # class numbers, if rows are drawn class by class

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """A net, which will change, and what it is trained on."""

    net: Net
    spec: OutputSpec
    learn: TrainingData  # new rows, and old ones mixed in
    replay: TrainingData | None  # old rows that are drawn with each mini-batch
    select: TrainingData | None  # rows to choose the best epoch on
    recipe: Recipe
    penalties: tuple[QuadraticPenalty, ...] = ()
    key: str = ""  # what a checkpoint must have been made for
