"""What a net is trained on: rows with their targets, and the task that is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Recipe
from incumbent.models.nets._net import Inputs, Net, Ops, Rows, Tensor
from incumbent.models.nets._output_spec import OutputSpec
from incumbent.models.nets._penalty import QuadraticPenalty


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows with all that a loss needs to know about each.

    Parameters
    ----------
    rows : Rows
        The inputs of the net.
    target : Tensor
        Labels as the task loss takes them.
    weight : (n,) Tensor, optional
        Weight of each row, with a mean of one.
    soft : (Tensor, Tensor), optional
        Soft targets (n, k) and their entropy (n,); see `SoftTargets`.
    stored : (Tensor, Tensor), optional
        Stored outputs (n, k) and which are known; see `StoredOutputs`.
    stored_weight : float
        What the loss on stored outputs is multiplied by.
    classes : (n,) array, optional
        Class numbers, if rows are drawn class by class.
    """

    rows: Rows
    target: Tensor
    weight: Tensor | None = None
    soft: tuple[Tensor, Tensor] | None = None
    stored: tuple[Tensor, Tensor] | None = None
    stored_weight: float = 1.0
    classes: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """A net and what it is trained on.

    Parameters
    ----------
    net : Net
        The net; it changes.
    spec : OutputSpec
        What its outputs mean.
    learn : TrainingData
        New rows, and old ones mixed in.
    replay : TrainingData, optional
        Old rows that are drawn with each mini-batch.
    select : TrainingData, optional
        Rows to choose on.
    recipe : Recipe
        Loss, optimizer, data and finish are followed here.
    penalties : tuple of QuadraticPenalty
        Pulls on the weights.
    key : str
        What a checkpoint must have been made for.
    """

    net: Net
    spec: OutputSpec
    learn: TrainingData
    replay: TrainingData | None
    select: TrainingData | None
    recipe: Recipe
    penalties: tuple[QuadraticPenalty, ...] = ()
    key: str = ""


def join_inputs(parts: list[Inputs], ops: Ops) -> Inputs:
    """Return several mini-batches as one."""
    if len(parts) == 1:
        return parts[0]
    return {name: ops.concat([part[name] for part in parts]) for name in parts[0]}
