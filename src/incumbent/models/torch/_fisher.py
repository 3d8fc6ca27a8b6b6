"""How much each weight of a net matters for some rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from incumbent.core import Floats, Importance
from incumbent.models.torch._head import Speech, at_rest
from incumbent.models.torch._input import Call, Inputs, Rows, apply, two_dimensional

MOST_ROWS = 1_000
"""Rows that importances are taken over: a mean over so many is known to a few per cent."""
_CHUNK = 1 << 26  # numbers in the gradients of a chunk of rows: a quarter of a gigabyte

Score = Callable[[Tensor, Tensor], Tensor]
Asks = Callable[[int], "Iterator[_Ask]"]


@dataclass(frozen=True, eq=False)
class _Ask:
    """A score of each row, of outputs and target; what counts is ``sum_i weight_i * |d score_i / dw|**power``."""

    score: Score
    weight: Callable[[Tensor], Tensor]
    power: int = 2


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some rows, how the net takes them, and their targets."""

    inputs: Inputs
    call: Call
    target: Tensor


Totals = dict[str, Tensor]


def importances(
    module: nn.Module, rows: Rows, speech: Speech, kind: Importance, target: Tensor | None = None
) -> dict[str, Floats]:
    r"""Return how much each trainable weight matters for the rows, by name; a mean over rows.

    Parameters
    ----------
    module : nn.Module
        The net; dropout and batch statistics are at rest.
    rows : Rows
        The rows; beyond `MOST_ROWS` an evenly spaced part of them is taken.
    speech : Speech
        How its outputs are read: the likelihood is categorical, Bernoulli for each output, or normal of unit variance.
    kind : {"fisher", "empirical", "output"}
        - "fisher", :math:`F_j = \frac1n \sum_i E_{y \sim p(y|x_i)} [(\partial \log p(y|x_i) / \partial w_j)^2]`, exact:
          the sum over all labels (Kunstner et al. 2019, eq. 4; Kirkpatrick et al. 2017).
        - "empirical": the same at the labels seen (Kunstner et al. 2019, eq. 3).
        - "output", :math:`\Omega_j = \frac1n \sum_i |\partial \|f(x_i)\|_2^2 / \partial w_j|` (Aljundi et al. 2018,
          eq. 3 with the squared norm of section 4.1).
    target : Tensor, optional
        Labels as the task loss takes them, for "empirical".
    """
    n = len(rows)
    at = torch.from_numpy(np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(np.int64)))
    params = {name: p for name, p in module.named_parameters() if p.requires_grad}
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in params.items()}
    device = next(iter(params.values())).device if params else torch.device("cpu")
    add = _by_layers if _all_plain(module) else _by_rows
    with at_rest(module), _row_by_row():
        size = max(1, min(256, _CHUNK // max(1, sum(p.numel() for p in params.values()))))
        for part in torch.split(at, 256 if add is _by_layers else size):
            inputs = {name: t.to(device) for name, t in rows.at(part.to(rows.device or "cpu")).items()}
            seen = torch.zeros(len(part)) if target is None else target[part]
            add(module, _Chunk(inputs, rows.call, seen.to(device)), params, _asks(speech, kind), total)
    return {name: (value / len(at)).cpu().numpy() for name, value in total.items()}


@contextmanager
def _row_by_row() -> Iterator[None]:
    """Keep to operations that have gradients for single rows."""
    fastpath = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There is a performance drop")  # where there is no other way, it is taken
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fastpath)


def _asks(speech: Speech, kind: Importance) -> Asks:
    """Return the scores to differentiate, given how many outputs there are."""

    def asks(k: int) -> Iterator[_Ask]:
        if kind == "output":
            yield _Ask(_squared_norm, _ones, power=1)
        elif kind == "empirical":
            yield _Ask(partial(_likelihood, speech), _ones)
        for j in range(k) if kind == "fisher" else ():
            yield _Ask(partial(_output, speech, j), partial(_chance, speech, j))

    return asks


def _squared_norm(f: Tensor, target: Tensor) -> Tensor:
    return f.square().sum(-1)


def _ones(f: Tensor) -> Tensor:
    return torch.ones_like(f[:, 0])


def _output(speech: Speech, j: int, f: Tensor, target: Tensor) -> Tensor:
    """Return the log probability of class j, or output j where outputs are independent of each other (n,)."""
    logits = speech.logits(f)
    return (logits.log_softmax(-1) if speech.kind == "softmax" else logits)[:, j]


def _chance(speech: Speech, j: int, f: Tensor) -> Tensor:
    """Return ``E[(d log p / d output_j)**2]`` (n,): p_j of a class, p (1 - p) of what is on or off, 1 of a value."""
    if speech.kind == "values":
        return torch.ones_like(f[:, j])
    logits = speech.logits(f)
    if speech.kind == "softmax":
        return logits.softmax(-1)[:, j]
    on = logits.sigmoid()[:, j]
    return on * (1 - on)


def _likelihood(speech: Speech, f: Tensor, target: Tensor) -> Tensor:
    """Return the log likelihood of each row's label, up to a constant (n,)."""
    logits = speech.logits(f)
    if speech.kind == "softmax":
        return logits.log_softmax(-1).gather(-1, target[:, None])[:, 0]
    if speech.kind == "values":
        return -(logits - target).square().sum(-1) / 2
    return -nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)


