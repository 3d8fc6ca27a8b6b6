"""The gain of a challenger over its champion on the same rows, with bounds from the test that fits.

Which test, in the order in which it is decided:

1. *Right or wrong, no margin, rows independent and unweighted*: McNemar's exact test.
2. *Any other loss per row, and right or wrong with a margin*: the paired mean with room for one worst row (see
   `_mean`). The worst row costs the metric's bound or the clip, whichever is less. If there is neither, it costs the
   largest loss that was seen.
3. *The AUC of two classes, rows independent, unweighted and in no order of time*: DeLong (see `_delong`), if its normal
   quantile is good enough.
4. *No loss per row*: the paired bootstrap (see `_bootstrap`).

Rows of one `block` are one unit of evidence in 2 and 4. Rows that are `ordered` are tested as if independent. If their
differences show autocorrelation, they are also tested in blocks of consecutive rows (see `_blocks`), and the wider
bound counts.

References
----------
McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions. Psychometrika 12.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Comparison, Floats, Interval, Metric, PairedPredictions, Task, Value
from incumbent.evidence._blocks import block_length, clusters, consecutive
from incumbent.evidence._bootstrap import is_regression, score_bounds
from incumbent.evidence._delong import delong_bounds
from incumbent.evidence._forgetting import per_class
from incumbent.evidence._mean import mean_bounds
from incumbent.metrics._labels import Codes, averaged, classes_of, label_names, several, wrong
from incumbent.metrics._metrics import scores
from incumbent.metrics._rank import AUC


def gain(paired: PairedPredictions, metric: Metric, *, alpha: float, margin: float = 0.0, seed: int = 0) -> Interval:
    """Return the gain of the challenger with one-sided bounds, from the test that fits the rows and the metric.

    Parameters
    ----------
    paired : PairedPredictions
        Champion and challenger on the same rows; rows of weight zero are left out.
    metric : Metric
        What is compared: by its losses, ``mean(loss of champion - loss of challenger)``, where it has them, else by
        its score. Positive is better, whatever the direction of the score.
    alpha : float
        Level of each bound.
    margin : float
        The gain that the decision will hold the bounds against, in the unit of the losses (default 0). The test
        keeps its level there. Where `scale` depends on the rows, its own sampling error is taken into account.
    seed : int
        Where a bootstrap starts.

    Returns
    -------
    Interval
        Without rows, or where the score cannot be computed, the bounds are infinite.

    Raises
    ------
    AbilityError
        If the metric needs probabilities and a model gives none.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> from incumbent.metrics import Accuracy
    >>> y = np.ones(1000, dtype=int)
    >>> champion, challenger = y.copy(), y.copy()
    >>> champion[:40], challenger[30:50] = 0, 0
    >>> found = gain(PairedPredictions(y, Prediction(champion), Prediction(challenger)), Accuracy(), alpha=0.05)
    >>> found.value, found.lower > 0, found.test
    (0.02, True, 'exact McNemar')
    """
    paired = weighed(paired)
    metric = fixed(metric, paired)
    if not len(paired):
        return Interval(math.nan, -math.inf, math.inf, alpha, "no rows", 0)
    losses = losses_of(paired, metric)
    if losses is None:
        return _gain_of_score(paired, metric, alpha, seed)
    if not np.isfinite(losses.challenger).all():
        return Interval(-math.inf, -math.inf, -math.inf, alpha, "the challenger's loss is not finite", len(paired))
    if not np.isfinite(losses.champion).all():
        return Interval(math.inf, -math.inf, math.inf, alpha, "the champion's loss is not finite", len(paired))
    return _gain_of_losses(paired, losses, alpha, margin)


def scale(paired: PairedPredictions, metric: Metric) -> float:
    """Return the unit in which a tolerance or a wanted gain is stated.

    Scores with a scale of their own (accuracy, F1, AUC, Brier, log loss, R2) have unit 1: a tolerance of 0.01 is one
    point. Losses whose scale is free (squared and absolute errors, costs) are measured by the champion's mean loss on
    these rows: 0.01 is one percent of it. A function of yours is measured by the size of the champion's score.

    Examples
    --------
    >>> from incumbent.core import Prediction
    >>> from incumbent.metrics import MAE, Accuracy
    >>> champion, challenger = Prediction(np.array([3.0, 5.0])), Prediction(np.array([1.0, 1.0]))
    >>> both = PairedPredictions(np.array([0.0, 0.0]), champion, challenger)
    >>> scale(both, MAE()), scale(both, Accuracy())
    (4.0, 1.0)
    """
    if not is_relative(metric):
        return 1.0
    paired = weighed(paired)
    losses = losses_of(paired, metric)
    if losses is None:
        return abs(metric.score(paired.y, paired.champion, paired.weight))
    return abs(float(np.average(losses.champion, weights=paired.weight))) if len(paired) else math.nan


def compare(name: str, paired: PairedPredictions, metric: Metric, *, alpha: float, task: Task) -> Comparison:
    """Compare champion and challenger on one holdout: every metric, the gain, and accuracy by class (F1 by label).

    Parameters
    ----------
    name : {"new", "anchor"}
        Which rows.
    paired : PairedPredictions
        The predictions.
    metric : Metric
        The score that decides; its own value is among the metrics.
    alpha : float
        Level of the gain's bounds.
    task : {"classification", "regression"}
        Which metrics and whether there are classes.
    """
    found = []
    for prediction in (paired.champion, paired.challenger):
        values = scores(paired.y, prediction, task=task, weight=paired.weight)
        if metric.name not in values or getattr(metric, "positive", None) is not None:
            values = values | {metric.name: metric.score(paired.y, prediction, paired.weight)}
        found.append(values)
    classes = per_class(paired) if task == "classification" else {}
    return Comparison(name, found[0], found[1], gain(paired, metric, alpha=alpha), classes, paired)


# ---------------------------------------------------------------------------------------------- losses


@dataclass(frozen=True, eq=False)
class Losses:
    """Both models' losses (n,), cut off at the clip; `reach` is the largest that a row can have."""

    champion: Floats
    challenger: Floats
    reach: float
    relative: bool

    @property
    def gains(self) -> Floats:
        """Loss of the champion less loss of the challenger, row by row."""
        return self.champion - self.challenger


