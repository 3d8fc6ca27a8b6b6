"""How a module is rebuilt: where its class or factory can be imported from, and with what it is called.

The class of a net is code of the user's and is never stored. A blueprint holds names and plain values only, so reading
one runs nothing but that import.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from incumbent._import_named import import_named
from incumbent.errors import ModelError
from incumbent.models.torch._ops import seeded
from incumbent.models.torch._weights import UPDATES, load_weights

Blueprint: TypeAlias = dict[str, Any]
"""``{"call": "package.module:name", "with": {argument: value}}``; values are plain, or blueprints again."""

_ADVICE = (
    'Pass a function that builds it: incumbent.wrap(net, factory="package.module:build"), or --factory on the command '
    "line."
)
_PLAIN = (bool, int, float, str, type(None))
_LATER = ("training", "classes_", "activation_relu_or_gelu", "peft_config")  # what changes on a net after it was built


def reference_of(thing: Any, what: str) -> str:
    """Return "package.module:name" of a function or class, or the same text if it is one already."""
    if isinstance(thing, str):
        import_named(thing, what)
        return thing
    module, name = getattr(thing, "__module__", "__main__"), getattr(thing, "__qualname__", "<unnamed>")
    if module == "__main__" or "<" in name:
        raise ModelError(
            f"The {what} {name} of {module} cannot be stored by name; define it at the top of a module that can be "
            "imported, such as nets.py."
        )
    return f"{module}:{name}"


def build(blueprint: Blueprint, *, seed: int = 0) -> nn.Module:
    """Return the module that a blueprint describes, with weights as its class draws them from a seed."""
    reference = blueprint["call"]
    maker = import_named(reference, "factory")
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
        return tuple(map(_value, value["tuple"])) if "tuple" in value else build(value)
    return [_value(part) for part in value] if isinstance(value, list) else value


def describe(module: nn.Module) -> Blueprint:
    """Return the blueprint of a module: its class, and the arguments that it keeps as attributes.

    Raises
    ------
    ModelError
        Its class cannot be imported, or an argument was not kept, so it takes a factory.
    """
    made = _describe(module)
    again = build(made)
    held = module.state_dict().items()
    load_weights(again, {name.replace(".base_layer.", "."): value for name, value in held if UPDATES not in name})
    difference = _difference(module, again)
    if difference:
        raise ModelError(
            f"Cannot save {type(module).__name__}: rebuilding it from its class and attributes gives a different "
            f"module ({difference} differs). {_ADVICE}"
        )
    return made


def _describe(module: nn.Module) -> Blueprint:
    module = _plain(module)
    kind = type(module)
    if kind.__module__ == "__main__" or "<" in kind.__qualname__:
        raise ModelError(f"The class {kind.__qualname__} of {kind.__module__} cannot be imported later. {_ADVICE}")
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name == "self" or parameter.kind is parameter.VAR_KEYWORD or name in ("device", "dtype"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            given["*"] = [_describe(part) for part in module.children()]
        elif hasattr(module, name) and (found := _read_argument(getattr(module, name), parameter)) is not _UNKNOWN:
            given[name] = found
        elif parameter.default is parameter.empty:
            raise ModelError(
                f"{kind.__name__} was made with {name}=..., which it does not keep as an attribute. Keep it "
                f"(self.{name} = {name}). Or: {_ADVICE}"
            )
    return {"call": f"{kind.__module__}:{kind.__qualname__}", "with": given}


def _plain(module: nn.Module) -> nn.Module:
    """Return a layer without the low-rank updates that PEFT adds."""
    base: Any = getattr(module, "get_base_layer", None)
    return module if base is None else base()


_UNKNOWN = object()


def _read_argument(value: Any, parameter: inspect.Parameter) -> Any:
    if isinstance(value, nn.ModuleList | nn.ModuleDict | nn.ParameterList):
        return _UNKNOWN
    if isinstance(value, nn.Module):
        return _describe(value)
    if isinstance(value, Tensor):
        return True if isinstance(parameter.default, bool) else _UNKNOWN  # bias=True became the bias itself
    if value is None and isinstance(parameter.default, bool):
        return False
    if isinstance(value, tuple):
        parts = [_read_argument(part, parameter) for part in value]
        return _UNKNOWN if any(part is _UNKNOWN for part in parts) else {"tuple": parts}
    if isinstance(value, list):
        return value if all(isinstance(part, _PLAIN) for part in value) else _UNKNOWN
    return value if isinstance(value, _PLAIN) else _UNKNOWN


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
            if not key.startswith("_") and key not in _LATER and not _alike(value, vars(other).get(key, _UNKNOWN)):
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
