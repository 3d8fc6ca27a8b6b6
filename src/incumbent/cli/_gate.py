"""The gate on the command line: from a file, beside a model, and as it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incumbent.cli._commands import Json, Name, StoreOption, _json, _registry, app
from incumbent.errors import UsageError


@app.command()
def gate(
    name: Name,
    set_: Annotated[
        str | None, typer.Option("--set", metavar="FILE", help="Put the model under the gate of this TOML file.")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason for that, for the record.")] = "",
    as_json: Json = False,
    store: StoreOption = None,
) -> None:
    """Show the gate of a model as TOML, or set another."""
    from dataclasses import asdict

    from incumbent.gate import Gate

    registry = _registry(store)
    if set_ is None and why:
        raise UsageError("--why is the reason for another gate; name its file with --set FILE.")
    kept = registry.version(name).gate
    if set_ is not None:
        kept = registry.set_gate(name, Gate.from_toml(set_), why=why)
    if as_json:
        print(_json(asdict(kept)))
    elif set_ is None:
        print(kept.to_toml(), end="")
    else:
        print(f"{name} is under this gate from now on: {kept!r}")


def beside(model: str) -> Path | None:
    """Return the file ``gate.toml`` that lies beside a model's file, if there is one."""
    here = Path(model)
    found = here.parent / "gate.toml"
    return found if here.exists() and found.is_file() else None
