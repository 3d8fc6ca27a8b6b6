"""Progress of an update on standard error: a live bar in a terminal, plain lines in a pipe and in CI."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from incumbent.core import Event, Progress


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Give a function that shows events for as long as the block lasts."""
    if quiet:
        yield lambda event: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _line


def _line(event: Event) -> None:
    if event.stage in ("fitted", "failed", "spared"):
        print(f"[{event.done}/{event.total}] {event.stage} {event.text}{_left(event)}", file=sys.stderr, flush=True)
    elif event.stage in ("prequential", "compare", "gate"):
        print(event.text, file=sys.stderr, flush=True)


def _left(event: Event) -> str:
    return f", {_clock(event.left)} of the budget left" if math.isfinite(event.left) else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(event: Event) -> None:
            total = event.total or None
            bar.update(task, description=event.text[:60] + _left(event), completed=event.done, total=total)

        yield show
