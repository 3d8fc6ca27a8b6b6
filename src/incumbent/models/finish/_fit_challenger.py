"""Follow a whole recipe: fit, then interpolate or blend with the champion, whatever the framework."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from incumbent.core import Batch, Floats, Model, Recipe, has_weights
from incumbent.errors import AbilityError
from incumbent.models.finish._blend import blended
from incumbent.models.finish._soup import souped

ALPHAS = tuple(np.round(np.linspace(0, 1, 11), 2).tolist())


def fit_challenger(champion: Model, recipe: Recipe) -> Model:
    """Return the challenger that a bound recipe makes of the champion.

    Parameters
    ----------
    champion : Model
        Where it starts; it does not change.
    recipe : Recipe
        Settled and bound to rows.

    Raises
    ------
    AbilityError
        The finish needs what this model, or the rows at hand, cannot give.
    """
    if recipe.finish.soup:
        fitted = souped(champion, recipe, _judges(recipe, "Soup picks its members", "leave it out"), _loss)
    else:
        fitted = champion.fit(recipe)
    if recipe.finish.alpha is not None:
        fitted = interpolated(champion, fitted, recipe)
    return blended(champion, fitted, recipe) if recipe.finish.ensemble is not None else fitted


def interpolated(champion: Model, challenger: Model, recipe: Recipe) -> Model:
    """Return ``(1 - alpha) * champion + alpha * challenger`` in weight space (Wortsman et al. 2022).

    Classes that joined have the challenger's weights at any alpha above 0; at 0 it is the champion, without them.
    """
    if not has_weights(champion) or not has_weights(challenger):
        raise AbilityError(f"{type(champion.native).__name__} has no weights to interpolate; Vote() mixes predictions.")
    new = challenger.weights()
    old = _grown(champion.weights(), new, _outputs(champion), _outputs(challenger))

    def at(alpha: float) -> Model:
        if alpha == 0:
            return champion
        return challenger.with_weights(
            {name: new[name] if alpha == 1 else (1 - alpha) * old[name] + alpha * new[name] for name in new}
        )

    alpha = recipe.finish.alpha
    if alpha == "auto":
        rows = _judges(recipe, "Interpolate('auto') picks alpha", "give a number")
        losses = [_loss(at(a), rows) for a in ALPHAS]
        alpha = ALPHAS[int(np.argmin(losses))]
    assert isinstance(alpha, int | float), "alpha is a number by now"
    made = at(alpha)
    noted: Model = dataclasses.replace(cast(Any, made), notes=(*challenger.notes, f"alpha {alpha:g}"))
    return noted


def _outputs(model: Model) -> list[Any]:
    """Return the classes in the order in which the last layer has them."""
    return [] if model.outputs is None else model.outputs.tolist()


def _grown(
    old: Mapping[str, Floats], new: Mapping[str, Floats], before: list[Any], after: list[Any]
) -> dict[str, Floats]:
    """Return the champion's weights in the shapes of the challenger's, whose rows of joined classes they take."""
    apart = AbilityError(
        "Champion and challenger know different classes, so their weights stand for different things and cannot be "
        "interpolated; Vote() mixes predictions."
    )
    places = [after.index(each) for each in before if each in after]
    if len(places) < len(before) or places != sorted(places):
        raise apart
    made: dict[str, Floats] = {}
    for name, value in new.items():
        if old[name].shape == value.shape:
            made[name] = old[name]
        elif (len(old[name]), len(value)) == (len(before), len(after)) and old[name].shape[1:] == value.shape[1:]:
            made[name] = value.copy()
            made[name][places] = old[name]
        else:
            raise apart
    return made


def _judges(recipe: Recipe, why: str, instead: str) -> Batch:
    """Select rows and as many remembered ones: the choice must answer to the old as well as to the new."""
    if recipe.select is None or not len(recipe.select):
        raise AbilityError(f"{why} on select rows, and there are none; {instead}.")
    old = recipe.memory.rows
    if old is None:
        return recipe.select
    some = np.random.default_rng(recipe.seed).permutation(len(old))[: len(recipe.select)]
    return Batch.join([recipe.select, old.take(some)])


def _loss(model: Model, rows: Batch) -> float:
    """Mean squared error, or log loss (0/1 loss where there are no probabilities)."""
    said, y = model.predict(rows.x), rows.labels
    if said.classes is None:
        return float(np.mean((said.label - y) ** 2))
    if said.proba is None:
        return float(np.mean(said.label != y))
    if np.ndim(y) > 1:  # several labels at once, each on or off
        return float(-np.log(np.clip(np.where(y == 1, said.proba, 1 - said.proba), 1e-6, 1)).mean())
    at: Floats = np.clip(np.searchsorted(said.classes, y), 0, len(said.classes) - 1)
    hit = said.proba[np.arange(len(y)), at] * (said.classes[at] == y)
    return float(-np.log(np.clip(hit, 1e-6, 1)).mean())
