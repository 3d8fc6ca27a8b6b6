"""The command line: a thin layer over `incumbent.Registry`, which does the same in Python."""

from __future__ import annotations

from incumbent.cli._main import main as main
from incumbent.cli._main import run as run

__all__ = ["main", "run"]
