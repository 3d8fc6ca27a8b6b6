"""Score models on a batch before any of them learns it, and update the evidence of prequential models."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from incumbent import metrics
from incumbent.core import Event, Model, PairedPredictions, Prediction
from incumbent.errors import DataError
from incumbent.gate._reasons import margin_of
from incumbent.models import predict
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._live import LiveModel
from incumbent.updating._predict import as_data_error
from incumbent.updating._prequential import losses_of


def predict_batch(models: Mapping[str, Model], inputs: UpdateInputs) -> dict[str, Prediction]:
    """Return the predictions of each model on all new rows, without models that cannot predict them.

    Whether a model can predict the rows does not depend on its losses, so the evidence about it stays valid.
    """
    found: dict[str, Prediction] = {}
    for name, model in models.items():
        with suppress(DataError), as_data_error(model, "the new rows"):
            found[name] = predict(model, inputs.new.rows)
    return found


def score_before_learning(inputs: UpdateInputs, runners_up: Mapping[str, Prediction]) -> dict[str, Mapping[str, float]]:
    """Return all metrics of champion and runners-up on the new rows, which no model has learned yet.

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


def update_records(inputs: UpdateInputs) -> LiveModel:
    """Return the live model with the evidence of the new batch in its prequential models."""
    live, models = inputs.live, inputs.live.state.prequential
    if not inputs.is_prequential:
        return live
    at = np.flatnonzero(inputs.new.can_hold_out)
    y, champion = inputs.new.rows.labels[at], inputs.new.champion.take(at)
    found = {
        name: losses_of(inputs.metric, y, each.take(at)) for name, each in predict_batch(models.models, inputs).items()
    }
    models = models.add_batch(
        losses_of(inputs.metric, y, champion),
        found,
        alpha=live.gate.alpha,
        min_gain=_margin(inputs),
        bound=min(inputs.metric.bound, inputs.clip),
    )
    return live.replace(state=dataclasses.replace(live.state, prequential=models))


def _margin(inputs: UpdateInputs) -> float:
    """Return the gate's minimum gain in the unit of the losses, from the champion's losses on the select rows."""
    select = inputs.select
    both = PairedPredictions(select.rows.labels, select.champion, select.champion, weight=select.rows.weight)
    return margin_of(inputs.live.gate.min_gain, both, inputs.metric)
