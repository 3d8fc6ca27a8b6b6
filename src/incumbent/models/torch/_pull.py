"""Quadratic pulls on the weights of a net, at any strength without a step that diverges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.models.torch._task import Task


@dataclass(frozen=True, eq=False)
class Spring:
    """Weights that are pulled by ``strength/2 * sum(importance * (w - goal)**2)``; no importance is one for all."""

    params: list[nn.Parameter]
    goal: list[Tensor]
    strength: float
    importance: list[Tensor]

    def part(self, kept: set[int]) -> Spring:
        """Return the same for some of the weights only."""
        at = [i for i, p in enumerate(self.params) if id(p) in kept]
        params, goal = [self.params[i] for i in at], [self.goal[i] for i in at]
        return Spring(params, goal, self.strength, [self.importance[i] for i in at] if self.importance else [])

    def gaps(self) -> list[Tensor]:
        """Return how far each weight is from its goal."""
        return list(torch._foreach_sub([p.detach() for p in self.params], self.goal))

    def softness(self) -> list[Tensor]:
        """Return ``1 / (strength * importance)``, infinite for a weight that is free; nothing where all are alike."""
        if not self.importance:
            return []
        return list(torch._foreach_reciprocal(torch._foreach_mul(self.importance, self.strength)))


def springs(task: Task, named: Mapping[str, nn.Parameter]) -> list[Spring]:
    """Return what a task pulls: old weights to where the champion had them, new ones to zero."""
    loss, found = task.recipe.loss, []
    if loss.pull is not None and task.start:
        params = [named[name] for name in task.start]
        force = [task.importance[name] for name in task.start] if task.importance else []
        found.append(Spring(params, list(task.start.values()), loss.pull.strength, force))
    fresh = [p for name, p in named.items() if name in task.fresh] if loss.l2_new_weights else []
    if fresh:
        found.append(Spring(fresh, [torch.zeros_like(p) for p in fresh], loss.l2_new_weights, []))
    return found


class Pulls:
    r"""The pulls on the weights of one optimizer; `before` and `after` stand around its step.

    With SGD the gradient step on a pull of stiffness :math:`h = strength \cdot importance` is unstable where
    :math:`\eta h > 2 (1 + \mu)`, and importances are heavy-tailed: a mean of one goes with a largest of thousands. So
    the pull is taken at the weights that the step leads to, not at those that it leaves (backward Euler; the proximal
    step of Parikh and Boyd 2014, section 4.2, with momentum inside):

    .. math:: v' = \mu v + g(w) + h (w' - w_0), \quad w' = w - \eta v', \quad \text{so} \quad
              w' = w_0 + \frac{w - \eta (\mu v + g(w)) - w_0}{1 + \eta h}.

    It comes to rest only where :math:`g(w) + h (w - w_0) = 0`, so that the same penalised loss is minimised; it is the
    gradient step where :math:`\eta h` is small; and with it a step is stable for every :math:`h \ge 0` where
    :math:`\eta \lambda < 2 (1 + \mu) + \eta h`, :math:`\lambda` being the curvature of the rest: a pull never takes
    stability away. A weight under an endless pull stays where it is. Clipping bounds the gradient of the rest.

    The other optimizers divide each gradient by its own recent size, so that no step is longer than a few times the
    rate, however strong the pull: there its gradient is added to that of the rest, as is the custom. A stiff weight
    then stays within about a step of its goal. Taking the pull out of the gradient would take it out of that size too.

    Parameters
    ----------
    held : list of Spring
        What is pulled.
    optimizer : torch.optim.Optimizer
        Which optimizer takes the steps.
    """

    def __init__(self, held: list[Spring], optimizer: torch.optim.Optimizer) -> None:
        self.held, self.optimizer = held, optimizer
        self.implicit = isinstance(optimizer, torch.optim.SGD)
        self.parts: list[tuple[dict[str, Any], Spring, list[Tensor]]] = []
        for group in optimizer.param_groups if self.implicit else ():
            kept = {id(p) for p in group["params"]}
            parts = [spring.part(kept) for spring in held]
            self.parts += [(group, part, part.softness()) for part in parts if part.params]

    def before(self) -> None:
        """Give every pulled weight a gradient, and add to it where the step is not implicit."""
        for spring in self.held:
            for p in spring.params:
                if p.grad is None:
                    p.grad = torch.zeros_like(p)
            if not self.implicit:
                gaps = spring.gaps()
                if spring.importance:
                    torch._foreach_mul_(gaps, spring.importance)
                slopes = [p.grad for p in spring.params if p.grad is not None]  # all of them: see above
                torch._foreach_add_(slopes, gaps, alpha=spring.strength)

    def after(self) -> None:
        """Let the pulls act on the weights that the step led to, where it is implicit, and on their momentum."""
        for group, spring, soft in self.parts:
            lr, force = group["lr"], spring.gaps()
            # h / (1 + lr h) = 1 / (1/h + lr): a spring in series with one of 1/lr, a number for every h
            if soft:
                torch._foreach_div_(force, torch._foreach_add(soft, lr))
            else:
                torch._foreach_mul_(force, 1 / (1 / spring.strength + lr))
            torch._foreach_add_([p.detach() for p in spring.params], force, alpha=-lr)
            if group["momentum"]:
                torch._foreach_add_([self.optimizer.state[p]["momentum_buffer"] for p in spring.params], force)
