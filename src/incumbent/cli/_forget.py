"""The commands of a deletion request: rows out of what is live, then out of what was before."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from incumbent.cli._commands import File, Json, Name, StoreOption, Why, _json, _registry, app


@app.command()
def forget(
    file: File,
    name: Name,
    why: Why,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train the model anew on what is remembered without them.")
    ] = False,
    keep_model: Annotated[
        bool, typer.Option("--keep-model", help="Leave a model that cannot forget as it is; memory forgets.")
    ] = False,
    learned: Annotated[
        bool, typer.Option("--learned", help="Rows that memory has let go of were learned, too.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Then delete earlier versions for good, as incumbent purge does.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Where all randomness comes from.")] = 0,
    as_json: Json = False,
    store: StoreOption = None,
) -> None:
    """Delete rows: from memory, anchor set and model."""
    registry = _registry(store)
    done = registry.forget(name, file, retrain=retrain, keep_model=keep_model, learned=learned, why=why, seed=seed)
    if not as_json:
        print(dataclasses.replace(done, still_held=()) if purge else done, flush=True)
    gone = registry.purge(name, why=why) if purge else None
    if as_json:
        print(_json({**done.to_dict(), "purged": None if gone is None else gone.to_dict()}))
    elif gone is not None:
        print(gone)


@app.command()
def purge(name: Name, why: Why, as_json: Json = False, store: StoreOption = None) -> None:
    """Delete for good what was there before rows were deleted."""
    gone = _registry(store).purge(name, why=why)
    print(_json(gone.to_dict()) if as_json else gone)
