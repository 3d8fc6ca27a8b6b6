"""The page that a person reads, and its shorter forms: text, JSON, a notebook's display, tables for a terminal.

All of them are built from an `Outcome` alone and say the same words and numbers.
"""

from __future__ import annotations

from incumbent.report._console import history_table, outcome_view
from incumbent.report._dict import to_dict
from incumbent.report._page import write
from incumbent.report._renderer import ReportRenderer
from incumbent.report._summary import to_html_summary
from incumbent.report._text import to_text

__all__ = ["ReportRenderer", "history_table", "outcome_view", "to_dict", "to_html_summary", "to_text", "write"]
