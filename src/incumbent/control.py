"""The old place of `incumbent.gate.budget`, kept for one release."""

from incumbent._deprecated import deprecated_names

_NAMES = "CONTROLS ErrorControl OLD_WORDS AlphaSpending OnlineFDR PerUpdate Share Spending control restore"

__getattr__ = deprecated_names(__name__, {name: f"incumbent.gate.budget.{name}" for name in _NAMES.split()})
