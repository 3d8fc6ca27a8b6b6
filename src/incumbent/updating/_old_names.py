"""Functions of release 0.1 that have other arguments now. They go in the next release."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

from incumbent.core import AnchorSet, Batch, DataCheck, Memory, Model, Task
from incumbent.data import Schema
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl
from incumbent.updating._inputs import UpdateInputs, prepare_update
from incumbent.updating._live import LiveModel, UpdateState, drop_trained_rows
from incumbent.updating._prequential import PrequentialModels


def Case(
    champion: Model,
    batch: Batch,
    check: DataCheck,
    *,
    memory: Memory | None = None,
    anchor: AnchorSet | None = None,
    gate: Gate | None = None,
    standing: Mapping[str, Model] | None = None,
    control: ErrorControl | None = None,
    lines: PrequentialModels | None = None,
    live: str = "Retrain()",
    followed: object = None,
    **options: Any,
) -> UpdateInputs:
    """Return the inputs of an update; `LiveModel` and `prepare_update` replace this."""
    _warn("Case(champion, batch, check, ...)", "prepare_update(LiveModel(...), batch, check, ...)")
    state = UpdateState(standing or {}, control, lines or PrequentialModels(), live)
    known = (memory or Memory(), anchor or AnchorSet(), gate or Gate())
    return prepare_update(LiveModel(champion, Schema((), ""), *known, state), batch, check, **options)


def prepare(case: UpdateInputs) -> UpdateInputs:
    """Return what `Case` returned."""
    return case


def unseen(held: AnchorSet, learned: Batch, check: DataCheck, *, task: Task) -> tuple[AnchorSet, DataCheck]:
    """Return the anchor set without trained rows; `drop_trained_rows` replaces this."""
    _warn("unseen(anchor, rows, check)", "drop_trained_rows(anchor, rows)")
    kept, findings = drop_trained_rows(held, learned, task=task)
    return kept, dataclasses.replace(check, findings=(*check.findings, *findings))


def feature_names(champion: Model) -> list[str] | None:
    """Return `champion.feature_names`."""
    _warn("feature_names(model)", "model.feature_names")
    return champion.feature_names


def takes_tensors(champion: Model) -> bool:
    """Return whether `champion.takes` is "tensors"."""
    _warn("takes_tensors(model)", "model.takes == 'tensors'")
    return champion.takes == "tensors"


def _warn(old: str, new: str) -> None:
    message = f"incumbent.updating: {old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=3)
