"""Single steps of a net: whole tensors, picked by position; what a step costs beyond torch's own work is little."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from incumbent.models.torch._input import Inputs, apply, joined
from incumbent.models.torch._losses import TaskLoss, logit_loss, logit_share, soft_loss
from incumbent.models.torch._pull import Pulls, springs
from incumbent.models.torch._structure import depths
from incumbent.models.torch._task import Material, Task

_NORMS = (nn.modules.batchnorm._BatchNorm,)


class Steps:
    """Gradient steps on one net, with all that the recipe adds to the task loss.

    Minimises ``task + soft * T**2 KL(old || new) + labels * task(beside) + logits * |h - z|**2
    + pull/2 * sum(importance * (w - w_start)**2) + fresh/2 * sum(w_fresh**2)``; the quadratic terms never enter the
    graph: `Pulls` adds them to a step.
    """

    def __init__(self, task: Task, lr: float, batch_size: int) -> None:
        loss, finish = task.recipe.loss, task.recipe.finish
        self.task, self.lr, self.loss, self.batch_size = task, lr, loss, batch_size
        self.logits = 0.0 if loss.stored_logits is None else loss.stored_logits.weight * _share(task)
        self.objective = TaskLoss.of(loss, task.speech)
        named = {name: p for name, p in task.module.named_parameters() if p.requires_grad}
        self.named, self.params = named, list(named.values())
        self.optimizer = optimizer_of(task, named, lr)
        self.scale = [group["lr"] / lr for group in self.optimizer.param_groups]
        self.pulls = Pulls(springs(task, named), self.optimizer)
        self.watched = loss.pull is not None and loss.pull.importance == "path"
        self.path = [torch.zeros_like(p) for p in self.params] if self.watched else []
        self.origin = [p.detach().clone() for p in self.params] if self.watched else []
        self.average = [p.detach().clone() for p in self.params] if finish.ema else []
        self.device = self.params[0].device
        self.half = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.generator = torch.Generator().manual_seed(task.recipe.seed)
        self.count = 0

    def take(self, at: Tensor, rate: float) -> Tensor:
        """Take one step on the rows at these positions, at this share of the learning rate; return the loss."""
        for group, scale in zip(self.optimizer.param_groups, self.scale, strict=True):
            group["lr"] = self.lr * rate * scale
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(at)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.watched:
            slopes = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.params]
            before = [p.detach().clone() for p in self.params]
        self.pulls.before()
        clip = self.task.recipe.optimizer.clip
        if clip is not None:
            nn.utils.clip_grad_norm_(self.params, clip)
        self.optimizer.step()
        self.pulls.after()
        self.count += 1
        if self.watched:
            for path, slope, p, old in zip(self.path, slopes, self.params, before, strict=True):
                path.sub_(slope * (p.detach() - old))
        if self.average:
            self._average()
        return loss.detach()

    def loss_of(self, at: Tensor) -> Tensor:
        """Return what is minimised on these rows, but for the quadratic terms."""
        learn, beside = self.task.learn, self.task.beside
        parts, draws = [learn.rows.at(at)], []
        if beside is not None:
            count = min(self.batch_size, len(beside))
            draws = [self._drawn(beside, count) for _ in range((self.logits > 0) + (self.loss.replay_weight > 0))]
            parts += [beside.rows.at(draw) for draw in draws]
        out = self._forward(joined(parts))
        mine = out[: len(at)]
        weight = None if learn.weight is None else learn.weight.index_select(0, at)
        total = self.objective.mean(mine, learn.target.index_select(0, at), weight)
        distill = self.loss.distill
        if learn.teacher is not None and distill is not None:
            old = learn.teacher.index_select(0, at)
            total = total + distill.weight * soft_loss(mine, old, self.task.speech, distill.temperature)
        return total if beside is None else total + self._remembered(out[len(at) :], beside, draws)

    def _remembered(self, out: Tensor, beside: Material, draws: list[Tensor]) -> Tensor:
        total, place = out.new_zeros(()), 0
        if self.logits > 0:
            assert beside.teacher is not None, "rows are remembered with their outputs where these are asked for"
            here = out[: len(draws[0])]
            total = total + self.logits * logit_loss(here, beside.teacher.index_select(0, draws[0]))
            place = len(draws[0])
        if self.loss.replay_weight > 0:
            at = draws[-1]
            weight = None if beside.weight is None else beside.weight.index_select(0, at)
            total = total + self.loss.replay_weight * self.objective.mean(
                out[place:], beside.target.index_select(0, at), weight
            )
        return total

    def _drawn(self, beside: Material, count: int) -> Tensor:
        """Rows without repetition, as independent of any other draw."""
        if beside.classes is not None:
            at = balanced_draw(beside.classes, count, self.generator)
        else:
            at = torch.randperm(len(beside), generator=self.generator)[:count]
        return at.to(self.device)

    def _forward(self, inputs: Inputs) -> Tensor:
        if not self.half:
            return self.task.speech.logits(apply(self.task.module, inputs, self.task.learn.rows.call))
        with torch.autocast("cuda", dtype=torch.bfloat16):
            out = apply(self.task.module, inputs, self.task.learn.rows.call)
        return self.task.speech.logits(out)

    def _average(self) -> None:
        """``average = d * average + (1 - d) * w``, with d smaller at first, so that the start is soon forgotten."""
        ema = self.task.recipe.finish.ema or 0.0
        share = min(ema, self.count / (self.count + 10))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.params], 1 - share)

    def path_importance(self) -> dict[str, Tensor]:
        r"""Return :math:`\Omega_k = \omega_k / ((\Delta_k)^2 + \xi)` (Zenke et al. 2017, eq. 5), at least zero.

        ``omega`` is the sum over the steps of minus gradient times change (eq. 3), ``Delta`` the change in all, and the
        damping ``xi`` 0.1 as in their experiments' order of magnitude.
        """
        found = {}
        for name, p, path, origin in zip(self.named, self.params, self.path, self.origin, strict=False):
            found[name] = (path / ((p.detach() - origin).square() + 0.1)).clamp_min(0)
        return found


def _share(task: Task) -> float:
    stored = None if task.beside is None else task.beside.teacher
    return 1.0 if stored is None else logit_share(stored, task.speech)


def optimizer_of(task: Task, named: dict[str, nn.Parameter], lr: float) -> torch.optim.Optimizer:
    """Return torch's optimizer of this name, with the constants of `incumbent.models.tables._optimisers`."""
    asked = task.recipe.optimizer
    name = asked.name or "adam"
    decay = asked.weight_decay if asked.weight_decay is not None else (0.01 if name == "adamw" else 0.0)
    groups: list[dict[str, Any]] = [{"params": list(named.values()), "lr": lr}]
    if asked.layer_decay != 1:
        depth = depths(task.module)
        by_depth: dict[int, list[nn.Parameter]] = {}
        for key, p in named.items():
            by_depth.setdefault(depth[key], []).append(p)
        groups = [{"params": held, "lr": lr * asked.layer_decay**d} for d, held in sorted(by_depth.items())]
    if name in ("sgd", "momentum"):
        return torch.optim.SGD(groups, lr=lr, momentum=0.9 if name == "momentum" else 0.0, weight_decay=decay)
    if name == "adagrad":
        return torch.optim.Adagrad(groups, lr=lr, weight_decay=decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, alpha=0.9, weight_decay=decay)
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    whole = all(p.dtype == torch.float32 for p in named.values())
    return kind(groups, lr=lr, weight_decay=decay, fused=whole)


def set_modes(task: Task, batch_size: int) -> None:
    """Set every part to learn, but for frozen parts; statistics of one row are none, so then they stay too."""
    task.module.train()
    for name in task.resting:
        task.module.get_submodule(name).eval()
    for part in task.module.modules():
        if isinstance(part, _NORMS):
            held = list(part.parameters())
            if batch_size == 1 or (held and not any(p.requires_grad for p in held)):
                part.eval()


def batches(order: Tensor, size: int) -> list[Tensor]:
    """Split an order into mini-batches; a last row that would be alone goes with those before it."""
    parts = list(torch.split(order, size))
    if len(parts) > 1 and size > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def balanced_draw(classes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw rows so that every class has the same chance, with repetition."""
    size = torch.bincount(classes)
    return torch.multinomial(1.0 / size[classes], count, replacement=True, generator=generator)
