"""The outcome as lines of text, the verdict first: the one source of what a terminal, a log and a pipe show."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from incumbent.core import Challenger, Comparison, Outcome, Reason
from incumbent.report._words import (
    advice,
    changed,
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
    power,
    remark,
    stages,
    total_cost,
    wording,
)

WIDTH = 100
COLOUR = {
    "promote": "green",
    "reject": "red",
    "inconclusive": "yellow",
    "candidate": "cyan",
    "approved": "green",
    "refused": "red",
    "override": "yellow",
}
_MOST_METRICS, _MOST_TRIES, _MOST_FINDINGS, _MOST_ADVICE = 5, 7, 4, 3


@dataclass(frozen=True)
class Line:
    """One line of text, and the Rich style of its first characters.

    Parameters
    ----------
    text : str
        The line.
    style : str
        A style for terminals with colour.
    styled : int
        The number of characters at the start that have the style.
    """

    text: str
    style: str = ""
    styled: int = WIDTH


def to_text(outcome: Outcome) -> str:
    """Return the outcome as plain text, about 40 lines at most.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.

    Returns
    -------
    str
        The verdict in a sentence, each reason beside its limit, champion beside challenger, every try, what was found
        in the data, what it cost and what to do next.
    """
    return "\n".join(line.text for line in outcome_lines(outcome))


def outcome_lines(outcome: Outcome, width: int = WIDTH) -> Iterator[Line]:
    """Yield the lines of an outcome, wrapped to `width` columns."""
    yield from _headline(outcome, width)
    for part in (_reasons(outcome), _scores(outcome, width), _tries(outcome, width), _facts(outcome, width)):
        block = list(part)
        if block:
            yield Line("")
            yield from block


def columns(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Return rows as aligned lines; `align` has "<" or ">" for each column.

    Examples
    --------
    >>> columns([("rows", "3"), ("seconds", "12")], "<>")
    ['rows      3', 'seconds  12']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(align))]
    cells = ([format(cell, f"{a}{w}") for cell, a, w in zip(row, align, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]


def _colour(outcome: Outcome) -> str:
    return COLOUR["candidate" if outcome.candidate else outcome.decision]


def _headline(outcome: Outcome, width: int) -> Iterator[Line]:
    said = clean(headline(outcome))
    first, *rest = textwrap.wrap(said, width, break_long_words=True)
    yield Line(first, f"bold {_colour(outcome)}", said.index(":"))
    yield from map(Line, rest)


def _wrapped(label: str, text: str, width: int, style: str = "dim") -> Iterator[Line]:
    """Yield a label in its style and the text after it, in lines."""
    lines = textwrap.wrap(
        clean(text), width, initial_indent=f"{label:8}", subsequent_indent=" " * 8, break_long_words=True
    )
    yield from (Line(line, style, len(label)) if i == 0 else Line(line) for i, line in enumerate(lines))


def _reasons(outcome: Outcome) -> Iterator[Line]:
    reasons = outcome.verdict.reasons
    if not reasons:
        return
    head, *lines = columns([("", "condition", "value", "needed", "seen"), *map(_reason, reasons)], "<<><<")
    yield Line(head[:WIDTH], "dim")
    for line, reason in zip(lines, reasons, strict=True):
        word, style = _held(reason)
        yield Line(line[:WIDTH], style, len(word))


def _held(reason: Reason) -> tuple[str, str]:
    """Return whether a condition holds, in a word, and the style of the word."""
    return ("yes", "green") if reason.holds else ("NO", "red") if reason.violated else ("not shown", "yellow")


def _reason(reason: Reason) -> tuple[str, ...]:
    i = reason.interval
    seen = "" if i is None else f"{number(i.value, True)}, {i.test}, {count(i.rows)} rows"
    return _held(reason)[0], clean(reason.name, 32), measured(reason), needed(reason), clean(seen, 50)


def _scores(outcome: Outcome, width: int) -> Iterator[Line]:
    shown = [outcome.comparisons[name] for name in ("new", "anchor") if name in outcome.comparisons]
    if not shown:
        return
    lines = _score_table(outcome, shown, change=True)
    if max(map(len, lines)) > width:
        lines = _score_table(outcome, shown, change=False)
    yield Line(lines[0], "dim")
    yield from map(Line, lines[1:])


def _score_table(outcome: Outcome, shown: Sequence[Comparison], *, change: bool) -> list[str]:
    """Return the metrics of both models, and their change if there is room for it."""
    each = 3 if change else 2
    rows = [["", *(word for c in shown for word in (f"{_rows_of(c)}: champion", "challenger", "change")[:each])]]
    for metric in metrics_of(shown, outcome.metric)[:_MOST_METRICS]:
        row = [clean(wording(metric), 20)]
        for c in shown:
            pair = digits((c.champion.get(metric), c.challenger.get(metric)))
            cells = [*map(number, pair), number(changed(*pair), True)] if len(pair) == 2 else ["n/a"] * 3
            row += cells[:each]
        rows.append(row)
    return columns(rows, "<" + ">" * (each * len(shown)))


def _rows_of(comparison: Comparison) -> str:
    return "new" if comparison.name == "new" else "old"


def _tries(outcome: Outcome, width: int) -> Iterator[Line]:
    tried = outcome.challengers[:_MOST_TRIES]
    if not tried:
        return
    head, *lines = columns([("", "challenger", "gain", "score", "time"), *(_try(c, width) for c in tried)], "<<>>>")
    yield Line(head, "dim")
    for line, c in zip(lines, tried, strict=True):
        yield Line(line, "bold" if c.chosen else "")
        said = f"failed: {c.error}" if c.error else remark(c)
        if said:
            yield Line(f"     {clean(said, width - 5)}", "red" if c.error else "dim")
    if len(outcome.challengers) > _MOST_TRIES:
        yield Line(f"   and {len(outcome.challengers) - _MOST_TRIES} more in the report")


def _try(c: Challenger, width: int) -> tuple[str, ...]:
    spent = duration(c.seconds) if c.seconds else "-"
    shown = [number(x, sign) if digits([x]) else "-" for x, sign in ((c.gain, True), (c.score, False))]
    return "*" if c.chosen else "", clean(c.strategy, min(56, width - 34)), *shown, spent


def _facts(outcome: Outcome, width: int) -> Iterator[Line]:
    for finding in outcome.check.findings[:_MOST_FINDINGS]:
        style = "yellow" if finding.level == "warning" else "dim"
        yield from _wrapped("data", f"{finding.level}: {located(finding.column, finding.text)}", width, style)
    if len(outcome.check.findings) > _MOST_FINDINGS:
        yield Line(f"{'':8}and {len(outcome.check.findings) - _MOST_FINDINGS} more findings in the report")
    rows = ", ".join(f"{wording(name)} {count(n)}" for name, n in outcome.rows.items() if n)
    yield from _wrapped("rows", rows or "none", width)
    if outcome.cost:
        each = ", ".join(f"{wording(name)} {duration(s)}" for name, s in stages(outcome.cost).items())
        yield from _wrapped("cost", f"{duration(total_cost(outcome.cost))} in all: {each}", width)
    if digits([outcome.verdict.smallest_gain]):
        yield from _wrapped("power", power(outcome), width)
    for text in advice(outcome)[:_MOST_ADVICE]:
        yield from _wrapped("next", text, width, f"bold {_colour(outcome)}")
