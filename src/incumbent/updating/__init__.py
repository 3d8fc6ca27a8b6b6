"""Update a live model: train challengers on new rows, judge them, and return what should be live."""

from __future__ import annotations

from incumbent._deprecated import deprecated_names
from incumbent.updating._challengers import choose as choose
from incumbent.updating._challengers import improvement as improvement
from incumbent.updating._evidence import ENOUGH_OLD_ROWS as ENOUGH_OLD_ROWS
from incumbent.updating._evidence import old_evidence as old_evidence
from incumbent.updating._inputs import UpdateInputs as UpdateInputs
from incumbent.updating._inputs import prepare_update as prepare_update
from incumbent.updating._live import LiveModel as LiveModel
from incumbent.updating._live import UpdateState as UpdateState
from incumbent.updating._live import anchor_set as anchor_set
from incumbent.updating._live import drop_trained_rows as drop_trained_rows
from incumbent.updating._old_names import feature_names as feature_names
from incumbent.updating._old_names import takes_tensors as takes_tensors
from incumbent.updating._old_names import unseen as unseen
from incumbent.updating._outputs import infer_outputs as infer_outputs
from incumbent.updating._outputs import match_classes as match_classes
from incumbent.updating._outputs import task_of as task_of
from incumbent.updating._outputs import with_classes as with_classes
from incumbent.updating._predict import safe_predict as safe_predict
from incumbent.updating._prequential import PrequentialModels as PrequentialModels
from incumbent.updating._prequential import kind_of as kind_of
from incumbent.updating._run import run as run
from incumbent.updating._update import update as update

__all__ = [
    "ENOUGH_OLD_ROWS",
    "LiveModel",
    "PrequentialModels",
    "UpdateInputs",
    "UpdateState",
    "anchor_set",
    "choose",
    "drop_trained_rows",
    "improvement",
    "infer_outputs",
    "kind_of",
    "match_classes",
    "old_evidence",
    "prepare_update",
    "run",
    "safe_predict",
    "task_of",
    "update",
    "with_classes",
]

__getattr__ = deprecated_names(
    __name__,
    {
        "Lines": "PrequentialModels",
        "acquainted": "infer_outputs",
        "ask": "safe_predict",
        "same_classes": "match_classes",
    },
)
