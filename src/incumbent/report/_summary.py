"""The outcome in a notebook: a few lines with inline styles, on any background."""

from __future__ import annotations

import math
from collections.abc import Iterator

from incumbent.core import Outcome, Reason
from incumbent.report._bars import Axis, esc, minus
from incumbent.report._view import TestRow, test_row, view_of

# Middle tones: each has 3:1 and more on white as well as on a dark notebook.
_COLOUR = {"promote": "#1d9a57", "reject": "#e0483e", "inconclusive": "#b97a10", "waits": "#3b78e7"}
_CELL = "padding:4px 14px 4px 0;text-align:left;border:0;background:none;color:inherit;vertical-align:middle"
_FAINT = "opacity:.72;font-size:12.5px"


def to_html_summary(outcome: Outcome) -> str:
    """Return the outcome as a notebook shows it: the verdict, a row per test, and what to do next.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    """
    view = view_of(outcome)
    colour = _COLOUR["waits" if outcome.candidate else outcome.decision]
    badge = f"background:{colour};color:#fff;border-radius:99px;padding:2px 11px;font-weight:650;font-size:13px"
    chosen = outcome.chosen
    who = "" if chosen is None else f'<div style="margin:2px 0 10px"><code>{esc(chosen.strategy)}</code></div>'
    return (
        '<div style="font:14px/1.5 system-ui,sans-serif;color:inherit;max-width:780px;padding:4px 0">'
        f'<span style="{badge}">{view.word}</span>'
        f'<div style="font-size:18px;font-weight:650;margin-top:8px">{esc(view.sentence)}</div>{who}'
        f"{_table(_reason(r, test_row(outcome, r)) for r in outcome.verdict.reasons)}"
        f"{''.join(f'<div>next: {esc(text)}</div>' for text in view.advice)}"
        f'<div style="{_FAINT};margin-top:6px">outcome.report("report.html") writes the whole page.</div></div>'
    )


def _table(rows: Iterator[str]) -> str:
    body = "".join(f'<tr style="background:none;color:inherit">{row}</tr>' for row in rows)
    style = "color:inherit;border-collapse:collapse;border:0;margin:0 0 10px;font-size:13.5px"
    return f'<table style="{style}">{body}</table>' if body else ""


def _reason(reason: Reason, row: TestRow) -> str:
    colour = _COLOUR["promote" if reason.holds else "reject" if reason.violated else "inconclusive"]
    scores = f"{esc(row.champion)} → <b>{esc(row.challenger)}</b>" if row.champion else ""
    bound = f'{esc(minus(row.bound))} <span style="{_FAINT}">needed {esc(row.needed)}</span>'
    cells = (f'<b style="color:{colour}">{row.state}</b>', esc(row.label), scores, bound, _bar(reason, colour))
    return "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells)


def _bar(reason: Reason, colour: str) -> str:
    i = reason.interval
    low, high, mid = (0.0, reason.value, reason.value) if i is None else (i.lower, i.upper, i.value)
    if any(map(math.isnan, (low, high, mid, reason.limit))):
        return ""
    axis = Axis.around([reason.value, reason.limit, low, high], pad=0.08)
    a, b, m, at = (axis.at(x) for x in (low, high, mid, reason.limit))
    return (
        f'<svg width="190" height="18" role="img" aria-label="{esc(reason.text)}" style="display:block">'
        f'<line x1="{at}%" x2="{at}%" y1="1" y2="17" stroke="currentColor" stroke-dasharray="3 2" stroke-width="1.5"/>'
        f'<line x1="{a}%" x2="{b}%" y1="9" y2="9" stroke="{colour}" stroke-width="3"/>'
        f'<circle cx="{m}%" cy="9" r="4.5" fill="{colour}"/></svg>'
    )
