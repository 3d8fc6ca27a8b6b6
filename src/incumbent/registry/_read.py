"""Read from a registry: predictions, scores, history, versions and reports. Nothing is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from incumbent import metrics
from incumbent.core import Prediction
from incumbent.errors import RegistryError, UsageError
from incumbent.registry._folders import State
from incumbent.registry._images import files_of
from incumbent.registry._record import came_live, line
from incumbent.registry._stored import StoredModels
from incumbent.store import Store
from incumbent.updating import safe_predict

if TYPE_CHECKING:
    import pandas as pd


def predict(models: StoredModels, name: str, rows: Any, *, version: int | None) -> pd.DataFrame:
    """Return predictions; see `Registry.predict`."""
    import pandas as pd

    stored = models.version(name, version)
    batch, _ = stored.schema.check(stored.schema.read(rows), labelled=False)
    predictions = safe_predict(stored.model, batch.x, "these rows")
    files = files_of(rows)
    named = {} if files is None else {"file": files}
    return pd.DataFrame({**named, **_label_columns(predictions), **_proba_columns(predictions)})


def _label_columns(predictions: Prediction) -> Mapping[str, Any]:
    if np.ndim(predictions.label) == 1:
        return {"prediction": predictions.label}
    names = range(predictions.label.shape[1]) if predictions.classes is None else predictions.classes
    return {f"prediction_{name}": predictions.label[:, i] for i, name in enumerate(names)}


def _proba_columns(predictions: Prediction) -> Mapping[str, Any]:
    if predictions.proba is None or predictions.classes is None:
        return {}
    return {f"proba_{label}": predictions.proba[:, i] for i, label in enumerate(predictions.classes)}


def evaluate(models: StoredModels, name: str, rows: Any, *, version: int | None) -> dict[str, float]:
    """Return every metric of a version on labelled rows."""
    stored = models.version(name, version)
    batch, _ = stored.schema.check(stored.schema.read(rows))
    predictions = safe_predict(stored.model, batch.x, "these rows")
    task = stored.model.task
    found: dict[str, float] = metrics.scores(batch.labels, predictions, task=task, weight=batch.weight)
    return {"rows": len(batch), **found}


def history(store: Store, name: str) -> list[dict[str, Any]]:
    """Return every event of a model, newest first."""
    waiting = store.candidate(name)
    return [line(record, waiting) for record in store.history(name)]


def list_models(store: Store) -> list[dict[str, Any]]:
    """Return one summary for each model of a store."""
    return [_summary(store, name) for name in store.names()]


def _summary(store: Store, name: str) -> dict[str, Any]:
    newest = store.history(name)[0]
    return {
        "name": name,
        "version": store.champion(name),
        "versions": len(store.versions(name)),
        "candidate": store.candidate(name),
        "last": newest.kind,
        "decision": newest.decision,
        "time": newest.time.isoformat(timespec="seconds"),
    }


def show(models: StoredModels, name: str, version: int | None) -> dict[str, Any]:
    """Return what is known of a version."""
    store = models.store
    live = store.champion(name)
    number = live if version is None else version
    models.check_exists(name, number)
    info = next(v for v in store.versions(name) if v.version == number)
    stored = models.version(name, number)
    state = models.state(name) if number == live else State.load(store.state(name, number))
    return {
        "name": name,
        "version": number,
        "status": info.status,
        "created": info.created.isoformat(timespec="seconds"),
        "came_live": came_live(store.history(name), number),
        "model": repr(stored.model.native),
        "task": stored.model.task,
        "abilities": sorted(stored.model.abilities),
        "made_by": dict(stored.told),
        "features": list(stored.schema.features),
        "target": stored.schema.target,
        "classes": list(stored.schema.classes or ()),
        "gate": repr(stored.gate),
        "memory_rows": len(state.memory),
        "rows_seen": state.memory.seen,
        "anchor_rows": len(state.anchor),
        "anchor_uses": state.anchor.next_use - 1,
        "standing": list(state.standing),
        "candidate": store.candidate(name),
        "store": store.url,
    }


def copy_report(store: Store, name: str, path: str | Path, *, update: str | None) -> Path:
    """Copy the page of an update to a path; see `Registry.report`."""
    target = Path(path)
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent} to write {target.name} into.")
    id = update or next((r.id for r in store.history(name) if r.kind == "update" and r.status == "done"), None)
    if id is None:
        raise RegistryError(f"{name!r} has no update yet, so there is no report; incumbent update FILE --name {name}")
    target.write_bytes(store.artifact(name, id, "report.html").read_bytes())
    return target


def outcome(store: Store, name: str, update: str) -> dict[str, Any]:
    """Return the recorded outcome of an update."""
    found: dict[str, Any] = json.loads(store.artifact(name, update, "outcome.json").read_text())
    return found
