"""What the error controls have in common: the range of alpha, and how a state is written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from incumbent.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


FORMAT = 2
"""Goes up if a stored state changes its meaning. In 1, two controls had other names, and one had SAFFRON's fields."""


def check_alpha(alpha: float) -> None:
    """Raise an error unless `alpha` is in (0, 0.5]."""
    if not 0.0 < alpha <= 0.5:
        raise UsageError(
            f"alpha is the probability or fraction of false promotions, in (0, 0.5], such as 0.05; got {alpha}."
        )


def check_count(name: str, count: int) -> None:
    """Raise an error unless `count` is a whole number, 0 or more."""
    if not (isinstance(count, int) and count >= 0):
        raise UsageError(f"{name} counts updates: a whole number, 0 or more; {count!r} was given.")


def as_state(name: str, control: DataclassInstance) -> dict[str, Any]:
    """Return format, name and fields of a control, in types that JSON has."""
    fields = {f.name: getattr(control, f.name) for f in dataclasses.fields(control)}
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
    return {"format": FORMAT, "control": name, **plain}
