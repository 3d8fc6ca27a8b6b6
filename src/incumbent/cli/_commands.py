"""The commands, with exactly the words that people type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from incumbent.errors import UsageError

if TYPE_CHECKING:
    from incumbent.core import Outcome
    from incumbent.registry import Registry

app = typer.Typer(
    name="incumbent",
    help="Update the model that is live, and promote only what is proven better.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Folder, sqlite:///FILE or MLflow server; default .incumbent/."),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Which model.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="Rows: a file, a folder, a glob, or - for CSV on stdin.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the record.")]
BringBack = Annotated[
    bool, typer.Option("--bring-back", help="Even from before rows were deleted, which brings them back.")
]
Version = Annotated[int | None, typer.Option("--version", metavar="N", help="Which version; default the live one.")]
GateFile = Annotated[str | None, typer.Option("--gate", metavar="FILE", help="The gate, as TOML.")]
EXIT = {"promote": 0, "reject": 10, "inconclusive": 11}
WAITS = 12
"""How an update ends with --exit-code whose challenger passed and waits: neither deployed, like 0, nor turned down."""


def _version(value: bool) -> None:
    if value:
        from incumbent import __version__

        print(f"incumbent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Update the model that is live, and promote only what is proven better."""


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
        Literal["classification", "regression"] | None, typer.Option("--task", help="What the model does.")
    ] = None,
    gate: GateFile = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Open a pickled model, which can run any code.")
    ] = False,
    factory: Annotated[
        str | None, typer.Option("--factory", metavar="MODULE:NAME", help="What builds the net of a file of weights.")
    ] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", metavar="K=V", help="What the factory is called with; may be repeated.")
    ] = None,
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare",
            metavar="MODULE:NAME",
            help="What turns rows into what a net sees; for images incumbent.data:unit, :centred or :imagenet.",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="HxW", help="Resize a folder of images, as 224x320 or 224.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Bring in the model that is live today."""
    from incumbent.cli._gate import beside
    from incumbent.gate import Gate

    declared = gate or beside(model)
    rule = None if declared is None else Gate.from_toml(declared)
    came = _registry(store).init(
        name,
        model,
        data,
        target=target,
        anchor=anchor,
        time=time,
        group=group,
        task=task,
        gate=rule,
        trust_pickle=trust_pickle,
        factory=factory,
        arguments=_arguments(arg) if arg else None,
        prepare=prepare,
        size=size,
    )
    print(f"{name} version {came.version} is live: {type(came.model.native).__name__}, {came.model.task}.")
    print(f"It learned from {came.check.rows:,} rows, of which {came.remembered:,} are remembered.")
    print(f"It can: {', '.join(sorted(came.model.abilities))}.")
    if declared is not None:
        print(f"Its gate is that of {declared}{'' if gate else ', which lies beside it'}.")
    for finding in came.check.warnings:
        print(f"Note: {finding.text}")
    if came.anchored:
        print(f"Forgetting will show on {came.anchored:,} anchor rows.")
    else:
        print(
            "No old rows that it has not seen exist yet: it was trained on --data, so scoring it there would make\n"
            "every challenger look bad. Until updates have gathered an anchor set, cross-fitted stand-ins are used.\n"
            "Old rows that were held out of its training are better: give them with --anchor FILE."
        )
    print(f"Next: incumbent update FILE --name {name}")