def losses_of(paired: PairedPredictions, metric: Metric) -> Losses | None:
    before, after = (metric.losses(paired.y, prediction) for prediction in (paired.champion, paired.challenger))
    if before is None or after is None:
        return None
    # A NaN prediction costs as much as a row can cost.
    champion, challenger = (np.minimum(np.where(np.isnan(x), math.inf, x), paired.clip) for x in (before, after))
    reach = min(float(metric.bound), paired.clip)
    if not math.isfinite(reach):
        reach = max((float(x.max()) for x in (champion, challenger) if len(x)), default=0.0)
    return Losses(champion, challenger, reach, is_relative(metric))


def is_relative(metric: Metric) -> bool:
    """Return whether losses have no scale of their own, so that tolerances are fractions of the champion's loss."""
    return bool(getattr(metric, "relative", math.isinf(metric.bound)))


def fixed(metric: Metric, paired: PairedPredictions) -> Metric:
    """Return the metric with its classes set to all that occur, so that both models are scored over the same ones."""
    if isinstance(metric, Value) and getattr(metric, "classes", ()) is None:
        both = (paired.champion, paired.challenger)
        if several(paired.y):
            return metric.replace(classes=label_names(paired.y, *both))
        known = classes_of(
            paired.y, *(prediction.label for prediction in both), *(prediction.classes for prediction in both)
        )
        return metric.replace(classes=known)
    return metric


def weighed(paired: PairedPredictions) -> PairedPredictions:
    """Return the pairs without rows of weight zero, and without weights that are all the same."""
    if paired.weight is None:
        return paired
    weight = np.asarray(paired.weight, dtype=np.float64)
    if not (weight > 0).all():
        paired = take_rows(paired, np.flatnonzero(weight > 0))
        weight = weight[weight > 0]
    return dataclasses.replace(paired, weight=None) if len(weight) == 0 or np.ptp(weight) == 0 else paired


def take_rows(paired: PairedPredictions, at: Array) -> PairedPredictions:
    """Return the pairs at some positions, with the same clip, and without what the models saw."""
    return dataclasses.replace(
        paired,
        y=np.asarray(paired.y)[at],
        champion=paired.champion.take(at),
        challenger=paired.challenger.take(at),
        weight=None if paired.weight is None else np.asarray(paired.weight)[at],
        block=None if paired.block is None else np.asarray(paired.block)[at],
        x=None,
    )


# ----------------------------------------------------------------------------------------------- tests


def _gain_of_losses(paired: PairedPredictions, losses: Losses, alpha: float, margin: float) -> Interval:
    rows, gains = len(paired), losses.gains
    value = float(np.average(gains, weights=paired.weight))
    lower, upper = unit_bounds(paired, losses, alpha, margin)
    test = "paired mean" if paired.block is None else "paired mean by cluster"
    counts = win_counts(paired, losses) if margin == 0.0 else None
    if counts is not None:
        wins, lost = counts
        lower, upper, test = _agreeing(lower, wins, lost, alpha), -_agreeing(-upper, lost, wins, alpha), "exact McNemar"
    length = block_length(gains) if paired.ordered and paired.block is None else 1
    if length > 1:
        wide = unit_bounds(paired, losses, alpha, margin, consecutive(rows, length))
        lower, upper = min(lower, wide[0]), max(upper, wide[1])
        test += f" and in blocks of {length} rows"
    return Interval(value, lower, upper, alpha, test, rows)


