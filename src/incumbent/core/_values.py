"""Values: frozen dataclasses that print as the expression that makes them, and the array types used everywhere."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent._deprecated import OldName, renamed_keywords
from incumbent.errors import UsageError

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]
Task: TypeAlias = Literal["classification", "regression"]
Decision: TypeAlias = Literal["promote", "reject", "inconclusive"]
Importance: TypeAlias = Literal["uniform", "fisher", "empirical", "output", "path"]


class Replaceable:
    """A frozen dataclass that changes by `replace`, as in `dataclasses`."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        changes = renamed_keywords(type(self), changes)
        known = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            if name not in known:
                raise UsageError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(known)}.")
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    but = OldName("but", "replace")


class Value(Replaceable):
    """A frozen dataclass that prints as the expression which makes it, and changes by `replace`.

    ``eval(repr(value)) == value``: what is printed in a report can be typed again.

    Examples
    --------
    >>> from incumbent.strategies import Replay
    >>> Replay(2000, sample="balanced")
    Replay(2000, sample='balanced')
    >>> Replay().replace(rows=50)
    Replay(50)
    """

    _lead: ClassVar[bool] = False  # show the first field even at its default, if that is what a reader looks for

    def __repr__(self) -> str:
        shown, positional, lead = [], True, self._lead
        for f in dataclasses.fields(self):  # type: ignore[arg-type]  # every Value is a dataclass
            if not f.repr:
                continue
            value = getattr(self, f.name)
            default = f.default_factory() if callable(f.default_factory) else f.default
            if value != default or (lead and value is not None):
                shown.append(repr(value) if positional and not f.kw_only else f"{f.name}={value!r}")
            positional = lead = False
        return f"{type(self).__name__}({', '.join(shown)})"
