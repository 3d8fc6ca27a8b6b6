"""What an adapter needs to follow a bound recipe: its rows, their new classes, and how much old weights matter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from incumbent.core import Array, Batch, Floats, HasWeights, Pull, Recipe
from incumbent.errors import ModelError
from incumbent.memory import get_importance, normalize_importance


def training_rows(recipe: Recipe) -> Batch:
    """Return the rows that a bound recipe trains on."""
    assert recipe.train is not None, "a recipe is bound to rows before an adapter follows it"
    return recipe.train


def new_classes(recipe: Recipe, classes: Array | None) -> Array:
    """Return the classes of the training rows that the champion does not know; none for a regression."""
    return np.empty(0) if classes is None else np.setdiff1d(np.unique(training_rows(recipe).labels), classes)


def note_new_classes(unseen: Array) -> str:
    """Return the note of a model that took in new classes, such as "grew by 2 new classes: a, b"."""
    return f"grew by {len(unseen)} new class{'es' * (len(unseen) > 1)}: {', '.join(map(str, unseen[:5]))}"


def with_missing_classes(recipe: Recipe, classes: Array | None, *, rows: int = 20) -> Recipe:
    """Add a few remembered rows of each known class that the training rows lack.

    Many estimators take their classes from the rows of the last fit only.
    """
    train, old = training_rows(recipe), recipe.memory.rows
    if classes is None or old is None or old.y is None:
        return recipe
    missing = np.setdiff1d(classes, np.unique(train.labels))
    extra = [np.flatnonzero(old.y == label)[:rows] for label in missing]
    if not extra:
        return recipe
    return recipe.bind(train=Batch.join([old.take(np.concatenate(extra)), train]))


def with_memory(recipe: Recipe) -> Batch:
    """Return the remembered rows and the training rows: what an unplanned fit from scratch needs."""
    old = recipe.memory.rows
    return training_rows(recipe) if old is None else Batch.join([old, training_rows(recipe)])


def pull_importance(champion: HasWeights, recipe: Recipe, pull: Pull) -> Mapping[str, Floats]:
    """Return how much each weight of the champion matters for a pull: from memory, or from its rows if it has none."""
    start = champion.weights()
    if pull.importance == "uniform":
        return {name: np.ones_like(value) for name, value in start.items()}
    known = get_importance(recipe.memory, pull.importance, normalise=pull.normalise)
    if known and all(name in known and known[name].shape == value.shape for name, value in start.items()):
        return known
    if recipe.memory.rows is None:
        raise ModelError(
            "EWC needs the importance of each weight for the old rows, and none are in memory. Pass data= (the rows "
            "the model was trained on), or use L2SP(0.1, l2_new_weights=0), which needs none."
        )
    found = champion.weight_importance(recipe.memory.rows, pull.importance)
    return normalize_importance(found) if pull.normalise else found
