"""Several strategies, one after the other, as one."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import ELEMENTS, Batch, Memory, Model, Recipe, Strategy
from incumbent.errors import UsageError


@dataclass(frozen=True, repr=False)
class Chain:
    """Strategies that edit the same recipe in turn; made by `chain`."""

    steps: tuple[Strategy, ...]

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.steps))})"

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Return the recipe after every edit. Raise `UsageError` if two steps set a field to different values."""
        set_by: dict[str, tuple[Strategy, object]] = {}
        for step in self.steps:
            edited = step.prepare(recipe, memory)
            for name, value in _changes(recipe, edited).items():
                if name in set_by and set_by[name][1] != value and not _adds(set_by[name][1], value):
                    first, given = set_by[name]
                    raise UsageError(
                        f"{first!r} sets {name}={given!r} and {step!r} after it sets {name}={value!r}; "
                        "a chain sets each field once. Drop one of the two."
                    )
                set_by[name] = (step, value)
            recipe = edited
        return recipe

    def remember(self, memory: Memory, model: Model, batch: Batch) -> Memory:
        """Return the memory after the edits of every step."""
        for step in self.steps:
            memory = step.remember(memory, model, batch)
        return memory


def _changes(before: Recipe, after: Recipe) -> dict[str, object]:
    changes: dict[str, object] = {}
    for element in ELEMENTS:
        old, new = vars(getattr(before, element)), vars(getattr(after, element))
        changes |= {name: value for name, value in new.items() if value != old[name]}
    return changes


def _adds(before: object, after: object) -> bool:
    """Return whether a list of names only got longer: two steps may freeze different parts."""
    return isinstance(before, tuple) and isinstance(after, tuple) and before == after[: len(before)]


def chain(*steps: Strategy) -> Strategy:
    """Return one strategy that applies `steps` in turn.

    Parameters
    ----------
    *steps : Strategy
        At least one; chains are flattened.

    Raises
    ------
    UsageError
        No step, or something that is not a strategy.

    Examples
    --------
    >>> from incumbent.strategies import Incremental, Replay
    >>> chain(Replay(2000), Incremental(optimizer="adagrad"))
    chain(Replay(2000), Incremental('adagrad'))
    """
    if not steps:
        raise UsageError("chain() needs at least one strategy, such as chain(Replay(2000), Incremental()).")
    flat: list[Strategy] = []
    for step in steps:
        if not isinstance(step, Strategy):
            raise UsageError(f"chain() takes strategies such as Replay(2000); it was given {step!r}.")
        flat.extend(step.steps if isinstance(step, Chain) else [step])
    return flat[0] if len(flat) == 1 else Chain(tuple(flat))
