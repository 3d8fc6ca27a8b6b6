"""The outcome as plain text: for terminals, logs and pipes; at most 100 columns, no colour, the verdict first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

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
_MOST_METRICS, _MOST_TRIES, _MOST_FINDINGS, _MOST_ADVICE = 5, 7, 4, 3


def to_text(outcome: Outcome) -> str:
    """Return the outcome as at most some 40 lines of plain text.

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
    parts = (_reasons(outcome), _scores(outcome), _tries(outcome), _facts(outcome))
    blocks = [_wrap(headline(outcome), ""), *("\n".join(part) for part in (tuple(p) for p in parts) if part)]
    return "\n\n".join(blocks)


def columns(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Return rows as aligned lines; `align` says "<" or ">" for each column.

    Examples
    --------
    >>> columns([("rows", "3"), ("seconds", "12")], "<>")
    ['rows      3', 'seconds  12']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(align))]
    cells = ([format(cell, f"{a}{w}") for cell, a, w in zip(row, align, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]


def _wrap(text: str, label: str, indent: int = 8) -> str:
    lead, rest = (f"{label:{indent}}", " " * indent) if label else ("", "")
    return textwrap.fill(clean(text), WIDTH, initial_indent=lead, subsequent_indent=rest, break_long_words=True)


def _reasons(outcome: Outcome) -> Iterator[str]:
    rows = [_reason(r) for r in outcome.verdict.reasons]
    if rows:
        yield from (line[:WIDTH] for line in columns([("", "condition", "value", "needed", "seen"), *rows], "<<><<"))


def _reason(reason: Reason) -> tuple[str, ...]:
    i = reason.interval
    seen = "" if i is None else f"{number(i.value, True)}, {i.test}, {count(i.rows)} rows"
    word = "yes" if reason.holds else "NO" if reason.broken else "not shown"
    return word, clean(reason.name, 32), measured(reason), needed(reason), clean(seen, 50)


def _scores(outcome: Outcome) -> Iterator[str]:
    shown = [outcome.comparisons[name] for name in ("new", "anchor") if name in outcome.comparisons]
    if not shown:
        return
    head = ["", *(word for c in shown for word in (f"{_rows_of(c)}: champion", "challenger", "change"))]
    rows = [head]
    for metric in metrics_of(shown, outcome.metric)[:_MOST_METRICS]:
        row = [clean(wording(metric), 20)]
        for c in shown:
            pair = digits((c.champion.get(metric), c.challenger.get(metric)))
            row += [*map(number, pair), number(changed(*pair), True)] if len(pair) == 2 else ["n/a"] * 3
        rows.append(row)
    yield from columns(rows, "<" + ">" * (3 * len(shown)))


def _rows_of(comparison: Comparison) -> str:
    return "new" if comparison.name == "new" else "old"


def _tries(outcome: Outcome) -> Iterator[str]:
    tried = outcome.challengers[:_MOST_TRIES]
    if not tried:
        return
    lines = columns([("", "challenger", "gain", "score", "time"), *map(_try, tried)], "<<>>>")
    yield lines[0]
    for line, c in zip(lines[1:], tried, strict=True):
        yield line
        said = f"failed: {c.error}" if c.error else remark(c)
        if said:
            yield f"     {clean(said, WIDTH - 5)}"
    if len(outcome.challengers) > _MOST_TRIES:
        yield f"   and {len(outcome.challengers) - _MOST_TRIES} more in the report"


def _try(c: Challenger) -> tuple[str, ...]:
    spent = duration(c.seconds) if c.seconds else "-"
    shown = [number(x, sign) if digits([x]) else "-" for x, sign in ((c.gain, True), (c.score, False))]
    return "*" if c.chosen else "", clean(c.strategy, 56), *shown, spent


def _facts(outcome: Outcome) -> Iterator[str]:
    for finding in outcome.check.findings[:_MOST_FINDINGS]:
        yield _wrap(f"{finding.level}: {located(finding.column, finding.text)}", "data")
    if len(outcome.check.findings) > _MOST_FINDINGS:
        yield f"{'':8}and {len(outcome.check.findings) - _MOST_FINDINGS} more findings in the report"
    rows = ", ".join(f"{wording(name)} {count(n)}" for name, n in outcome.rows.items() if n)
    yield _wrap(rows or "none", "rows")
    if outcome.cost:
        each = ", ".join(f"{wording(name)} {duration(s)}" for name, s in stages(outcome.cost).items())
        yield _wrap(f"{duration(total_cost(outcome.cost))} in all: {each}", "cost")
    if digits([outcome.verdict.smallest_gain]):
        yield _wrap(power(outcome), "power")
    for text in advice(outcome)[:_MOST_ADVICE]:
        yield _wrap(text, "next")