# ------------------------------------------------------------------------------- plain nets, all rows at once


def _all_plain(module: nn.Module) -> bool:
    """Whether every weight lies in a linear layer of its own, so that a row's gradient is an outer product."""
    held = [p for part in module.modules() for p in part.parameters(recurse=False)]
    linear = [p for part in module.modules() if type(part) is nn.Linear for p in part.parameters(recurse=False)]
    return len({id(p) for p in held}) == len(held) == len(linear)


def _by_layers(module: nn.Module, chunk: _Chunk, params: dict[str, nn.Parameter], asks: Asks, total: Totals) -> None:
    """Add ``sum_i w_i (delta_i x_i')**2 = (w delta**2)' (x**2)``: rows need no gradients of their own."""
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
        _by_rows(module, chunk, params, asks, total)  # a layer that is used twice, or along a sequence
        return
    for ask in asks(out.shape[1]):
        with torch.enable_grad():
            whole = ask.score(out, chunk.target).sum()
            ends = [z for *_, z in seen]
            slopes = torch.autograd.grad(whole, ends, retain_graph=True, materialize_grads=True)
        weight = ask.weight(out.detach())[:, None]
        for (name, x, _), delta in zip(seen, slopes, strict=True):
            sized, read = (delta.square(), x.detach().square()) if ask.power == 2 else (delta.abs(), x.detach().abs())
            sized = sized * weight
            start = f"{name}." if name else ""
            if f"{start}weight" in total:
                total[f"{start}weight"] += (sized.T @ read).double()
            if f"{start}bias" in total:
                total[f"{start}bias"] += sized.sum(0).double()


# -------------------------------------------------------------------------------------- any net, row by row


def _by_rows(module: nn.Module, chunk: _Chunk, params: dict[str, nn.Parameter], asks: Asks, total: Totals) -> None:
    """Add the gradients of each row, many rows at once where every operation of the net allows it."""
    fixed = {name: p.detach() for name, p in module.named_parameters() if name not in params}
    state = {**fixed, **dict(module.named_buffers())}
    free = {name: p.detach() for name, p in params.items()}
    with torch.no_grad():
        said = apply(module, chunk.inputs, chunk.call)
    for ask in asks(said.shape[1]):

        def score(weights: dict[str, Tensor], row: Inputs, target: Tensor, ask: _Ask = ask) -> Tensor:
            one = {name: t[None] for name, t in row.items()}
            given = (one[""],) if chunk.call == "one" else (one,) if chunk.call == "dict" else ()
            named = one if chunk.call == "names" else {}
            f = two_dimensional(functional_call(module, {**state, **weights}, given, named))
            return ask.score(f, target[None])[0]

        slope, weight = grad(score), ask.weight(said).double()
        try:
            found = vmap(slope, in_dims=(None, 0, 0))(free, chunk.inputs, chunk.target)
        except RuntimeError:  # an operation that cannot be done for many rows at once, such as a recurrent layer
            rows = range(len(said))
            each = [slope(free, {name: t[i] for name, t in chunk.inputs.items()}, chunk.target[i]) for i in rows]
            found = {name: torch.stack([g[name] for g in each]) for name in free}
        for name, value in found.items():
            sized = value.square() if ask.power == 2 else value.abs()
            total[name] += torch.tensordot(weight, sized.double(), dims=1)
