"""Learn by the estimator's own rule: `partial_fit` in mini-batches."""

from __future__ import annotations

import copy
import inspect
import time
from typing import Any

import numpy as np

from incumbent.core import Recipe
from incumbent.errors import BudgetSpent
from incumbent.models._training import training_rows
from incumbent.models.tables._native import as_input, slices


def can_learn_partially(native: Any) -> bool:
    """Return whether `partial_fit` works with the settings of `native`."""
    is_net = type(native).__name__.startswith("MLP")
    refuses = is_net and (native.early_stopping or native.solver == "lbfgs")
    return hasattr(native, "partial_fit") and not refuses and getattr(native, "class_weight", None) != "balanced"


def learn_partially(native: Any, recipe: Recipe) -> Any:
    """Return a copy of `native` after `partial_fit` on the recipe's rows."""
    learner, train, optimizer = copy.deepcopy(native), training_rows(recipe), recipe.optimizer
    is_free = getattr(learner, "random_state", 0) is None
    if is_free:
        learner.random_state = recipe.seed
    x, accepted = as_input(native, train.x), inspect.signature(learner.partial_fit).parameters
    weight = train.weight if "sample_weight" in accepted else None
    rng = np.random.default_rng(recipe.seed)
    for _ in range(optimizer.epochs or 1):
        order = np.arange(len(train)) if recipe.data.ordered else rng.permutation(len(train))
        for part in slices(len(train), optimizer.batch_size or 256):
            if time.monotonic() > recipe.deadline:
                raise BudgetSpent("The budget ended during partial_fit; give a longer --budget or fewer epochs.")
            at = order[part]
            extra = {} if weight is None else {"sample_weight": weight[at]}
            learner.partial_fit(x.iloc[at] if hasattr(x, "iloc") else x[at], train.labels[at], **extra)
    if is_free:
        learner.random_state = None
    return learner
