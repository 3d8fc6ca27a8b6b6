"""The adapter for PyTorch modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import torch
from torch import nn

from incumbent.core import Task
from incumbent.data import RENAMED_PREPARE
from incumbent.errors import ModelError
from incumbent.models.nets import NetModel
from incumbent.models.torch._blueprint import build, reference_of
from incumbent.models.torch._net import TorchNet
from incumbent.models.torch._weights import load_weights


def handles(native: Any) -> bool:
    """Whether `native` is a PyTorch module."""
    return isinstance(native, nn.Module)


@final
class TorchModel(NetModel):
    """A PyTorch module: classes, several labels or values from one tensor, a table, or several inputs by name.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> model = TorchModel.from_module(net, classes=["ham", "spam", "eggs"])
    >>> model.task, model.classes.tolist(), model.predict(torch.ones((2, 4))).proba.shape
    ('classification', ['eggs', 'ham', 'spam'], (2, 3))
    """

    framework = TorchNet

    @staticmethod
    def from_module(
        native: nn.Module,
        *,
        classes: Any = None,
        task: Task | None = None,
        factory: Any = None,
        arguments: Mapping[str, Any] | None = None,
        prepare: Any = None,
        device: str = "auto",
    ) -> TorchModel:
        """Return the adapter of a module, with what the user says about it; see `incumbent.wrap` for the options."""
        _check_weights(native)
        made = None if factory is None else {"call": reference_of(factory, "factory"), "with": dict(arguments or {})}
        if made is not None:
            load_weights(build(made), native.state_dict())  # a factory of another net fails now, not when it is stored
        prepared = None if prepare is None else reference_of(prepare, "prepare function")
        prepared = RENAMED_PREPARE.get(prepared or "", prepared)
        known = classes if classes is not None else getattr(native, "classes_", None)
        return TorchModel.from_net(TorchNet(native, made, prepared, device), classes=known, task=task)


def _check_weights(native: nn.Module) -> None:
    named = dict(native.named_parameters())
    if not named:
        raise ModelError(f"{type(native).__name__} has no weights, so there is nothing to learn or to store.")
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in named.values()):
        raise ModelError(
            f"{type(native).__name__} has lazy layers without weights yet; run it once on some rows first."
        )
    broken = next((name for name, p in named.items() if not bool(torch.isfinite(p).all())), None)
    if broken is not None:
        raise ModelError(f"The weights {broken} of {type(native).__name__} are not all finite numbers.")
