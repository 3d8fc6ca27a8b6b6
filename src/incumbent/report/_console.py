"""What the command line shows: an outcome and a model's history, in colour where the terminal has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from incumbent.core import Challenger, Outcome, Reason
from incumbent.report._record import decided, moment, versions
from incumbent.report._words import (
    advice,
    clean,
    count,
    digits,
    duration,
    headline,
    located,
    measured,
    metrics_of,
    needed,
    number,
    remark,
    total_cost,
    wording,
)

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

_STEP = re.compile(r"([A-Z]\w*)\(")
COLOUR = {
    "promote": "green",
    "reject": "red",
    "inconclusive": "yellow",
    "candidate": "cyan",
    "approved": "green",
    "refused": "red",
    "override": "yellow",
}


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


def outcome_view(outcome: Outcome) -> Group:
    """Return the outcome as Rich prints it: in colour in a terminal, as plain text in a pipe.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    colour = COLOUR["candidate" if outcome.candidate else outcome.decision]
    word, said = headline(outcome).split(": ", 1)
    parts: list[Any] = [Text.assemble((word, f"bold {colour}"), ": ", said)]
    shown = (_reasons(outcome.verdict.reasons), _scores(outcome), _tries(outcome.challengers))
    parts += [Padding(table, (1, 0, 0, 0)) for table in shown if table.row_count]
    parts += [Text(), *_facts(outcome)]
    return Group(*parts)


def _plain_table(*names: str, left: int = 1) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for i, name in enumerate(names):
        table.add_column(name, justify="left" if i < left else "right", overflow="fold")
    return table


def _reasons(reasons: Iterable[Reason]) -> Table:
    from rich.text import Text

    table = _plain_table("", "condition", "value", "needed", "seen", "by", left=2)
    for r in reasons:
        word, style = ("yes", "green") if r.holds else ("no", "red") if r.broken else ("not shown", "yellow")
        i = r.interval
        seen, by = ("", "") if i is None else (number(i.value, True), f"{i.test}, {count(i.rows)} rows")
        cells = (measured(r), needed(r), seen, by)
        table.add_row(Text(word, style=style), *(Text(clean(cell)) for cell in (r.name, *cells)))
    return table


def _scores(outcome: Outcome) -> Table:
    from rich.text import Text

    found = [outcome.comparisons[name] for name in ("new", "anchor") if name in outcome.comparisons]
    names = [f"{'new' if c.name == 'new' else 'old'}: {part}" for c in found for part in ("champion", "challenger")]
    table = _plain_table("", *names)
    for metric in metrics_of(found, outcome.metric)[:6]:
        values = [number(side.get(metric)) for c in found for side in (c.champion, c.challenger)]
        table.add_row(Text(wording(metric), style="bold" if metric == outcome.metric else ""), *map(Text, values))
    return table


def _tries(challengers: Iterable[Challenger]) -> Table:
    from rich.text import Text

    table = _plain_table("", "challenger", "gain", "score", "time", left=2)
    for c in challengers:
        spent = duration(c.seconds) if c.seconds else ""
        said = clean(c.error or remark(c), 200)
        what = Text.assemble((clean(c.strategy), "bold" if c.chosen else ""))
        if said:
            what.append(f"\n{said}", style="red" if c.error else "dim")
        numbers = ("", "") if c.error or c.spared else (number(c.gain, True), number(c.score))
        mark = Text("*" if c.chosen else "", style="bold")
        table.add_row(mark, what, *map(Text, (*numbers, spent)))
    return table


def _facts(outcome: Outcome) -> Iterable[Text]:
    from rich.text import Text

    for finding in outcome.check.findings[:5]:
        style = "yellow" if finding.level == "warning" else "dim"
        yield Text.assemble((f"{finding.level:8}", style), clean(located(finding.column, finding.text)))
    if len(outcome.check.findings) > 5:
        yield Text(f"{'':8}and {len(outcome.check.findings) - 5} more findings in the report")
    if outcome.cost:
        yield Text.assemble((f"{'cost':8}", "dim"), f"{duration(total_cost(outcome.cost))} in all")
    for text in advice(outcome):
        yield Text.assemble(
            (f"{'next':8}", f"bold {COLOUR['candidate' if outcome.candidate else outcome.decision]}"), clean(text)
        )
