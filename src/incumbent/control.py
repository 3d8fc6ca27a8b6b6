"""The old place of `incumbent.gate.budget`, kept for one release."""

from incumbent._deprecated import deprecated_names

_HOME = {
    "CONTROLS": "incumbent.gate.budget.CONTROLS",
    "ErrorControl": "incumbent.gate.budget.ErrorControl",
    "OLD_WORDS": "incumbent.gate.budget.OLD_WORDS",
    "AlphaSpending": "incumbent.gate.budget.AlphaSpending",
    "OnlineFDR": "incumbent.gate.budget.OnlineFDR",
    "PerUpdate": "incumbent.gate.budget.PerUpdate",
    "Share": "incumbent.gate.budget.OnlineFDR",
    "Spending": "incumbent.gate.budget.AlphaSpending",
    "control": "incumbent.gate.budget.control",
    "restore": "incumbent.gate.budget.restore",
}

__getattr__ = deprecated_names(__name__, _HOME)
