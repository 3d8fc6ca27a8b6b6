"""Bounds for scores that belong to the rows as a whole (AUC, F1, R2, a function): a paired bootstrap.

Both models are scored under the same random row weights, and the bound is a quantile of the difference. Weights are
exponential (Rubin's Bayesian bootstrap): smooth, so that no resample loses a class. They are shared by the rows of a
cluster; without clusters they are drawn within each class, whose share stays fixed. Rows with several labels at once
have no class, and their weights are drawn alike.

A bootstrap knows only the rows it was given: if the models agree on all of them it sees no spread, and ten rows would
prove two models equal. So each bound is taken with one row more, as far against it as a row can be: for the lower bound
the champion is right and sure, the challenger wrong and sure, in the class where that costs most. For a recall this is
Clopper and Pearson's bound, and with no margin McNemar's exact test on the rows of that class. With several labels at
once the row has a set of them that was seen, the one that costs most, and the challenger has each wrong.

References
----------
Rubin, D. B. (1981). The Bayesian bootstrap. Annals of Statistics 9.
Gaffke, N. (2005). Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable.
Mathematical Methods of Statistics 14. (The row more; see `_mean`.)
Cornish, E. A. and Fisher, R. A. (1938). Moments and cumulants in the specification of distributions. (For quantiles
further out than the resamples reach.)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from incumbent.core import Array, Floats, Metric, PairedPredictions, Prediction
from incumbent.metrics._custom import Custom
from incumbent.metrics._labels import Codes, classes_of, encode, several

RESAMPLES = 1000
"""Resamples for each of the two bounds. The quantile at 5 % is then sure to 0.07 standard errors."""
FEWER_RESAMPLES = 200
"""Resamples where each is dear: a function that is called once for each, or more than 50,000 rows. The difference is
then so close to normal that its moments give the quantile."""
_WORK = 10_000_000
"""Resamples times rows: beyond 10,000 rows there are fewer resamples, so that a bound stays within a second or two."""
_CELLS = 2_000_000
"""Weights held at a time: 16 MB, and as much again while they are used."""
_CLASSES = 20
"""The row more is tried in this many of the rarest classes, where one row costs most."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows sorted by unit, ready to be weighted: `count` of them are alike in each, `unit` says which move together."""

    y: Array
    champion: Prediction
    challenger: Prediction
    weight: Floats
    count: Floats
    stratum: Codes
    cluster: Codes | None


def score_bounds(
    paired: PairedPredictions, metric: Metric, *, alpha: float, cluster: Codes | None = None, seed: int = 0
) -> tuple[float, float]:
    """Return one-sided bounds of challenger's score less champion's (positive is better), each at level `alpha`.

    Parameters
    ----------
    paired : PairedPredictions
        The predictions; row weights multiply the random ones.
    metric : Metric
        The score, through its `resample`.
    alpha : float
        Level of each bound.
    cluster : (n,) array of int, optional
        Rows of one cluster share their random weight.
    seed : int
        Where the random weights start.
    """
    paired, count = _alike(paired, metric, cluster)
    lower = _quantile(paired, count, metric, alpha, cluster, seed)
    mirrored = dataclasses.replace(paired, champion=paired.challenger, challenger=paired.champion)
    return lower, -_quantile(mirrored, count, metric, alpha, cluster, seed + 1)


def _alike(paired: PairedPredictions, metric: Metric, cluster: Codes | None) -> tuple[PairedPredictions, Floats]:
    """Return one row for all of the same truth and labels, where the metric cannot tell them apart, and how many."""
    weighted = paired.weight is not None and np.ptp(paired.weight) > 0
    if cluster is not None or weighted or not getattr(metric, "labels_only", False):
        return paired, np.ones(len(paired))
    columns = (paired.y, paired.champion.label, paired.challenger.label)
    if several(paired.y):
        first, count = np.unique(np.hstack(columns), axis=0, return_index=True, return_counts=True)[1:]
    else:
        known = classes_of(*columns)
        codes = [encode(labels, known) for labels in columns]
        key = (codes[0] * len(known) + codes[1]) * len(known) + codes[2]
        first, count = np.unique(key, return_index=True, return_counts=True)[1:]
    both = (Prediction(np.asarray(s.label)[first], None, s.classes) for s in (paired.champion, paired.challenger))
    champion, challenger = both
    y = np.asarray(paired.y)[first]
    return PairedPredictions(y, champion, challenger), count.astype(np.float64)


