"""Checks of adapters and strategies, and streams with known drift.

Test your adapter with `check_model`, or each promise by itself with `yield_checks`, and your strategy with
`check_strategy`. The adapters and strategies of Incumbent pass the same checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.testing._check_model import Check as Check
    from incumbent.testing._check_model import check_model as check_model
    from incumbent.testing._check_model import yield_checks as yield_checks
    from incumbent.testing._check_strategy import check_strategy as check_strategy
    from incumbent.testing._streams import abrupt_drift_stream as abrupt_drift_stream
    from incumbent.testing._streams import gradual_drift_stream as gradual_drift_stream
    from incumbent.testing._streams import stationary_stream as stationary_stream

_HOME = {
    "Check": "_check_model",
    "abrupt_drift_stream": "_streams",
    "check_model": "_check_model",
    "check_strategy": "_check_strategy",
    "gradual_drift_stream": "_streams",
    "stationary_stream": "_streams",
    "yield_checks": "_check_model",
}

__all__ = sorted(_HOME)

_get, __dir__ = on_demand(__name__, _HOME)
_RENAMED = {"gradual": "gradual_drift_stream", "no_change": "stationary_stream", "sudden": "abrupt_drift_stream"}
__getattr__ = deprecated_names(__name__, _RENAMED, _get)
