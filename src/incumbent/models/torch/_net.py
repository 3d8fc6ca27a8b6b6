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
from incumbent.models.nets import Inputs, OptimizerSettings, OutputLayer, Score
from incumbent.models.torch._analytic import AnalyticLayer, exact_layer, head_in, only_head, put_exact_head
from incumbent.models.torch._blueprint import Blueprint, built, described
from incumbent.models.torch._files import load_net, save_net
from incumbent.models.torch._gradients import Chunk, gradient_powers
from incumbent.models.torch._input import Reader, Rows, apply
from incumbent.models.torch._layers import (
    at_rest,
    blocks,
    can_redraw,
    check_unshared,
    features_of,
    find_head,
    has_tables,
    home_of,
    last_layer,
    output_layer,
    put_rows,
    redrawn,
    reset_of,
    widen_tables,
)
from incumbent.models.torch._lora import add_lora, is_adapted, merge_lora
from incumbent.models.torch._ops import TorchOps
from incumbent.models.torch._optimizer import TorchOptimizer
from incumbent.models.torch._seed import seeded

_NORMS = (nn.modules.batchnorm._BatchNorm,)


@dataclass(eq=False)
class TorchNet:
    """A PyTorch module; see `incumbent.models.nets.Net` for what each member must do.

    Parameters
    ----------
    native : nn.Module
        The module.
    factory : Blueprint, optional
        What makes it again; None reads it off its class.
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
        """Tensor operations on its device."""
        return TorchOps(self.device)

    @cached_property
    def reader(self) -> Reader:
        """How rows become its inputs."""
        return Reader.of(self.native, self.prepare)

    @cached_property
    def _half(self) -> bool:
        return self.device.type == "cuda" and torch.cuda.is_bf16_supported()

    def rows(self, x: Any) -> Rows:
        """Return rows as inputs on its device."""
        return self.reader.rows(x, self.device)

    def with_prepare(self, prepare: str) -> TorchNet:
        """Return the same net with its rows prepared in another way."""
        return replace(self, prepare=prepare)

    @property
    def image_channels(self) -> int | None:
        """1 or 3 if its first layer shows it."""
        return self.reader.channels

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k) in single precision; a GPU trains in bfloat16."""
        if not (self.native.training and self._half):
            return apply(self.native, inputs, self.reader.call(inputs)).float()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return apply(self.native, inputs, self.reader.call(inputs)).float()

    def at_rest(self) -> AbstractContextManager[Any]:
        """Within it the module predicts, without gradients."""
        return at_rest(self.native)

    def seeded(self, seed: int) -> AbstractContextManager[Any]:
        """Within it torch draws from this seed."""
        return seeded(seed)

    @property
    def output_layer(self) -> OutputLayer:
        """What its layers show about its outputs."""
        return output_layer(self.native)

    @property
    def device(self) -> torch.device:
        """The device that it is on."""
        return home_of(self.native)

    @property
    def compute_device(self) -> torch.device:
        """The device that it trains and predicts on.

        Raises
        ------
        ModelError
            It is a GPU and there is none.
        """
        if self.place.startswith("cuda") and not torch.cuda.is_available():
            raise ModelError(f"device={self.place!r} needs a GPU, and torch finds none; device='cpu' works anywhere.")
        if self.place == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.place)

    def moved(self, device: torch.device) -> TorchNet:
        """Return the net on a device: itself, or a copy."""
        if self.device.type == device.type:
            return self
        return replace(self, native=copy.deepcopy(self.native).to(device))

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether an error means that the memory of the device is full."""
        return isinstance(error, torch.OutOfMemoryError | MemoryError) or "not enough memory" in str(error)

    # ----------------------------------------------------------------------------------------- training

    def learn(self, *, statistics: bool) -> None:
        """Switch all parts that are not frozen to training."""
        self.native.train()
        for name in self.resting:
            self.native.get_submodule(name).eval()
        for part in self.native.modules():
            if isinstance(part, _NORMS):
                held = list(part.parameters())
                if not statistics or (held and not any(p.requires_grad for p in held)):
                    part.eval()

    def optimizer(self, settings: OptimizerSettings) -> TorchOptimizer:
        """Return an optimizer of the weights that are not frozen."""
        return TorchOptimizer(self.native, settings, self.ops)

    def finish(self, frozen: frozenset[str]) -> None:
        """Switch all parts to rest after a training, and let exactly these weights not learn."""
        self.freeze(frozen, frozenset())
        for p in self.native.parameters():
            p.grad = None
        self.native.eval()
        self._forget_solution()

    def gradient_powers(
        self, inputs: Inputs, target: Tensor, scores: Callable[[Tensor], list[Score]]
    ) -> dict[str, Floats]:
        """Return powers of the gradients of single rows, summed over rows and scores."""
        found = gradient_powers(self.native, Chunk(inputs, self.reader.call(inputs), target), scores)
        return {name: value.cpu().numpy() for name, value in found.items()}

    # ------------------------------------------------------------------------------------------ weights

    def weights(self) -> dict[str, Floats]:
        """Return copies of the weights and of the statistics that layers keep."""
        return {name: self.ops.numpy(value).copy() for name, value in self._floating().items()}

    def load_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set some of them."""
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
            found[1].solved = None  # the sums that the head was solved from are not of this net any more

    def state(self) -> dict[str, Array]:
        """Return a copy of all that changes in training."""
        return {name: _bits(value) for name, value in self.native.state_dict().items() if isinstance(value, Tensor)}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go back to such a copy."""
        held = self.native.state_dict()
        with torch.no_grad():
            for name, value in state.items():
                stored = torch.from_numpy(np.array(value))
                held[name].copy_(stored.view(torch.bfloat16) if held[name].dtype == torch.bfloat16 else stored)

    def copy(self) -> TorchNet:
        """Return a net that shares nothing with this one."""
        return replace(self, native=copy.deepcopy(self.native))

    # ---------------------------------------------------------------------------------------- structure

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all parts, in order."""
        return tuple(name for name, _ in self.native.named_modules() if name)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The parts that it is a row of."""
        return blocks(self.native)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of the weights."""
        return tuple(name for name, _ in self.native.named_parameters())

    @property
    def frozen(self) -> frozenset[str]:
        """The weights that do not learn."""
        return frozenset(name for name, p in self.native.named_parameters() if not p.requires_grad)

    def freeze(self, weights: frozenset[str], parts: frozenset[str]) -> None:
        """Let exactly these weights not learn, and these parts rest."""
        for name, p in self.native.named_parameters():
            p.requires_grad_(name not in weights)
        self.resting = parts

    def head(self, x: Any = None, *, name: str | None = None) -> TorchHead:
        """Return the layer that makes the outputs."""
        exact = exact_layer(self.native)
        if exact is not None:
            return TorchHead(self, exact[0])
        if name is None and x is not None:
            name = find_head(self.native, self.rows(x))
        return TorchHead(self, (last_layer(self.native) or ("",))[0] if name is None else name)

    def widen_tables(self, x: Any) -> dict[str, int]:
        """Give lookup tables a row for each id."""
        return widen_tables(self.native, self.rows(x)) if has_tables(self.native) else {}

    @property
    def can_redraw(self) -> bool:
        """Whether a factory or its layers can make it again."""
        return self.factory is not None or can_redraw(self.native)

    def redrawn(self, seed: int) -> TorchNet:
        """Return the same net with new weights."""
        made = redrawn(self.native, seed) if self.factory is None else built(self.factory, seed=seed)
        return replace(self, native=made.cpu())

    def rebuilt(self, factory: str | None, arguments: Mapping[str, Any], seed: int) -> TorchNet:
        """Return another architecture."""
        if factory is None:
            own = described(self.native) if self.factory is None else self.factory
            blueprint = {"call": own["call"], "with": {**own["with"], **arguments}}
        else:
            blueprint = {"call": factory, "with": dict(arguments)}
        return replace(self, native=built(blueprint, seed=seed), factory=blueprint)

    def add_lora(self, rank: int, layers: Sequence[str], head: str | None) -> list[str]:
        """Add low-rank updates to some layers."""
        inner = head if head is None else self.head(name=head).linear_name
        return add_lora(self.native, rank, layers, inner)

    def merge_lora(self) -> None:
        """Add the low-rank updates into the weights."""
        if is_adapted(self.native):
            merge_lora(self.native)

    # ---------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head: Head, name: str | None) -> TorchNet:
        """Return a copy with an exact layer in the place of the head."""
        return replace(self, native=put_exact_head(self.native, self.head(name=name).name, head))

    def with_only_a_head(self, x: Any, width: int) -> TorchNet:
        """Return a net that is a single linear layer on the rows themselves."""
        if isinstance(self.native, AnalyticLayer):
            return self
        return replace(self, native=only_head(self.rows(x), width), factory=None)

    def exact_head(self, classes: Any) -> Head | None:
        """Return the exact head as it was stored."""
        return head_in(self.native, classes)

    def name_outputs(self, classes: Array) -> None:
        """Set `classes_` on the module, as scikit-learn does."""
        setattr(self.native, "classes_", classes)  # noqa: B010  # a module takes any attribute, its types do not say so

    def save(self, folder: Path) -> dict[str, Any]:
        """Write weights and how the module is made."""
        return save_net(self.native, self.factory, folder) | {"prepare": self.prepare}

    @classmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> tuple[TorchNet, str]:
        """Read what `save` wrote."""
        native, note = load_net(folder, about)
        prepare = RENAMED_PREPARE.get(about["prepare"] or "", about["prepare"])
        return cls(native, about["blueprint"] if about["from_factory"] else None, prepare), note


