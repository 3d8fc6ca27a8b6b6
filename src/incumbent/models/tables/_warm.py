"""Append trees to scikit-learn ensembles through `warm_start`."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np

from incumbent.core import Recipe, Trees
from incumbent.errors import BudgetSpent
from incumbent.models._training import training_rows
from incumbent.models.tables._native import as_input, weights_for

# HistGradientBoosting has warm_start too, but it bins the new rows anew and reads its old trees with the new bins: it
# continues only on the very rows it was fitted to.
_GROWS = {"RandomForest", "ExtraTrees", "GradientBoosting", "Bagging"}
GROWTH = 3  # an ensemble is refitted once it would be this many times as large as it was set to be


def appendable(native: Any) -> bool:
    """Whether trees can be appended to `native`."""
    kind = type(native)
    stem = kind.__name__.removesuffix("Classifier").removesuffix("Regressor")
    return kind.__module__.startswith("sklearn.ensemble") and stem in _GROWS


def outgrown(native: Any, rounds: int) -> bool:
    """Whether `rounds` more would take the ensemble beyond `GROWTH` times the size it was set to."""
    first = getattr(native, "_incumbent_rounds", native.n_estimators)
    return bool(_size(native) + rounds > GROWTH * first)


def appended(native: Any, recipe: Recipe) -> Any:
    """Return a copy of `native` with more trees, fitted to the recipe's rows; `native` itself does not change."""
    learner, train, trees = copy.deepcopy(native), training_rows(recipe), recipe.structure.trees
    assert isinstance(trees, Trees), "asked only of a recipe that appends trees"
    learner._incumbent_rounds = getattr(native, "_incumbent_rounds", native.n_estimators)
    before = {"warm_start": learner.warm_start}
    if getattr(learner, "oob_score", False):  # out-of-bag rows of the old trees are gone
        before["oob_score"], learner.oob_score = learner.oob_score, False
    if learner.random_state is None:
        before["random_state"], learner.random_state = None, recipe.seed
    boosts = trees.learning_rate is not None and hasattr(learner, "learning_rate")
    x, first, last = as_input(native, train.x), _size(learner), _size(learner) + trees.rounds
    for size in range(first + 1, last + 1) if boosts else [last]:
        learner.set_params(warm_start=True, n_estimators=size)
        learner.fit(x, train.y, **weights_for(learner, train.weight))
        if boosts:
            _scale_newest(learner, trees.learning_rate / learner.learning_rate)
        if time.monotonic() > recipe.deadline:
            raise BudgetSpent("The budget ended while trees were appended; give a longer --budget or fewer rounds.")
    return learner.set_params(**before)


def _scale_newest(native: Any, factor: float) -> None:
    # gradient boosting applies one learning rate to all its trees, old and new, so another one goes into the leaves
    for tree in native.estimators_[-1]:
        tree.tree_.value[...] *= factor


def _size(native: Any) -> int:
    return int(np.shape(native.estimators_)[0])
