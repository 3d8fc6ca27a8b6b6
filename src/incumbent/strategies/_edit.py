"""What every strategy here shares: it edits a recipe, and most remember nothing of their own."""

from __future__ import annotations

from incumbent.core import Batch, Memory, Model, Recipe, Value


class Edit(Value):
    """A strategy that is said in full by the fields of the recipe that it sets."""

    _lead = True

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the edited recipe."""
        raise NotImplementedError

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory as it is: the reservoir that every update keeps is enough."""
        return memory
