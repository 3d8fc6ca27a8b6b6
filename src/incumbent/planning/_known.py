"""What is known of the differences between models: seen in earlier updates, or assumed from the champion alone.

Every update records how much champion and challenger differed, by metric (`record`). A plan takes the mean over earlier
updates (`pool_updates`). If nothing was recorded, there is only the champion, and a challenger that is about as good:
then

    E d**2 = E (a - b)**2 <= E a**2 + E b**2 = 2 E a**2

for any two losses a, b >= 0 with the same mean square. For right and wrong that says that the two differ on at most
twice the champion's share of errors: on each row that is told apart, one of them is wrong. It is reached if they never
err on the same row, so it errs on the side of too many rows (`bound_from_champion`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent._deprecated import renamed_members
from incumbent.core import Comparison, Floats, Metric, PairedPredictions, Prediction, Task, Value
from incumbent.evidence import PairedVariance, paired_variance
from incumbent.metrics import labels_of, standard

_FIELDS = ("rows", "variance", "differing", "scale", "worst")


@renamed_members({"spread": "differences"})
@dataclass(frozen=True, repr=False)
class VarianceEstimate(Value):
    """What a plan starts from.

    Parameters
    ----------
    differences : PairedVariance
        How much two models differ.
    updates : int
        In how many updates that was seen; 0 where it is assumed.
    text : str
        Where it comes from, in words.
    """

    differences: PairedVariance
    updates: int = 0
    text: str = ""

    @property
    def assumed(self) -> bool:
        """Whether nothing of the kind was seen yet."""
        return self.updates == 0


def record(comparisons: Mapping[str, Comparison], metric: Metric, *, task: Task) -> dict[str, Any]:
    """Return how much champion and challenger differed, by holdout and by metric, as JSON can hold it.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        Of an outcome: "new" and "anchor".
    metric : Metric
        The one that decided; the others with a loss per row are recorded too, so that a plan may ask for one of them.
    task : {"classification", "regression"}
        What the models do.
    """
    return {name: _by_metric(found, metric, task) for name, found in comparisons.items()}


def _by_metric(found: Comparison, metric: Metric, task: Task) -> dict[str, Any]:
    told = {metric.name: paired_variance(found.paired, metric, interval=found.interval)}
    both = (found.paired.champion, found.paired.challenger)
    for name, kind in standard(task, labels_of(found.paired.y)).items():
        probabilities = all(said.proba is not None for said in both)
        if name not in told and (probabilities or not getattr(kind, "needs_proba", False)) and _by_row(kind(), both[0]):
            told[name] = paired_variance(found.paired, kind())
    return {name: {f: getattr(s, f) for f in _FIELDS} for name, s in told.items() if s is not None}


def _by_row(metric: Metric, said: Prediction) -> bool:
    """Whether the metric has a loss for a single row; asked of one row."""
    return len(said) > 0 and metric.losses(said.label[:1], said.take([0])) is not None


def pool_updates(records: Iterable[Mapping[str, Any]], metric: str, holdout: str) -> VarianceEstimate | None:
    """Return the mean over what earlier updates recorded, by rows; None where none did.

    Parameters
    ----------
    records : iterable of mapping
        What `record` gave, one for each update.
    metric : str
        Its name.
    holdout : {"new", "anchor"}
        Which rows.

    Examples
    --------
    >>> seen = [{"new": {"accuracy": {"rows": n, "variance": v, "differing": v}}} for n, v in ((100, 0.2), (300, 0.1))]
    >>> pool_updates(seen, "accuracy", "new").differences.differing
    0.125
    """
    found = [PairedVariance(**told[holdout][metric]) for told in records if metric in told.get(holdout, {})]
    if not found:
        return None
    rows = np.array([each.rows for each in found], dtype=np.float64)
    shares = [each.differing for each in found if each.differing is not None]
    differing = _mean(shares, rows) if len(shares) == len(found) else None
    variance, scale = (_mean([getattr(each, name) for each in found], rows) for name in ("variance", "scale"))
    worst = max(each.worst for each in found)
    updates = f"{len(found)} update{'s' * (len(found) != 1)}, {int(rows.sum()):,} rows"
    return VarianceEstimate(
        PairedVariance(int(rows.sum()), variance, differing, scale, worst), len(found), f"seen in {updates}"
    )


def _mean(values: list[float], rows: Floats) -> float:
    return float(np.average(values, weights=rows))


def bound_from_champion(paired: PairedPredictions, metric: Metric, *, seen: bool) -> VarianceEstimate | None:
    """Return what the champion's own losses allow at most; None where the metric has no loss per row.

    Parameters
    ----------
    paired : PairedPredictions
        Rows with their labels; only the champion's predictions are looked at.
    metric : Metric
        Whose losses.
    seen : bool
        Whether the champion was trained on these rows: then its losses elsewhere are larger, and the text says so.
    """
    losses = metric.losses(paired.y, paired.champion) if len(paired) else None
    if losses is None:
        return None
    weight = np.ones(len(losses)) if paired.weight is None else paired.weight
    bounded = np.minimum(losses, np.quantile(losses, 0.99)) if metric.bound != 1.0 else losses
    square, mean = (float(np.average(np.power(bounded, power), weights=weight)) for power in (2, 1))
    plain = metric.bound == 1.0 and bool(np.isin(losses, (0.0, 1.0)).all())
    least = 1.0 / (len(losses) + 1)  # a champion that was never seen to err may err all the same
    share = min(1.0, 2.0 * max(square, least)) if plain else None
    unit = mean if getattr(metric, "relative", np.isinf(metric.bound)) else 1.0
    made = PairedVariance(0, share or 2.0 * square, share, unit, float(bounded.max()))
    where = f"{len(losses):,} rows that it was {'' if seen else 'not '}trained on"
    low = "; its loss on new rows is larger, so this may be too low" if seen else ""
    what = f"{100.0 * square:.3g} % wrong" if plain else f"mean loss {mean:.3g}"
    text = f"no update is recorded, so at most twice the champion's own errors ({what} on {where}{low})"
    return VarianceEstimate(made, 0, text)
