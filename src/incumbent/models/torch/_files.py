"""A PyTorch module in a folder: its weights, and how it is rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from incumbent.models.torch._analytic import describe_head, drop_kept_rows, restore_head, without_head
from incumbent.models.torch._blueprint import Blueprint, build, describe
from incumbent.models.torch._lora import add_lora, lora_settings
from incumbent.models.torch._weights import load_weights, read_weights, save_weights


def save_net(module: nn.Module, factory: Blueprint | None, folder: Path) -> dict[str, Any]:
    """Write the weights of a module; return how it is rebuilt."""
    return {
        "blueprint": describe(without_head(module)) if factory is None else factory,
        "from_factory": factory is not None,
        "same": save_weights(module, folder),
        "fixed": [name for name, p in module.named_parameters() if not p.requires_grad],
        "updates": lora_settings(module),
        "analytic": describe_head(module),
        "training": module.training,
    }


def load_net(folder: Path, about: Mapping[str, Any]) -> tuple[nn.Module, str]:
    """Return the module that `save_net` wrote, and a note if something of version 0.1 was left out."""
    module = build(about["blueprint"])
    if about["updates"]:
        add_lora(module, about["updates"]["rank"], about["updates"]["layers"], None)
    if about.get("analytic"):
        module = restore_head(module, about["analytic"])
    weights, note = drop_kept_rows(read_weights(folder, about["same"]), about.get("analytic"))
    load_weights(module, weights)
    for name, p in module.named_parameters():
        p.requires_grad_(name not in about["fixed"])
    return module.train(about["training"]), note
