"""The optimizer of a PyTorch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.core import Array, Floats
from incumbent.models.nets import OptimizerSettings
from incumbent.models.torch._ops import TorchOps


class TorchOptimizer:
    """PyTorch's optimizer of one name; see `incumbent.models.nets.Optimizer`."""

    def __init__(self, module: nn.Module, settings: OptimizerSettings, ops: TorchOps) -> None:
        named = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.names, self.params, self.ops = tuple(named), list(named.values()), ops
        self.clip = settings.clip
        self._factors = [settings.rate_factors.get(name, 1.0) for name in self.names]
        self.weights: list[Tensor] = [p.detach() for p in self.params]
        self.optimizer = _rule(settings, self._groups())
        self.scale = [group["factor"] for group in self.optimizer.param_groups]

    def _groups(self) -> list[dict[str, Any]]:
        by_factor: dict[float, list[nn.Parameter]] = {}
        for factor, p in zip(self._factors, self.params, strict=True):
            by_factor.setdefault(factor, []).append(p)
        return [{"params": params, "factor": factor} for factor, params in by_factor.items()]

    def backward(self, loss: Callable[..., Tensor], *at: Tensor) -> Tensor:
        """Compute the gradients of a loss; return it without them."""
        self.optimizer.zero_grad(set_to_none=True)
        value = loss(*at)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value.detach()

    def evaluate(self, loss: Callable[..., Tensor], *at: Tensor) -> float:
        """Return a loss as a number."""
        with torch.no_grad():
            return float(loss(*at))

    def update(self, lr: float) -> None:
        """Take a step along the gradients."""
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.params, self.clip)
        for group, factor in zip(self.optimizer.param_groups, self.scale, strict=True):
            group["lr"] = lr * factor
        self.optimizer.step()

    def gradients(self) -> list[Tensor]:
        """Return the gradients, zeros for weights that the loss does not depend on."""
        for p in self.params:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        return [p.grad for p in self.params if p.grad is not None]

    def rate_factors(self) -> list[float]:
        """Return what the learning rate of each weight is multiplied by."""
        return self._factors

    @property
    def is_sgd(self) -> bool:
        """Whether it is SGD."""
        return isinstance(self.optimizer, torch.optim.SGD)

    def velocity(self) -> list[Tensor] | None:
        """Return the momentum of SGD."""
        if not self.is_sgd or not self.optimizer.param_groups[0]["momentum"]:
            return None
        return [self.optimizer.state[p]["momentum_buffer"] for p in self.params]

    def tensors(self, values: Mapping[str, Array]) -> list[Tensor]:
        """Return arrays by weight name as tensors."""
        kinds = dict(zip(self.names, self.weights, strict=True))
        return [self.ops.asarray(value).to(kinds[name].dtype) for name, value in values.items()]

    def arrays(self, tensors: list[Tensor]) -> dict[str, Floats]:
        """Return a tensor for each weight as arrays by name."""
        return {name: self.ops.numpy(value) for name, value in zip(self.names, tensors, strict=True)}

    def state(self) -> dict[str, Array]:
        """Return a copy of what the rule has accumulated."""
        held = self.optimizer.state
        return {
            f"{i}.{name}": self.ops.numpy(value).copy()
            for i, p in enumerate(self.params)
            for name, value in held.get(p, {}).items()
            if isinstance(value, Tensor)
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from such a copy."""
        described = self.optimizer.state_dict()
        held: dict[int, dict[str, Tensor]] = {}
        numbers = {p: i for i, p in enumerate(p for group in self.optimizer.param_groups for p in group["params"])}
        for key, value in state.items():
            i, _, name = key.partition(".")
            held.setdefault(numbers[self.params[int(i)]], {})[name] = torch.from_numpy(value.copy())
        self.optimizer.load_state_dict({**described, "state": held})


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
