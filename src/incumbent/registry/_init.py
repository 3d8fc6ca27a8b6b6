"""Bring in the model that is live today as the first version of a name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import DataCheck, Model, Task
from incumbent.data import Schema
from incumbent.errors import RegistryError
from incumbent.gate import Gate
from incumbent.models import open_model, wrap
from incumbent.registry._folders import State, Version, written
from incumbent.registry._images import prepared_otherwise
from incumbent.store import Store
from incumbent.updating import LiveModel, safe_predict


@dataclass(frozen=True, eq=False)
class Registered:
    """A model that was brought in.

    Parameters
    ----------
    name : str
        Its name.
    version : int
        Its version, which is live.
    model : Model
        Its adapter; `model.abilities` says what it can do.
    schema : Schema
        What its data look like.
    check : DataCheck
        What was found in the rows it was trained on.
    remembered, anchored : int
        Rows in the memory and in the anchor set.
    """

    name: str
    version: int
    model: Model
    schema: Schema
    check: DataCheck
    remembered: int
    anchored: int


def init(
    store: Store,
    name: str,
    model: Any,
    data: Any,
    *,
    target: str,
    anchor: Any,
    time: str | None,
    group: str | None,
    task: Task | None,
    gate: Gate | None,
    trust_pickle: bool,
    factory: Any,
    arguments: Mapping[str, Any] | None,
    prepare: Any,
    size: int | str | tuple[int, int] | None,
    seed: int,
    user: str | None,
) -> Registered:
    """Bring a model in; see `Registry.init`."""
    build = {"factory": factory, "arguments": arguments}
    champion = wrap(_opened(store, model, trust_pickle=trust_pickle, **build), **build, prepare=prepare)
    live, rows, check = LiveModel.from_rows(
        champion, data, target=target, anchor=anchor, time=time, group=group, task=task, gate=gate, size=size, seed=seed
    )
    safe_predict(live.model, rows.take(np.arange(min(len(rows), 100))).x, "the rows of --data")
    check = check.replace(findings=(*check.findings, *live.notes, *prepared_otherwise(live.model, rows)))
    rule = live.gate.fixed(rows.x) if live.gate.slices else live.gate
    version = Version(live.model, live.schema, rule, {"strategy": "init", "seed": seed})
    with (
        written(version, State(live.memory, live.anchor)) as (made, state),  # first: fails if it cannot be stored
        store.event(name, "init", user=user) as event,
    ):
        event.params({"data": check.source, "data_digest": check.digest, "rows": len(rows)})
        number = event.add_version(made, {"strategy": "init", "model": type(champion.native).__name__})
        event.keep_state(state)
        counts = {"read": len(rows), "anchor": len(live.anchor)}
        info = {"source": check.source, "digest": check.digest, "rows": counts}
        event.conclude(decision="init", deploy=number, info=info)
    return Registered(name, number, live.model, live.schema, check, len(live.memory), len(live.anchor))


def _opened(store: Store, model: Any, *, trust_pickle: bool, **net: Any) -> Any:
    """Return the native model. An address in MLflow is looked up in this store first."""
    if not isinstance(model, str | Path):
        return model
    if not str(model).startswith(("models:/", "runs:/")):
        return open_model(model, trust_pickle=trust_pickle, **net)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = store.fetch(str(model), Path(folder))
        except RegistryError:
            elsewhere = os.environ.get("MLFLOW_TRACKING_URI")
            if not elsewhere:
                raise
            found = Store(elsewhere).fetch(str(model), Path(folder))
        return open_model(found, trust_pickle=trust_pickle)
