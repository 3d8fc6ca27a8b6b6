"""The layers of a PyTorch module: which makes the outputs, what it reads, and which can be drawn again."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.errors import ModelError
from incumbent.models.nets import Inputs, OutputLayer
from incumbent.models.torch._input import TABLES, Call, Rows, apply
from incumbent.models.torch._ops import seeded

HEADS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_ROWS = 4096


def home_of(module: nn.Module) -> torch.device:
    """Return the device that a module is on."""
    return next((p.device for p in module.parameters()), torch.device("cpu"))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Set a module to predict, and every part of it back to what it was."""
    busy = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in busy:
            part.training = True


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Set a module to predict, without gradients."""
    with evaluating(module), torch.inference_mode():
        yield


def _run(module: nn.Module, inputs: Inputs, call: Call) -> Tensor:
    """Return the outputs for a few rows on the device of the module, at rest."""
    home = home_of(module)
    with at_rest(module):
        return apply(module, {name: part.to(home) for name, part in inputs.items()}, call)


# ------------------------------------------------------------------------------------------------ the head


def last_layer(module: nn.Module) -> tuple[str, nn.Module] | None:
    """Return the name and the layer of the last registered one that can compute the outputs; None if there is none."""
    found = [(name, part) for name, part in module.named_modules() if isinstance(part, HEADS)]
    return found[-1] if found else None


def output_layer(module: nn.Module) -> OutputLayer:
    """Return what the layers show about the outputs."""
    last = last_layer(module)
    leaves = [part for part in module.modules() if not list(part.children())]
    probabilities = bool(leaves) and isinstance(leaves[-1], nn.Softmax | nn.Sigmoid)
    if last is None:
        return OutputLayer(None, False, probabilities)
    return OutputLayer(_width_of(last[1]), isinstance(last[1], nn.Linear), probabilities)


def _width_of(layer: nn.Module) -> int:
    return int(layer.get_parameter("weight").shape[0])


def find_head(module: nn.Module, rows: Rows) -> str:
    """Return the name of the layer that makes the outputs, by running a few rows through the net.

    Raises
    ------
    ModelError
        No layer's width is that of the outputs, so classes cannot be added and the head cannot be replaced.
    """
    called: list[tuple[str, nn.Module]] = []
    hooks = [
        part.register_forward_hook(lambda *_, named=(name, part): called.append(named))
        for name, part in module.named_modules()
        if isinstance(part, HEADS)
    ]
    try:
        width = _run(module, rows.at(torch.arange(min(2, len(rows)), device=rows.device)), rows.call).shape[1]
    finally:
        for hook in hooks:
            hook.remove()
    fits = [name for name, part in called if _width_of(part) == width]
    if not fits:
        raise ModelError(
            f"None of the layers of {type(module).__name__} makes its {width} outputs directly, so none of them is its "
            "head; a net grows, and takes a new head, where it ends in a linear or convolution layer."
        )
    return fits[-1]


class _Read(Exception):
    """Leaves a net whose features have been read."""


def features_of(module: nn.Module, layer: nn.Module, inputs: Inputs, call: Call) -> Tensor:
    """Return the input of a layer (n, d) for a mini-batch; a map is averaged over its places.

    The net is left as soon as it is read: the layer itself, such as a wide projection, may cost more than all before.
    """
    read: list[Tensor] = []

    def leave(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        read.append(given[0])
        raise _Read

    hook = layer.register_forward_pre_hook(leave)
    try:
        _run(module, inputs, call)
    except _Read:
        pass
    finally:
        hook.remove()
    seen = read[-1].float()
    return seen.mean(dim=tuple(range(2, seen.ndim))) if isinstance(layer, HEADS[1:]) else seen.reshape(len(seen), -1)


def check_unshared(module: nn.Module, layer: nn.Module, name: str) -> None:
    """Raise an error if another layer has the weights of this one."""
    held = layer.get_parameter("weight")
    for other, part in module.named_modules():
        if part is not layer and any(p is held for p in part._parameters.values()):
            raise ModelError(
                f"The weights of {name} are those of {other} too, so it cannot change its number of outputs."
            )


def put_rows(layer: nn.Module, weight: Tensor, bias: Tensor | None = None) -> None:
    """Set the weights of a linear, convolution or table layer, of any number of rows."""
    for kind, value in (("weight", weight), ("bias", bias)):
        if value is not None:
            old = layer.get_parameter(kind)
            setattr(layer, kind, nn.Parameter(value.contiguous(), requires_grad=old.requires_grad))
    for name in ("out_features", "out_channels", "num_embeddings"):
        if hasattr(layer, name):
            setattr(layer, name, len(weight))


def blocks(module: nn.Module, start: str = "") -> Iterator[str]:
    """Yield the parts that a net is a row of, from its input to its output: children, and those of plain rows."""
    for name, part in module.named_children():
        full = f"{start}{name}"
        if isinstance(part, nn.Sequential | nn.ModuleList):
            yield from blocks(part, f"{full}.")
        elif any(True for _ in part.parameters()):
            yield full


# ------------------------------------------------------------------------------------------------- tables


def find_tables(module: nn.Module) -> dict[str, Any]:
    """Return the layers that look ids up in a table, by name."""
    return {name: part for name, part in module.named_modules() if isinstance(part, TABLES)}


def widen_tables(module: nn.Module, tables: dict[str, Any], rows: Rows) -> dict[str, int]:
    """Give lookup tables rows for ids beyond their end, at the mean of their rows; return the old sizes by weight."""
    wanted, grown = _largest_ids(module, tables, rows), {}
    for name, part in tables.items():
        weight = part.get_parameter("weight").detach()
        if wanted.get(name, -1) < len(weight):
            continue
        trained = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
        if part.padding_idx is not None:
            trained[part.padding_idx] = False
        extra = weight[trained].mean(dim=0).expand(wanted[name] + 1 - len(weight), -1)
        grown[f"{name}.weight" if name else "weight"] = len(weight)
        put_rows(part, torch.cat([weight, extra]))
    return grown


def _largest_ids(module: nn.Module, tables: dict[str, Any], rows: Rows) -> dict[str, int]:
    """Run the rows through the net, with ids cut off at each table's end, and return the largest ids."""
    wanted: dict[str, int] = {}

    def note(name: str, size: int) -> Any:
        def hook(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            if given[0].numel():
                wanted[name] = max(wanted.get(name, -1), int(given[0].max()))
            return (given[0].clamp_max(size - 1), *given[1:])

        return hook

    hooks = [part.register_forward_pre_hook(note(name, len(part.weight))) for name, part in tables.items()]
    try:
        for at in torch.split(torch.arange(len(rows), device=rows.device), _ROWS):
            _run(module, rows.at(at), rows.call)
    finally:
        for hook in hooks:
            hook.remove()
    return wanted


# ------------------------------------------------------------------------------------------- new weights


def can_redraw(module: nn.Module) -> bool:
    """Whether every layer with weights can draw them again."""
    holders = (part for part in module.modules() if any(True for _ in part.parameters(recurse=False)))
    return all(_reset_of(part) is not None for part in holders)


def redraw(module: nn.Module, seed: int) -> nn.Module:
    """Return a copy of a net whose layers have drawn their weights again."""
    fresh = copy.deepcopy(module)
    with seeded(seed):
        for part in fresh.modules():
            reset = _reset_of(part)
            if reset is not None:
                reset()
    return fresh


def _reset_of(part: nn.Module) -> Any:
    return getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))  # attention has the second
