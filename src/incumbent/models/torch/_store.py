"""Nets as files: weights in safetensors, and beside them how the module around the weights is made again.

The class of a net is code of the user's and is never stored; what is stored is where it can be imported from, and with
what it was called. Files hold numbers and names only, so reading them runs nothing but that import.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.errors import MissingDependency, ModelError
from incumbent.models.torch._input import imported
from incumbent.models.torch._structure import put_rows, seeded

Blueprint: TypeAlias = dict[str, Any]
"""``{"call": "package.module:name", "with": {argument: value}}``; values are plain, or blueprints again."""

_ADVICE = 'name what builds it: incumbent.wrap(net, factory="package.module:build"), on the command line --factory.'
_PLAIN = (bool, int, float, str, type(None))
_UPDATES = "lora_"
_OURS = ("training", "classes_", "activation_relu_or_gelu", "peft_config")  # what changes on a net after it was made


# ------------------------------------------------------------------------------------- how a module is made


def reference_of(thing: Any, what: str) -> str:
    """Return "package.module:name" of a function or class, or the same text where it is one already.

    Raises
    ------
    ModelError
        It cannot be imported by that name, so a file could not name it.
    """
    if isinstance(thing, str):
        imported(thing, what)
        return thing
    module, name = getattr(thing, "__module__", "__main__"), getattr(thing, "__qualname__", "<unnamed>")
    if module == "__main__" or "<" in name:
        raise ModelError(
            f"The {what} {name} of {module} cannot be stored by name; define it at the top of a module that can be "
            "imported, such as nets.py."
        )
    return f"{module}:{name}"


def built(blueprint: Blueprint, *, seed: int = 0) -> nn.Module:
    """Make the module that a blueprint describes, with weights as its class draws them from a seed.

    Raises
    ------
    ModelError
        What it names cannot be imported, or does not make a module of it.
    """
    reference = blueprint["call"]
    maker = imported(reference, "factory")
    given = {name: _value(value) for name, value in blueprint.get("with", {}).items()}
    many = given.pop("*", ())
    try:
        with seeded(seed):  # loading a model leaves the random numbers of the caller's program as they were
            made = maker(*many, **given)
    except Exception as error:  # it is code of the user's
        shown = ", ".join(f"{k}={v!r}" for k, v in given.items())
        raise ModelError(f"The factory {reference}({shown}) fails: {type(error).__name__}: {error}.") from error
    if not isinstance(made, nn.Module):
        raise ModelError(f"The factory {reference} gives a {type(made).__name__}; a torch.nn.Module was expected.")
    return made


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(map(_value, value["tuple"])) if "tuple" in value else built(value)
    return [_value(part) for part in value] if isinstance(value, list) else value


def described(module: nn.Module) -> Blueprint:
    """Return the blueprint of a module in hand: its class, and the arguments that its attributes still tell.

    Raises
    ------
    ModelError
        Its class cannot be imported, or an argument was not kept; a factory must be named then.
    """
    made = _described(module)
    again = built(made)
    held = module.state_dict().items()
    fit(again, {name.replace(".base_layer.", "."): value for name, value in held if _UPDATES not in name})
    difference = _difference(module, again)
    if difference:
        raise ModelError(
            f"How {type(module).__name__} was made cannot be told from itself (made again, {difference} differs); "
            f"{_ADVICE}"
        )
    return made


def _described(module: nn.Module) -> Blueprint:
    module = _plain(module)
    kind = type(module)
    if kind.__module__ == "__main__" or "<" in kind.__qualname__:
        raise ModelError(f"The class {kind.__qualname__} of {kind.__module__} cannot be imported later; {_ADVICE}")
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name == "self" or parameter.kind is parameter.VAR_KEYWORD or name in ("device", "dtype"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            given["*"] = [_described(part) for part in module.children()]
        elif hasattr(module, name) and (found := _told(getattr(module, name), parameter)) is not _UNTOLD:
            given[name] = found
        elif parameter.default is parameter.empty:
            raise ModelError(
                f"{kind.__name__} was made with {name}=..., which it does not keep as an attribute; keep it "
                f"(self.{name} = {name}), or {_ADVICE}"
            )
    return {"call": f"{kind.__module__}:{kind.__qualname__}", "with": given}


def _plain(module: nn.Module) -> nn.Module:
    """Return a layer without the low-rank updates that PEFT keeps beside it."""
    base: Any = getattr(module, "get_base_layer", None)
    return module if base is None else base()


_UNTOLD = object()


def _told(value: Any, parameter: inspect.Parameter) -> Any:
    if isinstance(value, nn.ModuleList | nn.ModuleDict | nn.ParameterList):
        return _UNTOLD
    if isinstance(value, nn.Module):
        return _described(value)
    if isinstance(value, Tensor):
        return True if isinstance(parameter.default, bool) else _UNTOLD  # bias=True became the bias itself
    if value is None and isinstance(parameter.default, bool):
        return False
    if isinstance(value, tuple):
        parts = [_told(part, parameter) for part in value]
        return _UNTOLD if any(part is _UNTOLD for part in parts) else {"tuple": parts}
    if isinstance(value, list):
        return value if all(isinstance(part, _PLAIN) for part in value) else _UNTOLD
    return value if isinstance(value, _PLAIN) else _UNTOLD


def _difference(one: nn.Module, two: nn.Module) -> str:
    """Return where two modules differ in anything but their weights; empty where nowhere."""
    parts, others = dict(one.named_modules()), dict(two.named_modules())
    for name, part in parts.items():
        part = _plain(part)
        other = others.get(name)
        if other is None and (".base_layer" in f".{name}" or ".lora_" in f".{name}"):
            continue
        if type(part) is not type(other) or other is None:
            return name or "its class"
        for key, value in vars(part).items():
            if not key.startswith("_") and key not in _OURS and not _alike(value, vars(other).get(key, _UNTOLD)):
                return f"{name}.{key}".lstrip(".")
    return ""


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return isinstance(a, Tensor) and isinstance(b, Tensor) and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b)
    if callable(a):
        return getattr(a, "__qualname__", type(a)) == getattr(b, "__qualname__", type(b))
    return type(a) is type(b) and (not isinstance(a, (*_PLAIN, tuple, list, dict)) or a == b)


# ---------------------------------------------------------------------------------------------- weights


def fit(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a module, which is widened where a head or a table had grown.

    Raises
    ------
    ModelError
        Names or shapes do not agree.
    """
    mine = module.state_dict()
    lacking, strange = sorted(set(mine) - set(tensors)), sorted(set(tensors) - set(mine))
    if lacking or strange:
        parts = [f"lack {', '.join(lacking[:5])}"] if lacking else []
        parts += [f"hold {', '.join(strange[:5])}, which it does not have"] if strange else []
        raise ModelError(f"The weights do not fit {type(module).__name__}: they {' and '.join(parts)}.")
    with torch.no_grad():
        for name, value in tensors.items():
            if mine[name].shape == value.shape and mine[name].dtype == value.dtype:
                mine[name].copy_(value)
            else:
                _put(module, name, value, mine[name])


