"""Before the labels: how many an update needs, and which rows to label.

`make_plan` turns the variance of the differences between models into numbers of rows. `choose` spends a budget of
labels on rows where champion and challenger differ, with weights that keep every mean unbiased. `estimate` is that
mean.
"""

from incumbent._deprecated import deprecated_names
from incumbent.planning._allocate import allocate, estimate
from incumbent.planning._label import Labels, Stratum, choose
from incumbent.planning._make_plan import make_plan
from incumbent.planning._plan import CROSSFIT_FRACTION, TEST_FRACTION, Need, Plan
from incumbent.planning._variance import VarianceEstimate, bound_from_champion, pool_updates, record

__all__ = [
    "TEST_FRACTION",
    "CROSSFIT_FRACTION",
    "Labels",
    "Need",
    "Plan",
    "Stratum",
    "VarianceEstimate",
    "allocate",
    "bound_from_champion",
    "choose",
    "estimate",
    "make_plan",
    "pool_updates",
    "record",
]

__getattr__ = deprecated_names(
    __name__, {"Known": "VarianceEstimate", "guess": "bound_from_champion", "pooled": "pool_updates"}
)
