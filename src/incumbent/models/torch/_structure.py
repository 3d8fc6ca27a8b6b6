"""What may change in a net before it learns: frozen parts, a new or wider head, wider tables, another architecture."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Array, NewClasses, Recipe
from incumbent.errors import ModelError, UsageError
from incumbent.models.torch._head import Speech, features_of, head_of, last_layer, width_of
from incumbent.models.torch._input import Reader

_TABLES = (nn.Embedding, nn.EmbeddingBag)


@dataclass(eq=False)
class Draft:
    """A net that is about to learn.

    Parameters
    ----------
    module : nn.Module
        A net of its own: the champion's is left alone.
    speech : Speech
        How its outputs are read.
    reader : Reader
        How rows become its inputs.
    old_rows : dict of str to int
        Weights that were widened, with how many of their rows the champion has too.
    fresh : set of str
        Weights that the champion does not have.
    resting : set of str
        Frozen parts, whose dropout and batch statistics stay at rest.
    notes : list of str
        What was done.
    """

    module: nn.Module
    speech: Speech
    reader: Reader
    old_rows: dict[str, int] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    resting: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def seeded(seed: int) -> Any:
    """Return a context in which torch draws from this seed, and after which it draws as if nothing had been."""
    return _Seeded(seed)


def draw_from(seed: int) -> None:
    """Let torch draw from this seed from here on.

    It is `torch.manual_seed` without the millisecond that this takes to note the seed, with a stack trace each, for
    kinds of devices that the process does not use.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.cuda.manual_seed_all(seed)


class _Seeded:
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __enter__(self) -> None:
        self.before = torch.get_rng_state()
        draw_from(self.seed)

    def __exit__(self, *_: object) -> None:
        torch.set_rng_state(self.before)


# ------------------------------------------------------------------------------------------ from scratch


def renewable(module: nn.Module) -> bool:
    """Whether every weight lies in a layer that can draw itself anew."""
    return all(
        _reset_of(part) is not None for part in module.modules() if any(True for _ in part.parameters(recurse=False))
    )


def renewed(module: nn.Module, seed: int) -> nn.Module:
    """Return a copy of a net whose layers have drawn their weights anew."""
    fresh = copy.deepcopy(module)
    with seeded(seed):
        for part in fresh.modules():
            reset = _reset_of(part)
            if reset is not None:
                reset()
    return fresh


def _reset_of(part: nn.Module) -> Any:
    return getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))  # attention has the second


