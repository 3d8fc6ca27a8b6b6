"""The training loop of nets: whole tensors, picked by position; what a step costs beyond torch's own work is little."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.core import Optimiser, Recipe
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models._torch_checkpoint import put_away, read_back, remove
from incumbent.models._torch_head import Speech, at_rest
from incumbent.models._torch_input import Inputs, Rows, apply, joined
from incumbent.models._torch_losses import TaskLoss, logit_loss, soft_loss
from incumbent.models._torch_structure import depths, seeded

_CHECK = 16  # steps between looks at whether the loss is still a number: each look waits for the device
_RATES = {"sgd": (1e-4, 1.0), "momentum": (1e-5, 0.3), "adagrad": (1e-4, 0.3), "rmsprop": (1e-6, 0.1)}
_TRIAL_STEPS = 60
CHECKPOINT_EVERY = 30.0
"""Seconds between checkpoints: what an interruption can cost at most, beyond the epoch that it fell into."""
_NORMS = (nn.modules.batchnorm._BatchNorm,)
_BATCH = 64


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


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of it: how each weight served the loss along the way ("path"), and what should be known."""

    path: dict[str, Tensor]
    notes: tuple[str, ...]


def train(task: Task, *, batch_size: int) -> Trained:
    """Train the task's module in place.

    Raises
    ------
    ModelError
        The loss became infinite or no number.
    BudgetSpent
        The deadline came before the first epoch was over.
    """
    with seeded(task.recipe.seed):
        given = task.recipe.optimiser.lr
        lr = range_test(task, batch_size) if given is None else given
        note = (f"learning rate {lr:.2g} by a range test",) if given is None else ()
        course = _Course.of(task, lr, batch_size)
        notes = course.run()
    return Trained(course.steps.path_importance(), (*note, *notes))


# ------------------------------------------------------------------------------------------------- a step


