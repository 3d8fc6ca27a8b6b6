"""Learn on by the estimator's own rule: `partial_fit` in mini-batches."""

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


def learns_on(native: Any) -> bool:
    """Whether `partial_fit` works on `native` as it is set; with these settings scikit-learn's refuses."""
    net = type(native).__name__.startswith("MLP")
    refuses = net and (native.early_stopping or native.solver == "lbfgs")
    return hasattr(native, "partial_fit") and not refuses and getattr(native, "class_weight", None) != "balanced"


def learn_on(native: Any, recipe: Recipe) -> Any:
    """Return a copy of `native` after `partial_fit` on the recipe's rows; `native` itself does not change.

    Raises
    ------
    BudgetSpent
        The deadline came first.
    """
    learner, train, optimizer = copy.deepcopy(native), training_rows(recipe), recipe.optimizer
    free = getattr(learner, "random_state", 0) is None
    if free:
        learner.random_state = recipe.seed
    x, takes = as_input(native, train.x), inspect.signature(learner.partial_fit).parameters
    rng = np.random.default_rng(recipe.seed)
    for _ in range(optimizer.epochs or 1):
        order = np.arange(len(train)) if recipe.data.ordered else rng.permutation(len(train))
        for part in slices(len(train), optimizer.batch_size or 256):
            if time.monotonic() > recipe.deadline:
                raise BudgetSpent("The budget ended during partial_fit; give a longer --budget or fewer epochs.")
            at = order[part]
            weighs = train.weight is not None and "sample_weight" in takes
            extra = {"sample_weight": train.weight[at]} if weighs and train.weight is not None else {}
            learner.partial_fit(x.iloc[at] if hasattr(x, "iloc") else x[at], train.labels[at], **extra)
    if free:
        learner.random_state = None
    return learner
