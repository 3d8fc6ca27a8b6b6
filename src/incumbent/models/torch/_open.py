"""Open files of weights: safetensors, and what `torch.save` wrote."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from incumbent.errors import ModelError, TrustError
from incumbent.models.files._pickles import names_in
from incumbent.models.torch._blueprint import build, reference_of
from incumbent.models.torch._weights import load_weights, read_safetensors

_WRAPPED = ("state_dict", "model_state_dict", "model", "net", "module")
_LEAVE = "pass --trust-pickle (in Python: trust_pickle=True)"


def open_net(path: Path, name: str, *, factory: Any, arguments: Mapping[str, Any], trust_pickle: bool) -> nn.Module:
    """Return the net in a file: built by its factory if the file holds weights only.

    A pickled module is opened only with `trust_pickle`, because it can run any code.
    """
    held = _read(path, name, trust_pickle=trust_pickle)
    if isinstance(held, nn.Module):
        return held.eval()
    if factory is None:
        raise ModelError(
            f"{name} holds the weights of a net and not the net; say what builds it: --factory package.module:build "
            '(in Python: factory="package.module:build").'
        )
    net = build({"call": reference_of(factory, "factory"), "with": dict(arguments)})
    load_weights(net, _named_as(held, net))
    return net.eval()


def _read(path: Path, name: str, *, trust_pickle: bool) -> Any:
    if not zipfile.is_zipfile(path):
        return read_safetensors(path)
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        if not trust_pickle:
            raise TrustError(
                f"{name} holds a pickled module, and opening it can run any code. Save the weights alone instead: "
                f"torch.save(net.state_dict(), FILE). Or if you trust its author, {_LEAVE}. "
                f"It would load: {_names(path)}."
            ) from None
        held = _unpickled(path, name)
    except (RuntimeError, EOFError, KeyError) as error:
        raise ModelError(
            f"{name} looks like a PyTorch file but cannot be read: {str(error).splitlines()[0]}"
        ) from error
    return held if isinstance(held, nn.Module) else _weights_in(held, name)


def _unpickled(path: Path, name: str) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # a pickle is a program: it can fail in any way
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name} cannot be read: {first}. It needs its classes importable here, and the versions that made it."
        ) from error


def _weights_in(held: Any, name: str) -> dict[str, Tensor]:
    """Return the weights by name, also if a training script stored other things with them."""
    if isinstance(held, Mapping):
        inner = next((held[key] for key in _WRAPPED if isinstance(held.get(key), Mapping)), held)
        weights = {str(key): value for key, value in inner.items() if isinstance(value, Tensor)}
        if weights and len(weights) == len(inner):
            return weights
        shown = f" with the keys {', '.join(map(repr, list(held)[:5]))}"
    else:
        shown = ""
    raise ModelError(
        f"{name} holds a {type(held).__name__}{shown}, and no weights of a net; save them with "
        "torch.save(net.state_dict(), FILE)."
    )


def _named_as(weights: Mapping[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Drop the prefix that wrappers for several devices and compilers put before every name."""
    for prefix in ("module.", "_orig_mod."):
        if all(name.startswith(prefix) for name in weights) and not any(n.startswith(prefix) for n in net.state_dict()):
            return {name.removeprefix(prefix): value for name, value in weights.items()}
    return dict(weights)


def _names(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        data = next(member for member in archive.namelist() if member.endswith("data.pkl"))
        with archive.open(data) as file:
            names, _ = names_in(file)
    ours = [name for name in names if not name.startswith(("torch.", "collections."))]
    return ", ".join((ours or names)[:12])
