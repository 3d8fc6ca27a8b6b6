"""Everything that is known about rows: how they come in, what is checked, how they are split and remembered.

The names are loaded on first use, because reading data needs pandas and pyarrow and most of a program does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incumbent.data._check import DataCheck as DataCheck
    from incumbent.data._check import Finding as Finding
    from incumbent.data._column import Column as Column
    from incumbent.data._read import read as read
    from incumbent.data._schema import Schema as Schema

_HOME = {
    "Column": "_column",
    "DataCheck": "_check",
    "Finding": "_check",
    "Schema": "_schema",
    "read": "_read",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
