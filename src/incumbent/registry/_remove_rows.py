"""Make model and memory into those that never had certain rows, as far as possible."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from incumbent import models
from incumbent.core import AnchorSet, Batch, Memory, Model, is_net
from incumbent.engine import TrainingPlan, TrainingRows, run
from incumbent.errors import ModelError
from incumbent.policy import recipe_for
from incumbent.registry._deletion import DeletionOptions, How
from incumbent.registry._folders import State, Version
from incumbent.registry._row_matches import RowMatches, is_complete
from incumbent.strategies import Retrain
from incumbent.updating import PrequentialModels


def remove_rows(options: DeletionOptions, how: How, *, seed: int) -> tuple[Version, State]:
    """Return the version and the state that replace the live ones.

    Importances and prequential models go if they have learned the rows, as they cannot forget them. Runners-up always
    go, as they are older versions.
    """
    version, state, found = options.version, options.state, options.found
    model, made_by, memory = version.model, dict(version.made_by), _memory_without(state.memory, found)
    if how == "exact":
        model, memory = _exactly(model, state.memory, found)
    elif how == "retrain":
        model, recipe, memory = _retrain(options, memory, seed)
        made_by = {"strategy": repr(Retrain()), "recipe": repr(recipe), "seed": seed}
    anchor = _anchor_without(state.anchor, found)
    if how == "unlearned":  # the prequential models have not learned the rows either
        kept = State(memory, anchor, (), state.control, state.prequential)
    else:
        kept = State(memory.replace(importance={}), anchor, (), state.control, PrequentialModels())
    schema = version.schema
    if model.classes is not None and schema.labels == 1:
        schema = schema.replace(classes=tuple(model.classes.tolist()))
    return Version(model, schema, version.gate, made_by), kept


def _memory_without(memory: Memory, found: RowMatches) -> Memory:
    """Return the memory without the rows, and without statistics that contain them."""
    if memory.rows is None:
        return memory
    keep = ~found.learned
    seen = max(memory.seen - int(found.learned.sum()) - len(found.unremembered), int(keep.sum()))
    key = None if memory.key is None else memory.key[keep]
    left = memory.replace(rows=memory.rows.take(keep), key=key, seen=seen)
    return left.replace(statistics={}) if found.known_to_model else left


def _anchor_without(anchor: AnchorSet, found: RowMatches) -> AnchorSet:
    if anchor.rows is None or not found.anchored.any():
        return anchor
    keep = ~found.anchored
    used = None if anchor.use_counts is None else anchor.use_counts[keep]
    return AnchorSet(anchor.rows.take(keep), used, max(anchor.seen - int(found.anchored.sum()), int(keep.sum())))


def _exactly(model: Model, memory: Memory, found: RowMatches) -> tuple[Model, Memory]:
    """Return model and memory with the rows subtracted from the statistics, each as often as it is remembered."""
    assert memory.rows is not None, "a model with statistics has learned rows"
    gone = Batch.join([memory.rows.take(found.learned), found.unremembered])
    weight = memory.rows.weight
    total = float(len(memory)) if weight is None else float(weight.sum())
    if is_complete(memory) and not math.isclose(float(memory.statistics["rows"]), total, rel_tol=1e-9):
        # rows were learned with weights that memory does not store: compute the statistics again
        memory = models.update_statistics(memory.replace(statistics={}), model, memory.rows.take([]))
    _check_left(memory, gone)
    return models.forget(model, memory, gone)


def _check_left(memory: Memory, gone: Batch) -> None:
    """Raise an error if too little would be left to train on."""
    total = float(len(gone)) if gone.weight is None else float(gone.weight.sum())
    if total > float(memory.statistics["rows"]) * (1 - 1e-9):
        raise ModelError("These are all rows that the model has learned; nothing would be left. Give fewer rows.")
    if "classes" not in memory.statistics:
        return
    classes, counts = memory.statistics["classes"], memory.statistics["count"]
    weight = np.ones(len(gone)) if gone.weight is None else gone.weight
    left = [count - weight[gone.labels == label].sum() for label, count in zip(classes, counts, strict=True)]
    if sum(count > 1e-9 for count in left) < 2:
        raise ModelError(
            "Rows of one class alone would be left, and a classifier needs two. Give fewer rows, or bring in another "
            "model: incumbent init"
        )


def _retrain(options: DeletionOptions, memory: Memory, seed: int) -> tuple[Model, Any, Memory]:
    """Return the model trained again on the remembered rows. A net uses a tenth of them to decide when to stop."""
    model, rows = options.version.model, memory.rows
    assert rows is not None, "DeletionOptions.choose has checked that rows are left"
    recipe = recipe_for(Retrain(), model, Memory())
    chooses = np.zeros(len(rows), dtype=bool)
    if is_net(model):
        chooses = np.random.default_rng([seed, len(rows)]).random(len(rows)) < 0.1
    learn, select = rows.take(~chooses), rows.take(chooses)
    (tried,) = run([TrainingPlan(Retrain(), recipe, model)], TrainingRows(learn, select, seed=seed))
    if tried.model is None:
        raise ModelError(
            f"{type(model.native).__name__} could not be trained again on the {len(rows):,} rows that are left: "
            f"{tried.error.rstrip('.')}. Nothing was changed."
        )
    return tried.model, recipe, models.update_statistics(memory, tried.model, Batch.join([learn, select]))
