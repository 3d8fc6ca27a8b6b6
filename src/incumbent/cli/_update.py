"""The command that updates a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._options import EXIT, File, GateFile, Json, MetricOption, Name, Seed, StoreOption, Verbose
from incumbent.errors import UsageError

if TYPE_CHECKING:
    from incumbent.core import Outcome


@app.command()
def update(
    file: File,
    name: Name,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", metavar="EXPR", help="What to try; may be repeated.")
    ] = None,
    budget: Annotated[str, typer.Option("--budget", metavar="TIME", help="Time for training challengers.")] = "5m",
    metric: MetricOption = None,
    weight: Annotated[
        str | None, typer.Option("--weight", metavar="COL", help="A column that says how much each row counts.")
    ] = None,
    gate: GateFile = None,
    seed: Seed = 0,
    approve: Annotated[bool, typer.Option("--approve", help="A challenger that passes waits for approval.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Record and promote nothing.")] = False,
    as_json: Json = False,
    report: Annotated[str | None, typer.Option("--report", metavar="FILE", help="Also write the page here.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 0 promoted, 10 rejected, 11 inconclusive, 12 waiting.")
    ] = False,
    verbose: Verbose = False,
    store: StoreOption = None,
) -> None:
    """Try challengers on new rows; promote one if proven better."""
    from incumbent.cli._progress import progress
    from incumbent.gate import Gate

    page, rule = _writable(report), None if gate is None else Gate.from_toml(gate)
    with progress(quiet=as_json) as show:
        outcome = open_registry(store).update(
            name,
            file,
            strategies=strategy or "auto",
            budget=budget,
            metric=metric,
            weight=weight,
            gate=rule,
            seed=seed,
            approve=approve,
            dry_run=dry_run,
            progress=show,
        )
    if page is not None:
        outcome.report(page)
    _print_outcome(outcome, page, as_json=as_json, verbose=verbose)
    if exit_code:
        raise typer.Exit(EXIT["candidate" if outcome.candidate else outcome.decision])


def _print_outcome(outcome: Outcome, page: Path | None, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        print(json.dumps(outcome.to_dict() | {"report": None if page is None else str(page)}))
        return
    from incumbent.cli._console import print_lines, screen_width
    from incumbent.report import outcome_lines

    print_lines(outcome_lines(outcome, screen_width(), verbose=verbose, report=None if page is None else str(page)))


def _writable(path: str | None) -> Path | None:
    """Return the path of the page, or raise an error now, before any model is trained."""
    if path is None:
        return None
    if not Path(path).resolve().parent.is_dir():
        raise UsageError(f"There is no folder {Path(path).parent} to write {Path(path).name} into; make it first.")
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, such as {Path(path) / 'report.html'}.")
    return Path(path)
