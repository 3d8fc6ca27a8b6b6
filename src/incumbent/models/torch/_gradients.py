"""Powers of the gradients of single rows, summed over the rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from incumbent.models.nets import Inputs, Score
from incumbent.models.torch._input import Call, apply, two_dimensional
from incumbent.models.torch._layers import evaluating

_CHUNK = 1 << 26  # numbers in the gradients of a chunk of rows: a quarter of a gigabyte

Scores = Callable[[Tensor], list[Score]]
Totals = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows, how the net takes them, and their targets."""

    inputs: Inputs
    call: Call
    target: Tensor

    def part(self, rows: slice) -> Chunk:
        """Return some of the rows."""
        return Chunk({name: t[rows] for name, t in self.inputs.items()}, self.call, self.target[rows])


def gradient_powers(module: nn.Module, chunk: Chunk, scores: Scores) -> Totals:
    """Return ``sum_i weight_i * |d score_i / dw| ** power`` for each weight that learns, summed over the scores."""
    params = {name: p for name, p in module.named_parameters() if p.requires_grad}
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in params.items()}
    with evaluating(module), _row_by_row():
        if _is_plain(module) and _by_layers(module, chunk, scores, total):
            return total
        size = max(1, min(len(chunk.target), _CHUNK // max(1, sum(p.numel() for p in params.values()))))
        for start in range(0, len(chunk.target), size):
            _by_rows(module, chunk.part(slice(start, start + size)), params, scores, total)
    return total


@contextmanager
def _row_by_row() -> Iterator[None]:
    """Keep to operations that have gradients for single rows."""
    fastpath = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There is a performance drop")  # there is no other way
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fastpath)


def _power(x: Tensor, power: int) -> Tensor:
    return x.square() if power == 2 else x.abs()


# ------------------------------------------------------------------------------- plain nets, all rows at once


def _is_plain(module: nn.Module) -> bool:
    """Whether every weight belongs to exactly one linear layer, so that a row's gradient is an outer product."""
    held = [p for part in module.modules() for p in part.parameters(recurse=False)]
    linear = [p for part in module.modules() if type(part) is nn.Linear for p in part.parameters(recurse=False)]
    return len({id(p) for p in held}) == len(held) == len(linear)


def _by_layers(module: nn.Module, chunk: Chunk, scores: Scores, total: Totals) -> bool:
    """Add ``sum_i w_i (delta_i x_i')**2 = (w delta**2)' (x**2)``: rows need no gradients of their own.

    Return False if a layer is used twice, or along a sequence, and nothing was added.
    """
    seen: list[tuple[str, Tensor, Tensor]] = []
    layers = {name: part for name, part in module.named_modules() if type(part) is nn.Linear}
    hooks = [
        part.register_forward_hook(lambda _, given, out, name=name: seen.append((name, given[0], out)))
        for name, part in layers.items()
    ]
    try:
        with torch.enable_grad():
            out = apply(module, chunk.inputs, chunk.call)
    finally:
        for hook in hooks:
            hook.remove()
    if len({name for name, _, _ in seen}) != len(seen) or any(x.ndim != 2 for _, x, _ in seen):
        return False
    for score in scores(out):
        with torch.enable_grad():
            whole = score.value(out, chunk.target).sum()
            ends = [z for *_, z in seen]
            slopes = torch.autograd.grad(whole, ends, retain_graph=True, materialize_grads=True)
        for (name, x, _), delta in zip(seen, slopes, strict=True):
            sized, read = _power(delta, score.power), _power(x.detach(), score.power)
            sized = sized if score.weight is None else sized * score.weight[:, None]
            start = f"{name}." if name else ""
            if f"{start}weight" in total:
                total[f"{start}weight"] += (sized.T @ read).double()
            if f"{start}bias" in total:
                total[f"{start}bias"] += sized.sum(0).double()
    return True


# -------------------------------------------------------------------------------------- any net, row by row


def _by_rows(module: nn.Module, chunk: Chunk, params: dict[str, nn.Parameter], scores: Scores, total: Totals) -> None:
    """Add the gradients of each row, many rows at once if every operation of the net allows it."""
    fixed = {name: p.detach() for name, p in module.named_parameters() if name not in params}
    state = {**fixed, **dict(module.named_buffers())}
    free = {name: p.detach() for name, p in params.items()}
    with torch.no_grad():
        out = apply(module, chunk.inputs, chunk.call)
    for score in scores(out):

        def value(weights: Totals, row: Inputs, target: Tensor, score: Score = score) -> Tensor:
            one = {name: t[None] for name, t in row.items()}
            given = (one[""],) if chunk.call == "one" else (one,) if chunk.call == "dict" else ()
            named = one if chunk.call == "names" else {}
            f = two_dimensional(functional_call(module, {**state, **weights}, given, named))
            each: Tensor = score.value(f, target[None])
            return each[0]

        slope = grad(value)
        weight = torch.ones(len(out), device=out.device) if score.weight is None else score.weight
        try:
            found = vmap(slope, in_dims=(None, 0, 0))(free, chunk.inputs, chunk.target)
        except RuntimeError:  # an operation that cannot be done for many rows at once, such as a recurrent layer
            rows = range(len(out))
            each = [slope(free, {name: t[i] for name, t in chunk.inputs.items()}, chunk.target[i]) for i in rows]
            found = {name: torch.stack([g[name] for g in each]) for name in free}
        for name, g in found.items():
            total[name] += torch.tensordot(weight.double(), _power(g, score.power).double(), dims=1)