def _quantile(
    paired: PairedPredictions, count: Floats, metric: Metric, alpha: float, cluster: Codes | None, seed: int
) -> float:
    rows = _sorted(_with_worst(paired, metric, count), metric, cluster, np.append(count, 1.0))
    affordable = 0 if isinstance(metric, Custom) else _WORK // len(rows.y)
    resamples = min(RESAMPLES, max(FEWER_RESAMPLES, affordable))
    gains = np.concatenate([_gains(rows, metric, w) for w in _weights(rows, resamples, np.random.default_rng(seed))])
    gains = gains[np.isfinite(gains)]
    if not len(gains) or not np.ptp(gains) > 0.0:
        return -math.inf  # even the added worst row leaves the score unchanged: these rows allow no bound
    units = math.inf if cluster is None else float(cluster.max() + 1)
    return _tail(gains, alpha, units)


def _gains(rows: _Rows, metric: Metric, weight: Floats) -> Floats:
    sign = 1.0 if metric.greater_is_better else -1.0
    before, after = (metric.resample(rows.y, prediction, weight) for prediction in (rows.champion, rows.challenger))
    return np.asarray(sign * (after - before))


def _tail(gains: Floats, alpha: float, units: float) -> float:
    """Return the alpha-quantile: with few clusters of Student's t, in the far tail by the Cornish-Fisher expansion."""
    from scipy import special

    z = float(special.ndtri(alpha))
    if math.isfinite(units):
        z = float(special.stdtrit(max(units - 1.0, 1.0), alpha)) * math.sqrt(units / max(units - 1.0, 1.0))
    reached = float(special.ndtr(z))
    if reached * len(gains) >= 40.0:
        return float(np.quantile(gains, reached))
    mean, spread = float(gains.mean()), float(gains.std())
    skew = float(np.mean(((gains - mean) / spread) ** 3))
    return mean + spread * min(z + skew * (z * z - 1.0) / 6.0, z / 2.0)


# --------------------------------------------------------------------------------------- the worst row


def _with_worst(paired: PairedPredictions, metric: Metric, count: Floats) -> PairedPredictions:
    """Return the rows and one more at the end, which is as bad for the challenger as a row can be."""
    if is_regression(paired, metric):
        return _with_large_error(paired)
    if several(paired.y):
        tried = [_with_labels(paired, on) for on in _rare_sets(np.asarray(paired.y), count)]
        return min(tried, key=lambda rows: _harm(rows, metric, np.append(count, 1.0)))
    known = classes_of(paired.y, paired.champion.label, paired.challenger.label, paired.champion.classes)
    if len(known) < 2:
        return _with_row(paired, known, 0, 0)
    size = np.bincount(encode(paired.y, known), weights=count, minlength=len(known)).astype(np.float64)
    rare = [i for i in np.argsort(size, kind="stable") if size[i]][:_CLASSES]
    tried = [_with_row(paired, known, i, _most_common_other(size, i)) for i in rare]
    return min(tried, key=lambda rows: _harm(rows, metric, np.append(count, 1.0))) if len(tried) > 1 else tried[0]


def _rare_sets(y: Array, count: Floats) -> Array:
    """Return the observed label sets (s, m) with the rarest labels: one wrong row there may cost most."""
    sets, at = np.unique(y, axis=0, return_inverse=True)
    on = sets == 1
    often = np.bincount(at.reshape(-1), weights=count) @ on
    rarity = (on / np.maximum(often, 1.0)).sum(axis=1)
    return np.asarray(sets[np.argsort(-rarity, kind="stable")[:_CLASSES]])


def _with_labels(paired: PairedPredictions, on: Array) -> PairedPredictions:
    """Return the rows and one more with these labels; the challenger predicts each of them wrongly."""
    return dataclasses.replace(
        paired,
        y=np.concatenate([paired.y, on[None]]),
        champion=_with_certain_labels(paired.champion, on),
        challenger=_with_certain_labels(paired.challenger, 1 - on),
        weight=None if paired.weight is None else np.append(paired.weight, paired.weight.mean()),
    )


def _with_certain_labels(prediction: Prediction, on: Array) -> Prediction:
    proba = None if prediction.proba is None else np.concatenate([prediction.proba, on[None].astype(np.float64)])
    return Prediction(np.concatenate([prediction.label, on[None]]), proba, prediction.classes)


def is_regression(paired: PairedPredictions, metric: Metric) -> bool:
    """Return whether the truth is a value: the models know no classes, and the metric is not one of labels."""
    labels = paired.champion.classes is not None or bool(getattr(metric, "labels_only", False))
    return not labels and np.asarray(paired.y).dtype.kind in "biuf"


def _most_common_other(size: Floats, at: int) -> int:
    others = size.copy()
    others[at] = -1.0
    return int(others.argmax())


