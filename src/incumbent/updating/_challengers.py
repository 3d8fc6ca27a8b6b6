"""Train challengers, score them on the select rows, and choose the one that the gate will judge."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from incumbent import engine, policy
from incumbent.core import Array, Challenger, Floats, Metric, Model, Prediction, Strategy
from incumbent.engine import TrainingPlan
from incumbent.errors import IncumbentError
from incumbent.models import predict
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._predict import in_short


def train_challengers(inputs: UpdateInputs) -> list[Challenger]:
    """Return every challenger with its scores: runners-up of earlier updates first, then those trained now.

    Runners-up cost no training. They are left out if the caller names strategies but not "auto".
    """
    given = [inputs.strategies] if isinstance(inputs.strategies, str | Strategy) else inputs.strategies
    models = inputs.live.state.runners_up if "auto" in given else {}

    def skip(plan: TrainingPlan, done: Sequence[Challenger]) -> str:
        better = policy.made_redundant_by(plan.recipe, done) if inputs.can_skip(repr(plan.strategy)) else None
        return "" if better is None else f"{better.strategy} is better on new rows, no worse on old, and costs less"

    trained = engine.run(
        inputs.plans,
        inputs.training_rows,
        skip=skip,
        score=lambda challenger: add_scores(challenger, inputs),
        deadline=inputs.deadline,
        checkpoints=inputs.checkpoints,
        progress=inputs.progress,
    )
    return [*(add_scores(Challenger(name, None, model), inputs) for name, model in models.items()), *trained]


def add_scores(challenger: Challenger, inputs: UpdateInputs) -> Challenger:
    """Return the challenger with its score on the new select rows and its gain over the champion.

    The gain is the mean of the gain on new rows and the gain on old rows. If there are fewer old rows than new ones,
    their weight shrinks in proportion; otherwise twenty old rows could overrule hundreds of new ones. A challenger that
    cannot predict these rows has failed, for example because of a category that its training rows lacked.
    """
    if challenger.model is None:
        return challenger
    try:
        gains, score = _gains_and_score(challenger.model, inputs)
    except Exception as error:  # an estimator may raise anything; one that fails must not end the update
        return failed(challenger, error)
    weight = {"new": 1.0, "old": min(1.0, len(inputs.old_select or ()) / len(inputs.select))}
    known = {name: gain for name, gain in gains.items() if not math.isnan(gain)}  # rows of one class have no AUC
    weights = [weight[name] for name in known]
    gain = float(np.average(list(known.values()), weights=weights)) if known else math.nan
    return dataclasses.replace(challenger, gain=gain, score=score, gains=gains)


def failed(challenger: Challenger, error: Exception) -> Challenger:
    """Return the challenger without its model and with the error that makes it unusable."""
    text = str(error) if isinstance(error, IncumbentError) else f"it cannot predict held-out rows ({in_short(error)})"
    return dataclasses.replace(challenger, model=None, chosen=False, error=text)


def _gains_and_score(model: Model, inputs: UpdateInputs) -> tuple[dict[str, float], float]:
    metric, select = inputs.metric, inputs.select
    rows, predictions = select.rows, predict(model, select.rows)
    gains = {"new": improvement(metric, rows.labels, select.champion, predictions, rows.weight)}
    if inputs.old_select is not None:
        old, before = inputs.old_select.rows, inputs.old_select.champion
        gains["old"] = improvement(metric, old.labels, before, predict(model, old), old.weight)
    return gains, metric.score(rows.labels, predictions, rows.weight)


def improvement(metric: Metric, y: Array, before: Prediction, after: Prediction, weight: Floats | None) -> float:
    """Return the decrease of the mean loss, or the improvement of the score if the metric has no loss per row."""
    old, new = metric.losses(y, before), metric.losses(y, after)
    if old is not None and new is not None:
        return float(np.average(old - new, weights=weight))
    difference = metric.score(y, after, weight) - metric.score(y, before, weight)
    return difference if metric.greater_is_better else -difference


def choose(challengers: Sequence[Challenger]) -> tuple[Challenger, ...]:
    """Return the challengers, with the one of largest gain marked as chosen. Of equal gains, the first counts.

    The cheapest strategies come first, so ties go to them. Measured time plays no part: the same input and seed give
    the same outcome.
    """
    able = [c for c in challengers if c.model is not None and not math.isnan(c.gain)]
    if not able:
        return tuple(challengers)
    best = max(able, key=lambda c: c.gain)
    return tuple(dataclasses.replace(c, chosen=True) if c is best else c for c in challengers)