def _bits(value: Tensor) -> Array:
    """Return a tensor as an array; bfloat16, which NumPy does not have, as whole numbers of the same bits."""
    found = value.detach().cpu()
    bits: Array = (found.view(torch.int16) if found.dtype == torch.bfloat16 else found).numpy().copy()
    return bits


class TorchHead:
    """The layer that makes the outputs; see `incumbent.models.nets.HeadLayer`."""

    def __init__(self, net: TorchNet, name: str) -> None:
        self.net, self.name = net, name
        self.layer = net.native.get_submodule(name)

    @property
    def linear_name(self) -> str:
        """The name of the layer with the weights."""
        return f"{self.name}.layer".lstrip(".") if isinstance(self.layer, AnalyticLayer) else self.name

    @property
    def _linear(self) -> Any:
        return self.layer.layer if isinstance(self.layer, AnalyticLayer) else self.layer

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of its weights in the net."""
        start = f"{self.linear_name}." if self.linear_name else ""
        return tuple(f"{start}{kind}" for kind in ("weight", "bias") if getattr(self._linear, kind, None) is not None)

    @property
    def has_projection(self) -> bool:
        """Whether it projects its features."""
        return isinstance(self.layer, AnalyticLayer) and self.layer.lift is not None

    def weights(self) -> tuple[Floats, Floats | None]:
        """Return copies of weight and bias."""
        ops, bias = self.net.ops, self._linear.bias
        return ops.numpy(self._linear.weight).copy(), None if bias is None else ops.numpy(bias).copy()

    def set_weights(self, weight: Floats, bias: Floats | None) -> None:
        """Set both."""
        check_unshared(self.net.native, self._linear, self.linear_name)
        old = self._linear.weight
        put_rows(
            self._linear,
            torch.from_numpy(weight).to(old),
            None if bias is None else torch.from_numpy(bias).to(old),
        )

    def redraw(self, width: int, seed: int) -> None:
        """Draw both again."""
        weight, bias = self.weights()
        self.set_weights(np.zeros((width, *weight.shape[1:])), None if bias is None else np.zeros(width))
        with seeded(seed):
            reset_of(self._linear)()

    def features(self, inputs: Inputs, *, projected: bool = False) -> Tensor:
        """Return what the layer reads."""
        layer = self._linear if projected else self.layer
        return features_of(self.net.native, layer, inputs, self.net.reader.call(inputs))

    def project(self, features: Array) -> Array:
        """Return features after the projection."""
        if not isinstance(self.layer, AnalyticLayer) or self.layer.lift is None:
            return features
        lift, ops = self.layer.lift, self.net.ops
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(features), 1024)
            return np.concatenate([ops.numpy(lift(part.to(ops.device))) for part in parts])

    def outputs(self, features: Array) -> Tensor:
        """Return the outputs for projected features."""
        made: Tensor = self._linear(self.net.ops.asarray(features))
        return made.float()
