"""Options and exit codes that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Folder, sqlite:///FILE or MLflow server; default .incumbent/."),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Which model.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="Rows: a file, a folder, a glob, or - for CSV on stdin.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the record.")]
MetricOption = Annotated[str | None, typer.Option("--metric", metavar="M", help="The metric that decides.")]
BringBack = Annotated[
    bool, typer.Option("--bring-back", help="Allow a version from before a deletion; its rows come back.")
]
Version = Annotated[int | None, typer.Option("--version", metavar="N", help="Which version; default the live one.")]
GateFile = Annotated[str | None, typer.Option("--gate", metavar="FILE", help="The gate, as TOML.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the details too.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of all randomness.")]

EXIT = {"promote": 0, "rollback": 0, "candidate": 12, "reject": 10, "inconclusive": 11, "undecided": 11}
"""Exit codes with --exit-code. A candidate passed and waits: it is neither deployed nor rejected."""
