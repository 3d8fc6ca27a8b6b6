"""Follow a recipe with a net: put together what it is trained on, and train it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from incumbent.core import Array, Batch, Floats, HasLogits, HasWeights, Pull, Recipe
from incumbent.memory import get_importance, sample_memory, stored_logits
from incumbent.models._training import pull_importance, training_rows
from incumbent.models.nets._checkpoint import checkpoint_key
from incumbent.models.nets._data import TrainingData, TrainingTask
from incumbent.models.nets._hooks import QuadraticPenalty
from incumbent.models.nets._losses import known_outputs, row_weights, soft_targets, stored_weight
from incumbent.models.nets._net import Net
from incumbent.models.nets._output_spec import OutputSpec
from incumbent.models.nets._prepare import NetToTrain, prepare_net
from incumbent.models.nets._trainer import train

_KEY_ROWS = 32  # whose inputs are part of what a checkpoint was made for


class Champion(HasLogits, HasWeights, Protocol):
    """The model that a training starts from."""

    @property
    def net(self) -> Net:
        """Its net."""

    @property
    def spec(self) -> OutputSpec:
        """What its outputs mean."""

    @property
    def path(self) -> Mapping[str, Floats]:
        """How each weight reduced the loss in its training; empty if that was not recorded."""


def fit_net(champion: Champion, recipe: Recipe, batch_size: int) -> tuple[NetToTrain, dict[str, Floats]]:
    """Return the net that a bound recipe makes of the champion, at rest on the champion's device, and its path."""
    made = prepare_net(champion.net, champion.spec, recipe)
    path, notes = train(training_task(champion, made, recipe), batch_size)
    made.notes += notes
    if recipe.structure.lora is not None and recipe.structure.lora.merge:
        made.net.merge_lora()
    made.net.finish()
    made.net.freeze(champion.net.frozen)  # what one recipe froze is free for the next
    made.net = made.net.moved(champion.net.device)
    return made, path