def _put(module: nn.Module, name: str, value: Tensor, mine: Tensor) -> None:
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    if mine.shape[1:] != value.shape[1:] or value.ndim != mine.ndim or last in owner._buffers:
        raise ModelError(
            f"The weights do not fit {type(module).__name__}: {name} has shape {tuple(value.shape)} in the file and "
            f"{tuple(mine.shape)} in the net."
        )
    if last == "weight" and mine.shape != value.shape:
        put_rows(owner, value.clone())
    else:
        setattr(owner, last, nn.Parameter(value.clone(), requires_grad=owner.get_parameter(last).requires_grad))


def save_weights(module: nn.Module, folder: Path) -> dict[str, str]:
    """Write the weights of a net; low-rank updates that are kept apart go into a small file of their own.

    Returns
    -------
    dict of str to str
        Names that hold the same tensor as another, which is written once.
    """
    from safetensors.torch import save_file

    held: dict[int, str] = {}
    same: dict[str, str] = {}
    files: dict[str, dict[str, Tensor]] = {"model.safetensors": {}, "updates.safetensors": {}}
    for name, value in module.state_dict().items():
        if not isinstance(value, Tensor):
            raise ModelError(
                f"{type(module).__name__} keeps {name}, which is no tensor, in its state; it cannot be stored."
            )
        key = (value.data_ptr(), value.shape, value.stride()) if value.numel() else (id(value),)
        first = held.setdefault(hash(key), name)
        if first != name and torch.equal(module.state_dict()[first], value):
            same[name] = first
            continue
        files["updates.safetensors" if _UPDATES in name else "model.safetensors"][name] = (
            value.cpu().contiguous().clone()
        )
    for file, tensors in files.items():
        if tensors or file == "model.safetensors":
            save_file(tensors, folder / file)
    return same


def read_weights(folder: Path, same: Mapping[str, str]) -> dict[str, Tensor]:
    """Read what `save_weights` wrote."""
    tensors = read_safetensors(folder / "model.safetensors")
    if (folder / "updates.safetensors").exists():
        tensors |= read_safetensors(folder / "updates.safetensors")
    return tensors | {name: tensors[first] for name, first in same.items()}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises
    ------
    ModelError
        It is damaged.
    MissingDependency
        The package is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingDependency("Nets need safetensors. Install it with: pip install 'incumbent[torch]'") from error
    try:
        found: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as a safetensors file: {str(error).splitlines()[0]}.") from error
    return found


def encoded(outputs: Any) -> Any:
    """Return class names as JSON holds them, with their type."""
    return None if outputs is None else {"type": np.asarray(outputs).dtype.str, "values": np.asarray(outputs).tolist()}


def decoded(told: Any) -> Any:
    """Return the class names that `encoded` put down."""
    return None if told is None else np.array(told["values"], dtype=np.dtype(told["type"]))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of ours."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} is missing or damaged ({error}), so the net in this folder cannot be read."
        ) from error
    return found
