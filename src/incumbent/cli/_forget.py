"""The commands of a deletion request: delete rows from the live model, then from everything before."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import to_json
from incumbent.cli._options import File, Json, Name, Seed, StoreOption, Why


@app.command()
def forget(
    file: File,
    name: Name,
    why: Why,
    retrain: Annotated[bool, typer.Option("--retrain", help="Retrain the model on the other remembered rows.")] = False,
    keep_model: Annotated[
        bool, typer.Option("--keep-model", help="Keep a model that cannot forget; clear memory only.")
    ] = False,
    learned: Annotated[bool, typer.Option("--learned", help="Rows that memory has dropped were learned too.")] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Then delete earlier versions for good, like incumbent purge.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
    store: StoreOption = None,
) -> None:
    """Delete rows: from memory, anchor set and model."""
    registry = open_registry(store)
    done = registry.forget(name, file, retrain=retrain, keep_model=keep_model, learned=learned, why=why, seed=seed)
    if not as_json:
        print(dataclasses.replace(done, still_held=()) if purge else done, flush=True)
    gone = registry.purge(name, why=why) if purge else None
    if as_json:
        print(to_json({**done.to_dict(), "purged": None if gone is None else gone.to_dict()}))
    elif gone is not None:
        print(gone)


@app.command()
def purge(name: Name, why: Why, as_json: Json = False, store: StoreOption = None) -> None:
    """Delete for good everything from before rows were deleted."""
    gone = open_registry(store).purge(name, why=why)
    print(to_json(gone.to_dict()) if as_json else gone)
