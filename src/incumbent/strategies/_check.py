"""Checks of the arguments of a strategy, so that a mistake is reported where it is made."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from incumbent.errors import UsageError

_SPAN = re.compile(r"\d+(\.\d+)?\s*(s|min|h|d|w)")


def positive(owner: object, name: str, value: object, *, whole: bool = False) -> None:
    """Raise an error unless `value` is a finite number above zero, and a whole one if `whole`."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    if not number or (whole and not isinstance(value, int)):
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{type(owner).__name__}({name}=...) takes {kind} above 0; it was given {value!r}.")


def fraction(owner: object, name: str, value: object) -> None:
    """Raise an error unless `value` is a number above 0 and at most 1."""
    positive(owner, name, value)
    if value > 1:  # type: ignore[operator]  # `positive` let only numbers pass
        raise UsageError(
            f"{type(owner).__name__}({name}=...) takes a number above 0 and at most 1; it was given {value!r}."
        )


def one_of(owner: object, name: str, value: object, choices: Sequence[object]) -> None:
    """Raise an error unless `value` is one of `choices`."""
    if value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise UsageError(f"{type(owner).__name__}({name}=...) is one of {allowed}; it was given {value!r}.")


def extent(owner: object, name: str, value: object, *, whole: bool = False) -> None:
    """Raise an error unless `value` is a number of rows above zero or a span of time such as "30d"."""
    if isinstance(value, str):
        if not _SPAN.fullmatch(value.strip()):
            raise UsageError(
                f'{type(owner).__name__}({name}=...) takes a number of rows, or a span such as "12h", "30d" or "4w"; '
                f"it was given {value!r}."
            )
    else:
        positive(owner, name, value, whole=whole)