def training_task(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingTask:
    """Return what a prepared net is trained on, with all that its loss needs."""
    learn = _learned_rows(champion, made, recipe)
    replay, select = _replayed_rows(champion, made, recipe), _select_rows(made, recipe)
    pulls = tuple(penalties(champion, made, recipe))
    key = "" if recipe.checkpoint is None else _key(made, learn, recipe)
    return TrainingTask(made.net, made.spec, learn, replay, select, recipe, pulls, key)


def _key(made: NetToTrain, learn: TrainingData, recipe: Recipe) -> str:
    ops = made.net.ops
    some = np.linspace(0, len(learn) - 1, min(len(learn), _KEY_ROWS)).astype(np.int64)
    inputs = learn.rows.at(ops.asarray(some))
    arrays = [*made.net.state().values(), ops.numpy(learn.target), *map(ops.numpy, inputs.values())]
    return checkpoint_key(f"{recipe!r} {recipe.seed}", arrays)


# -------------------------------------------------------------------------------------------------- rows


def _data(made: NetToTrain, rows: Batch, recipe: Recipe, *, by_class: bool = False, **more: Any) -> TrainingData:
    ops, weight, classes = made.net.ops, row_weights(recipe.loss, made.spec, rows), None
    if by_class and made.spec.kind in ("softmax", "binary"):
        classes = np.unique(rows.labels, return_inverse=True)[1].reshape(-1)
    target = ops.asarray(made.spec.targets(rows.labels))
    weight = None if weight is None else ops.asarray(weight)
    return TrainingData(made.net.rows(rows.x), target, weight, classes=classes, **more)


def _learned_rows(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingData:
    rows, soft, distill = training_rows(recipe), None, recipe.loss.distill
    if distill is not None:
        old = made.spec.as_outputs(champion.logits(rows.x))
        soft = tuple(map(made.net.ops.asarray, soft_targets(old, made.spec, distill.temperature)))
    return _data(made, rows, recipe, by_class=recipe.data.balanced, soft=soft)


def _replayed_rows(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingData | None:
    """Return the remembered rows that are drawn with each mini-batch, with the outputs that they had."""
    replay, memory = recipe.data.replay, recipe.memory
    if replay is None or not replay.per_batch or memory.rows is None or not len(memory):
        return None
    rows = sample_memory(memory, replay.rows, sample=replay.sample, seed=recipe.seed)
    by_class = recipe.data.balanced or replay.sample == "balanced"
    if recipe.loss.stored_logits is None:
        return _data(made, rows, recipe, by_class=by_class)
    outputs = made.spec.as_outputs(stored_logits(champion, rows))
    stored, weight = tuple(map(made.net.ops.asarray, known_outputs(outputs))), stored_weight(outputs, made.spec)
    return _data(made, rows, recipe, by_class=by_class, stored=stored, stored_weight=weight)


def _select_rows(made: NetToTrain, recipe: Recipe) -> TrainingData | None:
    """Return the select rows, and as many old ones if the recipe protects what the champion learned."""
    rows, old, loss = recipe.select, recipe.memory.rows, recipe.loss
    if rows is None or not len(rows):
        return None
    keeps = recipe.data.replay is not None or loss.pull is not None or loss.distill is not None
    if keeps and old is not None and recipe.structure.start != "scratch":
        some = np.random.default_rng(recipe.seed).permutation(len(old))[: len(rows)]
        rows = Batch.join([rows, old.take(np.sort(some))])
    if made.spec.kind in ("softmax", "binary"):
        assert made.spec.outputs is not None, "it is a classifier"
        rows = rows.take(np.isin(rows.labels, made.spec.outputs))  # no net can have learned the others
    plain = recipe if loss.objective is None else recipe.replace(objective=loss.objective.replace(class_weight=None))
    return _data(made, rows, plain) if len(rows) else None


# ------------------------------------------------------------------------------------------------- pulls


def penalties(champion: Champion, made: NetToTrain, recipe: Recipe) -> list[QuadraticPenalty]:
    """Return the pulls on the weights: old ones to where the champion has them, new ones to zero."""
    found, now = [], made.net.weights()
    frozen = made.net.frozen
    names = [name for name in made.net.weight_names if name not in frozen]
    if recipe.loss.pull is not None:
        found.append(_pull(champion, made, recipe, recipe.loss.pull, {name: now[name] for name in names}))
    if recipe.loss.l2_new_weights:
        goal = {name: np.zeros_like(now[name]) for name in names if name in made.new}
        found.append(QuadraticPenalty(recipe.loss.l2_new_weights, goal))
    return [penalty for penalty in found if penalty.goal]


def _pull(
    champion: Champion, made: NetToTrain, recipe: Recipe, pull: Pull, now: Mapping[str, Array]
) -> QuadraticPenalty:
    """Return the pull to the champion's weights; weights and rows that it does not have are free."""
    if pull.importance == "path" and not champion.path and not get_importance(recipe.memory, "path"):
        made.notes.append("the path of the champion's training is not known; its Fisher information is used")
    known, given = champion.net.weights(), pull_importance(champion, recipe, pull)
    goals: dict[str, Array] = {}
    importances: dict[str, Array] = {}
    for name, value in now.items():
        if name in made.new or name not in known:
            continue
        held, rows = known[name], made.old_rows.get(name)
        if rows is None and held.shape != value.shape:
            continue
        old = len(value) if rows is None else rows
        goal, importance = value.copy(), np.zeros_like(value)
        if held.shape == goal[:old].shape:
            goal[:old] = held
        importance[:old] = given[name][:old]  # one row, if it became the rows of two classes
        goals[name], importances[name] = goal, importance
    is_plain = pull.importance == "uniform" and not made.old_rows
    return QuadraticPenalty(pull.strength, goals, {} if is_plain else importances)
