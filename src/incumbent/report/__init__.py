"""Formats of an outcome: text, page, notebook summary and JSON. The history of a model, one event a line.

One view of an outcome (`_view`) holds the verdict, the tests and what to do next. Every format renders that view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.report._console import history_table as history_table
    from incumbent.report._console import lines_view as lines_view
    from incumbent.report._console import outcome_view as outcome_view
    from incumbent.report._counts import agreement as agreement
    from incumbent.report._counts import calibration as calibration
    from incumbent.report._counts import confusion as confusion
    from incumbent.report._dict import to_dict as to_dict
    from incumbent.report._examples import draw_examples as draw_examples
    from incumbent.report._examples import tabulate as tabulate
    from incumbent.report._history import NEWEST as NEWEST
    from incumbent.report._history import history_lines as history_lines
    from incumbent.report._page import page as page
    from incumbent.report._page import write as write
    from incumbent.report._renderer import ReportRenderer as ReportRenderer
    from incumbent.report._summary import to_html_summary as to_html_summary
    from incumbent.report._text import Line as Line
    from incumbent.report._text import outcome_lines as outcome_lines
    from incumbent.report._text import to_text as to_text
    from incumbent.report._view import TestRow as TestRow
    from incumbent.report._view import View as View
    from incumbent.report._view import view_of as view_of

_HOME = {
    "agreement": "_counts",
    "calibration": "_counts",
    "confusion": "_counts",
    "page": "_page",
    "Line": "_text",
    "ReportRenderer": "_renderer",
    "TestRow": "_view",
    "View": "_view",
    "NEWEST": "_history",
    "draw_examples": "_examples",
    "history_lines": "_history",
    "history_table": "_console",
    "lines_view": "_console",
    "outcome_lines": "_text",
    "outcome_view": "_console",
    "tabulate": "_examples",
    "to_dict": "_dict",
    "to_html_summary": "_summary",
    "to_text": "_text",
    "view_of": "_view",
    "write": "_page",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
