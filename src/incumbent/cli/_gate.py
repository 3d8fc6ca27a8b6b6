"""The command that shows or sets the gate of a model."""

from __future__ import annotations

from typing import Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import to_json
from incumbent.cli._options import Json, Name, StoreOption
from incumbent.errors import UsageError


@app.command()
def gate(
    name: Name,
    set_: Annotated[
        str | None, typer.Option("--set", metavar="FILE", help="Set the gate to that of this TOML file.")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why the gate changes, for the record.")] = "",
    as_json: Json = False,
    store: StoreOption = None,
) -> None:
    """Show the gate of a model as TOML, or set another."""
    from dataclasses import asdict

    from incumbent.gate import Gate

    registry = open_registry(store)
    if set_ is None and why:
        raise UsageError("--why is the reason for another gate. Name its file with --set FILE.")
    kept = registry.version(name).gate
    if set_ is not None:
        kept = registry.set_gate(name, Gate.from_toml(set_), why=why)
    if as_json:
        print(to_json(asdict(kept)))
    elif set_ is None:
        print(kept.to_toml(), end="")
    else:
        print(f"{name} has this gate from now on: {kept!r}")
