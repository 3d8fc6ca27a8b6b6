"""A PyTorch module as a net of the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Array, Floats
from incumbent.data import RENAMED_PREPARE
from incumbent.errors import ModelError
from incumbent.models.exact._head import Head
from incumbent.models.nets import HeadLayer, Inputs, Net, OptimizerSettings, OutputLayer, Score
from incumbent.models.torch._analytic import (
    AnalyticLayer,
    describe_head,
    drop_kept_rows,
    exact_layer,
    only_head,
    put_exact_head,
    read_exact_head,
    restore_head,
    without_head,
)
from incumbent.models.torch._blueprint import Blueprint, build, describe
from incumbent.models.torch._gradients import Chunk, gradient_powers
from incumbent.models.torch._input import Reader, Rows, apply
from incumbent.models.torch._layers import (
    at_rest,
    blocks,
    can_redraw,
    check_unshared,
    features_of,
    find_head,
    find_tables,
    home_of,
    last_layer,
    output_layer,
    put_rows,
    redraw,
    widen_tables,
)
from incumbent.models.torch._lora import add_lora, is_adapted, lora_settings, merge_lora
from incumbent.models.torch._ops import TorchOps, seeded
from incumbent.models.torch._optimizer import TorchOptimizer
from incumbent.models.torch._weights import load_weights, read_weights, save_weights


@dataclass(eq=False)
class TorchNet(Net):
    """A PyTorch module; see `incumbent.models.nets.Net` for what each member does.

    Parameters
    ----------
    native : nn.Module
        The module.
    factory : Blueprint, optional
        Rebuilds it; without one it is rebuilt from its class and attributes.
    prepare : str, optional
        "module:function" that is applied to the rows before they become tensors.
    place : {"auto", "cpu", "cuda"}
        Where it trains and predicts; "auto" is a GPU if there is one.
    resting : frozenset of str
        Parts that stay at rest in training.
    """

    native: nn.Module
    factory: Blueprint | None = None
    prepare: str | None = None
    place: str = "auto"
    resting: frozenset[str] = frozenset()

    # ------------------------------------------------------------------------------------------ forward

    @property
    def ops(self) -> TorchOps:
        return TorchOps(self.device)

    @property
    def output_layer(self) -> OutputLayer:
        return output_layer(self.native)

    @cached_property
    def reader(self) -> Reader:
        """How rows become its inputs."""
        return Reader.from_module(self.native, self.prepare)

    @cached_property
    def _is_half(self) -> bool:
        return self.device.type == "cuda" and torch.cuda.is_bf16_supported()

    def rows(self, x: Any) -> Rows:
        return self.reader.rows(x, self.device)

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k) in single precision; a GPU trains in bfloat16."""
        if not (self.native.training and self._is_half):
            return apply(self.native, inputs, self.reader.call(inputs)).float()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return apply(self.native, inputs, self.reader.call(inputs)).float()

    def at_rest(self) -> AbstractContextManager[Any]:
        return at_rest(self.native)

    def seeded(self, seed: int) -> AbstractContextManager[Any]:
        return seeded(seed)

    def with_prepare(self, prepare: str) -> TorchNet:
        return replace(self, prepare=prepare)

    @property
    def image_channels(self) -> int | None:
        return self.reader.channels

    @property
    def device(self) -> torch.device:
        return home_of(self.native)

    def moved(self, device: torch.device | None = None) -> TorchNet:
        if device is None:
            if self.place.startswith("cuda") and not torch.cuda.is_available():
                raise ModelError(
                    f"device={self.place!r} needs a GPU, and torch finds none; device='cpu' works anywhere."
                )
            auto = "cuda" if torch.cuda.is_available() else "cpu"
            device = torch.device(auto if self.place == "auto" else self.place)
        if self.device.type == device.type:
            return self
        return replace(self, native=copy.deepcopy(self.native).to(device))

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, torch.OutOfMemoryError | MemoryError) or "not enough memory" in str(error)

    # ----------------------------------------------------------------------------------------- training

    def optimizer(self, settings: OptimizerSettings) -> TorchOptimizer:
        return TorchOptimizer(self.native, settings, self.ops)

    def learn(self, *, statistics: bool) -> None:
        self.native.train()
        for name in self.resting:
            self.native.get_submodule(name).eval()
        for part in self.native.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                held = list(part.parameters())
                if not statistics or (held and not any(p.requires_grad for p in held)):
                    part.eval()

    def finish(self) -> None:
        for p in self.native.parameters():
            p.grad = None
        self.native.eval()
        self._forget_solution()

    def gradient_powers(
        self, inputs: Inputs, target: Tensor, scores: Callable[[Tensor], list[Score]]
    ) -> dict[str, Floats]:
        found = gradient_powers(self.native, Chunk(inputs, self.reader.call(inputs), target), scores)
        return {name: value.cpu().numpy() for name, value in found.items()}

    # ------------------------------------------------------------------------------------------ weights

    def weights(self) -> dict[str, Floats]:
        return {name: self.ops.numpy(value).copy() for name, value in self._floating().items()}

    def load_weights(self, weights: Mapping[str, Floats]) -> None:
        held = self._floating()
        with torch.no_grad():
            for name, value in weights.items():
                held[name].copy_(torch.from_numpy(np.ascontiguousarray(value)))
        self._forget_solution()

    def _floating(self) -> dict[str, Tensor]:
        named = {**dict(self.native.named_parameters()), **dict(self.native.named_buffers())}
        return {name: value.detach() for name, value in named.items() if value.is_floating_point()}

    def _forget_solution(self) -> None:
        found = exact_layer(self.native)
        if found is not None:
            found[1].solved = None  # the sums that the head was solved from no longer belong to this net

    def copy(self) -> TorchNet:
        return replace(self, native=copy.deepcopy(self.native))

    @property
    def weight_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.native.named_parameters())

    def state(self) -> dict[str, Array]:
        return {name: _bits(value) for name, value in self.native.state_dict().items() if isinstance(value, Tensor)}

    def load_state(self, state: Mapping[str, Array]) -> None:
        held = self.native.state_dict()
        with torch.no_grad():
            for name, value in state.items():
                stored = torch.from_numpy(np.array(value))
                held[name].copy_(stored.view(torch.bfloat16) if held[name].dtype == torch.bfloat16 else stored)

    # ---------------------------------------------------------------------------------------- structure

    @property
    def frozen(self) -> frozenset[str]:
        return frozenset(name for name, p in self.native.named_parameters() if not p.requires_grad)

    def freeze(self, weights: frozenset[str], parts: frozenset[str] = frozenset()) -> None:
        for name, p in self.native.named_parameters():
            p.requires_grad_(name not in weights)
        self.resting = parts

    def head(self, x: Any = None, *, name: str | None = None) -> TorchHead:
        exact = exact_layer(self.native)
        if exact is not None:
            return TorchHead(self, exact[0])
        if name is None and x is not None:
            name = find_head(self.native, self.rows(x))
        return TorchHead(self, (last_layer(self.native) or ("",))[0] if name is None else name)

    @property
    def can_redraw(self) -> bool:
        return self.factory is not None or can_redraw(self.native)

    def redrawn(self, seed: int) -> TorchNet:
        made = redraw(self.native, seed) if self.factory is None else build(self.factory, seed=seed)
        return replace(self, native=made.cpu())

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.native.named_modules() if name)

    @property
    def blocks(self) -> tuple[str, ...]:
        return tuple(blocks(self.native))

    def widen_tables(self, x: Any) -> dict[str, int]:
        tables = find_tables(self.native)
        return widen_tables(self.native, tables, self.rows(x)) if tables else {}

    def rebuilt(self, factory: str | None, arguments: Mapping[str, Any], seed: int) -> TorchNet:
        if factory is None:
            own = describe(self.native) if self.factory is None else self.factory
            blueprint = {"call": own["call"], "with": {**own["with"], **arguments}}
        else:
            blueprint = {"call": factory, "with": dict(arguments)}
        return replace(self, native=build(blueprint, seed=seed), factory=blueprint)

    def add_lora(self, rank: int, layers: Sequence[str], head: str | None) -> list[str]:
        return add_lora(self.native, rank, layers, head if head is None else self.head(name=head).linear_name)

    def merge_lora(self) -> None:
        if is_adapted(self.native):
            merge_lora(self.native)

    # ---------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head: Head, name: str | None) -> TorchNet:
        return replace(self, native=put_exact_head(self.native, self.head(name=name).name, head))

    def with_only_a_head(self, x: Any, width: int) -> TorchNet:
        if isinstance(self.native, AnalyticLayer):
            return self
        return replace(self, native=only_head(self.rows(x), width), factory=None)

    def exact_head(self, classes: Any) -> Head | None:
        return read_exact_head(self.native, classes)

    def save(self, folder: Path) -> dict[str, Any]:
        blueprint = describe(without_head(self.native)) if self.factory is None else self.factory
        return {
            "blueprint": blueprint,
            "from_factory": self.factory is not None,
            "same": save_weights(self.native, folder),
            "fixed": sorted(self.frozen),
            "updates": lora_settings(self.native),
            "analytic": describe_head(self.native),
            "training": self.native.training,
            "prepare": self.prepare,
        }

    @classmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> tuple[TorchNet, str]:
        native, updates, head = build(about["blueprint"]), about["updates"], about.get("analytic")
        if updates:
            add_lora(native, updates["rank"], updates["layers"], None)
        if head:
            native = restore_head(native, head)
        weights, note = drop_kept_rows(read_weights(folder, about["same"]), head)
        load_weights(native, weights)
        prepare = RENAMED_PREPARE.get(about["prepare"] or "", about["prepare"])
        net = cls(native.train(about["training"]), about["blueprint"] if about["from_factory"] else None, prepare)
        net.freeze(frozenset(about["fixed"]))
        return net, note


