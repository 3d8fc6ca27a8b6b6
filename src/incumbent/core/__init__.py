"""Every noun of Incumbent and the contracts between them. Read this package first.

An update reads from top to bottom here. `_rows` holds a `Batch` of new rows, and what is kept of the old ones: a
`Memory` and an `AnchorSet`. `_check` holds what was found in them. `_recipe` says how to make a challenger: a strategy
edits a `Recipe`. `_model` says what a `Model` must provide to follow it. Both models predict the same unseen rows,
which makes `Evidence`; a gate turns it into a `Verdict` (`_evidence`). All of it is an `Outcome` (`_outcome`).

Nothing here imports a framework, pandas or scikit-learn: this package costs NumPy and nothing more.
"""

from __future__ import annotations

from incumbent.core._check import DataCheck as DataCheck
from incumbent.core._check import Finding as Finding
from incumbent.core._evidence import Evidence as Evidence
from incumbent.core._evidence import Interval as Interval
from incumbent.core._evidence import LineEvidence as LineEvidence
from incumbent.core._evidence import Paired as Paired
from incumbent.core._evidence import Reason as Reason
from incumbent.core._evidence import Verdict as Verdict
from incumbent.core._model import Differentiable as Differentiable
from incumbent.core._model import Metric as Metric
from incumbent.core._model import Model as Model
from incumbent.core._model import Outspoken as Outspoken
from incumbent.core._model import Prediction as Prediction
from incumbent.core._model import Strategy as Strategy
from incumbent.core._model import differentiable as differentiable
from incumbent.core._model import outspoken as outspoken
from incumbent.core._outcome import Challenger as Challenger
from incumbent.core._outcome import Comparison as Comparison
from incumbent.core._outcome import Event as Event
from incumbent.core._outcome import Outcome as Outcome
from incumbent.core._outcome import Progress as Progress
from incumbent.core._outcome import Renderer as Renderer
from incumbent.core._outcome import silent as silent
from incumbent.core._recipe import ABILITIES as ABILITIES
from incumbent.core._recipe import ELEMENTS as ELEMENTS
from incumbent.core._recipe import OPTIMIZERS as OPTIMIZERS
from incumbent.core._recipe import Data as Data
from incumbent.core._recipe import Finish as Finish
from incumbent.core._recipe import Loss as Loss
from incumbent.core._recipe import Optimiser as Optimiser
from incumbent.core._recipe import Recipe as Recipe
from incumbent.core._recipe import Structure as Structure
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
    "Array",
    "Batch",
    "Challenger",
    "Comparison",
    "Data",
    "DataCheck",
    "Decision",
    "Differentiable",
    "ELEMENTS",
    "Event",
    "Evidence",
    "Finding",
    "Finish",
    "Floats",
    "Importance",
    "Interval",
    "LineEvidence",
    "Loss",
    "Memory",
    "Metric",
    "Model",
    "OPTIMIZERS",
    "Optimiser",
    "Outcome",
    "Outspoken",
    "Paired",
    "Prediction",
    "Progress",
    "Reason",
    "Recipe",
    "Renderer",
    "Strategy",
    "Structure",
    "Task",
    "Value",
    "Verdict",
    "differentiable",
    "outspoken",
    "silent",
]