class Steps:
    """Gradient steps on one net, with all that the recipe adds to the task loss.

    Minimises ``task + soft * T**2 KL(old || new) + labels * task(beside) + logits * |h - z|**2
    + pull/2 * sum(importance * (w - w_start)**2) + fresh/2 * sum(w_fresh**2)``; the quadratic terms never enter the
    graph, their gradients are added to those of the rest.
    """

    def __init__(self, task: Task, lr: float, batch_size: int) -> None:
        loss, finish = task.recipe.loss, task.recipe.finish
        self.task, self.lr, self.loss, self.batch_size = task, lr, loss, batch_size
        self.objective = TaskLoss.of(loss, task.speech)
        named = {name: p for name, p in task.module.named_parameters() if p.requires_grad}
        self.named, self.params = named, list(named.values())
        self.optimizer = optimizer_of(task, named, lr)
        self.scale = [group["lr"] / lr for group in self.optimizer.param_groups]
        self.pulled = [named[name] for name in task.start] if loss.pull else []
        self.start = list(task.start.values())
        self.force = [task.importance[name] for name in task.start] if task.importance else []
        self.fresh = [p for name, p in named.items() if name in task.fresh] if loss.fresh else []
        self.watched = loss.importance == "path"
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
        loss = self._loss(at)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.watched:
            slopes = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.params]
            before = [p.detach().clone() for p in self.params]
        self._penalties()
        clip = self.task.recipe.optimiser.clip
        if clip is not None:
            nn.utils.clip_grad_norm_(self.params, clip)
        self.optimizer.step()
        self.count += 1
        if self.watched:
            for path, slope, p, old in zip(self.path, slopes, self.params, before, strict=True):
                path.sub_(slope * (p.detach() - old))
        if self.average:
            self._average()
        return loss.detach()

    def _loss(self, at: Tensor) -> Tensor:
        learn, beside = self.task.learn, self.task.beside
        parts, draws = [learn.rows.at(at)], []
        if beside is not None:
            count = min(self.batch_size, len(beside))
            draws = [self._drawn(beside, count) for _ in range((self.loss.logits > 0) + (self.loss.labels > 0))]
            parts += [beside.rows.at(draw) for draw in draws]
        out = self._forward(joined(parts))
        mine = out[: len(at)]
        weight = None if learn.weight is None else learn.weight.index_select(0, at)
        total = self.objective.mean(mine, learn.target.index_select(0, at), weight)
        if learn.teacher is not None and self.loss.soft:
            old = learn.teacher.index_select(0, at)
            total = total + self.loss.soft * soft_loss(mine, old, self.task.speech, self.loss.temperature)
        return total if beside is None else total + self._remembered(out[len(at) :], beside, draws)

    def _remembered(self, out: Tensor, beside: Material, draws: list[Tensor]) -> Tensor:
        total, place = out.new_zeros(()), 0
        if self.loss.logits > 0:
            assert beside.teacher is not None, "rows are remembered with their outputs where these are asked for"
            here = out[: len(draws[0])]
            total = total + self.loss.logits * logit_loss(here, beside.teacher.index_select(0, draws[0]))
            place = len(draws[0])
        if self.loss.labels > 0:
            at = draws[-1]
            weight = None if beside.weight is None else beside.weight.index_select(0, at)
            total = total + self.loss.labels * self.objective.mean(
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

    def _penalties(self) -> None:
        for p in (*self.pulled, *self.fresh):
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        if self.pulled:
            gaps = torch._foreach_sub([p.detach() for p in self.pulled], self.start)
            if self.force:
                torch._foreach_mul_(gaps, self.force)
            slopes = [p.grad for p in self.pulled if p.grad is not None]  # all of them: see above
            torch._foreach_add_(slopes, gaps, alpha=self.loss.pull)
        for p in self.fresh:
            assert p.grad is not None, "given one above"
            p.grad.add_(p.detach(), alpha=self.loss.fresh)

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


def optimizer_of(task: Task, named: dict[str, nn.Parameter], lr: float) -> torch.optim.Optimizer:
    """Return torch's optimizer of this name, with the constants that `incumbent.models._optimisers` gives for it."""
    asked = task.recipe.optimiser
    name = asked.optimizer or "adam"
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


# ---------------------------------------------------------------------------------------------- the course


@dataclass(eq=False)
class _Course:
    """All epochs of a training, with what is kept of the best one."""

    task: Task
    steps: Steps
    epochs: int
    patience: int | None
    begun: float
    best: float = math.inf
    kept: dict[str, Tensor] | None = None
    stale: int = 0
    epoch: int = 0
    hurdles: Tensor | None = None
    written: float = field(default_factory=time.monotonic)

    @staticmethod
    def of(task: Task, lr: float, batch_size: int) -> _Course:
        asked = task.recipe.optimiser
        epochs, patience = asked.epochs, asked.patience
        if epochs is None:
            epochs, patience = usual(task, batch_size, patience)
        if task.select is None or not len(task.select):
            patience = None
        return _Course(task, Steps(task, lr, batch_size), epochs, patience, time.monotonic())

    def run(self) -> tuple[str, ...]:
        recipe, size = self.task.recipe, self.steps.batch_size
        if recipe.data.subset == "rho":
            self.hurdles = irreducible(self.task, self.steps.lr, size)
        self._resume()
        soft = self.begun + 0.9 * (recipe.deadline - self.begun)  # what is left is for comparing what was made
        stop = ""
        while self.epoch < self.epochs and not stop:
            set_modes(self.task, size)
            if not self._pass(soft):
                stop = "the budget ended"
                break
            self.epoch += 1
            stop = self._judge()
            if recipe.checkpoint is not None and self.epoch < self.epochs and not stop and self._due():
                put_away(recipe.checkpoint, self._state())
        self._settle()
        if recipe.checkpoint is not None:
            remove(recipe.checkpoint)
        return (f"stopped after {self.epoch} of {self.epochs} epochs: {stop}",) if stop else ()

    def _due(self) -> bool:
        """Whether enough was done since the last checkpoint for another: writing one must cost next to nothing."""
        now = time.monotonic()
        if now - self.written < CHECKPOINT_EVERY:
            return False
        self.written = now
        return True

    def _pass(self, soft: float) -> bool:
        """Learn every row once; False where time ran out and what is there must do."""
        recipe, steps = self.task.recipe, self.steps
        torch.manual_seed(recipe.seed * 1_000_003 + self.epoch)  # an epoch is the same wherever training went on from
        steps.generator.manual_seed(recipe.seed * 1_000_033 + self.epoch)
        parts = batches(self._order(), steps.batch_size)
        total, done = self.epochs * len(parts), self.epoch * len(parts)
        running = torch.zeros((), device=steps.device)
        for i, at in enumerate(parts):
            running += steps.take(at, rate(recipe.optimiser, done + i, total, steps.batch_size))
            if i % _CHECK == 0 or i == len(parts) - 1:
                self._check(running, done + i)
            if time.monotonic() > soft:
                if self.epoch == 0 and i < len(parts) - 1:
                    raise BudgetSpent("The budget ended in the first epoch; give a longer --budget or fewer rows.")
                return i == len(parts) - 1
        return True

    def _order(self) -> Tensor:
        """Which rows this epoch learns, in which order."""
        data, learn = self.task.recipe.data, self.task.learn
        generator, n = self.steps.generator, len(learn)
        if data.ordered:
            return torch.arange(n, device=self.steps.device)
        count = max(1, round(data.share * n)) if data.subset else n
        if data.balanced and learn.classes is not None:
            order = balanced_draw(learn.classes, count, generator)
        elif data.subset in ("loss", "rho"):
            each = losses(self.task, learn, self.steps.objective)
            each = each if self.hurdles is None else each - self.hurdles
            set_modes(self.task, self.steps.batch_size)
            order = each.topk(count).indices.cpu()[torch.randperm(count, generator=generator)]
        else:
            order = torch.randperm(n, generator=generator)[:count]
        return order.to(self.steps.device)

    def _check(self, running: Tensor, done: int) -> None:
        if not bool(torch.isfinite(running)):
            raise diverged(self.task.recipe, self.steps.lr, done)

    def _judge(self) -> str:
        """Keep the weights if they are the best on the select rows so far; say why to stop if there is a reason."""
        if self.patience is None or self.task.select is None:
            return ""
        found = float(losses(self.task, self.task.select, self.steps.objective).mean())
        if not math.isfinite(found):
            raise diverged(self.task.recipe, self.steps.lr, self.steps.count)
        if found < self.best:
            self.best, self.stale = found, 0
            self.kept = {name: value.detach().clone() for name, value in self.task.module.state_dict().items()}
        else:
            self.stale += 1
        return f"no smaller loss on the select rows for {self.stale}" if self.stale >= self.patience else ""

    def _settle(self) -> None:
        """Take the best weights, or their average, and make sure that all of them are numbers."""
        if self.steps.average:
            with torch.no_grad():
                for p, average in zip(self.steps.params, self.steps.average, strict=True):
                    p.copy_(average)
        elif self.kept is not None:
            self.task.module.load_state_dict(self.kept)
        for value in self.task.module.state_dict().values():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise diverged(self.task.recipe, self.steps.lr, self.steps.count)

    def _state(self) -> dict[str, Any]:
        steps = self.steps
        return {
            "key": self.task.key,
            "epoch": self.epoch,
            "count": steps.count,
            "lr": steps.lr,
            "module": self.task.module.state_dict(),
            "optimizer": steps.optimizer.state_dict(),
            "best": self.best,
            "kept": self.kept,
            "stale": self.stale,
            "path": steps.path,
            "origin": steps.origin,
            "average": steps.average,
        }

    def _resume(self) -> None:
        path = self.task.recipe.checkpoint
        state = None if path is None else read_back(path, self.task.key)
        if state is None:
            return
        steps = self.steps
        self.task.module.load_state_dict(state["module"])
        steps.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.best, self.kept, self.stale = (state[k] for k in ("epoch", "best", "kept", "stale"))
        steps.count, steps.lr = state["count"], state["lr"]
        for mine, stored in ((steps.path, "path"), (steps.origin, "origin"), (steps.average, "average")):
            for held, value in zip(mine, state[stored], strict=True):
                held.copy_(value)


def usual(task: Task, batch_size: int, patience: int | None) -> tuple[int, int]:
    """Return how many epochs, and how much patience, where nobody said: enough steps for few rows, few for many rows.

    Learning on from a net that works takes fewer than learning anew.
    """
    each = max(1, math.ceil(len(task.learn) / batch_size))
    scratch = task.recipe.structure.start == "scratch"
    wanted, low, high = (2_000, 20, 200) if scratch else (300, 4, 60)
    return max(low, min(high, math.ceil(wanted / each))), patience or (8 if scratch else 3)


def batches(order: Tensor, size: int) -> list[Tensor]:
    """Split an order into mini-batches; a last row that would be alone goes with those before it."""
    parts = list(torch.split(order, size))
    if len(parts) > 1 and size > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def rate(asked: Optimiser, done: int, total: int, batch_size: int) -> float:
    """Return the share of the learning rate at a step: a rise over `warmup`, then a fall as `schedule` says."""
    share = done / max(1, total)
    if share < asked.warmup:
        return (share + 1 / total) / (asked.warmup + 1 / total)
    left = 1 - (share - asked.warmup) / (1 - asked.warmup)
    if asked.schedule == "constant" or batch_size == 1:
        return 1.0
    return left if asked.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


def balanced_draw(classes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw rows so that every class has the same chance, with repetition."""
    size = torch.bincount(classes)
    return torch.multinomial(1.0 / size[classes], count, replacement=True, generator=generator)


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
        raise ModelError("Select('rho') compares with a net that learned the select rows, and there are none.")
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
    plain = task.recipe.bind(checkpoint=None).but(soft=0.0, ema=None, importance="uniform", pull=0.0)
    return replace(
        task, module=copy.deepcopy(task.module), learn=learn, beside=None, recipe=plain, start={}, importance={}
    )


def range_test(task: Task, batch_size: int) -> float:
    """Return a learning rate, by a run of few steps with a rate that grows exponentially (Smith 2017).

    It is a tenth of the rate at which the smoothed loss was least: beyond that one it was about to diverge.
    """
    low, high = _RATES.get(task.recipe.optimiser.optimizer or "adam", (1e-6, 0.1))
    plain = task.recipe.bind(checkpoint=None).but(ema=None, layer_decay=task.recipe.optimiser.layer_decay)
    trial = replace(task, module=copy.deepcopy(task.module), recipe=plain)
    steps = Steps(trial, low, batch_size)
    set_modes(trial, batch_size)
    count, n = _TRIAL_STEPS, len(task.learn)
    generator = torch.Generator().manual_seed(task.recipe.seed)
    smooth, best, chosen = 0.0, math.inf, low
    for i in range(count):
        lr = low * (high / low) ** (i / (count - 1))
        at = torch.randint(n, (min(batch_size, n),), generator=generator).to(steps.device)
        found = float(steps.take(at, lr / low))
        smooth = 0.9 * smooth + 0.1 * found
        now = smooth / (1 - 0.9 ** (i + 1))
        if not math.isfinite(now) or (i > 10 and now > 3 * best + 1e-3):
            break
        if now < best and i > 5:
            best, chosen = now, lr
    return chosen / 10


def diverged(recipe: Recipe, lr: float, step: int) -> ModelError:
    """Return the error of a training whose loss is no number any more."""
    chosen = "" if recipe.optimiser.lr is not None else " (which a range test chose)"
    beside = []
    if recipe.loss.pull:
        beside.append(f"a smaller strength than {recipe.loss.pull:g}")
    if recipe.loss.logits:
        beside.append(f"a smaller weight of old outputs than {recipe.loss.logits:g}")
    also = f", or {', or '.join(beside)}" if beside else ""
    return ModelError(
        f"The loss became infinite or no number at step {step + 1} with lr={lr:g}{chosen}, so training stopped there; "
        f"give a smaller rate, such as lr={lr / 10:.1g}{also}."
    )
