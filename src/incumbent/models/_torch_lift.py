"""Projections before an analytic head as layers of a net, of the same whole numbers as those of scikit-learn."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.models._grid import SIGNED, UNSIGNED
from incumbent.models._projection import GRID, INPUT, PART, SPREAD, WIDEST, Projection, RandomReLU
from incumbent.models._quadratic import QuadraticFeatures

P = TypeVar("P", bound=Projection)


class Lift(nn.Module):
    """What the layers of both projections share: inputs that are centred, scaled and rounded, rows part by part.

    Parameters
    ----------
    layer : Projection
        The fitted projection.
    told : dict
        What makes it again, beside its buffers.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, layer: Projection, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = {"width": layer.width, "each": layer.each, "seed": layer.seed, **told}
        self.register_buffer("mean", torch.from_numpy(np.array(layer.mean_)))
        self.register_buffer("scale", torch.from_numpy(np.array(layer.scale_)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, m) of rows (n, d); see `Projection.transform` of each for the steps."""
        ready = self._ready(x.dtype)
        if x.requires_grad:
            return self._made(self._levels(x), *ready)
        out = x.new_empty((len(x), int(self.told["width"])))
        size = PART if x.device.type == "cpu" else len(x)
        for rows, part in zip(torch.split(x, size), torch.split(out, size), strict=True):
            self._write(self._levels(rows), part, *ready)
        return out

    def as_fitted(self) -> Projection:
        """Return the projection as the statistics know it."""
        raise NotImplementedError

    def _levels(self, x: Tensor) -> Tensor:
        steps, mean = (1.0 / (self.scale * INPUT)).to(x.dtype), self.mean.to(x.dtype)
        if x.requires_grad:
            return _whole((x - mean) * steps).clamp(-WIDEST, WIDEST)
        return (x - mean).mul_(steps).round_().clamp_(-WIDEST, WIDEST)

    def _ready(self, kind: torch.dtype) -> tuple[Any, ...]:
        """Return what all parts are multiplied by."""
        raise NotImplementedError

    def _made(self, levels: Tensor, *ready: Any) -> Tensor:
        """Return the features, in steps that gradients pass through."""
        raise NotImplementedError

    def _write(self, levels: Tensor, out: Tensor, *ready: Any) -> None:
        """Write the same features, step by step in place."""
        raise NotImplementedError

    def _centre(self, layer: Projection) -> None:
        layer.n_features_in_ = len(self.mean)
        layer.mean_, layer.scale_ = self.mean.cpu().numpy().copy(), self.scale.cpu().numpy().copy()


class RandomLift(Lift):
    """The random features of a `RandomReLU`; its directions follow from the seed and are not stored."""

    directions: Tensor

    def __init__(self, layer: RandomReLU) -> None:
        super().__init__(layer, {"check": int(layer.check_)})
        self.register_buffer("directions", torch.from_numpy(layer.directions()), persistent=False)

    @staticmethod
    def blank(told: dict[str, Any], features: int) -> RandomLift:
        """Return one whose centre and scale are still to be read from a file."""
        return RandomLift(_blank(_random(told), features))

    def as_fitted(self) -> RandomReLU:
        """Return the projection as the statistics know it."""
        layer = _random(self.told)
        self._centre(layer)
        return layer

    def _ready(self, kind: torch.dtype) -> tuple[Any, ...]:
        directions, one = self.directions[:-1].to(kind), self.directions[-1].to(kind) / INPUT
        return directions, one, INPUT / (SPREAD * np.sqrt(len(self.mean) + 1.0) * GRID)

    def _made(self, levels: Tensor, *ready: Any) -> Tensor:
        directions, one, factor = ready
        return _whole(((levels @ directions + one) * factor).clamp(*UNSIGNED)) * GRID

    def _write(self, levels: Tensor, out: Tensor, *ready: Any) -> None:
        directions, one, factor = ready
        torch.addmm(one, levels, directions, out=out).mul_(factor).clamp_(*UNSIGNED).round_().mul_(GRID)


class QuadraticLift(Lift):
    """The features of a `QuadraticFeatures`."""

    components: Tensor
    steps: Tensor
    units: Tensor

    def __init__(self, layer: QuadraticFeatures) -> None:
        reach, used = [int(many) for many in layer.reach_], len(layer.components_)
        super().__init__(layer, {"kind": "quadratic", "linear": layer.linear_, "reach": reach, "components": used})
        self.register_buffer("components", torch.from_numpy(np.array(layer.components_)))
        self.register_buffer("steps", torch.from_numpy(np.array(layer.steps_)))
        self.register_buffer("units", torch.from_numpy(layer.units()), persistent=False)

    @staticmethod
    def blank(told: dict[str, Any], features: int) -> QuadraticLift:
        """Return one whose centre, scale, components and steps are still to be read from a file."""
        layer = _blank(_quadratic(told), features)
        layer.components_ = np.zeros((told["components"], features), dtype=np.int16)
        layer.steps_ = np.ones(told["width"], dtype=np.float32)
        return QuadraticLift(layer)

    def as_fitted(self) -> QuadraticFeatures:
        """Return the projection as the statistics know it."""
        layer = _quadratic(self.told)
        layer.components_, layer.steps_ = self.components.cpu().numpy().copy(), self.steps.cpu().numpy().copy()
        self._centre(layer)
        return layer

    def _ready(self, kind: torch.dtype) -> tuple[Any, ...]:
        return self.components.to(kind).T, (self.units / self.steps).to(kind), self.steps.to(kind)

    def _made(self, levels: Tensor, *ready: Any) -> Tensor:
        axes, factors, steps = ready
        turned, shorter = levels @ axes, _shorter(levels)
        parts = [turned[:, : self.told["linear"]]]
        parts += [turned[:, i : i + 1] * (turned * shorter)[:, i : i + many] for i, many in self._runs()]
        made: Tensor = _whole((torch.cat(parts, dim=1) * factors).clamp(*SIGNED)) * steps
        return made

    def _write(self, levels: Tensor, out: Tensor, *ready: Any) -> None:
        axes, factors, steps = ready
        turned, at = levels @ axes, int(self.told["linear"])
        shortened = turned * _shorter(levels)
        out[:, :at] = turned[:, :at]
        for i, many in self._runs():
            torch.mul(turned[:, i : i + 1], shortened[:, i : i + many], out=out[:, at : at + many])
            at += many
        out.mul_(factors).round_().clamp_(*SIGNED).mul_(steps)

    def _runs(self) -> list[tuple[int, int]]:
        return list(enumerate(self.told["reach"]))


def lift_of(layer: Projection) -> Lift:
    """Return a fitted projection as a layer."""
    if isinstance(layer, QuadraticFeatures):
        return QuadraticLift(layer)
    assert isinstance(layer, RandomReLU), "there are two projections"
    return RandomLift(layer)


def blank_lift(told: dict[str, Any], features: int) -> Lift:
    """Return the layer that `Lift.told` describes, its buffers still to be read from a file."""
    if told.get("kind") == "quadratic":
        return QuadraticLift.blank(told, features)
    return RandomLift.blank(told, features)


def _random(told: dict[str, Any]) -> RandomReLU:
    layer = RandomReLU(told["width"], told["each"], told["seed"])
    layer.check_ = told["check"]
    return layer


def _quadratic(told: dict[str, Any]) -> QuadraticFeatures:
    layer = QuadraticFeatures(told["width"], told["each"], told["seed"])
    layer.linear_, layer.reach_ = told["linear"], np.array(told["reach"], dtype=int)
    return layer


def _blank(layer: P, features: int) -> P:
    layer.n_features_in_, layer.mean_, layer.scale_ = features, np.zeros(features), np.ones(features)
    return layer


def _shorter(levels: Tensor) -> Tensor:
    """Return one over the length of each row (n, 1): of an exact sum of squares, so the same wherever it is asked."""
    square = levels.double().square().sum(dim=1, keepdim=True)
    return (1.0 / square.clamp(min=1.0).sqrt()).to(levels.dtype)


def _whole(x: Tensor) -> Tensor:
    """Round, and let gradients through as if nothing was rounded, so that the layers before can still be trained."""
    return x + (x.round() - x).detach() if x.requires_grad else x.round()
