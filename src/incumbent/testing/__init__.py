"""Checks that an adapter or a strategy keeps its promises, and streams whose drift is known.

Run `check_model` on your own adapter and `check_strategy` on your own strategy: they are what those here must pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.testing._check_model import check_model as check_model
    from incumbent.testing._check_strategy import check_strategy as check_strategy
    from incumbent.testing._streams import gradual as gradual
    from incumbent.testing._streams import no_change as no_change
    from incumbent.testing._streams import sudden as sudden

_HOME = {
    "check_model": "_check_model",
    "check_strategy": "_check_strategy",
    "gradual": "_streams",
    "no_change": "_streams",
    "sudden": "_streams",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
