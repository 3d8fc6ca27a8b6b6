"""The commands on live labels: start a shadow, read its log, decide."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from incumbent.cli._app import app, open_registry
from incumbent.cli._console import to_json
from incumbent.cli._options import EXIT, Json, MetricOption, Name, StoreOption, Why

shadow = typer.Typer(
    name="shadow",
    help="Compare a version with the live one on labels as they come in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(shadow)

Log = Annotated[
    list[str],
    typer.Option("--log", metavar="FILE", help="Logged predictions, labels, or both; may be repeated."),
]
More = Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="More of them.", show_default=False)]
Before = Annotated[
    str | None, typer.Option("--before", metavar="T", help="Count only rows predicted before this moment.")
]


@shadow.command()
def start(
    name: Name,
    version: Annotated[int, typer.Option("--version", metavar="N", help="The version to compare with the live one.")],
    bound: Annotated[
        float | None, typer.Option("--bound", metavar="B", help="The largest loss of a row; larger ones are cut off.")
    ] = None,
    min_gain: Annotated[
        float, typer.Option("--min-gain", metavar="G", help="The gain in mean loss that must be exceeded.")
    ] = 0.0,
    alpha: Annotated[float, typer.Option("--alpha", metavar="A", help="Probability of ever deciding wrongly.")] = 0.05,
    goal: Annotated[Literal["promote", "rollback"], typer.Option("--goal", help="What may follow.")] = "promote",
    metric: MetricOption = None,
    id: Annotated[str, typer.Option("--id", metavar="COL", help="The log's column that names the row.")] = "id",
    champion: Annotated[
        str, typer.Option("--champion", metavar="COL", help="The live model's predictions; probabilities: COL_CLASS.")
    ] = "champion",
    challenger: Annotated[
        str, typer.Option("--challenger", metavar="COL", help="The other's; probabilities: COL_CLASS.")
    ] = "challenger",
    label: Annotated[str, typer.Option("--label", metavar="COL", help="The labels.")] = "label",
    time: Annotated[str, typer.Option("--time", metavar="COL", help="When each row was predicted.")] = "",
    why: Why = "",
    store: StoreOption = None,
) -> None:
    """Fix which versions are compared and how, before the first label."""
    columns = {"id": id, "champion": champion, "challenger": challenger, "label": label, "time": time}
    made = open_registry(store).shadow_start(
        name,
        version,
        bound=bound,
        min_gain=min_gain,
        alpha=alpha,
        goal=goal,
        metric=metric,
        columns=columns,
        why=why,
    )
    does = "takes its place" if goal == "promote" else "comes back"
    print(f"{name} version {made.challenger} runs in the shadow of version {made.champion}, by {made.metric}.")
    print(f"It {does} once e reaches {1.0 / alpha:.6g}: the chance of ever being wrong is at most {100.0 * alpha:g} %.")
    print(f"Losses count up to {made.monitor.bound:.4g} ({made.bound_from}); gain to exceed: {min_gain:g}.")
    logged = ", ".join([id, *_names(made.predicted("champion")), *_names(made.predicted("challenger"))])
    print(f"Log every row from now on with the columns {logged}; labels with {id}, {label}.")
    print(f"Next: incumbent shadow status --name {name} --log FILE")


def _names(columns: object) -> list[str]:
    return [str(name) for name in columns.values()] if isinstance(columns, dict) else [str(columns)]


@shadow.command()
def status(
    name: Name, log: Log, more: More = None, before: Before = None, as_json: Json = False, store: StoreOption = None
) -> None:
    """Show what the labels say so far; look as often as you like."""
    found = open_registry(store).shadow_status(name, [*log, *(more or [])], before=before)
    print(to_json(found.to_dict()) if as_json else found)


@shadow.command()
def decide(
    name: Name,
    log: Log,
    more: More = None,
    before: Before = None,
    why: Why = "",
    as_json: Json = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 0 decided, 10 rejected, 11 undecided.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Promote, roll back, or end the shadow, if the labels show it."""
    found = open_registry(store).shadow_decide(name, [*log, *(more or [])], before=before, why=why)
    print(to_json(found.to_dict()) if as_json else found)
    if exit_code:
        raise typer.Exit(EXIT[found.decision])
