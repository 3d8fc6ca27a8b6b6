"""Follow a recipe with a net: put together what it is trained on, and train it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from incumbent.core import Array, Batch, Floats, HasLogits, Importance, Pull, Recipe
from incumbent.errors import ModelError
from incumbent.memory import get_importance, normalize_importance, sample_memory, stored_logits
from incumbent.models._training import training_rows
from incumbent.models.nets._checkpoint import checkpoint_key
from incumbent.models.nets._data import TrainingData, TrainingTask
from incumbent.models.nets._losses import SoftTargets, StoredOutputs, row_weights, stored_weight
from incumbent.models.nets._net import Net
from incumbent.models.nets._output_spec import OutputSpec
from incumbent.models.nets._penalty import QuadraticPenalty
from incumbent.models.nets._prepare import NetToTrain, prepare_net
from incumbent.models.nets._trainer import Trained, train

_KEY_ROWS = 32  # whose inputs are part of what a checkpoint was made for


class Champion(HasLogits, Protocol):
    """The model that a training starts from."""

    @property
    def net(self) -> Net:
        """Its net."""

    @property
    def spec(self) -> OutputSpec:
        """What its outputs mean."""

    @property
    def path(self) -> Mapping[str, Floats]:
        """What each weight did for the loss in its training; empty if that was not watched."""

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much each weight matters for some rows."""


def fit_net(champion: Champion, recipe: Recipe, batch_size: int) -> tuple[NetToTrain, Trained]:
    """Return the net that a bound recipe makes of the champion, at rest on the champion's device."""
    made = prepare_net(champion.net, champion.spec, recipe)
    done = train(training_task(champion, made, recipe), batch_size=batch_size)
    if recipe.structure.lora is not None and recipe.structure.lora.merge:
        made.net.merge_lora()
    made.net.finish(champion.net.frozen)  # what one recipe froze is free for the next
    made.net = made.net.moved(champion.net.device)
    return made, done


def training_task(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingTask:
    """Return what a prepared net is trained on, with all that its loss needs."""
    learn = _learned_rows(champion, made, recipe)
    return TrainingTask(
        made.net,
        made.spec,
        learn,
        _replayed_rows(champion, made, recipe),
        _select_rows(made, recipe),
        recipe,
        tuple(penalties(champion, made, recipe)),
        "" if recipe.checkpoint is None else _key(made, learn, recipe),
    )


def _key(made: NetToTrain, learn: TrainingData, recipe: Recipe) -> str:
    ops = made.net.ops
    some = np.linspace(0, len(learn) - 1, min(len(learn), _KEY_ROWS)).astype(np.int64)
    inputs = learn.rows.at(ops.asarray(some))
    arrays = [*made.net.state().values(), ops.numpy(learn.target), *map(ops.numpy, inputs.values())]
    return checkpoint_key(f"{recipe!r} {recipe.seed}", arrays)


# -------------------------------------------------------------------------------------------------- rows


def _data(made: NetToTrain, rows: Batch, recipe: Recipe, **more: Any) -> TrainingData:
    ops = made.net.ops
    weight = row_weights(recipe.loss, made.spec, rows)
    target = ops.asarray(made.spec.targets(rows.labels))
    return TrainingData(made.net.rows(rows.x), target, None if weight is None else ops.asarray(weight), **more)


def _learned_rows(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingData:
    rows, ops, soft, distill = training_rows(recipe), made.net.ops, None, recipe.loss.distill
    if distill is not None:
        old = made.spec.as_outputs(champion.logits(rows.x))
        targets = SoftTargets.from_logits(old, made.spec, distill.temperature)
        soft = ops.asarray(targets.target), ops.asarray(targets.entropy)
    classes = _class_numbers(made, rows) if recipe.data.balanced else None
    return _data(made, rows, recipe, soft=soft, classes=classes)


def _replayed_rows(champion: Champion, made: NetToTrain, recipe: Recipe) -> TrainingData | None:
    """Return the remembered rows that are drawn with each mini-batch, with the outputs that they had."""
    replay, memory, ops = recipe.data.replay, recipe.memory, made.net.ops
    if replay is None or not replay.per_batch or memory.rows is None or not len(memory):
        return None
    rows = sample_memory(memory, replay.rows, sample=replay.sample, seed=recipe.seed)
    classes = _class_numbers(made, rows) if recipe.data.balanced or replay.sample == "balanced" else None
    if recipe.loss.stored_logits is None:
        return _data(made, rows, recipe, classes=classes)
    outputs = made.spec.as_outputs(stored_logits(champion, rows))
    stored = StoredOutputs.from_logits(outputs)
    pair = ops.asarray(stored.target), ops.asarray(stored.known)
    return _data(made, rows, recipe, classes=classes, stored=pair, stored_weight=stored_weight(outputs, made.spec))


def _class_numbers(made: NetToTrain, rows: Batch) -> Any:
    if made.spec.kind not in ("softmax", "binary"):
        return None
    return np.unique(rows.labels, return_inverse=True)[1].reshape(-1)


def _select_rows(made: NetToTrain, recipe: Recipe) -> TrainingData | None:
    """Return the rows to choose on: the select rows, and as many old ones if the recipe is to keep what it knew."""
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
    uniform = pull.importance == "uniform"
    known, given = champion.net.weights(), {} if uniform else _importance(champion, made, recipe, pull)
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
        if uniform:
            importance[:old] = 1.0
        elif name in given:
            importance[:old] = given[name][:old]
        goals[name], importances[name] = goal, importance
    return QuadraticPenalty(pull.strength, goals, {} if uniform and not made.old_rows else importances)


def _importance(champion: Champion, made: NetToTrain, recipe: Recipe, pull: Pull) -> dict[str, Array]:
    """Return how much each weight mattered for the old rows: as memory has it, or computed from the rows in memory."""
    memory = recipe.memory
    weights = champion.net.weights()
    known = get_importance(memory, pull.importance, normalise=pull.normalise)
    if not known or any(known[name].shape != value.shape for name, value in weights.items() if name in known):
        if memory.rows is None or not len(memory):
            raise ModelError(
                "What mattered for the old rows is not known, and none of them is remembered; give data= (the rows the "
                "model was trained on), or use L2SP(0.1), which needs none."
            )
        if pull.importance == "path" and not champion.path:
            made.notes.append("the path of the champion's training is not known; its Fisher information is used")
        known = dict(champion.weight_importance(memory.rows, pull.importance))
        known = normalize_importance(known) if pull.normalise else known
    return {
        name: np.concatenate([value, value]) if len(value) == 1 and made.old_rows.get(name) == 2 else value
        for name, value in known.items()  # the one row for the second of two classes has become two
    }
