"""The command that lists the strategies, and which of them fit a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._options import StoreOption

if TYPE_CHECKING:
    from incumbent.core import Model


@app.command()
def strategies(
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Mark those that fit this model.")] = None,
    store: StoreOption = None,
) -> None:
    """List every way to update a model."""
    stored = None if name is None else open_registry(store).version(name)
    print("\n".join(_lines(None if stored is None else stored.model)))


def _lines(model: Model | None) -> Iterator[str]:
    from incumbent.strategies import PRESETS, catalogue

    kinds = catalogue()
    width = max(map(len, kinds)) + 2
    if model is not None:
        yield f"{type(model.native).__name__} can: {', '.join(sorted(model.abilities))}."
        yield ""
    for name, kind in kinds.items():
        purpose = (kind.__doc__ or "").strip().splitlines()[0]
        yield f"{_mark(name, model)}{name:{width}}{purpose}"
    yield ""
    yield "Presets (short names of expressions):"
    yield from (f"  {name:{width}}{text}" for name, text in PRESETS.items())
    yield ""
    yield "Compose with chain(...): --strategy 'chain(Replay(2000), Incremental(optimizer=\"adagrad\"))'"


def _mark(name: str, model: Model | None) -> str:
    if model is None:
        return "  "
    from incumbent.core import Memory
    from incumbent.errors import AbilityError
    from incumbent.policy import recipe_for
    from incumbent.strategies import parse

    try:
        recipe_for(parse(name), model, Memory())
    except AbilityError:
        return "- "
    return "+ "
