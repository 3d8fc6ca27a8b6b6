"""The command line: a thin skin over the registry. Anything it does, Python does in as many words."""

from __future__ import annotations

from incumbent.cli._main import main as main

__all__ = ["main"]
