"""The optimizer of a PyTorch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.core import Array
from incumbent.models.nets import Optimizer, OptimizerSettings
from incumbent.models.torch._ops import TorchOps


class TorchOptimizer(Optimizer):
    """PyTorch's optimizer of one name; see `incumbent.models.nets.Optimizer`."""

    def __init__(self, module: nn.Module, settings: OptimizerSettings, ops: TorchOps) -> None:
        named = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.settings, self.ops = settings, ops
        self.names, self.params = tuple(named), list(named.values())
        self.weights: list[Tensor] = [p.detach() for p in self.params]
        by_factor: dict[float, list[nn.Parameter]] = {}
        for factor, p in zip(self.rate_factors(), self.params, strict=True):
            by_factor.setdefault(factor, []).append(p)
        self.factors = list(by_factor)
        self.optimizer = _rule(settings, [{"params": params} for params in by_factor.values()])

    def backward(self, loss: Callable[..., Tensor], *at: Tensor) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        value = loss(*at)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value.detach()

    def update(self, lr: float) -> None:
        if self.settings.clip is not None:
            nn.utils.clip_grad_norm_(self.params, self.settings.clip)
        for group, factor in zip(self.optimizer.param_groups, self.factors, strict=True):
            group["lr"] = lr * factor
        self.optimizer.step()

    def gradients(self) -> list[Tensor]:
        for p in self.params:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        return [p.grad for p in self.params if p.grad is not None]

    def velocity(self) -> list[Tensor] | None:
        if self.settings.name != "momentum":
            return None
        return [self.optimizer.state[p]["momentum_buffer"] for p in self.params]

    def tensors(self, values: Mapping[str, Array]) -> list[Tensor]:
        kinds = dict(zip(self.names, self.weights, strict=True))
        return [self.ops.asarray(value).to(kinds[name].dtype) for name, value in values.items()]

    def state(self) -> dict[str, Array]:
        held = self.optimizer.state
        return {
            f"{i}.{name}": self.ops.numpy(value).copy()
            for i, p in enumerate(self.params)
            for name, value in held.get(p, {}).items()
            if isinstance(value, Tensor)
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        held: dict[int, dict[str, Tensor]] = {}
        numbers = {p: i for i, p in enumerate(p for group in self.optimizer.param_groups for p in group["params"])}
        for key, value in state.items():
            i, _, name = key.partition(".")
            held.setdefault(numbers[self.params[int(i)]], {})[name] = torch.from_numpy(value.copy())
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": held})


def _rule(settings: OptimizerSettings, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """Return torch's optimizer of this name, with the constants of `incumbent.models.tables._optimisers`."""
    name, decay, lr = settings.name, settings.weight_decay, 1.0
    if name in ("sgd", "momentum"):
        return torch.optim.SGD(groups, lr=lr, momentum=0.9 if name == "momentum" else 0.0, weight_decay=decay)
    if name == "adagrad":
        return torch.optim.Adagrad(groups, lr=lr, weight_decay=decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, alpha=0.9, weight_decay=decay)
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    whole = all(p.dtype == torch.float32 for group in groups for p in group["params"])
    return kind(groups, lr=lr, weight_decay=decay, fused=whole)