def _agreeing(lower: float, wins: int, losses: int, alpha: float) -> float:
    """Return a lower bound that is above zero exactly if McNemar's test rejects.

    Given the number of differing rows, the wins are binomial: p = P(Binomial(wins + losses, 1/2) >= wins).
    """
    from scipy import special

    p = float(special.bdtrc(wins - 1, wins + losses, 0.5)) if wins else 1.0
    return max(lower, math.nextafter(0.0, 1.0)) if p <= alpha else min(lower, 0.0)


def win_counts(paired: PairedPredictions, losses: Losses) -> tuple[int, int] | None:
    """Return how many rows were won and lost, where that is all there is to know."""
    if paired.weight is not None or paired.block is not None or losses.relative or losses.reach != 1.0:
        return None
    gains = losses.gains
    if not all(((x == 0.0) | (x == 1.0)).all() for x in (losses.champion, losses.challenger)):
        return None
    return int((gains > 0).sum()), int((gains < 0).sum())


def unit_bounds(
    paired: PairedPredictions, losses: Losses, alpha: float, margin: float, unit: Codes | None = None
) -> tuple[float, float]:
    """Return bounds of the mean gain over units of evidence: rows, the rows of a block, or the given runs of rows.

    Where the margin is a share of the champion's mean loss, ``mean(d - share * loss of champion)`` is bounded instead
    and shifted back, so that the decision at the margin allows for the error of the champion's mean.
    """
    relative = losses.relative and margin != 0.0
    size = float(np.average(np.abs(losses.champion), weights=paired.weight)) if relative else 0.0
    share = margin / size if size > 0 else 0.0
    shift = share * float(np.average(losses.champion, weights=paired.weight)) if share else 0.0
    weight = np.ones(len(paired)) if paired.weight is None else paired.weight
    total = weight * (losses.gains - share * losses.champion)
    worst = losses.reach * (1.0 + abs(share)) * float(weight.max())  # any row can be the one
    if unit is None and paired.block is not None:
        unit = clusters(paired.block)
    if unit is not None:
        if unit.max() == 0:
            return -losses.reach, losses.reach  # one unit does not show how units differ
        total, weight = (np.bincount(unit, x).astype(np.float64) for x in (total, weight))
        # a whole unit at the bound would be too pessimistic: one row there, or a unit one standard deviation off
        worst = max(worst, float((total - total.sum() / weight.sum() * weight).std()))
    low, high = mean_bounds(total, weight, worst=-worst, best=worst, alpha=alpha, few=unit is not None)
    return low + shift, high + shift


def _gain_of_score(paired: PairedPredictions, metric: Metric, alpha: float, seed: int) -> Interval:
    sign = 1.0 if metric.greater_is_better else -1.0
    before, after = (
        metric.score(paired.y, prediction, paired.weight) for prediction in (paired.champion, paired.challenger)
    )
    value = sign * (after - before)
    if not math.isfinite(value):
        return Interval(math.nan, -math.inf, math.inf, alpha, "the score cannot be computed", len(paired))
    unit, how = _clusters_of(paired, metric)
    if unit is not None and unit.max() == 0:
        return Interval(value, -math.inf, math.inf, alpha, "a single cluster shows no variation", len(paired))
    found, test = None, "DeLong"
    plain = paired.weight is None and paired.block is None and not paired.ordered
    if isinstance(metric, AUC) and plain and not several(paired.y):
        found = delong_bounds(paired, metric, alpha=alpha)
    if found is None:
        found, test = score_bounds(paired, metric, alpha=alpha, cluster=unit, seed=seed), f"paired bootstrap{how}"
    return Interval(value, min(found[0], value), max(found[1], value), alpha, test, len(paired))


def _clusters_of(paired: PairedPredictions, metric: Metric) -> tuple[Codes | None, str]:
    if paired.block is not None:
        return clusters(paired.block), " by cluster"
    if paired.ordered:
        length = block_length(_proxy(paired, metric))
        if length > 1:
            return consecutive(len(paired), length), f" in blocks of {length} rows"
    return None, ""


def _proxy(paired: PairedPredictions, metric: Metric) -> Floats:
    """Return differences of squared error, or of being right, to see how alike neighbours are."""
    y = np.asarray(paired.y)
    both = [np.asarray(prediction.label) for prediction in (paired.champion, paired.challenger)]
    if is_regression(paired, metric):
        return averaged(np.asarray(np.square(both[0] - y) - np.square(both[1] - y), dtype=np.float64))
    return np.asarray(wrong(both[0], y), dtype=np.float64) - np.asarray(wrong(both[1], y), dtype=np.float64)
