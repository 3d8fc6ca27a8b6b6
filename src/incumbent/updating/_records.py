"""Update the records of earlier models by a batch that none of them has learned."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from incumbent import metrics
from incumbent.core import Challenger, Event, Floats, Model, PairedPredictions, Prediction
from incumbent.errors import DataError, UsageError
from incumbent.gate._reasons import margin_of
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._live import LiveModel
from incumbent.updating._predict import predict_from_cache
from incumbent.updating._prequential import kind_of, losses_of

RUNNER_UP = "standing"
"""The key of the only runner-up in the selection weights. Stored states contain it."""


def predict_batch(models: Mapping[str, Model], inputs: UpdateInputs) -> dict[str, Prediction]:
    """Return the predictions of each model on all new rows, without models that cannot predict them.

    Whether a model can predict the rows does not depend on its losses, so the evidence about it stays valid.
    """
    found: dict[str, Prediction] = {}
    for name, model in models.items():
        with suppress(DataError):
            found[name] = predict_from_cache(model, inputs.new.rows)
    return found


def score_before_learning(inputs: UpdateInputs, runners_up: Mapping[str, Prediction]) -> dict[str, Mapping[str, float]]:
    """Return all metrics of champion and runners-up on the new rows, which nobody has learned yet.

    Rows in order of time add a baseline that repeats the last label. A runner-up that cannot predict the rows is
    missing here; it fails as a challenger, with the reason.
    """
    rows, task = inputs.new.rows, inputs.live.model.task
    inputs.progress(Event("prequential", f"scoring the champion on {len(rows):,} new rows"))
    found: dict[str, Mapping[str, float]] = {
        name: metrics.scores(rows.labels, predictions, task=task, weight=rows.weight)
        for name, predictions in {"champion": inputs.new.champion, **runners_up}.items()
    }
    if rows.time is not None:
        order = np.argsort(rows.time, kind="stable")
        y, champion = rows.labels[order], inputs.new.champion.take(order)
        found["no change"] = metrics.scores(y, metrics.persistence_baseline(y), task=task)
        if task == "classification" and metrics.labels_of(y) == 1:
            kappas = {"kappa": metrics.kappa(y, champion), "kappa_temporal": metrics.kappa_temporal(y, champion)}
            found["champion"] = {**found["champion"], **kappas}
    return found


def update_records(inputs: UpdateInputs, runners_up: Mapping[str, Prediction]) -> LiveModel:
    """Return the live model with the evidence of the new batch in its prequential models and selection weights."""
    live, state = inputs.live, inputs.live.state
    if inputs.is_prequential:
        models = state.prequential
        champion, found = _losses(inputs, predict_batch(models.models, inputs))
        bound, margin = min(inputs.metric.bound, inputs.clip), _margin(inputs)
        models = models.add_batch(champion, found, alpha=live.gate.alpha, min_gain=margin, bound=bound)
        return live.with_state(prequential=models, selection=state.selection.add_batch(champion, found))
    if len(state.runners_up) == len(runners_up) == 1 and state.selection.gains:
        (only,) = runners_up.values()
        with suppress(UsageError):  # the metric has no loss for each row
            return live.with_state(selection=state.selection.add_batch(*_losses(inputs, {RUNNER_UP: only})))
    return live


def kept_challengers(
    inputs: UpdateInputs, challengers: tuple[Challenger, ...], promoted: bool
) -> dict[str, Challenger]:
    """Return the challengers of this update that are kept for the next one, by name."""
    trained = [c for c in challengers if c.recipe is not None]
    if inputs.is_prequential:
        return {kind_of(c.strategy): c for c in trained}
    chosen = next((c for c in trained if c.chosen), None)
    return {} if chosen is None or promoted else {RUNNER_UP: chosen}


def _losses(inputs: UpdateInputs, predictions: Mapping[str, Prediction]) -> tuple[Floats, dict[str, Floats]]:
    """Return the losses of the champion and of each model on the new rows that can serve as evidence."""
    new = inputs.new.take(inputs.new.can_hold_out)
    at, y = np.flatnonzero(inputs.new.can_hold_out), new.rows.labels
    found = {name: losses_of(inputs.metric, y, each.take(at)) for name, each in predictions.items()}
    return losses_of(inputs.metric, y, new.champion), found


def _margin(inputs: UpdateInputs) -> float:
    """Return the gate's minimum gain in the unit of the losses, from the champion's losses on the select rows."""
    select = inputs.select
    both = PairedPredictions(select.rows.labels, select.champion, select.champion, weight=select.rows.weight)
    return margin_of(inputs.live.gate.min_gain, both, inputs.metric)
