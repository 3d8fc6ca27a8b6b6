"""Score challengers on the select rows and choose the one that meets the gate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from incumbent.core import Array, Challenger, Floats, Metric, Model, Prediction
from incumbent.errors import IncumbentError
from incumbent.models import predict
from incumbent.updating._ask import in_short
from incumbent.updating._holdouts import Holdouts


def scored(challenger: Challenger, holdouts: Holdouts, metric: Metric, *, today: float) -> Challenger:
    """Return the challenger with its score on the new select rows and its gain over the champion.

    The gain is the mean of two: on new select rows, which have the weight `today`, and on those of the anchor set where
    there are any. A batch's own tail favours the challenger that forgot the rest, so history has a say beside today:
    as much at first, and then by how often each was right. Fewer old rows than new ones have a smaller say in
    proportion, or one of twenty would overrule hundreds. One that cannot predict these rows, such as a category that
    its training rows lacked, has failed.
    """
    if challenger.model is None:
        return challenger
    try:
        gains, score = _gains_and_score(challenger.model, holdouts, metric)
    except Exception as error:  # an estimator may raise anything, and one failed try must not end the update
        return failed(challenger, error)
    few = min(1.0, len(holdouts.old_select) / len(holdouts.select))
    weight = {"new": today, "old": (1.0 - today) * few}
    known = {name: gain for name, gain in gains.items() if not math.isnan(gain)}  # rows of one class have no AUC
    shares = [weight[name] for name in known]
    gain = float(np.average(list(known.values()), weights=shares)) if known else math.nan
    return dataclasses.replace(challenger, gain=gain, score=score, gains=gains)


def failed(challenger: Challenger, error: Exception) -> Challenger:
    """Return the challenger as one that was made but cannot be used."""
    text = str(error) if isinstance(error, IncumbentError) else f"it cannot predict held-out rows ({in_short(error)})"
    return dataclasses.replace(challenger, model=None, chosen=False, error=text)


def _gains_and_score(model: Model, holdouts: Holdouts, metric: Metric) -> tuple[dict[str, float], float]:
    rows, at = holdouts.select, holdouts.parts.select
    said = predict(model, rows)
    gains = {"new": improvement(metric, rows.labels, holdouts.said.take(at), said, rows.weight)}
    if holdouts.said_old is not None and len(holdouts.old_select):
        old = holdouts.old(holdouts.old_select)
        then = holdouts.said_old.take(holdouts.old_select)
        gains["old"] = improvement(metric, old.labels, then, predict(model, old), old.weight)
    return gains, metric.score(rows.labels, said, rows.weight)


def improvement(metric: Metric, y: Array, before: Prediction, after: Prediction, weight: Floats | None) -> float:
    """Return how much smaller the mean loss becomes, or how much better the score where there is no loss per row."""
    old, new = metric.losses(y, before), metric.losses(y, after)
    if old is not None and new is not None:
        return float(np.average(old - new, weights=weight))
    difference = metric.score(y, after, weight) - metric.score(y, before, weight)
    return difference if metric.greater_is_better else -difference


def choose(challengers: Sequence[Challenger]) -> tuple[Challenger, ...]:
    """Return the same challengers with the one of largest gain marked as chosen; of equals, the first.

    The cheapest come first. What each took this time must not decide: the same input and seed give the same outcome.
    """
    able = [c for c in challengers if c.model is not None and not math.isnan(c.gain)]
    if not able:
        return tuple(challengers)
    best = max(able, key=lambda c: c.gain)
    return tuple(dataclasses.replace(c, chosen=True) if c is best else c for c in challengers)
