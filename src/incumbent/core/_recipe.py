"""The recipe of a challenger. Strategies edit it, adapters follow it."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incumbent._deprecated import renamed_members
from incumbent.core._elements import ELEMENTS, Data, Finish, Loss, Optimizer, Structure, field_needs
from incumbent.core._options import Option
from incumbent.core._recipe_0_1 import is_old, present_fields, warn_of
from incumbent.core._rows import Batch, Memory
from incumbent.core._values import Value
from incumbent.errors import UsageError

_ELEMENT_OF = {f.name: name for name, kind in ELEMENTS.items() for f in dataclasses.fields(kind)}  # type: ignore[arg-type]


@renamed_members({"optimiser": "optimizer", "settle": "resolve_start"})
@dataclass(frozen=True, repr=False)
class Recipe(Value):
    """How to make a challenger: data, structure, loss, optimizer, finish. Strategies edit it, adapters follow it.

    The five elements are what is printed, compared and stored. `bind` adds the rows at hand; only a bound recipe
    can be followed.

    Parameters
    ----------
    data, structure, loss, optimizer, finish : Value
        The elements.
    train : Batch, optional
        The rows to learn from, assembled as `data` specifies.
    select : Batch, optional
        Held-out rows for choices during training (a learning rate, alpha, weights of an ensemble).
    memory : Memory
        What is remembered of the old rows.
    seed : int
        Seed of everything random.
    deadline : float
        When to stop, in seconds of `time.monotonic`; iterative work checks it.
    checkpoint : Path, optional
        A file that a long training saves its state to, and continues from if it exists.

    Examples
    --------
    >>> from incumbent.core import Exact, ReplayRows
    >>> recipe = Recipe().replace(start="scratch", replay=ReplayRows(2000), epochs=3)
    >>> recipe
    Recipe(Data(ReplayRows(2000)), structure=Structure('scratch'), optimizer=Optimizer(epochs=3))
    >>> sorted(recipe.replace(head=Exact(500)).needs)
    ['features']
    """

    data: Data = Data()
    structure: Structure = Structure()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    finish: Finish = Finish()
    train: Batch | None = field(default=None, repr=False, compare=False)
    select: Batch | None = field(default=None, repr=False, compare=False)
    memory: Memory = field(default=Memory(), repr=False, compare=False)
    seed: int = field(default=0, repr=False, compare=False)
    deadline: float = field(default=math.inf, repr=False, compare=False)
    checkpoint: Path | None = field(default=None, repr=False, compare=False)

    def replace(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed.

        Parameters
        ----------
        **changes : object
            Fields of the elements, named without their element, such as ``epochs=3``, or whole elements, such as
            ``optimizer=Optimizer("adam", epochs=3)``. A text, as in ``optimizer="adam"``, is the optimizer's name.

        Raises
        ------
        UsageError
            There is no such field.
        """
        old = [name for name, value in changes.items() if name != "optimizer" and is_old(name, value)]
        if old:
            warn_of(old, 2)
            changes = self._translated(changes, old)
        return self._edited(changes)

    def but(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed, by the names of 0.1. It is now `replace`."""
        old = [name for name, value in changes.items() if name != "optimizer" and is_old(name, value, none=True)]
        if old:
            warn_of(old, 2)
        message = "Recipe.but is now Recipe.replace. The old name will go in the next release."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self._edited(self._translated(changes, old))

    def bind(self, **rows: Any) -> Recipe:
        """Return the same instructions with `train`, `select`, `memory`, `seed`, `deadline` or `checkpoint` set."""
        return dataclasses.replace(self, **rows)

    def resolve_start(self, abilities: frozenset[str]) -> Recipe:
        """Return the recipe with a starting point, for a model of these abilities.

        If no strategy chose one, a model that can continue to learn starts from the champion. A recipe that weighs or
        cuts rows by age starts from scratch: what the champion learned from old rows can only be removed that way.
        """
        if self.structure.start is not None:
            return self
        by_age = self.data.window is not None or self.data.half_life is not None
        return self.replace(start="champion" if "incremental" in abilities and not by_age else "scratch")

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that a model must have to follow this recipe."""
        options = list(self._options())
        needs = set(self._start_needs()) if not any(option.replaces_fit for option in options) else set()
        for option in options:
            needs |= option.needs
        for element in self._elements():
            needs |= field_needs(element)
        return frozenset(needs.difference(*(option.provides for option in options)))

    def _start_needs(self) -> frozenset[str]:
        """Return the ability to learn from this start: it is the only rule that is about two fields."""
        if self.structure.start == "scratch":
            return frozenset({"retrain"})
        if self.structure.start == "champion":
            return frozenset({"incremental" if self.optimizer.name is None else "gradient"})
        return frozenset()

    def _elements(self) -> Iterator[Value]:
        return (getattr(self, name) for name in ELEMENTS)

    def _options(self) -> Iterator[Option]:
        """Yield the options that are set."""
        for element in self._elements():
            yield from (value for value in vars(element).values() if isinstance(value, Option))

    def _edited(self, changes: dict[str, Any]) -> Recipe:
        whole = {name: value for name, value in changes.items() if isinstance(value, ELEMENTS.get(name, ()))}
        inner: dict[str, dict[str, Any]] = {}
        for name in changes.keys() - whole.keys():
            field_name = "name" if name == "optimizer" else name
            if field_name not in _ELEMENT_OF:
                raise UsageError(f"A recipe has no field {name!r}; it has {', '.join(sorted(_ELEMENT_OF))}.")
            inner.setdefault(_ELEMENT_OF[field_name], {})[field_name] = changes[name]
        edited: dict[str, Any] = dict(whole)
        for name, edit in inner.items():
            element: Value = edited.get(name, getattr(self, name))
            edited[name] = element.replace(**edit)
        return dataclasses.replace(self, **edited)

    def _translated(self, changes: dict[str, Any], old: list[str]) -> dict[str, Any]:
        """Return the changes with those that are fields of 0.1 as fields of now."""
        made = present_fields({name: changes[name] for name in old}, self._field)
        return {name: value for name, value in changes.items() if name not in old} | made

    def _field(self, name: str) -> Any:
        return getattr(getattr(self, _ELEMENT_OF[name]), name)