def _harm(paired: PairedPredictions, metric: Metric, count: Floats) -> float:
    sign = 1.0 if metric.greater_is_better else -1.0
    weight = count if paired.weight is None and (count != 1.0).any() else paired.weight
    before, after = (metric.score(paired.y, prediction, weight) for prediction in (paired.champion, paired.challenger))
    gain = sign * (after - before)
    return gain if math.isfinite(gain) else math.inf


def _with_row(paired: PairedPredictions, known: tuple[object, ...], true: int, wrong: int) -> PairedPredictions:
    return dataclasses.replace(
        paired,
        y=_append(paired.y, known[true]),
        champion=_with_certain_class(paired.champion, known[true]),
        challenger=_with_certain_class(paired.challenger, known[wrong]),
        weight=None if paired.weight is None else np.append(paired.weight, paired.weight.mean()),
    )


def _append(values: Array, value: object) -> Array:
    values = np.asarray(values)
    last = np.empty(1, dtype=object)
    last[0] = value
    return np.concatenate([values, last.astype(values.dtype) if values.dtype.kind in "biuf" else last])


def _with_certain_class(prediction: Prediction, label: object) -> Prediction:
    labels = _append(prediction.label, label)
    if prediction.proba is None or prediction.classes is None:
        return Prediction(labels, None, prediction.classes)
    certain = (encode(np.asarray([label], dtype=object), prediction.classes)[0] == np.arange(len(prediction.classes)))[
        None, :
    ]
    return Prediction(labels, np.concatenate([prediction.proba, certain.astype(np.float64)]), prediction.classes)


def _with_large_error(paired: PairedPredictions) -> PairedPredictions:
    """Return the rows and one more: the champion is exact, the challenger has the largest error of either model."""
    y = np.asarray(paired.y, dtype=np.float64)
    errors = [
        np.abs(np.asarray(prediction.label, dtype=np.float64) - y)
        for prediction in (paired.champion, paired.challenger)
    ]
    middle, off = np.median(y, axis=0), np.max([e.max(axis=0) for e in errors], axis=0)
    return dataclasses.replace(
        paired,
        y=np.concatenate([y, [middle]]),
        champion=Prediction(np.concatenate([np.asarray(paired.champion.label, dtype=np.float64), [middle]])),
        challenger=Prediction(np.concatenate([np.asarray(paired.challenger.label, dtype=np.float64), [middle + off]])),
        weight=None if paired.weight is None else np.append(paired.weight, paired.weight.mean()),
    )


# -------------------------------------------------------------------------------------------- weights


def _sorted(paired: PairedPredictions, metric: Metric, cluster: Codes | None, count: Floats) -> _Rows:
    """Sort rows by class, so that the weights of one class lie side by side. A row more is a cluster of its own."""
    y = np.asarray(paired.y)
    weight = np.ones(len(y)) if paired.weight is None else np.asarray(paired.weight, dtype=np.float64)
    if cluster is not None:
        own = np.append(cluster, np.full(len(y) - len(cluster), cluster.max() + 1))
        return _Rows(y, paired.champion, paired.challenger, weight, count, own, own)
    alike = several(y) or is_regression(paired, metric)
    stratum = np.zeros(len(y), dtype=np.intp) if alike else encode(y, classes_of(y))
    order = np.argsort(stratum, kind="stable")
    champion, challenger = paired.champion.take(order), paired.challenger.take(order)
    return _Rows(y[order], champion, challenger, weight[order], count[order], stratum[order], None)


def _weights(rows: _Rows, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield random row weights (b, n) until there are enough, in portions that fit into memory."""
    draw = _by_cluster(rows, rng) if rows.cluster is not None else _by_class(rows, rng)
    portion = max(1, _CELLS // max(1, len(rows.y)))
    for start in range(0, resamples, portion):
        yield draw(min(portion, resamples - start))


def _by_cluster(rows: _Rows, rng: np.random.Generator) -> Callable[[int], Floats]:
    cluster = rows.cluster
    assert cluster is not None
    return lambda many: np.asarray(rng.standard_exponential((many, int(cluster.max()) + 1))[:, cluster] * rows.weight)


def _by_class(rows: _Rows, rng: np.random.Generator) -> Callable[[int], Floats]:
    edges = np.flatnonzero(np.diff(rows.stratum, prepend=-1, append=rows.stratum[-1] + 1))
    parts = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    single = bool((rows.count == 1.0).all())

    def draw(many: int) -> Floats:
        shape = (many, len(rows.y))
        weight = rng.standard_exponential(shape) if single else rng.standard_gamma(rows.count, shape)
        for part in parts:  # a class keeps its share
            weight[:, part] *= (rows.count[part].sum() / weight[:, part].sum(axis=1))[:, None]
        return np.multiply(weight, rows.weight, out=weight)

    return draw
