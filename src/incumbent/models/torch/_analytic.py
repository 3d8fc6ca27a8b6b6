"""Analytic heads on nets: a projection and a linear layer that is solved exactly replace the last layer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.errors import ModelError
from incumbent.models._voting import WITHOUT_ROWS
from incumbent.models.exact._head import Head
from incumbent.models.torch._input import Rows
from incumbent.models.torch._lift import AnyLift, make_blank_lift, make_lift
from incumbent.models.torch._ops import seeded


class AnalyticLayer(nn.Module):
    """A linear layer on frozen features, perhaps after a projection (`lift`), instead of the one that it replaced.

    `replaced` is the number of outputs of that layer and whether it had a bias: what rebuilds the net. `solved` holds
    ridge, temperature and token, until the net is trained.
    """

    def __init__(self, features: int, outputs: int, lift: AnyLift | None, replaced: tuple[int, bool]) -> None:
        super().__init__()
        self.features, self.replaced = features, replaced
        self.lift: AnyLift | None = lift
        width = features if lift is None else int(lift.stored["width"])
        self.layer = nn.Linear(width, outputs)
        self.solved: dict[str, Any] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores times the temperature."""
        flat = x.reshape(len(x), -1)
        scores: Tensor = self.layer(flat if self.lift is None else self.lift(flat))
        return scores


def put_exact_head(net: nn.Module, name: str, head: Head) -> nn.Module:
    """Return a copy of a net with its last layer, `name`, replaced by an analytic one."""
    made = copy.deepcopy(net)
    old: Any = made.get_submodule(name)
    if not isinstance(old, nn.Linear | AnalyticLayer):
        raise ModelError(f"{name} of {type(net).__name__} is a {type(old).__name__}; Analytic replaces a Linear.")
    replaced = old.replaced if isinstance(old, AnalyticLayer) else (old.out_features, old.bias is not None)
    home = next(net.parameters())
    wide = head.coef.shape[1] if head.lift is None else len(head.lift.mean_)
    lift = None if head.lift is None else make_lift(head.lift)
    layer = AnalyticLayer(wide, len(head.coef), lift, replaced)
    with torch.no_grad():
        layer.layer.weight.copy_(torch.from_numpy(head.temperature * head.coef))
        layer.layer.bias.copy_(torch.from_numpy(head.temperature * head.intercept))
    layer.solved = {"ridge": head.ridge, "temperature": head.temperature, "token": head.token}
    layer.train(old.training)
    return _put(made, name, layer.to(home.device))


def only_head(rows: Rows, outputs: int) -> nn.Module:
    """Return a net that is nothing but its last layer, which reads the rows as they are."""
    if rows.call != "one":
        raise ModelError('Analytic(reads="input") reads one tensor, and these rows have several inputs by name.')
    first = rows.at(torch.zeros(1, dtype=torch.long))[""]
    with seeded(0):  # its weights will be solved
        return AnalyticLayer(int(first[0].numel()), outputs, None, (outputs, True)).eval()


def read_exact_head(net: nn.Module, classes: Any) -> Head | None:
    """Return the analytic head of a net as it was stored; None if it has none, or was trained since."""
    found = exact_layer(net)
    if found is None or found[1].solved is None:
        return None
    layer, about = found[1], found[1].solved
    weight, bias = (part.detach().cpu().double().numpy() for part in (layer.layer.weight, layer.layer.bias))
    lift = None if layer.lift is None else layer.lift.as_fitted()
    scale = about["temperature"]
    return Head(weight / scale, bias / scale, classes, lift, scale, about["ridge"], about["token"])


def exact_layer(net: nn.Module) -> tuple[str, AnalyticLayer] | None:
    """Return the analytic layer of a net, by name."""
    return next(((n, part) for n, part in net.named_modules() if isinstance(part, AnalyticLayer)), None)


def _put(net: nn.Module, name: str, layer: nn.Module) -> nn.Module:
    """Put a layer into its place; without a name it is the whole net."""
    if not name:
        return layer
    owner, _, last = name.rpartition(".")
    setattr(net.get_submodule(owner), last, layer)
    return net


# ------------------------------------------------------------------------------------------------- storage


def describe_head(net: nn.Module) -> dict[str, Any] | None:
    """Return what rebuilds the analytic layer, apart from its weights."""
    found = exact_layer(net)
    if found is None:
        return None
    name, layer = found
    return {
        "name": name,
        "features": layer.features,
        "outputs": layer.layer.out_features,
        "lift": None if layer.lift is None else layer.lift.stored,
        "replaced": list(layer.replaced),
        "solved": layer.solved,
    }


def without_head(net: nn.Module) -> nn.Module:
    """Return a copy of a net with a blank Linear where the analytic layer is: the net that its class makes."""
    found = exact_layer(net)
    if found is None:
        return net
    name, layer = found
    outputs, bias = layer.replaced
    return _put(copy.deepcopy(net), name, nn.Linear(layer.features, outputs, bias=bias))


def restore_head(net: nn.Module, stored: dict[str, Any]) -> nn.Module:
    """Return the net with the analytic layer that `describe_head` described, its weights still to be read."""
    lift = None if stored["lift"] is None else make_blank_lift(stored["lift"], stored["features"])
    outputs, bias = stored["replaced"]
    layer = AnalyticLayer(stored["features"], stored["outputs"], lift, (outputs, bias))
    layer.solved = stored["solved"]
    return _put(net, stored["name"], layer)


def drop_kept_rows(weights: dict[str, Tensor], stored: dict[str, Any] | None) -> tuple[dict[str, Tensor], str]:
    """Return stored weights without the rows that version 0.1 kept in the head, and a note if there were any."""
    if stored is None or not stored.get("votes"):
        return weights, ""
    first = f"{stored['name']}.votes.".lstrip(".")
    return {name: value for name, value in weights.items() if not name.startswith(first)}, WITHOUT_ROWS
