"""What every strategy here shares: it edits a recipe, and most need nothing in memory but rows."""

from __future__ import annotations

from incumbent.core import Batch, Memory, Model, Recipe, Value


class Edit(Value):
    """A strategy that sets fields of a recipe, and adds nothing to the memory."""

    _lead = True

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""
        raise NotImplementedError

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory unchanged: the reservoir that every update keeps is enough."""
        return memory
