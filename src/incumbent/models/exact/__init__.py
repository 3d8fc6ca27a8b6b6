"""A head that is solved exactly on frozen features, and the parts that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.models.exact._projection import RandomReLU as RandomReLU
    from incumbent.models.exact._ridge import solve as solve
    from incumbent.models.exact._statistics import Statistics as Statistics
    from incumbent.models.exact._statistics import gather as gather

__all__ = ["RandomReLU", "Statistics", "gather", "solve"]

__getattr__, __dir__ = on_demand(
    __name__, {"RandomReLU": "_projection", "solve": "_ridge", "Statistics": "_statistics", "gather": "_statistics"}
)
