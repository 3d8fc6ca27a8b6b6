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
from incumbent.registry._folders import State, Version
from incumbent.registry._images import files_of
from incumbent.registry._record import came_live, line
from incumbent.registry._stored import RegistryBase
from incumbent.store import Store
from incumbent.updating import safe_predict

if TYPE_CHECKING:
    import pandas as pd


class ReadVerbs(RegistryBase):
    """The verbs that change nothing."""

    def champion(self, name: str) -> int:
        """Return the version that is live."""
        return self.store.champion(name)

    def version(self, name: str, version: int | None = None) -> Version:
        """Return a stored version, the champion by default: its model, schema, gate, and how it was made."""
        return self._models.version(name, version)

    def load(self, name: str, version: int | None = None) -> Any:
        """Return the native model of a version, the champion by default."""
        return self.version(name, version).model.native

    def state(self, name: str) -> State:
        """Return what the next update starts from: memory, anchor set, runners-up, error control."""
        return self._models.state(name)

    def predict(self, name: str, rows: Any, *, version: int | None = None) -> pd.DataFrame:
        """Return predictions for rows without labels: the column "prediction", and one "proba_CLASS" for each class.

        If a row has several labels or values at once, the columns are "prediction_LABEL" and "proba_LABEL". For a
        folder of images the column "file" comes first.

        Raises
        ------
        RegistryError
            There is no such model or version.
        DataError
            The rows lack columns that the model was trained on.
        """
        import pandas as pd

        stored = self.version(name, version)
        batch, _ = stored.schema.check(stored.schema.read(rows), labelled=False)
        predictions = safe_predict(stored.model, batch.x, "these rows")
        files = files_of(rows)
        named = {} if files is None else {"file": files}
        return pd.DataFrame({**named, **_label_columns(predictions), **_proba_columns(predictions)})

    def evaluate(self, name: str, rows: Any, *, version: int | None = None) -> dict[str, float]:
        """Return every metric of a version on labelled rows."""
        stored = self.version(name, version)
        batch, _ = stored.schema.check(stored.schema.read(rows))
        predictions = safe_predict(stored.model, batch.x, "these rows")
        task = stored.model.task
        found: dict[str, float] = metrics.scores(batch.labels, predictions, task=task, weight=batch.weight)
        return {"rows": len(batch), **found}

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return every event of a model, newest first."""
        waiting = self.store.candidate(name)
        return [line(record, waiting) for record in self.store.history(name)]

    def models(self) -> list[dict[str, Any]]:
        """Return every model: its live version, the number of versions, and its last event."""
        return [_summary(self.store, name) for name in self.store.names()]

    def show(self, name: str, version: int | None = None) -> dict[str, Any]:
        """Return what is known of a version, the champion by default."""
        store, live = self.store, self.store.champion(name)
        number = live if version is None else version
        self._models.check_exists(name, number)
        info = next(v for v in store.versions(name) if v.version == number)
        stored = self.version(name, number)
        state = self.state(name) if number == live else State.load(store.state(name, number))
        return {
            "name": name,
            "version": number,
            "status": info.status,
            "created": info.created.isoformat(timespec="seconds"),
            "came_live": came_live(store.history(name), number),
            "model": repr(stored.model.native),
            "task": stored.model.task,
            "abilities": sorted(stored.model.abilities),
            "made_by": dict(stored.made_by),
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

    def report(self, name: str, path: str | Path, *, update: str | None = None) -> Path:
        """Copy the page of an update, the latest by default, to `path`.

        Raises
        ------
        RegistryError
            There is no update yet, or no such one.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise UsageError(f"There is no folder {target.parent} to write {target.name} into.")
        done = (r.id for r in self.store.history(name) if r.kind == "update" and r.status == "done")
        id = update or next(done, None)
        if id is None:
            raise RegistryError(
                f"{name!r} has no update yet, so there is no report; incumbent update FILE --name {name}"
            )
        target.write_bytes(self.store.artifact(name, id, "report.html").read_bytes())
        return target

    def outcome(self, name: str, update: str) -> dict[str, Any]:
        """Return the recorded outcome of an update, as ``--json`` printed it."""
        found: dict[str, Any] = json.loads(self.store.artifact(name, update, "outcome.json").read_text())
        return found


def _label_columns(predictions: Prediction) -> Mapping[str, Any]:
    if np.ndim(predictions.label) == 1:
        return {"prediction": predictions.label}
    names = range(predictions.label.shape[1]) if predictions.classes is None else predictions.classes
    return {f"prediction_{name}": predictions.label[:, i] for i, name in enumerate(names)}


def _proba_columns(predictions: Prediction) -> Mapping[str, Any]:
    if predictions.proba is None or predictions.classes is None:
        return {}
    return {f"proba_{label}": predictions.proba[:, i] for i, label in enumerate(predictions.classes)}


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
