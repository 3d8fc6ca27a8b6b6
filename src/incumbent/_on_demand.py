"""Packages whose names are imported on first use, so that importing a package costs next to nothing."""

# `lazy_loader.attach` is no shorter here: its `__dir__` and `__all__` leave out what a package defines itself (`wrap`)
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def on_demand(
    package: str, home: Mapping[str, str], more: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package (PEP 562).

    `home` has the module in which each name is defined, relative to the package; `more` are its own names.
    """
    known = sorted({*home, *more})

    def get(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    def names() -> list[str]:
        return list(known)

    return get, names
