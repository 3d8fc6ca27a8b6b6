"""The one verb: a live model and new rows go in, a verdict and the model that should be live come out."""

from __future__ import annotations

from incumbent.updating._ask import ask as ask
from incumbent.updating._case import Case as Case
from incumbent.updating._followed import Followed as Followed
from incumbent.updating._lines import Lines as Lines
from incumbent.updating._run import prepare as prepare
from incumbent.updating._run import run as run
from incumbent.updating._update import acquainted as acquainted
from incumbent.updating._update import anchor_set as anchor_set
from incumbent.updating._update import feature_names as feature_names
from incumbent.updating._update import same_classes as same_classes
from incumbent.updating._update import takes_tensors as takes_tensors
from incumbent.updating._update import task_of as task_of
from incumbent.updating._update import unseen as unseen
from incumbent.updating._update import update as update
from incumbent.updating._update import with_classes as with_classes

__all__ = [
    "Case",
    "Followed",
    "Lines",
    "acquainted",
    "anchor_set",
    "ask",
    "feature_names",
    "prepare",
    "run",
    "same_classes",
    "takes_tensors",
    "task_of",
    "unseen",
    "update",
    "with_classes",
]