def perturbed(module: nn.Module, keep: float, noise: float, seed: int) -> None:
    """Shrink and perturb in place: ``w = keep * w + N(0, noise**2)`` (Ash and Adams 2020, section 4)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            drawn = torch.randn(weight.shape, generator=generator).to(weight)
            weight.mul_(keep).add_(drawn, alpha=noise)


# -------------------------------------------------------------------------------------------------- head


def widen(draft: Draft, unseen: Array, recipe: Recipe) -> None:
    """Give the last layer rows for new classes; what it says of the others stays the same to the last bit.

    A row starts at zero with the bias that gives its class its share of the training rows ("prior"), or as the mean of
    what the layer reads of its class, as long as the other rows are on average ("imprint"; Qi et al. 2018, eq. 4).
    """
    train = recipe.train
    assert train is not None, "a recipe is bound to rows before an adapter follows it"
    name, layer = head_of(draft.module, draft.reader, train.x)
    _alone(draft.module, layer, name)
    weight, bias = _as_softmax(layer, draft.speech)
    rows, starts = _new_rows(draft, layer, weight, bias, unseen, recipe)
    put_rows(layer, torch.cat([weight, rows]), None if bias is None else torch.cat([bias, starts]))
    for kind in ("weight", "bias"):
        if getattr(layer, kind) is not None:
            draft.old_rows[f"{name}.{kind}" if name else kind] = len(weight)
    draft.speech = draft.speech.grown(unseen)
    told = ", ".join(map(str, unseen[:5]))
    draft.notes.append(f"grew by {len(unseen)} new class{'es' * (len(unseen) > 1)}: {told}")


def _as_softmax(layer: nn.Module, speech: Speech) -> tuple[Tensor, Tensor | None]:
    weight = layer.get_parameter("weight").detach()
    bias = layer.bias.detach() if isinstance(layer.bias, Tensor) else None
    if speech.kind != "binary":
        return weight, bias
    return torch.cat([-weight, weight]) / 2, None if bias is None else torch.cat([-bias, bias]) / 2


def _new_rows(
    draft: Draft, layer: nn.Module, weight: Tensor, bias: Tensor | None, unseen: Array, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    train = recipe.train
    assert train is not None and train.y is not None, "new classes are among the labels"
    rows = draft.reader.rows(train.x)
    some = np.unique(np.linspace(0, len(train) - 1, min(len(train), 2_000)).astype(np.int64))
    some = np.union1d(some, np.concatenate([np.flatnonzero(train.y == label)[:50] for label in unseen]))
    home = weight.device
    parts = torch.split(torch.from_numpy(some), 256)
    features = torch.cat([features_of(draft.module, layer, rows.at(part), rows.call).to(home) for part in parts])
    y = train.y[some]
    flat = weight.reshape(len(weight), -1)
    fits = features.shape[1] == flat.shape[1]  # a convolution that looks around reads more than a point
    made = torch.zeros((len(unseen), *weight.shape[1:]), dtype=weight.dtype, device=home)
    if recipe.structure.classes == NewClasses("imprint") and fits:
        length = flat.norm(dim=1).mean()
        for i, label in enumerate(unseen):
            mean = features[torch.from_numpy(y == label).to(home)].mean(dim=0)
            made[i] = (mean / mean.norm().clamp_min(1e-12) * length).reshape(weight.shape[1:])
        return made, torch.full((len(unseen),), 0.0 if bias is None else float(bias.mean()), device=home).to(weight)
    share = torch.tensor([float(np.mean(train.y == label)) for label in unseen], device=home).clamp(1e-6, 1 - 1e-6)
    level = torch.zeros(1, device=home)
    if fits:
        level = (features @ flat.float().T + (0.0 if bias is None else bias.float())).logsumexp(dim=1).mean()
    return made, (torch.logit(share) + level).to(weight)


def fresh_head(draft: Draft, x: Any, width: int, seed: int) -> None:
    """Draw the last layer anew, with this many outputs."""
    name, layer = head_of(draft.module, draft.reader, x)
    _alone(draft.module, layer, name)
    weight = layer.get_parameter("weight").detach()
    shape = (width, *weight.shape[1:])
    bias = None if layer.bias is None else torch.zeros(width).to(weight)
    put_rows(layer, torch.zeros(shape).to(weight), bias)
    with seeded(seed):
        reset = _reset_of(layer)
        reset()
    draft.fresh |= {f"{name}.{kind}" if name else kind for kind in ("weight", "bias")}


def put_rows(layer: nn.Module, weight: Tensor, bias: Tensor | None = None) -> None:
    """Set the weights of a linear, convolution or table layer, of any number of rows."""
    old = layer.get_parameter("weight")
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=old.requires_grad)
    if bias is not None:
        layer.bias = nn.Parameter(bias.contiguous(), requires_grad=old.requires_grad)
    for name in ("out_features", "out_channels", "num_embeddings"):
        if hasattr(layer, name):
            setattr(layer, name, len(weight))


def _alone(module: nn.Module, layer: nn.Module, name: str) -> None:
    held = layer.get_parameter("weight")
    others = [
        n
        for n, part in module.named_modules()
        if part is not layer and any(p is held for p in part._parameters.values())
    ]
    if others:
        raise ModelError(
            f"The weights of {name} are those of {others[0]} too, so it cannot change its number of outputs."
        )


# ------------------------------------------------------------------------------------------------ tables


def widen_tables(module: nn.Module, reader: Reader, x: Any) -> dict[str, int]:
    """Give lookup tables rows for ids beyond their end, at the mean of the rows that are there.

    Returns
    -------
    dict of str to int
        The weights that were widened, with how many rows they had.
    """
    tables = {name: part for name, part in module.named_modules() if isinstance(part, _TABLES)}
    if not tables:
        return {}
    wanted = _largest(module, tables, reader, x)
    grown = {}
    for name, part in tables.items():
        weight = part.get_parameter("weight").detach()
        if wanted.get(name, -1) < len(weight):
            continue
        taught = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
        if part.padding_idx is not None:
            taught[part.padding_idx] = False
        mean = weight[taught].mean(dim=0)
        extra = mean.expand(wanted[name] + 1 - len(weight), -1)
        grown[f"{name}.weight" if name else "weight"] = len(weight)
        put_rows(part, torch.cat([weight, extra]))
    return grown


def _largest(module: nn.Module, tables: dict[str, Any], reader: Reader, x: Any) -> dict[str, int]:
    """Run the rows through the net, with ids cut off at each table's end, and note the largest that was asked for."""
    from incumbent.models.torch._head import run

    wanted: dict[str, int] = {}

    def note(name: str, size: int) -> Any:
        def hook(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            if given[0].numel():
                wanted[name] = max(wanted.get(name, -1), int(given[0].max()))
            return (given[0].clamp_max(size - 1), *given[1:])

        return hook

    hooks = [part.register_forward_pre_hook(note(name, len(part.weight))) for name, part in tables.items()]
    rows = reader.rows(x)
    try:
        for part in torch.split(torch.arange(len(rows)), 4096):
            run(module, rows.at(part), rows.call)
    finally:
        for hook in hooks:
            hook.remove()
    return wanted


# ------------------------------------------------------------------------------------------------ freeze


def freeze(draft: Draft, patterns: Sequence[str], x: Any) -> None:
    """Let parts of the net stay as they are: their weights do not learn, and their batch statistics do not move.

    Raises
    ------
    UsageError
        A pattern matches nothing, or nothing is left to learn.
    """
    for pattern in patterns:
        for name in _matching(draft, pattern, x):
            part, _, last = name.rpartition(".")
            owner = draft.module.get_submodule(part)
            if last in owner._parameters:
                draft.module.get_parameter(name).requires_grad_(False)
            else:
                draft.module.get_submodule(name).requires_grad_(False)
                draft.resting.add(name)
    if not any(p.requires_grad for p in draft.module.parameters()):
        raise UsageError(f"Freeze({', '.join(map(repr, patterns))}) leaves nothing to learn; freeze less.")


def _matching(draft: Draft, pattern: str, x: Any) -> list[str]:
    module = draft.module
    if pattern == "head":
        return [head_of(module, draft.reader, x)[0]]
    if pattern == "backbone":
        head = head_of(module, draft.reader, x)[0]
        return [name for name in _parts(module) if not (head == name or head.startswith(f"{name}."))]
    blocks = _blocks(module)
    if pattern.startswith("first:"):
        count = int(pattern.removeprefix("first:"))
        if count >= len(blocks):
            raise UsageError(f"Freeze(first={count}) would freeze all {len(blocks)} blocks: {', '.join(blocks)}.")
        return blocks[:count]
    names = [*(name for name, _ in module.named_modules() if name), *(name for name, _ in module.named_parameters())]
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if not found:
        shown = [name for name, part in module.named_modules() if name and any(True for _ in part.parameters())]
        raise UsageError(
            f"Freeze({pattern!r}) matches no part of {type(module).__name__}; it has {', '.join(shown[:20])}"
            f"{' and more' if len(shown) > 20 else ''}. Also 'backbone' and 'head' are known."
        )
    return found


def _parts(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_modules() if name] + [
        name for name, _ in module.named_parameters(recurse=False)
    ]


def _blocks(module: nn.Module) -> list[str]:
    """Return the parts that a net is a row of, from its input to its output: children, and those of plain rows."""
    return list(_in_a_row(module, ""))


def _in_a_row(module: nn.Module, start: str) -> Iterator[str]:
    for name, part in module.named_children():
        full = f"{start}{name}"
        if isinstance(part, nn.Sequential | nn.ModuleList):
            yield from _in_a_row(part, f"{full}.")
        elif any(True for _ in part.parameters()):
            yield full


def depths(module: nn.Module) -> dict[str, int]:
    """Return for each weight how many blocks lie between it and the last one: 0 for the last."""
    blocks = _blocks(module)
    found = {}
    for name, _ in module.named_parameters():
        at = next((i for i, block in enumerate(blocks) if name.startswith(f"{block}.")), 0)
        found[name] = len(blocks) - 1 - at if blocks else 0
    return found


# ---------------------------------------------------------------------------------- another architecture


def taken_over(fresh: nn.Module, champion: nn.Module) -> list[str]:
    """Copy into a new net what agrees with the champion in name and shape; return the names that do not."""
    mine, theirs = fresh.state_dict(), champion.state_dict()
    agree = {name: value for name, value in theirs.items() if name in mine and mine[name].shape == value.shape}
    fresh.load_state_dict(agree, strict=False)
    return [name for name in mine if name not in agree]


def outputs_of(module: nn.Module) -> int | None:
    """Return how many outputs the last registered layer has, where there is one."""
    found = last_layer(module)
    return None if found is None else width_of(found[1])
