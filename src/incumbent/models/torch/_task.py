"""What a net is to learn: rows with their targets, and the task that is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from incumbent.core import Recipe
from incumbent.models.torch._head import Speech
from incumbent.models.torch._input import Inputs, Rows


@dataclass(frozen=True, eq=False)
class Material:
    """Rows with all that a loss needs to know of each.

    Parameters
    ----------
    rows : Rows
        What the net sees.
    target : Tensor
        Labels as the task loss takes them.
    weight : (n,) Tensor, optional
        How much each counts, with a mean of one.
    teacher : (n, k) Tensor, optional
        What an older model says of each, as logits.
    classes : (n,) Tensor, optional
        Class numbers, where rows are to be drawn class by class.
    """

    rows: Rows
    target: Tensor
    weight: Tensor | None = None
    teacher: Tensor | None = None
    classes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.target)

    def part(self, at: Tensor) -> Material:
        """Return some of the rows; what they see stays where it is."""
        taken = [None if t is None else t[at] for t in (self.weight, self.teacher, self.classes)]
        return Material(_Part(self.rows, at), self.target[at], *taken)  # type: ignore[arg-type]  # rows that are picked twice


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of rows."""

    whole: Any
    index: Tensor

    @property
    def call(self) -> Any:
        return self.whole.call

    def __len__(self) -> int:
        return len(self.index)

    def at(self, index: Tensor) -> Inputs:
        found: Inputs = self.whole.at(self.index[index])
        return found


@dataclass(frozen=True, eq=False)
class Task:
    """What a net is to learn, and from what.

    Parameters
    ----------
    module : nn.Module
        The net, on its device; it changes.
    speech : Speech
        How its outputs are read.
    learn : Material
        New rows (and old ones that were mixed in).
    beside : Material, optional
        Old rows that are drawn beside each mini-batch; their `teacher` holds the outputs that they once had.
    select : Material, optional
        Rows to judge on.
    recipe : Recipe
        Loss, optimiser, data and finish are followed here.
    start, importance : dict of str to Tensor
        Where each weight is pulled to, and how hard.
    fresh, resting : frozenset of str
        Weights without a past, and parts that stay at rest.
    key : str
        What a checkpoint must have been made for.
    """

    module: nn.Module
    speech: Speech
    learn: Material
    beside: Material | None
    select: Material | None
    recipe: Recipe
    start: dict[str, Tensor] = field(default_factory=dict)
    importance: dict[str, Tensor] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    resting: frozenset[str] = frozenset()
    key: str = ""
