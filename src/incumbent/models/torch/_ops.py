"""The tensor operations of `incumbent.models.nets` in PyTorch, and its random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from incumbent.core import Array
from incumbent.models.nets import Ops


@dataclass(frozen=True)
class TorchOps(Ops):
    """PyTorch on one device; see `incumbent.models.nets.Ops`. Doubles become single precision."""

    device: torch.device

    def asarray(self, x: Array) -> Tensor:
        array = np.ascontiguousarray(x)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if not array.flags.writeable:
            array = array.copy()
        return torch.from_numpy(array).to(self.device)

    def numpy(self, x: Tensor) -> Array:
        found = x.detach().cpu()
        return (found.float() if found.dtype in (torch.bfloat16, torch.float16) else found).numpy()

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts))

    def mean(self, x: Tensor, axis: int | None = None) -> Tensor:
        return x.mean() if axis is None else x.mean(dim=axis)

    def log_softmax(self, z: Tensor) -> Tensor:
        return z.log_softmax(-1)

    def softplus(self, z: Tensor) -> Tensor:
        return F.softplus(z)

    def log(self, x: Tensor) -> Tensor:
        return x.log()

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        return x.clamp(low, high)

    # These have defaults. They are written again because each is faster in PyTorch.

    def take(self, x: Tensor, at: Tensor) -> Tensor:
        return x.index_select(0, at)

    def cross_entropy(self, z: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(z, y, reduction="none")

    def subtract(self, xs: list[Tensor], ys: list[Tensor] | float) -> list[Tensor]:
        return list(torch._foreach_sub(xs, ys)) if xs else []

    def multiply(self, xs: list[Tensor], ys: list[Tensor] | float) -> list[Tensor]:
        return list(torch._foreach_mul(xs, ys)) if xs else []

    def divide(self, xs: list[Tensor], ys: list[Tensor]) -> list[Tensor]:
        return list(torch._foreach_div(xs, ys)) if xs else []

    def add_(self, xs: list[Tensor], ys: list[Tensor], scale: float = 1.0) -> None:
        if xs:
            torch._foreach_add_(xs, ys, alpha=scale)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw from this seed; afterwards it goes on as if nothing had been drawn.

    `torch.manual_seed` would take a millisecond to note the seed, with a stack trace each, for kinds of devices that
    the process does not use.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.cuda.manual_seed_all(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)
