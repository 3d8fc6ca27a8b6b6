"""The commands by which a person has the last word on a challenger that passed the gate."""

from __future__ import annotations

from incumbent.cli._commands import Name, StoreOption, Why, _registry, app


@app.command()
def approve(name: Name, why: Why, store: StoreOption = None) -> None:
    """Make the version live that passed the gate and waits."""
    registry = _registry(store)
    before = registry.champion(name)
    print(f"{name} version {registry.approve(name, why=why)} is live, approved; version {before} was.")


@app.command()
def refuse(name: Name, why: Why, store: StoreOption = None) -> None:
    """Refuse the version that passed the gate and waits."""
    registry = _registry(store)
    refused = registry.refuse(name, why=why)
    print(f"{name} version {refused} is refused; version {registry.champion(name)} stays live.")
