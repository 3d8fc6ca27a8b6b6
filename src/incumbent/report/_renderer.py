"""The renderer of every outcome that an update makes. It imports a format on first use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from incumbent.core import Outcome


@final
@dataclass(frozen=True)
class ReportRenderer:
    """Render an outcome as text, as a page, for a notebook or as plain data (`incumbent.core.Renderer`)."""

    def to_dict(self, outcome: Outcome) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""
        from incumbent.report._dict import to_dict

        return to_dict(outcome)

    def to_text(self, outcome: Outcome, *, verbose: bool = False) -> str:
        """Return the lines that a terminal shows; with `verbose` also the details."""
        from incumbent.report._text import to_text

        return to_text(outcome, verbose=verbose)

    def to_html_summary(self, outcome: Outcome) -> str:
        """Return the summary that a notebook shows."""
        from incumbent.report._summary import to_html_summary

        return to_html_summary(outcome)

    def write(self, outcome: Outcome, path: Path) -> Path:
        """Write one self-contained HTML page and return its path."""
        from incumbent.report._page import write

        return write(outcome, path)
