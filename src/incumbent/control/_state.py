"""What the error controls share: the range of alpha and of a p-value, and how a state is written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from incumbent.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


FORMAT = 1
"""Raised when a stored state means something else than before; `restore` refuses one that is newer."""


def check_alpha(alpha: float) -> None:
    """Refuse a level that is none."""
    if not 0.0 < alpha <= 0.5:
        raise UsageError(f"alpha is the chance or share of false promotions, in (0, 0.5], such as 0.05; got {alpha}.")


def check_p(p: float | None) -> None:
    """Refuse a p-value that is none."""
    if p is not None and not 0.0 <= p <= 1.0:
        raise UsageError(f"p is a p-value, in [0, 1], or None where it is not known; {p} was given.")


def check_count(name: str, count: int) -> None:
    """Refuse what counts nothing."""
    if not (isinstance(count, int) and count >= 0):
        raise UsageError(f"{name} counts updates: a whole number, 0 or more; {count!r} was given.")


def written(name: str, state: DataclassInstance) -> dict[str, Any]:
    """Return format, name and fields, with nothing that JSON does not have."""
    fields = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
    return {"format": FORMAT, "control": name, **plain}
