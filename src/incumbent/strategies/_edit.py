"""What every strategy here shares: it edits a recipe, checks its arguments, and adds nothing to the memory."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from incumbent.core import Batch, Memory, Model, Recipe, Value
from incumbent.errors import UsageError

_SPAN = re.compile(r"\d+(\.\d+)?\s*(s|min|h|d|w)")


class Edit(Value):
    """A strategy that sets fields of a recipe.

    Its checks raise `UsageError` where the mistake is made. They accept None if that is the default of the field.
    """

    _lead = True

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""
        raise NotImplementedError

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory unchanged: the reservoir that every update keeps is enough."""
        return memory

    def _check_positive(self, *names: str, whole: bool = False, or_zero: bool = False) -> None:
        """Check that fields are finite numbers above zero, and whole ones if `whole`."""
        for name in names:
            value, kind = getattr(self, name), int if whole else int | float
            if (value is None and self._allows_none(name)) or (or_zero and value == 0):
                continue
            if not isinstance(value, kind) or isinstance(value, bool) or not 0 < value < math.inf:
                self._refuse(name, f"takes {'a whole number' if whole else 'a number'} above 0")

    def _check_fraction(self, name: str) -> None:
        """Check that a field is a number above 0 and at most 1."""
        self._check_positive(name)
        if getattr(self, name) > 1:
            self._refuse(name, "takes a number above 0 and at most 1")

    def _check_one_of(self, name: str, choices: Sequence[object]) -> None:
        value = getattr(self, name)
        if value not in choices and not (value is None and self._allows_none(name)):
            self._refuse(name, f"is one of {', '.join(map(repr, choices))}")

    def _check_extent(self, name: str, *, whole: bool = False) -> None:
        """Check that a field is a number of rows above zero or a span of time such as "30d"."""
        value = getattr(self, name)
        if not isinstance(value, str):
            self._check_positive(name, whole=whole)
        elif not _SPAN.fullmatch(value.strip()):
            self._refuse(name, 'takes a number of rows, or a span such as "12h", "30d" or "4w"')

    def _allows_none(self, name: str) -> bool:
        return getattr(type(self), name) is None  # a dataclass keeps the default of a field as an attribute

    def _refuse(self, name: str, expected: str) -> None:
        raise UsageError(f"{type(self).__name__}({name}=...) {expected}; it was given {getattr(self, name)!r}.")
