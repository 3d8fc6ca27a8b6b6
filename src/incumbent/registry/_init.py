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
from incumbent.registry._images import find_other_prepare
from incumbent.registry._stored import RegistryBase
from incumbent.store import Store
from incumbent.updating import LiveModel, safe_predict


@dataclass(frozen=True, eq=False)
class Registered:
    """A model that was brought in.

    Parameters
    ----------
    name, version : str, int
        Its name, and its version, which is live.
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


class InitVerb(RegistryBase):
    """Bring a model in."""

    def init(
        self,
        name: str,
        model: Any,
        data: Any,
        *,
        target: str = "target",
        anchor: Any = None,
        time: str | None = None,
        group: str | None = None,
        task: Task | None = None,
        gate: Gate | None = None,
        trust_pickle: bool = False,
        factory: Any = None,
        arguments: Mapping[str, Any] | None = None,
        prepare: Any = None,
        size: int | str | tuple[int, int] | None = None,
        seed: int = 0,
        user: str | None = None,
    ) -> Registered:
        """Bring in the model that is live today as version 1 of `name`.

        Parameters
        ----------
        name : str
            Letters, digits, ``. _ -``.
        model : native model, or path
            A fitted model, a file that holds one, or ``models:/NAME@ALIAS`` or ``runs:/ID/PATH`` in MLflow.
        data : frame, array, (x, y) pair, or path
            The rows it was trained on. They give the schema and the first memory.
        target : str
            The column to predict.
        anchor : frame, array, (x, y) pair, or path, optional
            Old rows that it was *not* trained on. They test for forgetting.
        time, group : str, optional
            The column that orders the rows, and the column that says which rows belong together.
        task : {"classification", "regression"}, optional
            The task of the model, if it cannot be inferred.
        gate : Gate, optional
            The rule of promotion of all its updates.
        trust_pickle : bool
            Open a pickled model file, which can run any code.
        factory, arguments : callable or "package.module:name", and mapping, optional
            The function that builds a PyTorch module, and its arguments, if the file holds weights only.
        prepare : callable or "package.module:name", optional
            The function that prepares rows for a PyTorch module. Its name is stored with every version. For images,
            `incumbent.data` has `scale_0_1`, `scale_minus1_1` and `normalize_imagenet`.
        size : (int, int), int or str, optional
            Height and width to resize a folder of images to, such as (224, 320), "224x320", or 224 for a square. Later
            folders get the same size.
        seed : int
            The seed of all randomness.

        Raises
        ------
        RegistryError
            The name is taken.
        DataError, ModelError, TrustError
            The rows or the model cannot be used.
        """
        build = {"factory": factory, "arguments": arguments}
        champion = wrap(_opened(self.store, model, trust_pickle=trust_pickle, **build), **build, prepare=prepare)
        live, rows, check = LiveModel.from_rows(
            champion,
            data,
            target=target,
            anchor=anchor,
            time=time,
            group=group,
            task=task,
            gate=gate,
            size=size,
            seed=seed,
        )
        safe_predict(live.model, rows.take(np.arange(min(len(rows), 100))).x, "the rows of --data")
        check = check.replace(findings=(*check.findings, *live.notes, *find_other_prepare(live.model, rows)))
        rule = live.gate.fixed(rows.x) if live.gate.slices else live.gate
        version = Version(live.model, live.schema, rule, {"strategy": "init", "seed": seed})
        with (
            written(version, State(live.memory, live.anchor)) as (made, state),  # first: fails if it cannot be stored
            self.store.event(name, "init", user=user) as event,
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
