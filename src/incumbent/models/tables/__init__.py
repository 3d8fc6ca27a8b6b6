"""scikit-learn estimators and Pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.models.tables._descent import Schedule as Schedule
    from incumbent.models.tables._descent import choose_rate as choose_rate
    from incumbent.models.tables._descent import descend as descend
    from incumbent.models.tables._optimisers import stepper as stepper
    from incumbent.models.tables._problem import Problem as Problem
    from incumbent.models.tables._problem import problem_of as problem_of

_HOME = {
    "Problem": "_problem",
    "Schedule": "_descent",
    "choose_rate": "_descent",
    "descend": "_descent",
    "problem_of": "_problem",
    "stepper": "_optimisers",
}

__all__ = ["Problem", "Schedule", "choose_rate", "descend", "problem_of", "stepper"]

__getattr__, __dir__ = on_demand(__name__, _HOME)
