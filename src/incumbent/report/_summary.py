"""The outcome in a notebook: the lines of the short text, as a table with inline styles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple

from incumbent.core import Outcome
from incumbent.report._drawings import esc, minus
from incumbent.report._view import view_of

# Middle tones: each has a contrast of 3:1 or more on white and on a dark notebook.
_COLOUR = {"promote": "#1d9a57", "reject": "#e0483e", "inconclusive": "#b97a10", "waits": "#3b78e7"}
_STATES = {"pass": "promote", "FAIL": "reject", "unclear": "inconclusive"}
_CELL = "padding:3px 14px 3px 0;border:0;background:none;color:inherit"


def to_html_summary(outcome: Outcome) -> str:
    """Return the outcome as a notebook shows it: the verdict, a row per test, and what to do next.

    Parameters
    ----------
    outcome : Outcome
        The outcome of an update.
    """
    view = view_of(outcome)
    colour = _COLOUR["waits" if outcome.candidate else outcome.decision]
    badge = f"background:{colour};color:#fff;border-radius:99px;padding:2px 11px;font-weight:650;font-size:13px"
    rows = [_row(view.heads, "opacity:.72", "")] if view.tests else []
    rows += [_row(astuple(row), "", f"color:{_COLOUR[_STATES[row.state]]};font-weight:650") for row in view.tests]
    table = f'<table style="color:inherit;border-collapse:collapse;border:0;font-size:13.5px">{"".join(rows)}</table>'
    after = [view.strategy, *(f"Next: {text}" for text in view.advice), *(": ".join(c) for c in view.commands)]
    return (
        '<div style="font:14px/1.5 system-ui,sans-serif;color:inherit;max-width:780px;padding:4px 0">'
        f'<span style="{badge}">{view.word}</span>'
        f'<div style="font-size:18px;font-weight:650;margin:8px 0">{esc(view.sentence)}</div>'
        f"{table if view.tests else ''}"
        f"{''.join(f'<div>{esc(text)}</div>' for text in after if text)}</div>"
    )


def _row(cells: Iterable[str], style: str, last: str) -> str:
    *shown, state = (esc(minus(cell)) for cell in cells)
    sides = ("left", *("right",) * (len(shown) - 1))
    row = "".join(f'<td style="{_CELL};text-align:{s}">{cell}</td>' for s, cell in zip(sides, shown, strict=True))
    return f'<tr style="background:none;{style}">{row}<td style="{_CELL};{last}">{state}</td></tr>'
