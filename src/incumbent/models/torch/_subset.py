"""What each row would still teach a net: which of them an epoch is to learn."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor

from incumbent.errors import ModelError
from incumbent.models.torch._head import at_rest
from incumbent.models.torch._input import apply
from incumbent.models.torch._losses import TaskLoss
from incumbent.models.torch._steps import Steps, batches, set_modes
from incumbent.models.torch._task import Material, Task


def losses(task: Task, material: Material, objective: TaskLoss, size: int = 1024) -> Tensor:
    """Return the task loss of each row (n,), with dropout and batch statistics at rest."""
    found = []
    with at_rest(task.module), torch.inference_mode():
        for at in torch.split(torch.arange(len(material), device=material.target.device), size):
            out = task.speech.logits(apply(task.module, material.rows.at(at), material.rows.call))
            found.append(objective.rows(out, material.target[at]))
    return torch.cat(found).clone()


def irreducible(task: Task, lr: float, batch_size: int, *, epochs: int = 3) -> Tensor:
    """Return the loss of each row under a net that learned held-out rows only (Mindermann et al. 2022, eq. 3)."""
    if task.select is None or not len(task.select):
        raise ModelError("SelectSubset(by='rho') compares with a net that learned the select rows, and there are none.")
    other = trial_of(task, task.select)
    steps = Steps(other, lr, batch_size)
    for epoch in range(epochs):
        set_modes(other, batch_size)
        order = torch.randperm(len(task.select), generator=torch.Generator().manual_seed(task.recipe.seed + epoch))
        for at in batches(order.to(steps.device), batch_size):
            steps.take(at, 1.0)
    return losses(other, task.learn, steps.objective)


def trial_of(task: Task, learn: Material) -> Task:
    """Return the same task on a copy of the net and other rows, without what only the real one is asked."""
    plain = task.recipe.bind(checkpoint=None).replace(distill=None, ema=None, pull=None)
    return replace(
        task, module=copy.deepcopy(task.module), learn=learn, beside=None, recipe=plain, start={}, importance={}
    )
