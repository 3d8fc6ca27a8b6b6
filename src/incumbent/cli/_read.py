"""The commands that change nothing: predictions, scores, history, versions, models and reports."""

from __future__ import annotations

from typing import Annotated

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import print_lines, print_pairs, screen_width, to_json, write_frame, writer_of
from incumbent.cli._options import File, Json, Name, StoreOption, Verbose, Version


@app.command()
def predict(
    file: File,
    name: Name,
    output: Annotated[str, typer.Option("-o", "--output", metavar="OUT", help="Where to: .csv, .parquet, .jsonl, -.")],
    version: Version = None,
    store: StoreOption = None,
) -> None:
    """Predict rows with the live model, or with another version."""
    writer_of(output)  # a wrong ending shows before any work is done
    made = open_registry(store).predict(name, file, version=version)
    write_frame(made, output)
    if output != "-":
        print(f"{len(made):,} predictions in {output}")


@app.command()
def evaluate(file: File, name: Name, version: Version = None, as_json: Json = False, store: StoreOption = None) -> None:
    """Score the live model, or another version, on labelled rows."""
    found = open_registry(store).evaluate(name, file, version=version)
    if as_json:
        print(to_json(found))
        return
    width = max(map(len, found))
    for metric, value in found.items():
        print(f"{metric:{width}}  {value:,}" if metric == "rows" else f"{metric:{width}}  {value:.4f}")


@app.command()
def history(
    name: Name,
    show_all: Annotated[bool, typer.Option("--all", help="Show every event, not only the newest 9.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
    store: StoreOption = None,
) -> None:
    """Show the events of a model, newest first."""
    events = open_registry(store).history(name)
    if as_json:
        print(to_json([event | {"time": event["time"].isoformat(timespec="seconds")} for event in events]))
        return
    from incumbent.report import NEWEST, history_lines

    most = None if show_all else NEWEST
    print_lines(history_lines(name, events, screen_width(), most=most, verbose=verbose))


@app.command()
def show(name: Name, version: Version = None, as_json: Json = False, store: StoreOption = None) -> None:
    """Show what is known of a version."""
    found = open_registry(store).show(name, version)
    if as_json:
        print(to_json(found))
    else:
        print_pairs(found)


@app.command()
def models(as_json: Json = False, store: StoreOption = None) -> None:
    """List the models of this store."""
    found = open_registry(store).models()
    if as_json:
        print(to_json(found))
    elif not found:
        print("No models yet. Bring one in: incumbent init MODEL --name NAME --data FILE --target COL")
    for model in [] if as_json else found:
        last, decision = model["last"], model["decision"]
        last = f"{last}, {decision}" if decision not in ("", last) else last
        waits = f"; version {model['candidate']} waits for approval" if model["candidate"] else ""
        live = f"{model['name']}  version {model['version']} of {model['versions']} is live{waits}"
        print(f"{live}; last: {last}, {model['time']}")


@app.command()
def report(
    name: Name,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write the page.")],
    update: Annotated[str | None, typer.Option("--update", metavar="ID", help="Which; default the latest.")] = None,
    store: StoreOption = None,
) -> None:
    """Write the page of an update."""
    print(f"The page is in {open_registry(store).report(name, output, update=update)}")
