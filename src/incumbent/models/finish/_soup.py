"""Average the weights of several trainings from one champion (Wortsman et al. 2022, Recipe 1)."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from incumbent.core import Batch, Floats, Model, Recipe, has_weights
from incumbent.errors import AbilityError

_RATES = (1.0, 0.3, 3.0, 0.1)  # factors of the learning rate, in turn


def souped(champion: Model, recipe: Recipe, rows: Batch, loss: Callable[[Model, Batch], float]) -> Model:
    """Return the greedy average of several trainings: the best, then each that does not raise the loss on `rows`.

    Each has its own seed, and its own learning rate if the recipe gives one. None learned `rows`.
    """
    members = [champion.fit(_varied(recipe, i)) for i in range(recipe.finish.soup)]
    weights = [_weights(member) for member in members]
    if any(_shapes(w) != _shapes(weights[0]) for w in weights):
        raise AbilityError("The members of a soup have weights of different shapes, which have no average.")
    order = np.argsort([loss(member, rows) for member in members], kind="stable")
    chosen, best = [int(order[0])], loss(members[order[0]], rows)
    for i in map(int, order[1:]):
        made = _averaged(members[chosen[0]], [weights[j] for j in (*chosen, i)])
        found = loss(made, rows)
        if found <= best:
            chosen, best = [*chosen, i], found
    soup = _averaged(members[chosen[0]], [weights[j] for j in chosen]) if len(chosen) > 1 else members[chosen[0]]
    note = f"average of {len(chosen)} of {len(members)} trainings"
    noted: Model = dataclasses.replace(cast(Any, soup), notes=(*members[chosen[0]].notes, note))
    return noted


def _varied(recipe: Recipe, i: int) -> Recipe:
    now, left = time.monotonic(), recipe.finish.soup - i
    bound = recipe.bind(seed=recipe.seed + i, deadline=now + (recipe.deadline - now) / left)
    lr = recipe.optimizer.lr
    return bound if lr is None else bound.replace(lr=lr * _RATES[i % len(_RATES)])


def _weights(model: Model) -> dict[str, Floats]:
    if not has_weights(model):
        raise AbilityError(f"{type(model.native).__name__} has no weights to average.")
    return model.weights()


def _shapes(weights: Mapping[str, Floats]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in weights.items()}


def _averaged(like: Model, weights: list[dict[str, Floats]]) -> Model:
    assert has_weights(like), "its weights were read"
    return like.with_weights({name: np.mean([w[name] for w in weights], axis=0) for name in weights[0]})
