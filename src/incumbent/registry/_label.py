"""Choose the rows to label that best separate champion and challenger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incumbent import metrics, planning
from incumbent.core import Metric
from incumbent.data import read
from incumbent.errors import RegistryError, UsageError
from incumbent.planning import Labels
from incumbent.registry._stored import RegistryBase, StoredModels
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


class LabelVerb(RegistryBase):
    """Choose rows to label."""

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
        rows : frame, array, or path
            Rows without labels.
        budget : int
            How many of them to label.
        version : int, optional
            The challenger; the default is the candidate, or else the latest runner-up.
        metric : str or Metric, optional
            A metric with a loss for each row; the default is accuracy, or RMSE for a regression.
        uniform : float
            The fraction of the budget spread over all rows alike, in [0, 1]. With half, the labels also serve an
            update, which has other challengers. 0 is best for these two versions, and useless for others.
        weight : str
            The name of the column of weights.
        seed : int
            The seed of the random choice.

        Raises
        ------
        RegistryError
            There is no such version, or no challenger.
        DataError, UsageError
            The rows or an argument cannot be used, or the two models never differ in their predictions.
        """
        live, other = self.store.champion(name), _challenger(self._models, name, version)
        champion, challenger = self._models.version(name, live), self._models.version(name, other)
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