def _bits(value: Tensor) -> Array:
    """Return a tensor as an array; bfloat16, which NumPy does not have, as whole numbers of the same bits."""
    found = value.detach().cpu()
    bits: Array = (found.view(torch.int16) if found.dtype == torch.bfloat16 else found).numpy().copy()
    return bits


class TorchHead(HeadLayer):
    """The layer that makes the outputs; see `incumbent.models.nets.HeadLayer`. An exact one has its weights inside."""

    def __init__(self, net: TorchNet, name: str) -> None:
        self.net, self.name = net, name
        self.layer, self.linear_name = net.native.get_submodule(name), name
        if isinstance(self.layer, AnalyticLayer):
            self.linear_name = f"{name}.layer".lstrip(".")
        self.linear: Any = net.native.get_submodule(self.linear_name)
        held = [kind for kind in ("weight", "bias") if getattr(self.linear, kind, None) is not None]
        self.weight_names = tuple(f"{self.linear_name}.{kind}".lstrip(".") for kind in held)

    def weights(self) -> tuple[Floats, Floats | None]:
        ops, bias = self.net.ops, self.linear.bias
        return ops.numpy(self.linear.weight).copy(), None if bias is None else ops.numpy(bias).copy()

    def set_weights(self, weight: Floats, bias: Floats | None) -> None:
        check_unshared(self.net.native, self.linear, self.linear_name)
        old = self.linear.weight
        biases = None if bias is None else torch.from_numpy(bias).to(old)
        put_rows(self.linear, torch.from_numpy(weight).to(old), biases)

    def features(self, inputs: Inputs) -> Tensor:
        return features_of(self.net.native, self.layer, inputs, self.net.reader.call(inputs))

    @property
    def projection(self) -> Callable[[Array], Array] | None:
        return self._project if isinstance(self.layer, AnalyticLayer) and self.layer.lift is not None else None

    def _project(self, features: Array) -> Array:
        lift: Any = self.layer.lift
        ops = self.net.ops
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(features), 1024)
            return np.concatenate([ops.numpy(lift(part.to(ops.device))) for part in parts])
