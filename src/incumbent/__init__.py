"""Update machine-learning models in production, and promote only a model that is proven better.

The model in production is the incumbent. When new data arrives, challengers are trained. One replaces the incumbent
only if it is proven better on new rows and no worse on old ones. Otherwise nothing changes, and you read why.

Examples
--------
A live model, the rows that it was trained on, and new rows that follow another rule:

>>> import numpy as np
>>> from sklearn.linear_model import LogisticRegression
>>> import incumbent
>>> rng = np.random.default_rng(0)
>>> x = rng.normal(size=(9000, 3))
>>> y = np.where(np.arange(9000) < 3000, x[:, 0] > 0, x[:, 0] + x[:, 1] > 0).astype(int)
>>> live = LogisticRegression().fit(x[:3000], y[:3000])

`update` decides whether a challenger should replace it, and returns a native model of the same kind:

>>> outcome = incumbent.update(live, (x[3000:], y[3000:]), data=(x[:3000], y[:3000]), seed=0)
>>> outcome.decision
'reject'
>>> [reason.holds for reason in outcome.verdict.reasons]
[True, False]

The challenger is better on the new rows and worse on the old ones: the rule has changed. If the old rows no longer
matter, switch off their condition:

>>> outcome = incumbent.update(live, (x[3000:], y[3000:]), gate=incumbent.Gate(tolerance=None), strategies="retrain")
>>> outcome.decision, type(outcome.model).__name__
('promote', 'LogisticRegression')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.core import Batch as Batch
    from incumbent.core import Evidence as Evidence
    from incumbent.core import Memory as Memory
    from incumbent.core import Outcome as Outcome
    from incumbent.core import Recipe as Recipe
    from incumbent.core import Verdict as Verdict
    from incumbent.data import Schema as Schema
    from incumbent.data import read as read
    from incumbent.errors import IncumbentError as IncumbentError
    from incumbent.evidence.live import Monitor as Monitor
    from incumbent.gate import Gate as Gate
    from incumbent.gate import Limit as Limit
    from incumbent.gate.slices import Slice as Slice
    from incumbent.models import open_model as open_model
    from incumbent.models import wrap as wrap
    from incumbent.registry import Registry as Registry
    from incumbent.strategies import chain as chain
    from incumbent.updating import update as update

__version__ = "0.1.0"

_HOME = {
    "Batch": "core",
    "Evidence": "core",
    "Gate": "gate",
    "IncumbentError": "errors",
    "Limit": "gate",
    "Memory": "core",
    "Monitor": "evidence.live",
    "Outcome": "core",
    "Recipe": "core",
    "Registry": "registry",
    "Schema": "data",
    "Slice": "gate.slices",
    "Verdict": "core",
    "chain": "strategies",
    "open_model": "models",
    "read": "data",
    "update": "updating",
    "wrap": "models",
}

__all__ = sorted([*_HOME, "__version__"])

__getattr__, __dir__ = on_demand(__name__, _HOME, ["__version__"])
