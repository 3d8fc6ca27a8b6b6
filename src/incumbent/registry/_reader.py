"""The verbs of a registry that change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent.core import Metric
from incumbent.registry import _label, _plan, _read, _shadow
from incumbent.registry._folders import State, Version
from incumbent.registry._label import ToLabel
from incumbent.registry._stored import StoredModels
from incumbent.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from incumbent.planning import Plan
    from incumbent.registry._live_evidence import LiveEvidence


class RegistryReader:
    """Read models by name: versions, predictions, history, reports and plans.

    Parameters
    ----------
    url : str or Path, optional
        A folder, ``sqlite:///FILE``, or the address of an MLflow server. The default is INCUMBENT_STORE, then
        MLFLOW_TRACKING_URI, then the folder ``.incumbent``.
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self.store = Store(url)
        self._models = StoredModels(self.store)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store.url!r})"

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
        return _read.predict(self._models, name, rows, version=version)

    def evaluate(self, name: str, rows: Any, *, version: int | None = None) -> dict[str, float]:
        """Return every metric of a version on labelled rows."""
        return _read.evaluate(self._models, name, rows, version=version)

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return every event of a model, newest first."""
        return _read.history(self.store, name)

    def models(self) -> list[dict[str, Any]]:
        """Return every model: its live version, the number of versions, and its last event."""
        return _read.list_models(self.store)

    def show(self, name: str, version: int | None = None) -> dict[str, Any]:
        """Return what is known of a version, the champion by default."""
        return _read.show(self._models, name, version)

    def report(self, name: str, path: str | Path, *, update: str | None = None) -> Path:
        """Copy the page of an update, the latest by default, to `path`.

        Raises
        ------
        RegistryError
            There is no update yet, or no such one.
        """
        return _read.copy_report(self.store, name, path, update=update)

    def outcome(self, name: str, update: str) -> dict[str, Any]:
        """Return the recorded outcome of an update, as ``--json`` printed it."""
        return _read.outcome(self.store, name, update)

    def plan(self, name: str, *, gain: float = 0.01, power: float = 0.8, metric: str | Metric | None = None) -> Plan:
        """Return how many labelled rows the next update needs to show a gain, as far as earlier updates tell.

        Parameters
        ----------
        name : str
            Which model.
        gain : float
            The gain to be shown, in the unit of the gate: 0.01 is one point of accuracy, or one percent of the
            champion's mean loss for squared errors, absolute errors and costs.
        power : float
            The probability of showing it.
        metric : str or Metric, optional
            What decides; None is accuracy, or RMSE for a regression.

        Raises
        ------
        UsageError
            The gain or the power is not valid, or nothing is known of this metric yet.
        """
        return _plan.plan(self._models, name, gain=gain, power=power, metric=metric)

    def label(
        self,
        name: str,
        rows: Any,
        *,
        budget: int,
        version: int | None = None,
        metric: str | Metric | None = None,
        uniform: float = 0.5,
        weight: str = "weight",
        seed: int = 0,
    ) -> ToLabel:
        """Return the unlabelled rows that are worth labelling, with weights that keep every mean unbiased.

        Parameters
        ----------
        name : str
            Which model.
        rows : frame, array, or path
            Rows without labels.
        budget : int
            How many of them to label.
        version : int, optional
            The challenger; None is the version that waits for approval, or else the latest runner-up.
        metric : str or Metric, optional
            The metric by which the two are compared; one with a loss for each row. None is accuracy, or RMSE for a
            regression.
        uniform : float
            The fraction of the budget spread over all rows alike, in [0, 1]. The default of a half lets the labels
            serve an update too, whose challengers are others. 0 is best for these two versions, and useless for others.
        weight : str
            The name of the column of weights.
        seed : int
            The seed of the random choice.

        Raises
        ------
        RegistryError
            There is no such version, or no challenger.
        DataError, UsageError
            The rows or an argument cannot be used, or no label could tell the two apart.
        """
        return _label.to_label(
            self._models,
            name,
            rows,
            budget=budget,
            version=version,
            metric=metric,
            uniform=uniform,
            weight=weight,
            seed=seed,
        )

    def shadow_status(self, name: str, logs: Any, *, before: Any = None) -> LiveEvidence:
        """Return what the labels so far show. Nothing is recorded, and you may look as often as you like.

        Parameters
        ----------
        name : str
            Which model.
        logs : frame, path, or list of those
            The whole log: tables of predictions, of labels that came later, or of both.
        before : optional
            Count only rows predicted before this moment (see `incumbent.evidence.live.from_log`).

        Raises
        ------
        RegistryError
            No shadow runs.
        DataError
            A table does not belong to the log, or an id is there twice.
        """
        return _shadow.status(self.store, name, logs, before=before)
