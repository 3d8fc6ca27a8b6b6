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

# HistGradientBoosting has warm_start too, but it bins the new rows again and reads its old trees with the new bins.
# Bagging divides by its setting `n_estimators`, so the setting cannot keep the size that the user chose.
_APPENDABLE = {"RandomForest", "ExtraTrees", "GradientBoosting"}
GROWTH = 3
"""An ensemble is refitted once it would be this many times as large as its setting `n_estimators`."""


def can_append(native: Any) -> bool:
    """Return whether trees can be appended to `native`."""
    kind = type(native)
    stem = kind.__name__.removesuffix("Classifier").removesuffix("Regressor")
    return kind.__module__.startswith("sklearn.ensemble") and stem in _APPENDABLE


def has_outgrown(native: Any, rounds: int) -> bool:
    """Return whether `rounds` more would take the ensemble beyond `GROWTH` times the size it was set to."""
    return bool(_size(native) + rounds > GROWTH * native.n_estimators)


def append_trees(native: Any, recipe: Recipe, trees: Trees) -> Any:
    """Return a copy of `native` with more trees, fitted to the recipe's rows.

    Its settings stay those of `native`, also `n_estimators`: a fit from scratch has that size again.
    """
    learner, train = copy.deepcopy(native), training_rows(recipe)
    changed = {"warm_start": True, "n_estimators": 0}
    if getattr(learner, "oob_score", False):  # out-of-bag rows of the old trees are gone
        changed["oob_score"] = False
    if learner.random_state is None:
        changed["random_state"] = recipe.seed
    settings = {name: getattr(learner, name) for name in changed}
    scales = trees.learning_rate is not None and hasattr(learner, "learning_rate")
    x, first, last = as_input(native, train.x), _size(learner), _size(learner) + trees.rounds
    for size in range(first + 1, last + 1) if scales else [last]:
        learner.set_params(**changed | {"n_estimators": size})
        learner.fit(x, train.y, **weights_for(learner, train.weight))
        if scales:
            _scale_newest(learner, trees.learning_rate / learner.learning_rate)
        if time.monotonic() > recipe.deadline:
            raise BudgetSpent("The budget ended while trees were appended; give a longer --budget or fewer rounds.")
    return learner.set_params(**settings)


def _scale_newest(native: Any, factor: float) -> None:
    # gradient boosting applies one learning rate to all its trees, old and new, so another one goes into the leaves
    for tree in native.estimators_[-1]:
        tree.tree_.value[...] *= factor


def _size(native: Any) -> int:
    return int(np.shape(native.estimators_)[0])
