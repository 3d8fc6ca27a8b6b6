"""Where challengers are trained: here, on this machine."""

from __future__ import annotations

from incumbent.engine._budget import interrupted_at as interrupted_at
from incumbent.engine._budget import seconds as seconds
from incumbent.engine._local import bound as bound
from incumbent.engine._local import train as train

__all__ = ["bound", "interrupted_at", "seconds", "train"]
