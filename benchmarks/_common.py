"""What every benchmark shares: its options, CPU time, where the data lie, and how results are printed."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn


@dataclass(frozen=True)
class Options:
    """How a benchmark was called.

    Parameters
    ----------
    only : str
        Run what has this in its name.
    quick : bool
        Run a small part, to see that everything works.
    seeds : int
        How many times to repeat with another seed.
    json : bool
        Print one object per line instead of a table.
    """

    only: str = ""
    quick: bool = False
    seeds: int = 1
    json: bool = False

    def wants(self, name: str) -> bool:
        """Whether `name` is to be run."""
        return self.only.lower() in name.lower()

    def say(self, text: str) -> None:
        """Tell a person how far it is; never on stdout, which may be read by a program."""
        print(text, file=sys.stderr, flush=True)


def options(about: str, arguments: Sequence[str] | None = None) -> Options:
    """Read the options that every benchmark takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="run what has this in its name")
    parser.add_argument("--quick", action="store_true", help="a small part, to see that it works")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="repeat with N seeds")
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of a table")
    given = Options(**vars(parser.parse_args(arguments)))
    if given.seeds < 1:
        parser.error("--seeds is a number from 1")
    return given


def cpu_seconds() -> float:
    """Return the CPU seconds that this process, its threads and its finished children have used."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def data_folder() -> Path | None:
    """Return where the public data sets lie: INCUMBENT_DATA, else ``../shared/data`` beside the repository."""
    given = os.environ.get("INCUMBENT_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def skip(reason: str) -> NoReturn:
    """End with the reason on stderr and exit code 0: nothing failed, there was nothing to run."""
    print(f"skipped: {reason}", file=sys.stderr)
    raise SystemExit(0)


def line(
    benchmark: str, data: str, method: str, metric: str, value: float, *, seconds: float, share: float, **more: Any
) -> dict[str, Any]:
    """Return one result with the keys that every benchmark has."""
    told = {"benchmark": benchmark, "data": data, "method": method, "metric": metric, "value": value}
    return {**told, "seconds": seconds, "share": share, **more}


def print_lines(lines: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object per line; a number that is not known is null."""
    for each in lines:
        print(json.dumps({name: _plain(value) for name, value in each.items()}), flush=True)


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        if 0 < abs(value) < 1e-6:
            return float(f"{value:.3g}")
        return round(value, 6) if math.isfinite(value) else None
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Column:
    """One column of a table: its head, the key it shows, and how."""

    head: str
    key: str
    form: str = "{}"
    justify: Literal["left", "right"] = "right"

    def cell(self, row: Mapping[str, Any]) -> str:
        """Return the text of one cell; a dash where there is nothing to show."""
        value = row.get(self.key)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "-"
        return self.form.format(value)


@dataclass(frozen=True)
class Table:
    """A titled table of results."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def show(self) -> None:
        """Print the table, as wide as it needs to be where the output is no terminal."""
        from rich.console import Console
        from rich.table import Table as Drawn

        console = Console(width=None if sys.stdout.isatty() else 160)
        drawn = Drawn(title=self.title, title_justify="left", header_style="bold")
        for column in self.columns:
            drawn.add_column(column.head, justify=column.justify)
        for row in self.rows:
            drawn.add_row(*(column.cell(row) for column in self.columns))
        console.print(drawn)
