"""Choose which rows to label, so that champion and challenger can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incumbent import metrics, planning
from incumbent.core import Metric
from incumbent.data import read
from incumbent.errors import RegistryError, UsageError
from incumbent.planning import Labels
from incumbent.registry._stored import StoredModels
from incumbent.updating import safe_predict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ToLabel:
    """Rows to label, with their weights.

    Parameters
    ----------
    frame : data frame
        The chosen rows as they were given, with one more column for the weights.
    labels : Labels
        How they were chosen, and how many labels that saves.
    champion, challenger : int
        The versions that are compared.
    """

    frame: pd.DataFrame
    labels: Labels
    champion: int
    challenger: int


def to_label(
    models: StoredModels,
    name: str,
    rows: Any,
    *,
    budget: int,
    version: int | None,
    metric: str | Metric | None,
    uniform: float,
    weight: str,
    seed: int,
) -> ToLabel:
    """Return the rows that are worth labelling; see `Registry.label`."""
    live, other = models.store.champion(name), _challenger(models, name, version)
    champion, challenger = models.version(name, live), models.version(name, other)
    model, schema = champion.model, champion.schema
    rule = metrics.metric(metric, task=model.task, classes=model.classes, labels=schema.labels)
    if schema.inputs:
        raise UsageError(
            f"{name!r} learns from arrays, and rows to label are chosen from a table, to be written out again with "
            "their weights. Compare predictions with planning.choose in Python."
        )
    frame = read(rows, names=schema.features)
    if weight in frame.columns:
        raise UsageError(f"The rows have a column {weight!r} already; name another for the weights (--weight).")
    before, after = (
        safe_predict(each.model, each.schema.check(frame, labelled=False)[0].x, "these rows")
        for each in (champion, challenger)
    )
    chosen = planning.choose(before, after, rule, rows=budget, uniform=uniform, seed=seed)
    return ToLabel(frame.iloc[chosen.at].assign(**{weight: chosen.weight}), chosen, live, other)


def _challenger(models: StoredModels, name: str, version: int | None) -> int:
    """Return the version to compare with the champion: the given one, the candidate, or the latest runner-up."""
    live = models.store.champion(name)
    if version is not None:
        if version == live:
            raise RegistryError(f"Version {version} of {name!r} is the champion; it cannot be compared with itself.")
        return version
    others = [each for each in (models.store.candidate(name), *reversed(models.state(name).standing)) if each]
    if not others or others[0] == live:
        raise RegistryError(
            f"{name!r} has no challenger: none waits for approval, and no update kept one. Name the version to compare "
            f"with the champion: --version N. See: incumbent history --name {name}"
        )
    return others[0]
