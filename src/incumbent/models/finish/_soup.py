"""Average the weights of several trainings from one champion (Wortsman et al. 2022, Recipe 1)."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from incumbent.core import Batch, Floats, Model, Recipe, has_weights
from incumbent.errors import AbilityError

_RATES = (1.0, 0.3, 3.0, 0.1)  # of the learning rate that was asked for, one after the other


def souped(champion: Model, recipe: Recipe, judges: Batch, loss: Callable[[Model, Batch], float]) -> Model:
    """Return the greedy average: the best member, then each that does not make the average worse on the judges.

    Parameters
    ----------
    champion : Model
        Where all of them start.
    recipe : Recipe
        What each follows, with a seed of its own, and another rate where one was given.
    judges : Batch
        Rows that none of them learned.
    loss : callable
        What they are judged by, smaller is better.
    """
    members = [champion.fit(_varied(recipe, i)) for i in range(recipe.finish.soup)]
    weighed = [_weights(member) for member in members]
    if any(_shapes(w) != _shapes(weighed[0]) for w in weighed):
        raise AbilityError("The members of a soup have weights of different shapes, which have no average.")
    order = np.argsort([loss(member, judges) for member in members], kind="stable")
    chosen, best = [int(order[0])], loss(members[order[0]], judges)
    for i in map(int, order[1:]):
        made = _averaged(members[chosen[0]], [weighed[j] for j in (*chosen, i)])
        found = loss(made, judges)
        if found <= best:
            chosen, best = [*chosen, i], found
    soup = _averaged(members[chosen[0]], [weighed[j] for j in chosen]) if len(chosen) > 1 else members[chosen[0]]
    note = f"average of {len(chosen)} of {len(members)} trainings"
    noted: Model = dataclasses.replace(cast(Any, soup), notes=(*members[chosen[0]].notes, note))
    return noted


def _varied(recipe: Recipe, i: int) -> Recipe:
    now, left = time.monotonic(), recipe.finish.soup - i
    fair = recipe.bind(seed=recipe.seed + i, deadline=now + (recipe.deadline - now) / left)
    lr = recipe.optimizer.lr
    return fair if lr is None else fair.replace(lr=lr * _RATES[i % len(_RATES)])


def _weights(model: Model) -> dict[str, Floats]:
    if not has_weights(model):
        raise AbilityError(f"{type(model.native).__name__} has no weights to average.")
    return model.weights()


def _shapes(weights: Mapping[str, Floats]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in weights.items()}


def _averaged(like: Model, weights: list[dict[str, Floats]]) -> Model:
    assert has_weights(like), "its weights were read"
    return like.with_weights({name: np.mean([w[name] for w in weights], axis=0) for name in weights[0]})
