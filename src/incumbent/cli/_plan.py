"""The command that plans labels: how many an update needs, and which rows to label."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import to_json, write_frame, writer_of
from incumbent.cli._options import Json, MetricOption, Name, Seed, StoreOption
from incumbent.errors import UsageError

NEEDED = "--label FILE goes with --rows N and -o OUT: the rows, how many of them to label, and the file to write."


@app.command()
def plan(
    name: Name,
    gain: Annotated[float, typer.Option("--gain", metavar="G", help="The gain to show; 0.01 is one point.")] = 0.01,
    power: Annotated[float, typer.Option("--power", metavar="P", help="The probability of showing it.")] = 0.8,
    metric: MetricOption = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="FILE", help="Choose which of these rows to label.")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", metavar="N", help="How many of them to label.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="OUT", help="Where to write the chosen rows.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="The challenger; default the latest.")
    ] = None,
    uniform: Annotated[
        float, typer.Option("--uniform", metavar="F", help="Fraction of labels spread over all rows alike.")
    ] = 0.5,
    weight: Annotated[str, typer.Option("--weight", metavar="COL", help="The column of weights in OUT.")] = "weight",
    seed: Seed = 0,
    as_json: Json = False,
    store: StoreOption = None,
) -> None:
    """Plan how many labels an update needs, or which rows to label."""
    registry = open_registry(store)
    if label is None:
        if rows is not None or output is not None or version is not None:
            raise UsageError(NEEDED)
        found = registry.plan(name, gain=gain, power=power, metric=metric)
        print(to_json(found.to_dict()) if as_json else found)
        return
    if rows is None or output is None:
        raise UsageError(NEEDED)
    if as_json and output == "-":
        raise UsageError("--json and the rows cannot both go to standard output; write the rows to a file: -o OUT.")
    writer_of(output)  # a wrong ending shows before any work is done
    chosen = registry.label(
        name, label, budget=rows, version=version, metric=metric, uniform=uniform, weight=weight, seed=seed
    )
    write_frame(chosen.frame, output)
    if as_json:
        row = {"name": name, "champion": chosen.champion, "challenger": chosen.challenger, **chosen.labels.to_dict()}
        print(to_json({**row, "weight_column": weight, "output": output}))
        return
    where = sys.stderr if output == "-" else sys.stdout
    print(f"Versions {chosen.champion} (live) and {chosen.challenger} of {name}: {chosen.labels}", file=where)
    if output != "-":
        print(f"\nThe rows are in {output}, each with its weight in {weight!r}. {_next(name, output, weight, uniform)}")


def _next(name: str, output: str, weight: str, uniform: float) -> str:
    if uniform > 0.0:
        return f"Add the labels, then:\nincumbent update {output} --name {name} --weight {weight}"
    return (
        "They tell these two versions apart and serve\nnothing else: an update has other challengers, and these rows "
        "were not chosen for them (--uniform)."
    )
