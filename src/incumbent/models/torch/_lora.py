"""Low-rank updates of the weights of a net (Hu et al. 2022), through PEFT."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Any

from torch import nn

from incumbent.errors import MissingDependency, ModelError, UsageError

_ADAPTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def add_lora(module: nn.Module, rank: int, patterns: Sequence[str], head: str | None) -> list[str]:
    """Replace each weight w by ``w + (alpha / rank) * B A``, with w fixed, in place; return the names of the layers.

    B starts at zero, so that the outputs stay the same (Hu et al. 2022, eq. 3; alpha is twice the rank). The head is
    left whole and learns in full, unless a pattern names it. Inside `nn.MultiheadAttention` nothing is adapted: it
    reads its weights without calling the layers that hold them.
    """
    able = [name for name, part in module.named_modules() if _able(module, name, part)]
    chosen = [name for name in able if name != head] or able
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in able):
            raise UsageError(
                f"LoRA(layers={pattern!r}) matches no linear or convolution layer of {type(module).__name__}; "
                f"it has {', '.join(able[:20])}."
            )
    if patterns:
        chosen = [name for name in able if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    if not chosen:
        raise ModelError(f"{type(module).__name__} has no linear or convolution layer that LoRA could adapt.")
    peft = _peft()
    where = "|".join(re.escape(name) for name in chosen)
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=f"^({where})$")
    peft.inject_adapter_in_model(config, module)
    if head is not None and head not in chosen:
        module.get_submodule(head).requires_grad_(True)
    for part in module.modules():
        if isinstance(part, nn.TransformerEncoderLayer):
            part.activation_relu_or_gelu = 0  # its fast path for prediction would ignore the updates
    return chosen


def merge_lora(module: nn.Module) -> None:
    """Add the updates into the weights, in place, and remove the layers that held them."""
    for name, part in list(module.named_modules()):
        if hasattr(part, "merge") and hasattr(part, "get_base_layer"):
            part.merge()
            owner, _, last = name.rpartition(".")
            setattr(module.get_submodule(owner), last, part.get_base_layer())
    vars(module).pop("peft_config", None)
    for part in module.modules():
        if isinstance(part, nn.TransformerEncoderLayer):
            relu = part.activation is nn.functional.relu or isinstance(part.activation, nn.ReLU)
            gelu = part.activation is nn.functional.gelu or isinstance(part.activation, nn.GELU)
            part.activation_relu_or_gelu = 1 if relu else 2 if gelu else 0


def is_adapted(module: nn.Module) -> bool:
    """Whether a net has low-rank updates."""
    return any(hasattr(part, "lora_A") for part in module.modules())


def _able(module: nn.Module, name: str, part: nn.Module) -> bool:
    owner = module.get_submodule(name.rpartition(".")[0])
    return bool(name) and isinstance(part, _ADAPTED) and not isinstance(owner, nn.MultiheadAttention)


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingDependency("LoRA needs peft. Install it with: pip install 'incumbent[torch]'") from error
    return peft


def lora_settings(module: nn.Module) -> dict[str, Any] | None:
    """Return the layers with low-rank updates and their rank; None if there are none."""
    layers: dict[str, Any] = {name: part for name, part in module.named_modules() if hasattr(part, "lora_A")}
    ranks = [int(part.r["default"]) for part in layers.values()]
    return {"layers": list(layers), "rank": ranks[0]} if layers else None
