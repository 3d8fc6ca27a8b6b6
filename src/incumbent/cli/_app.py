"""The application that every command registers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from incumbent.registry import Registry

app = typer.Typer(
    name="incumbent",
    help="Update the model that is live, and promote only what is proven better.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        from incumbent import __version__

        print(f"incumbent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Update the model that is live, and promote only what is proven better."""


def open_registry(store: str | None) -> Registry:
    """Return the registry that a command works on."""
    from incumbent.registry import Registry

    return Registry(store)
