"""Random features before an analytic head as a layer of a net, of the same whole numbers as those of scikit-learn."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.models._quadratic import SIGNED, QuadraticFeatures, multiply_pairs
from incumbent.models.exact._grid import LIMITS
from incumbent.models.exact._projection import GRID, INPUT, SPREAD, WIDEST, RandomReLU


class Lift(nn.Module):
    """The random features of a fitted `RandomReLU`; its directions follow from the seed and are not stored."""

    mean: Tensor
    scale: Tensor
    directions: Tensor

    def __init__(self, layer: RandomReLU) -> None:
        super().__init__()
        self.stored: dict[str, Any] = {
            "width": layer.width,
            "each": layer.each,
            "seed": layer.seed,
            "check": int(layer.check_),
        }
        _hold(self, mean=layer.mean_, scale=layer.scale_)
        self.register_buffer("directions", torch.from_numpy(layer.directions()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, m) of rows (n, d); see `RandomReLU` for the steps."""
        kind, factor = x.dtype, float(INPUT / (SPREAD * np.sqrt(len(self.mean) + 1.0) * GRID))
        directions, one = self.directions[:-1].to(kind), self.directions[-1].to(kind) / INPUT
        made = torch.addmm(one, _round_inputs(x, self), directions).mul_(factor).clamp_(*LIMITS)
        return _round(made).mul_(GRID)

    def as_fitted(self) -> RandomReLU:
        """Return the projection as the statistics know it."""
        layer = RandomReLU(self.stored["width"], self.stored["each"], self.stored["seed"])
        layer.check_ = self.stored["check"]
        return _with_inputs(layer, self)


class QuadraticLift(nn.Module):
    """Read the `QuadraticFeatures` of a net that version 0.1 stored."""

    mean: Tensor
    scale: Tensor
    components: Tensor
    steps: Tensor
    units: Tensor

    def __init__(self, layer: QuadraticFeatures) -> None:
        super().__init__()
        self.stored: dict[str, Any] = {
            "width": layer.width,
            "each": layer.each,
            "seed": layer.seed,
            "kind": "quadratic",
        }
        self.stored |= {"linear": layer.linear_, "reach": [int(many) for many in layer.reach_]}
        self.stored |= {"components": len(layer.components_)}
        _hold(self, mean=layer.mean_, scale=layer.scale_, components=layer.components_, steps=layer.steps_)
        self.register_buffer("units", torch.from_numpy(layer.units()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, m) of rows (n, d); see `QuadraticFeatures` for the steps."""
        levels, kind, join = _round_inputs(x, self), x.dtype, functools.partial(torch.cat, dim=1)
        shorter = (1.0 / levels.double().square().sum(dim=1, keepdim=True).clamp(min=1.0).sqrt()).to(kind)
        turned, factors = levels @ self.components.to(kind).T, (self.units / self.steps).to(kind)
        made = multiply_pairs(turned, shorter, self.stored["linear"], self.stored["reach"], join) * factors
        return _round(made.clamp(*SIGNED)) * self.steps.to(kind)

    def as_fitted(self) -> QuadraticFeatures:
        """Return the projection as the statistics know it."""
        layer = QuadraticFeatures(self.stored["width"], self.stored["each"], self.stored["seed"])
        layer.linear_, layer.reach_ = self.stored["linear"], np.array(self.stored["reach"], dtype=int)
        layer.components_, layer.steps_ = self.components.cpu().numpy().copy(), self.steps.cpu().numpy().copy()
        return _with_inputs(layer, self)


AnyLift = Lift | QuadraticLift
L = TypeVar("L", RandomReLU, QuadraticFeatures)


def make_lift(layer: RandomReLU | QuadraticFeatures) -> AnyLift:
    """Return a fitted projection as a layer."""
    return QuadraticLift(layer) if isinstance(layer, QuadraticFeatures) else Lift(layer)


def make_blank_lift(stored: dict[str, Any], features: int) -> AnyLift:
    """Return the layer that `stored` describes, its buffers still to be read from a file."""
    layer: Any = QuadraticFeatures if stored.get("kind") == "quadratic" else RandomReLU
    layer = layer(stored["width"], stored["each"], stored["seed"])
    layer.n_features_in_, layer.mean_, layer.scale_ = features, np.zeros(features), np.ones(features)
    if isinstance(layer, RandomReLU):
        layer.check_ = stored["check"]
        return Lift(layer)
    layer.linear_, layer.reach_ = stored["linear"], stored["reach"]
    layer.components_ = np.zeros((stored["components"], features), dtype=np.int16)
    layer.steps_ = np.ones(stored["width"], dtype=np.float32)
    return QuadraticLift(layer)


def _hold(lift: nn.Module, **arrays: Any) -> None:
    for name, array in arrays.items():
        lift.register_buffer(name, torch.from_numpy(np.array(array)))


def _with_inputs(layer: L, lift: AnyLift) -> L:
    layer.n_features_in_ = len(lift.mean)
    layer.mean_, layer.scale_ = lift.mean.cpu().numpy().copy(), lift.scale.cpu().numpy().copy()
    return layer


def _round_inputs(x: Tensor, lift: AnyLift) -> Tensor:
    steps, mean = (1.0 / (lift.scale * INPUT)).to(x.dtype), lift.mean.to(x.dtype)
    return _round((x - mean) * steps).clamp(-WIDEST, WIDEST)


def _round(x: Tensor) -> Tensor:
    """Round, and let gradients through as if nothing was rounded, so that the layers before can still be trained."""
    return x + (x.round() - x).detach() if x.requires_grad else x.round()
