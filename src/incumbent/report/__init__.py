"""The page that a person reads, and its shorter forms: text, JSON, a notebook's display, tables for a terminal.

All of them are built from an `Outcome` alone and say the same words and numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.report._console import history_table as history_table
    from incumbent.report._console import outcome_view as outcome_view
    from incumbent.report._dict import to_dict as to_dict
    from incumbent.report._page import write as write
    from incumbent.report._renderer import ReportRenderer as ReportRenderer
    from incumbent.report._summary import to_html_summary as to_html_summary
    from incumbent.report._text import to_text as to_text

_HOME = {
    "ReportRenderer": "_renderer",
    "history_table": "_console",
    "outcome_view": "_console",
    "to_dict": "_dict",
    "to_html_summary": "_summary",
    "to_text": "_text",
    "write": "_page",
}

__all__ = [
    "ReportRenderer",
    "history_table",
    "outcome_view",
    "to_dict",
    "to_html_summary",
    "to_text",
    "write",
]

__getattr__, __dir__ = on_demand(__name__, _HOME)
