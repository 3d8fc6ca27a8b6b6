"""An outcome as lines of text: the verdict and what to type next in 12 lines, the rest with `verbose`.

A terminal, a pipe, `print(outcome)` and a log show the same lines. Only the colour differs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from incumbent.core import Challenger, Outcome
from incumbent.report._units import Unit, unit_of
from incumbent.report._view import TestRow, View, metric_rows, view_of
from incumbent.report._words import clean, count, digits, duration, located, remark, stages, total_cost, wording

WIDTH, MOST_LINES = 80, 12
COLOUR = {
    "Promoted": "green",
    "Kept": "red",
    "Inconclusive": "yellow",
    "Waiting": "cyan",
    "Dry run": "cyan",
    "pass": "green",
    "FAIL": "red",
    "unclear": "yellow",
}
_INDENT = 10
_MOST_TESTS = 4
_LONGEST_METRIC = 24


@dataclass(frozen=True)
class Line:
    """One line of text, and the Rich style of a part of it.

    Parameters
    ----------
    text : str
        The line.
    style : str
        A style for terminals with colour.
    start, end : int
        The characters that have the style.
    """

    text: str
    style: str = ""
    start: int = 0
    end: int = 1000


def to_text(outcome: Outcome, *, verbose: bool = False) -> str:
    """Return the outcome as plain text.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    verbose : bool
        Also return every challenger, metric and finding, row counts, time by stage and what a promotion guarantees.
    """
    return "\n".join(line.text for line in outcome_lines(outcome, verbose=verbose))


def outcome_lines(
    outcome: Outcome, width: int = WIDTH, *, verbose: bool = False, report: str | None = None
) -> Iterator[Line]:
    """Yield the lines of an outcome.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    width : int
        The longest line.
    verbose : bool
        Whether to yield the details after the short text.
    report : str, optional
        The path of the page, if it is written already.
    """
    view = view_of(outcome)
    head, tests = list(_headline(view, width)), list(_tests(view, width))
    commands = [("Report", report or text) if label == "Report" else (label, text) for label, text in view.commands]
    tail = [
        Line(f"{label + ':':{_INDENT}}{text}", "dim", 0, len(label) + 1) for label, text in commands
    ]  # whole, to be copied
    fixed = len(head) + len(tests) + len(tail) + (2 if tests else 1)
    yield from head
    yield Line("")
    if tests:
        yield from tests
        yield Line("")
    yield from _fitted(_paragraphs(outcome, view), width, 99 if verbose else MOST_LINES - fixed)
    yield from tail
    if verbose:
        yield from (replace(line, text=cut(line.text, width)) for line in _details(outcome, view, width))


def _paragraphs(outcome: Outcome, view: View) -> dict[str, str]:
    """Return the texts of several words, the most important first."""
    spent = f" Time: {duration(total_cost(outcome.cost))}." if outcome.cost else ""
    made = "Failed" if outcome.chosen is None else "Strategy"
    return {
        "Next": " ".join(view.advice[:2]),
        made: f"{view.strategy.removesuffix('.')}.{spent}" if view.strategy else "",
        "Warning": view.warning,
    }


def _fitted(texts: dict[str, str], width: int, room: int) -> Iterator[Line]:
    """Yield each text under its label in at most `room` lines together; the first gets the lines that it needs."""
    texts = {label: text for label, text in texts.items() if text}
    lines = {}
    for i, (label, text) in enumerate(texts.items()):
        lines[label] = list(labelled(label, text, width, most=max(1, room - (len(texts) - 1 - i))))
        room -= len(lines[label])
    for label in ("Strategy", "Failed", "Warning", "Next"):
        yield from lines.get(label, ())


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


def cut(line: str, width: int) -> str:
    """Return a line, cut to `width` characters if it is longer."""
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def labelled(label: str, text: str, width: int = WIDTH, *, most: int = 99) -> Iterator[Line]:
    """Yield a label and the text after it, in at most `most` lines; nothing if there is no text."""
    if not text:
        return
    wrapped = textwrap.wrap(
        clean(text),
        width,
        initial_indent=f"{label + ':':{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        max_lines=most,
        placeholder=" …",
    )
    for i, line in enumerate(wrapped):
        yield Line(line, "dim", 0, len(label) + 1) if i == 0 else Line(line)


def _headline(view: View, width: int) -> Iterator[Line]:
    first, *rest = textwrap.wrap(clean(view.headline), width, max_lines=3, placeholder=" …")
    yield Line(first, f"bold {COLOUR[view.word]}", 0, len(view.word) + 1)
    yield from map(Line, rest)


def _tests(view: View, width: int) -> Iterator[Line]:
    """Yield the table of tests; those that did not pass come first if there are too many to show."""
    shown = view.tests
    if len(shown) > _MOST_TESTS:
        order = sorted(range(len(shown)), key=lambda i: (shown[i].state == "pass", i))[: _MOST_TESTS - 1]
        shown = tuple(shown[i] for i in sorted(order))
    if not shown:
        return
    labels = _label_width(view, shown, width)
    head, *lines = columns([_heads(view), *(_cells(row, labels) for row in shown)], "<>>>>>><")
    yield Line(head[:width].rstrip(), "dim")
    for line, row in zip(lines, shown, strict=True):
        start = line.rfind(row.state)
        yield Line(line[:width].rstrip(), COLOUR[row.state], start, len(line))
    if len(view.tests) > len(shown):
        yield Line(f"and {len(view.tests) - len(shown)} more tests: --verbose", "dim")


def _label_width(view: View, rows: Sequence[TestRow], width: int) -> int:
    """Return how many characters of a label there is room for."""
    others = [_heads(view)[1:], *(_cells(row, 0)[1:] for row in rows)]
    return max(8, width - sum(2 + max(map(len, column)) for column in zip(*others, strict=True)))


def _heads(view: View) -> tuple[str, ...]:
    metric = clean(wording(view.metric), _LONGEST_METRIC)
    return metric, view.champion, view.challenger, "change", view.bound, "needed", "rows", ""


def _cells(row: TestRow, width: int) -> tuple[str, ...]:
    cells = (row.champion, row.challenger, row.change, row.bound, row.needed, row.rows, row.state)
    return clean(row.label, width), *cells


def _details(outcome: Outcome, view: View, width: int) -> Iterator[Line]:
    """Yield what the short text leaves out."""
    parts = (_challengers(outcome, width), _metrics(outcome, view), _reasons(outcome, width), _facts(outcome, width))
    for part in parts:
        block = list(part)
        if block:
            yield Line("")
            yield from block


def _challengers(outcome: Outcome, width: int) -> Iterator[Line]:
    if not outcome.challengers:
        return
    unit = unit_of(outcome.metric, outcome.comparisons.get("new"))
    rows = [("challenger", "gain", "score", "time", ""), *(_challenger(c, unit, width) for c in outcome.challengers)]
    head, *lines = columns(rows, "<>>><")
    yield Line(head, "dim")
    for line, c in zip(lines, outcome.challengers, strict=True):
        yield Line(line, "bold" if c.chosen else "")
        text = f"failed: {c.error}" if c.error else remark(c)
        for part in textwrap.wrap(clean(text), width - 4):
            yield Line(f"    {part}", "red" if c.error else "dim")


def _challenger(c: Challenger, unit: Unit, width: int) -> tuple[str, ...]:
    gain = unit.change(c.gain) if digits([c.gain]) else ""
    score = unit.score(c.score) if digits([c.score]) else ""
    time = duration(c.seconds) if c.seconds else ""
    return clean(c.strategy, width - 36), gain, score, time, "tested" if c.chosen else ""


def _metrics(outcome: Outcome, view: View) -> Iterator[Line]:
    for name, rows in (("new", "new rows"), ("anchor", "old rows")):
        if name in outcome.comparisons:
            found = metric_rows(outcome, outcome.comparisons[name])
            head = (rows, view.champion, view.challenger, "change")
            named = ((clean(wording(metric), _LONGEST_METRIC), *cells) for metric, *cells in found)
            first, *lines = columns([head, *named], "<>>>")
            yield Line(first, "dim")
            yield from map(Line, lines)


def _reasons(outcome: Outcome, width: int) -> Iterator[Line]:
    for reason in outcome.verdict.reasons:
        yield from labelled("Test", reason.text, width)
    yield from labelled("Guarantee", outcome.verdict.guarantee, width)


def _facts(outcome: Outcome, width: int) -> Iterator[Line]:
    for finding in outcome.check.findings:
        yield from labelled(finding.level.capitalize(), located(finding.column, finding.text), width)
    yield from labelled(
        "Rows", ", ".join(f"{wording(name)} {count(n)}" for name, n in outcome.rows.items() if n), width
    )
    each = ", ".join(f"{wording(name)} {duration(s)}" for name, s in stages(outcome.cost).items())
    yield from labelled("Time", each, width)
    for text in outcome.verdict.advice[2:]:
        yield from labelled("Advice", text, width)
    yield from labelled("Seed", str(outcome.seed), width)
