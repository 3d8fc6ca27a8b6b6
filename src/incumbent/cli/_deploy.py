"""The commands by which a person decides which version is live, and by which gate."""

from __future__ import annotations

from typing import Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import to_json
from incumbent.cli._options import BringBack, Json, Name, StoreOption, Why
from incumbent.errors import UsageError


@app.command()
def rollback(
    name: Name,
    why: Why,
    to: Annotated[int | None, typer.Option("--to", metavar="N", help="A version that was live once.")] = None,
    bring_back: BringBack = False,
    store: StoreOption = None,
) -> None:
    """Restore the version that was live before."""
    registry = open_registry(store)
    before = registry.champion(name)
    number = registry.rollback(name, to=to, why=why, bring_back=bring_back)
    print(f"{name} version {number} is live again; version {before} was.")
    _print_rows_are_back(bring_back, name)


@app.command()
def promote(
    name: Name,
    version: Annotated[int, typer.Option("--version", metavar="N", help="Which version.")],
    why: Why,
    bring_back: BringBack = False,
    store: StoreOption = None,
) -> None:
    """Make a version live without the gate, on record."""
    registry = open_registry(store)
    before = registry.champion(name)
    number = registry.promote(name, version, why=why, bring_back=bring_back)
    print(f"{name} version {number} is live by override; version {before} was.")
    _print_rows_are_back(bring_back, name)


@app.command()
def approve(name: Name, why: Why, store: StoreOption = None) -> None:
    """Deploy the version that waits for approval."""
    registry = open_registry(store)
    before = registry.champion(name)
    print(f"{name} version {registry.approve(name, why=why)} is live, approved; version {before} was.")


@app.command()
def refuse(name: Name, why: Why, store: StoreOption = None) -> None:
    """Refuse the version that passed the gate and waits."""
    registry = open_registry(store)
    refused = registry.refuse(name, why=why)
    print(f"{name} version {refused} is refused; version {registry.champion(name)} stays live.")


@app.command()
def gate(
    name: Name,
    set_: Annotated[
        str | None, typer.Option("--set", metavar="FILE", help="Set the gate to that of this TOML file.")
    ] = None,
    why: Why = "",
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


def _print_rows_are_back(bring_back: bool, name: str) -> None:
    if bring_back:
        print(f"Deleted rows are back with it. To delete them again: incumbent forget FILE --name {name} --why TEXT")
