"""Names that strategies had in 0.1. They go with the next release, except in stored expressions, which keep them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from incumbent.core import Strategy

OLD_STRATEGIES = {
    "Anchor": "L2SP(strength, l2_new_weights=0)",
    "Continue": "AppendTrees",
    "Grow": "AddClasses",
    "Replace": "ReplaceArchitecture",
    "Select": "SelectSubset",
}
"""What to write now for each strategy of 0.1 that has another name."""

OLD_PRESETS = {
    "anchor": "chain(L2SP(0.1, l2_new_weights=0), Incremental('adam'))",
    "continue": "chain(Replay(2000), AppendTrees(20))",
    "grow": "chain(Replay(2000), AddClasses('imprint'))",
    "replace": "ReplaceArchitecture()",
    "select": "chain(Replay(2000), SelectSubset(0.5))",
}


def old_strategy(name: str, *, warn: bool) -> Callable[..., Any]:
    """Return what makes a strategy of 0.1, a key of `OLD_STRATEGIES`. Do not warn for expressions in a store."""
    if warn:
        message = (
            f"incumbent.strategies.{name} is now {OLD_STRATEGIES[name]}. The old name will go in the next release."
        )
        warnings.warn(message, DeprecationWarning, stacklevel=3)
    found: Callable[..., Any] = getattr(import_module("incumbent.strategies"), OLD_STRATEGIES[name].partition("(")[0])
    return _anchor if name == "Anchor" else found


def _anchor(strength: float = 0.1) -> Strategy:
    """Return what ``Anchor(strength)`` was: a penalty on the distance to the champion, none on new weights."""
    l2sp: Callable[..., Strategy] = import_module("incumbent.strategies").L2SP
    return l2sp(strength, l2_new_weights=0.0)
