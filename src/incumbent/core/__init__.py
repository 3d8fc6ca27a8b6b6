"""Every noun of Incumbent and the contracts between them. Read this package first.

An update reads from top to bottom here. `_rows` holds a `Batch` of new rows, and what is kept of the old ones: a
`Memory` and an `AnchorSet`. `_check` holds what was found in them. `_recipe` says how to make a challenger: a strategy
edits a `Recipe`. `_model` says what a `Model` must provide to follow it. Both models predict the same unseen rows,
which makes `Evidence`; a gate turns it into a `Verdict` (`_evidence`). All of it is an `Outcome` (`_outcome`).

Nothing here imports a framework, pandas or scikit-learn: this package costs NumPy and nothing more.
"""

from __future__ import annotations

from incumbent._deprecated import deprecated_names
from incumbent.core._abilities import ABILITIES as ABILITIES
from incumbent.core._check import DataCheck as DataCheck
from incumbent.core._check import Finding as Finding
from incumbent.core._elements import ELEMENTS as ELEMENTS
from incumbent.core._elements import OPTIMIZERS as OPTIMIZERS
from incumbent.core._elements import Data as Data
from incumbent.core._elements import Finish as Finish
from incumbent.core._elements import Loss as Loss
from incumbent.core._elements import Optimizer as Optimizer
from incumbent.core._elements import Structure as Structure
from incumbent.core._evidence import Evidence as Evidence
from incumbent.core._evidence import Interval as Interval
from incumbent.core._evidence import PairedPredictions as PairedPredictions
from incumbent.core._evidence import PrequentialEvidence as PrequentialEvidence
from incumbent.core._evidence import Reason as Reason
from incumbent.core._evidence import Verdict as Verdict
from incumbent.core._model import BaseModel as BaseModel
from incumbent.core._model import HasFeatures as HasFeatures
from incumbent.core._model import HasLogits as HasLogits
from incumbent.core._model import HasWeights as HasWeights
from incumbent.core._model import Metric as Metric
from incumbent.core._model import Model as Model
from incumbent.core._model import Prediction as Prediction
from incumbent.core._model import SplitModel as SplitModel
from incumbent.core._model import Strategy as Strategy
from incumbent.core._model import has_features as has_features
from incumbent.core._model import has_logits as has_logits
from incumbent.core._model import has_weights as has_weights
from incumbent.core._model import is_model as is_model
from incumbent.core._model import is_net as is_net
from incumbent.core._model import is_split as is_split
from incumbent.core._model_0_1 import completed as completed
from incumbent.core._options import OPTIONS as OPTIONS
from incumbent.core._options import Architecture as Architecture
from incumbent.core._options import Distill as Distill
from incumbent.core._options import Ensemble as Ensemble
from incumbent.core._options import Exact as Exact
from incumbent.core._options import FreshHead as FreshHead
from incumbent.core._options import LowRank as LowRank
from incumbent.core._options import NewClasses as NewClasses
from incumbent.core._options import Option as Option
from incumbent.core._options import Perturb as Perturb
from incumbent.core._options import Pull as Pull
from incumbent.core._options import RefitLeaves as RefitLeaves
from incumbent.core._options import ReplayRows as ReplayRows
from incumbent.core._options import Search as Search
from incumbent.core._options import StoredLogits as StoredLogits
from incumbent.core._options import Subset as Subset
from incumbent.core._options import TaskObjective as TaskObjective
from incumbent.core._options import Trees as Trees
from incumbent.core._outcome import Challenger as Challenger
from incumbent.core._outcome import Comparison as Comparison
from incumbent.core._outcome import Event as Event
from incumbent.core._outcome import Outcome as Outcome
from incumbent.core._outcome import Progress as Progress
from incumbent.core._outcome import Renderer as Renderer
from incumbent.core._outcome import silent as silent
from incumbent.core._read_recipe import read_recipe as read_recipe
from incumbent.core._recipe import Recipe as Recipe
from incumbent.core._rows import AnchorSet as AnchorSet
from incumbent.core._rows import Batch as Batch
from incumbent.core._rows import Memory as Memory
from incumbent.core._values import Array as Array
from incumbent.core._values import Decision as Decision
from incumbent.core._values import Floats as Floats
from incumbent.core._values import Importance as Importance
from incumbent.core._values import Task as Task
from incumbent.core._values import Value as Value

__all__ = [
    "ABILITIES",
    "AnchorSet",
    "Architecture",
    "Array",
    "BaseModel",
    "Batch",
    "Challenger",
    "Comparison",
    "Data",
    "DataCheck",
    "Decision",
    "Distill",
    "ELEMENTS",
    "Ensemble",
    "Event",
    "Evidence",
    "Exact",
    "Finding",
    "Finish",
    "Floats",
    "FreshHead",
    "HasFeatures",
    "HasLogits",
    "HasWeights",
    "Importance",
    "Interval",
    "PrequentialEvidence",
    "Loss",
    "LowRank",
    "Memory",
    "Metric",
    "Model",
    "NewClasses",
    "OPTIMIZERS",
    "OPTIONS",
    "Optimizer",
    "Option",
    "Outcome",
    "PairedPredictions",
    "Perturb",
    "Prediction",
    "Progress",
    "Pull",
    "Reason",
    "Recipe",
    "RefitLeaves",
    "Renderer",
    "ReplayRows",
    "Search",
    "SplitModel",
    "StoredLogits",
    "Strategy",
    "Structure",
    "Subset",
    "Task",
    "TaskObjective",
    "Trees",
    "Value",
    "Verdict",
    "completed",
    "has_features",
    "has_logits",
    "has_weights",
    "is_model",
    "is_net",
    "is_split",
    "read_recipe",
    "silent",
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
