"""Every noun of Incumbent and the contracts between them. Read this package first.

An update reads from top to bottom here. `_rows` holds a `Batch` of new rows, and what is kept of old rows: a `Memory`
and an `AnchorSet`. `_check` has the findings of a data check. `_recipe` says how to make a challenger: a strategy edits
a `Recipe` of five elements (`_elements`) and their options (`_options`). `_model` says what a `Model` must provide to
follow it. Champion and challenger predict the same unseen rows. That is the `Evidence` from which a gate makes a
`Verdict` (`_evidence`). All of it is an `Outcome` (`_outcome`).

Nothing here imports a framework, pandas or scikit-learn: this package costs NumPy and nothing more.
"""

from __future__ import annotations

from incumbent._deprecated import deprecated_names
from incumbent.core._abilities import ABILITIES
from incumbent.core._check import DataCheck, Finding
from incumbent.core._elements import ELEMENTS, OPTIMIZERS, Data, Finish, Loss, Optimizer, Structure
from incumbent.core._evidence import Evidence, Interval, PairedPredictions, PrequentialEvidence, Reason, Verdict
from incumbent.core._model import (
    BaseModel,
    HasFeatures,
    HasLogits,
    HasWeights,
    Metric,
    Model,
    Prediction,
    SplitModel,
    Strategy,
    has_features,
    has_logits,
    has_weights,
    is_model,
    is_net,
    is_split,
    lacking_members,
)
from incumbent.core._model_0_1 import complete_adapter
from incumbent.core._options import (
    OPTIONS,
    Architecture,
    Distill,
    Ensemble,
    Exact,
    FreshHead,
    LowRank,
    NewClasses,
    Option,
    Perturb,
    Pull,
    RefitLeaves,
    ReplayRows,
    Search,
    StoredLogits,
    Subset,
    TaskObjective,
    Trees,
)
from incumbent.core._outcome import Challenger, Comparison, Event, Outcome, Progress, Renderer, silent
from incumbent.core._read_recipe import read_recipe
from incumbent.core._recipe import Recipe
from incumbent.core._rows import AnchorSet, Batch, Memory
from incumbent.core._values import Array, Decision, Floats, Importance, Task, Value

__all__ = [
    # rows: `_rows`, `_check`
    "Batch",
    "Memory",
    "AnchorSet",
    "DataCheck",
    "Finding",
    # a recipe: `_recipe`, `_elements`, `_options`
    "Recipe",
    "read_recipe",
    "ELEMENTS",
    "Data",
    "Structure",
    "Loss",
    "Optimizer",
    "Finish",
    "OPTIMIZERS",
    "OPTIONS",
    "Option",
    "ReplayRows",
    "Subset",
    "Trees",
    "RefitLeaves",
    "Search",
    "FreshHead",
    "Exact",
    "NewClasses",
    "LowRank",
    "Architecture",
    "Perturb",
    "Pull",
    "Distill",
    "StoredLogits",
    "TaskObjective",
    "Ensemble",
    # a model, a strategy and a metric: `_model`, `_abilities`
    "Model",
    "BaseModel",
    "Prediction",
    "HasWeights",
    "HasLogits",
    "HasFeatures",
    "SplitModel",
    "is_model",
    "lacking_members",
    "is_net",
    "is_split",
    "has_weights",
    "has_logits",
    "has_features",
    "complete_adapter",
    "ABILITIES",
    "Strategy",
    "Metric",
    # evidence and verdict: `_evidence`
    "PairedPredictions",
    "Interval",
    "PrequentialEvidence",
    "Evidence",
    "Reason",
    "Verdict",
    # an outcome: `_outcome`
    "Outcome",
    "Challenger",
    "Comparison",
    "Renderer",
    "Event",
    "Progress",
    "silent",
    # values: `_values`
    "Value",
    "Array",
    "Floats",
    "Task",
    "Decision",
    "Importance",
]

__getattr__ = deprecated_names(
    __name__,
    {
        "Differentiable": "HasWeights",
        "LineEvidence": "PrequentialEvidence",
        "Optimiser": "Optimizer",
        "Outspoken": "HasLogits",
        "Paired": "PairedPredictions",
        "differentiable": "has_weights",
        "outspoken": "has_logits",
    },
)