@app.command()
def update(
    file: File,
    name: Name,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", metavar="EXPR", help="What to try; may be given again.")
    ] = None,
    budget: Annotated[str, typer.Option("--budget", metavar="TIME", help="Time for training challengers.")] = "5m",
    metric: Annotated[str | None, typer.Option("--metric", metavar="M", help="What decides.")] = None,
    weight: Annotated[
        str | None, typer.Option("--weight", metavar="COL", help="A column that says how much each row counts.")
    ] = None,
    gate: GateFile = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Where all randomness comes from.")] = 0,
    approve: Annotated[bool, typer.Option("--approve", help="A challenger that passes waits for approval.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Record and promote nothing.")] = False,
    as_json: Json = False,
    report: Annotated[str | None, typer.Option("--report", metavar="FILE", help="Write the page here too.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Leave with 0 promoted, 10 rejected, 11 inconclusive, 12 waits.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Try challengers on new rows; promote one if proven better."""
    from incumbent.cli._progress import progress
    from incumbent.gate import Gate

    page, rule = _writable(report), None if gate is None else Gate.from_toml(gate)
    with progress(quiet=as_json) as show:
        outcome = _registry(store).update(
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
    _tell(outcome, page, as_json=as_json, dry_run=dry_run)
    if exit_code:
        raise typer.Exit(WAITS if outcome.candidate else EXIT[outcome.decision])


def _tell(outcome: Outcome, page: Path | None, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print(json.dumps(outcome.to_dict() | {"report": None if page is None else str(page)}))
        return
    from rich.console import Console

    from incumbent.report import outcome_view

    console = Console(highlight=False)
    if console.is_terminal:
        console.print(outcome_view(outcome))
    else:  # a pipe or CI has no width to fit: lines stay whole there
        print(outcome)
    if dry_run:
        print("A dry run: nothing was recorded and nothing promoted.")
    elif page is None:
        print(f"The page with all of it: incumbent report --name {outcome.name} -o report.html")
    else:
        print(f"The page with all of it: {page}")


@app.command()
def predict(
    file: File,
    name: Name,
    output: Annotated[str, typer.Option("-o", "--output", metavar="OUT", help="Where to: .csv, .parquet, .jsonl, -.")],
    version: Version = None,
    store: StoreOption = None,
) -> None:
    """Predict rows with the live model, or with another version."""
    from incumbent.cli._write import write_frame, writer_of

    writer_of(output)  # a wrong ending shows before any work is done
    made = _registry(store).predict(name, file, version=version)
    write_frame(made, output)
    if output != "-":
        print(f"{len(made):,} predictions in {output}")


@app.command()
def evaluate(file: File, name: Name, version: Version = None, as_json: Json = False, store: StoreOption = None) -> None:
    """Score the live model, or another version, on labelled rows."""
    found = _registry(store).evaluate(name, file, version=version)
    if as_json:
        print(_json(found))
        return
    width = max(map(len, found))
    for metric, value in found.items():
        print(f"{metric:{width}}  {value:,}" if metric == "rows" else f"{metric:{width}}  {value:.4f}")


@app.command()
def history(name: Name, as_json: Json = False, store: StoreOption = None) -> None:
    """Show everything that happened to a model, newest first."""
    events = _registry(store).history(name)
    if as_json:
        print(_json([event | {"time": event["time"].isoformat(timespec="seconds")} for event in events]))
        return
    from incumbent.cli._console import wide_console
    from incumbent.report import history_table

    wide_console().print(history_table(events))


@app.command()
def show(name: Name, version: Version = None, as_json: Json = False, store: StoreOption = None) -> None:
    """Show what is known of a version."""
    _print_pairs(_registry(store).show(name, version), as_json=as_json)


@app.command()
def models(as_json: Json = False, store: StoreOption = None) -> None:
    """List the models of this store."""
    found = _registry(store).models()
    if as_json:
        print(_json(found))
    elif not found:
        print("No models yet. Bring one in: incumbent init MODEL --name NAME --data FILE --target COL")
    for model in [] if as_json else found:
        last = (
            f"{model['last']}, {model['decision']}" if model["decision"] not in ("", model["last"]) else model["last"]
        )
        waits = f"; version {model['candidate']} waits for approval" if model["candidate"] else ""
        live = f"{model['name']}  version {model['version']} of {model['versions']} is live{waits}"
        print(f"{live}; last: {last}, {model['time']}")


@app.command()
def rollback(
    name: Name,
    why: Why,
    to: Annotated[int | None, typer.Option("--to", metavar="N", help="A version that was live once.")] = None,
    bring_back: BringBack = False,
    store: StoreOption = None,
) -> None:
    """Make the version that was live before live again."""
    registry = _registry(store)
    before = registry.champion(name)
    number = registry.rollback(name, to=to, why=why, bring_back=bring_back)
    print(f"{name} version {number} is live again; version {before} was.")
    _say_again(bring_back, name)


@app.command()
def promote(
    name: Name,
    version: Annotated[int, typer.Option("--version", metavar="N", help="Which version.")],
    why: Why,
    bring_back: BringBack = False,
    store: StoreOption = None,
) -> None:
    """Make a version live without the gate, on record."""
    registry = _registry(store)
    before = registry.champion(name)
    number = registry.promote(name, version, why=why, bring_back=bring_back)
    print(f"{name} version {number} is live by override; version {before} was.")
    _say_again(bring_back, name)


@app.command()
def strategies(
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Say which suit this model.")] = None,
    store: StoreOption = None,
) -> None:
    """List every way to update a model."""
    from incumbent.cli._strategies import listing

    stored = None if name is None else _registry(store).version(name)
    print("\n".join(listing(None if stored is None else stored.model)))


@app.command()
def report(
    name: Name,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where the page goes.")],
    update: Annotated[str | None, typer.Option("--update", metavar="ID", help="Which; default the latest.")] = None,
    store: StoreOption = None,
) -> None:
    """Write the page of an update."""
    print(f"The page is in {_registry(store).report(name, output, update=update)}")


def _say_again(bring_back: bool, name: str) -> None:
    if bring_back:
        print(f"Deleted rows are back with it. To delete them again: incumbent forget FILE --name {name} --why TEXT")


def _arguments(given: list[str]) -> dict[str, Any]:
    """Return what ``--arg K=V`` says: V as a plain Python value where it is one, else as text."""
    import ast

    found: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key.isidentifier():
            raise UsageError(f"--arg takes NAME=VALUE, such as --arg hidden=64; it was given {text!r}.")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


def _registry(store: str | None) -> Registry:
    from incumbent.registry import Registry

    return Registry(store)


def _writable(path: str | None) -> Path | None:
    """Say that a page cannot be written before a model is trained for it, not after."""
    if path is None:
        return None
    if not Path(path).resolve().parent.is_dir():
        raise UsageError(f"There is no folder {Path(path).parent} to write {Path(path).name} into; make it first.")
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, such as {Path(path) / 'report.html'}.")
    return Path(path)


def _print_pairs(pairs: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(_json(pairs))
        return
    width = max(map(len, pairs))
    for key, value in pairs.items():
        parts = [f"{name} {part}" for name, part in value.items()] if isinstance(value, dict) else value
        text = ", ".join(map(str, parts)) if isinstance(parts, list) else "" if parts is None else str(parts)
        print(f"{key.replace('_', ' '):{width}}  {text}")


def _json(value: Any) -> str:
    import math

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {str(key): plain(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return [plain(part) for part in item]
        if isinstance(item, float) and not math.isfinite(item):
            return None
        return item.item() if hasattr(item, "item") else item

    return json.dumps(plain(value))
