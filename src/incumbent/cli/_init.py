"""The command that brings a model in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._options import GateFile, Name, StoreOption
from incumbent.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incumbent.registry import Registered


@app.command()
def init(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model file, or models:/NAME@alias, or runs:/ID/PATH.")
    ],
    name: Name,
    data: Annotated[str, typer.Option("--data", metavar="FILE", help="The rows the model was trained on.")],
    target: Annotated[str, typer.Option("--target", metavar="COL", help="The column to predict.")],
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="FILE", help="Old rows it was not trained on.")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="COL", help="The column that orders the rows.")] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="COL", help="Rows that belong together.")] = None,
    task: Annotated[
        Literal["classification", "regression"] | None, typer.Option("--task", help="What the model predicts.")
    ] = None,
    gate: GateFile = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Open a pickled model, which can run any code.")
    ] = False,
    factory: Annotated[
        str | None, typer.Option("--factory", metavar="MODULE:NAME", help="Builds the net of a file of weights.")
    ] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", metavar="K=V", help="An argument of the factory; may be repeated.")
    ] = None,
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare",
            metavar="MODULE:NAME",
            help="Function that prepares rows for a net; for images incumbent.data:scale_0_1, :scale_minus1_1 or "
            ":normalize_imagenet.",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="HxW", help="Resize a folder of images, as 224x320 or 224.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Bring in the model that is live today."""
    from incumbent.gate import Gate

    declared = gate or _gate_file_beside(model)
    came = open_registry(store).init(
        name,
        model,
        data,
        target=target,
        anchor=anchor,
        time=time,
        group=group,
        task=task,
        gate=None if declared is None else Gate.from_toml(declared),
        trust_pickle=trust_pickle,
        factory=factory,
        arguments=_arguments(arg) if arg else None,
        prepare=prepare,
        size=size,
    )
    print(f"{name} version {came.version} is live.\n")
    for label, text in _facts(came, None if declared is None else str(declared)):
        print(f"{label + ':':9} {text}")


def _facts(came: Registered, gate: str | None) -> Iterator[tuple[str, str]]:
    schema, trained = came.schema, came.check.rows
    classes = f" ({_shortly([str(each) for each in schema.classes])})" if schema.classes else ""
    width = f", {len(schema.features)} features" if schema.features else ""
    yield "Model", f"{type(came.model.native).__name__}, {came.model.task}{classes}{width}"
    yield "Memory", f"{came.remembered:,} of {trained:,} training rows are kept for later updates."
    if came.anchored:
        yield "Old rows", f"{came.anchored:,} rows the model has never seen. They test for forgetting."
    else:
        yield "Old rows", "none. Forgetting is estimated by cross-validation; --anchor FILE is better."
    if gate is not None:
        yield "Gate", gate
    for finding in came.check.warnings:
        yield "Warning", finding.text
    yield "Next", f"incumbent update FILE --name {came.name}"


def _shortly(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5:,} more"


def _gate_file_beside(model: str) -> Path | None:
    """Return the file ``gate.toml`` in the folder of a model's file, if there is one."""
    here = Path(model)
    found = here.parent / "gate.toml"
    return found if here.exists() and found.is_file() else None


def _arguments(given: list[str]) -> dict[str, Any]:
    """Return the arguments of ``--arg K=V``: V as a plain Python value if it is one, or else as text."""
    import ast

    found: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key.isidentifier():
            raise UsageError(f"--arg takes NAME=VALUE, such as --arg hidden=64; {text!r} was given.")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
