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

    Parameters
    ----------
    package : str
        Its name.
    home : mapping of str to str
        The module of the package in which each name lies.
    more : iterable of str
        Names that it has by itself.

    Examples
    --------
    >>> get, names = on_demand("incumbent.models", {"fit_challenger": "finish._fit_challenger"}, ["wrap"])
    >>> get("fit_challenger").__name__, names()
    ('fit_challenger', ['fit_challenger', 'wrap'])
    """
    known = sorted({*home, *more})

    def get(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    def names() -> list[str]:
        return list(known)

    return get, names
