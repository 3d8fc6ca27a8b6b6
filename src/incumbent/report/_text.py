"""An outcome as lines of text: the verdict and what to type next in 12 lines, the rest with `verbose`.

A terminal, a pipe, `print(outcome)` and a log show the same lines. Only the colour differs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace

from incumbent.core import Challenger, Outcome
from incumbent.report._sentences import located
from incumbent.report._units import Unit, finite, unit_of
from incumbent.report._view import TestRow, View, metric_rows, stages, view_of
from incumbent.words import as_words, clean, format_duration

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
    # commands stay whole, to be copied
    commands = [("Report", report or text) if label == "Report" else (label, text) for label, text in view.commands]
    tail = [Line(f"{label + ':':{_INDENT}}{text}", "dim", 0, len(label) + 1) for label, text in commands]
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
    made = "Failed" if outcome.chosen is None else "Strategy"
    return {"Next": " ".join(view.advice[:2]), made: view.strategy, "Warning": view.warning}


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
        initial_indent=f"{label + ': ':{_INDENT}}",
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
    cells = ((clean(row.label, labels), *astuple(row)[1:]) for row in shown)
    head, *lines = _fitting([_heads(view), *cells], width)
    yield Line(head[:width].rstrip(), "dim")
    for line, row in zip(lines, shown, strict=True):
        start = line.rfind(row.state)
        yield Line(line[:width].rstrip(), COLOUR[row.state], start, len(line))
    if len(view.tests) > len(shown):
        yield Line(f"and {len(view.tests) - len(shown)} more tests: --verbose", "dim")


def _fitting(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the table in lines; a narrow terminal loses rows, scores and limit, in this order."""
    for drop in (6, 1, 1, 3):
        made = columns(rows, "<" + ">" * (len(rows[0]) - 2) + "<")
        if max(map(len, made)) <= width:
            return made
        rows = [(*row[:drop], *row[drop + 1 :]) for row in rows]
    return columns(rows, "<" + ">" * (len(rows[0]) - 2) + "<")


def _label_width(view: View, rows: Sequence[TestRow], width: int) -> int:
    """Return how many characters of a label there is room for."""
    others = [_heads(view)[1:], *(astuple(row)[1:] for row in rows)]
    return max(8, width - sum(2 + max(map(len, column)) for column in zip(*others, strict=True)))


def _heads(view: View) -> tuple[str, ...]:
    metric, *others = view.heads
    return clean(metric, _LONGEST_METRIC), *others


def _details(outcome: Outcome, view: View, width: int) -> Iterator[Line]:
    """Yield what the short text leaves out."""
    for part in (_challengers(outcome, width), _metrics(outcome, view), _facts(outcome, width)):
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
        skipped = f"not tried: {c.skip_reason}" if c.skip_reason else "; ".join(c.notes)
        text = f"failed: {c.error}" if c.error else skipped
        for part in textwrap.wrap(clean(text), width - 4):
            yield Line(f"    {part}", "red" if c.error else "dim")


def _challenger(c: Challenger, unit: Unit, width: int) -> tuple[str, ...]:
    gain = unit.change(c.gain) if finite([c.gain]) else ""
    score = unit.score(c.score) if finite([c.score]) else ""
    time = format_duration(c.seconds) if c.seconds else ""
    return clean(c.strategy, width - 36), gain, score, time, "tested" if c.chosen else ""


def _metrics(outcome: Outcome, view: View) -> Iterator[Line]:
    _, champion, challenger, *_ = view.heads
    for name, rows in (("new", "new rows"), ("anchor", "old rows")):
        if name in outcome.comparisons:
            found = metric_rows(outcome, outcome.comparisons[name])
            named = ((clean(as_words(metric), _LONGEST_METRIC), *cells) for metric, *cells in found)
            first, *lines = columns([(rows, champion, challenger, "change"), *named], "<>>>")
            yield Line(first, "dim")
            yield from map(Line, lines)


def _facts(outcome: Outcome, width: int) -> Iterator[Line]:
    """Yield the rest, a label and a sentence each."""
    verdict = outcome.verdict
    facts = [
        *(("Test", reason.text) for reason in verdict.reasons),
        ("Guarantee", verdict.guarantee),
        *((finding.level.capitalize(), located(finding.column, finding.text)) for finding in outcome.check.findings),
        ("Rows", ", ".join(f"{as_words(name)} {n:,}" for name, n in outcome.rows.items() if n)),
        ("Time", ", ".join(f"{as_words(name)} {format_duration(s)}" for name, s in stages(outcome.cost).items())),
        *(("Advice", text) for text in verdict.advice[2:]),
        ("Seed", str(outcome.seed)),
    ]
    for label, text in facts:
        yield from labelled(label, text, width)
