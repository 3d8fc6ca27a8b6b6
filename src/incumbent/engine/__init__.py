"""Train challengers: `run` follows a list of plans, here one after another in this process."""

from __future__ import annotations

from incumbent._deprecated import deprecated_names
from incumbent.engine._budget import parse_budget as parse_budget
from incumbent.engine._budget import time_limit as time_limit
from incumbent.engine._run import TrainingPlan as TrainingPlan
from incumbent.engine._run import TrainingRows as TrainingRows
from incumbent.engine._run import run as run

__all__ = ["TrainingPlan", "TrainingRows", "parse_budget", "run", "time_limit"]

__getattr__ = deprecated_names(__name__, {"interrupted_at": "time_limit", "seconds": "parse_budget"})
