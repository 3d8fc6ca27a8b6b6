"""The list of strategies, and which of them suit a model."""

from __future__ import annotations

from collections.abc import Iterator

from incumbent.core import Memory, Model
from incumbent.errors import AbilityError
from incumbent.policy import recipe_for
from incumbent.strategies import PRESETS, catalogue, parse


def listing(model: Model | None) -> Iterator[str]:
    """Yield the lines of `incumbent strategies`."""
    kinds = catalogue()
    width = max(map(len, kinds)) + 2
    if model is not None:
        yield f"{type(model.native).__name__} can: {', '.join(sorted(model.abilities))}."
        yield ""
    for name, kind in kinds.items():
        purpose = (kind.__doc__ or "").strip().splitlines()[0]
        yield f"{_mark(name, model)}{name:{width}}{purpose}"
    yield ""
    yield "Presets (a name stands for the expression):"
    yield from (f"  {name:{width}}{text}" for name, text in PRESETS.items())
    yield ""
    yield "Compose with chain(...): --strategy 'chain(Replay(2000), Incremental(optimizer=\"adagrad\"))'"


def _mark(name: str, model: Model | None) -> str:
    if model is None:
        return "  "
    try:
        recipe_for(parse(name), model, Memory())
    except AbilityError:
        return "- "
    return "+ "
