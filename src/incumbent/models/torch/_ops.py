"""The tensor operations of `incumbent.models.nets` in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from incumbent.core import Array


@dataclass(frozen=True)
class TorchOps:
    """PyTorch on one device; see `incumbent.models.nets.Ops`."""

    device: torch.device

    def asarray(self, x: Array) -> Tensor:
        """Return an array as a tensor; numbers of double precision are halved to single."""
        array = np.ascontiguousarray(x)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if not array.flags.writeable:
            array = array.copy()
        return torch.from_numpy(array).to(self.device)

    def numpy(self, x: Tensor) -> Array:
        """Return a tensor as an array."""
        found = x.detach().cpu()
        return (found.float() if found.dtype in (torch.bfloat16, torch.float16) else found).numpy()

    def take(self, x: Tensor, at: Tensor) -> Tensor:
        """Return the rows at some positions."""
        return x.index_select(0, at)

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the rows of all parts."""
        return torch.cat(list(parts))

    def mean(self, x: Tensor, axis: int | None = None) -> Tensor:
        """Return the mean along an axis, or of all numbers."""
        return x.mean() if axis is None else x.mean(dim=axis)

    def log_softmax(self, z: Tensor) -> Tensor:
        """Return logits (n, k) minus the logarithm of the sum of their exponentials."""
        return z.log_softmax(-1)

    def cross_entropy(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of each row (n,)."""
        return F.cross_entropy(z, y, reduction="none")

    def softplus(self, z: Tensor) -> Tensor:
        """Return ``log(1 + exp(z))``."""
        return F.softplus(z)

    def log(self, x: Tensor) -> Tensor:
        """Return the natural logarithm."""
        return x.log()

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """Return the numbers, those outside of the limits at the limit."""
        return x.clamp(low, high)

    def subtract(self, xs: list[Tensor], ys: list[Tensor] | float) -> list[Tensor]:
        """Return ``x - y`` of each pair."""
        return list(torch._foreach_sub(xs, ys)) if xs else []

    def multiply(self, xs: list[Tensor], ys: list[Tensor] | float) -> list[Tensor]:
        """Return ``x * y`` of each pair."""
        return list(torch._foreach_mul(xs, ys)) if xs else []

    def divide(self, xs: list[Tensor], ys: list[Tensor]) -> list[Tensor]:
        """Return ``x / y`` of each pair."""
        return list(torch._foreach_div(xs, ys)) if xs else []

    def add_(self, xs: list[Tensor], ys: list[Tensor], scale: float = 1.0) -> None:
        """Add ``scale * y`` to each x, in place."""
        if xs:
            torch._foreach_add_(xs, ys, alpha=scale)
