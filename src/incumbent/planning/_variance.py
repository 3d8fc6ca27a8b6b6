"""How much two models differ: recorded by earlier updates, or bounded from the champion alone.

Every update records how much champion and challenger differed, by metric (`record`). A plan takes the mean over earlier
updates (`pool_updates`). If none was recorded, assume a challenger that is about as good as the champion. Then

    E d**2 = E (a - b)**2 <= E a**2 + E b**2 = 2 E a**2

for any two losses a, b >= 0 with the same mean square. For accuracy: the two differ on at most twice the champion's
fraction of errors, since on each row on which they differ one of them is wrong. They reach that if they never err on
the same row, so the plan asks for too many rows rather than too few (`bound_from_champion`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent._deprecated import renamed_members
from incumbent.core import Comparison, Metric, PairedPredictions, Task, Value
from incumbent.evidence import PairedVariance, is_relative, paired_variance
from incumbent.metrics import can_score, labels_of, standard
from incumbent.words import counted, percentage

_FIELDS = ("rows", "variance", "differing", "scale", "worst")


@renamed_members({"spread": "differences"})
@dataclass(frozen=True, repr=False)
class VarianceEstimate(Value):
    """How much two models are taken to differ.

    Parameters
    ----------
    differences : PairedVariance
        The variance of the differences of their losses.
    updates : int
        Number of updates that recorded it; 0 if it is assumed.
    text : str
        Its source, in words.
    """

    differences: PairedVariance
    updates: int = 0
    text: str = ""

    @property
    def assumed(self) -> bool:
        """Whether no update recorded it."""
        return self.updates == 0


def record(comparisons: Mapping[str, Comparison], metric: Metric, *, task: Task) -> dict[str, Any]:
    """Return how much champion and challenger differed, by holdout and by metric, as plain numbers for JSON.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        Of an outcome: "new" and "anchor".
    metric : Metric
        The deciding metric. All others with a loss per row are recorded too, so that a plan may use one of them.
    task : {"classification", "regression"}
        What the models predict.
    """
    return {name: _by_metric(found, metric, task) for name, found in comparisons.items()}


def _by_metric(found: Comparison, metric: Metric, task: Task) -> dict[str, Any]:
    paired = found.paired
    known = {metric.name: paired_variance(paired, metric, interval=found.interval)}
    for name, kind in standard(task, labels_of(paired.y)).items():
        if (
            name in known
            or not len(paired)
            or not all(can_score(kind, p) for p in (paired.champion, paired.challenger))
        ):
            continue
        if kind().losses(paired.y[:1], paired.champion.take([0])) is not None:  # it has a loss per row
            known[name] = paired_variance(paired, kind())
    return {name: {f: getattr(s, f) for f in _FIELDS} for name, s in known.items() if s is not None}


def pool_updates(records: Iterable[Mapping[str, Any]], metric: str, holdout: str) -> VarianceEstimate | None:
    """Return the mean over what earlier updates recorded, weighted by rows; None if none recorded this metric.

    Parameters
    ----------
    records : iterable of mapping
        Results of `record`, one for each update.
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
    found = [PairedVariance(**each[holdout][metric]) for each in records if metric in each.get(holdout, {})]
    if not found:
        return None
    weights = [each.rows for each in found]
    rows, worst = sum(weights), max(each.worst for each in found)

    def mean(values: list[float]) -> float:
        return float(np.average(values, weights=weights))

    fractions = [each.differing for each in found if each.differing is not None]
    differing = mean(fractions) if len(fractions) == len(found) else None
    variance, scale = (mean([getattr(each, name) for each in found]) for name in ("variance", "scale"))
    text = f"seen in {counted(len(found), 'update')}, {rows:,} rows"
    return VarianceEstimate(PairedVariance(rows, variance, differing, scale, worst), len(found), text)


def bound_from_champion(paired: PairedPredictions, metric: Metric, *, seen: bool) -> VarianceEstimate | None:
    """Return an upper bound from the champion's own losses; None if the metric has no loss per row.

    Parameters
    ----------
    paired : PairedPredictions
        Labelled rows; only the champion's predictions are used.
    metric : Metric
        Whose losses.
    seen : bool
        Whether the champion was trained on these rows. Then its loss on new rows is larger, and the text says so.
    """
    losses = metric.losses(paired.y, paired.champion) if len(paired) else None
    if losses is None:
        return None
    bounded = np.minimum(losses, np.quantile(losses, 0.99)) if metric.bound != 1.0 else losses
    square, mean = (float(np.average(np.power(bounded, power), weights=paired.weight)) for power in (2, 1))
    counts_errors = metric.bound == 1.0 and bool(np.isin(losses, (0.0, 1.0)).all())
    least = 1.0 / (len(losses) + 1)  # a champion without an error so far can still err
    differing = min(1.0, 2.0 * max(square, least)) if counts_errors else None
    unit = mean if is_relative(metric) else 1.0
    variance = PairedVariance(0, differing or 2.0 * square, differing, unit, float(bounded.max()))
    where = f"{len(losses):,} rows that it was {'' if seen else 'not '}trained on"
    low = "; its loss on new rows is larger, so this may be too low" if seen else ""
    what = f"{percentage(square)} wrong" if counts_errors else f"mean loss {mean:.3g}"
    text = f"no update is recorded, so at most twice the champion's own errors ({what} on {where}{low})"
    return VarianceEstimate(variance, 0, text)
