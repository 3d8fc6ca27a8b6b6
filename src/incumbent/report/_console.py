"""What the command line shows: an outcome and a model's history, in colour if the terminal has colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from incumbent.core import Outcome
from incumbent.report._record import decided, moment, versions
from incumbent.report._text import COLOUR, WIDTH, outcome_lines
from incumbent.report._words import clean, digits, duration, number

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable
    from rich.table import Table
    from rich.text import Text

_STEP = re.compile(r"([A-Z]\w*)\(")


def history_table(records: Iterable[Mapping[str, Any]]) -> Table:
    """Return what happened to a model as a table that a person can read.

    Parameters
    ----------
    records : iterable of mapping
        One event each: `time`, `kind`, `source`, `strategies`, `decision`, `gain`, `lower`, `upper`, `seconds`, `user`,
        `why`, `version_before`, `version_after`, `status`, `candidate`, `waits`, `passed_in`. What is missing stays
        empty.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", leading=1)
    table.add_column("when", no_wrap=True)
    table.add_column("what, by whom, why", overflow="fold", ratio=2, min_width=12)
    table.add_column("tried", overflow="fold", ratio=2, min_width=12)
    table.add_column("verdict, gain", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column("live", justify="right", no_wrap=True)
    for record in records:
        table.add_row(*_event(record))
    return table


def _event(record: Mapping[str, Any]) -> tuple[Text, ...]:
    from rich.text import Text

    seconds = digits([record.get("seconds")])
    # Text, not markup: a strategy or a reason may hold square brackets.
    return (
        Text(moment(record.get("time")).replace(" ", "\n", 1)),
        Text(_what(record)),
        Text(_tried(record)),
        _verdict(record),
        Text(duration(seconds[0]) if seconds else ""),
        Text(versions(record)),
    )


def _what(record: Mapping[str, Any]) -> str:
    user = f"by {clean(record['user'], 30)}" if record.get("user") else ""
    gate = clean(record.get("gate") or "", 200)
    if gate and record.get("kind") != "gate":
        gate = f"under another gate: {gate}"
    parts = (clean(record.get("kind") or ""), clean(record.get("source") or "", 60), gate, user)
    return "\n".join(part for part in (*parts, clean(record.get("why") or "", 120)) if part)


def _verdict(record: Mapping[str, Any]) -> Text:
    from rich.text import Text

    decision, status = clean(record.get("decision") or ""), clean(record.get("status") or "", 20)
    finished = status.lower() in ("", "done", "finished")
    word = decided(record).replace(", ", ",\n", 1) or ("" if finished else status)
    gain = _gain(record)
    return Text.assemble((word, COLOUR.get(decision, "")), "\n" if word and gain else "", gain)


def _tried(record: Mapping[str, Any]) -> str:
    """Show the one that met the gate as it is typed, then all in short: the names of their steps."""
    names = dict.fromkeys("+".join(_STEP.findall(text)) or clean(text, 20) for text in record.get("strategies") or ())
    chosen = clean(record.get("strategy") or "", 60)
    return "\n".join(part for part in (chosen, f"of {', '.join(names)}" if names else "") if part)


def _gain(record: Mapping[str, Any]) -> str:
    if not digits([record.get("gain")]):
        return ""
    ends = digits([record.get("lower"), record.get("upper")])
    between = f"\n{number(ends[0], True)}, {number(ends[1], True)}" if len(ends) == 2 else ""
    return number(record["gain"], True) + between


class _View:
    """The lines of an outcome as Rich prints them."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        for line in outcome_lines(self.outcome, min(WIDTH, options.max_width)):
            text = Text(line.text)
            text.stylize(line.style, 0, line.styled)
            yield text


def outcome_view(outcome: Outcome) -> ConsoleRenderable:
    """Return what Rich prints: the lines of `to_text`, wrapped to the terminal, in colour if it has colour.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    """
    return _View(outcome)
