"""Follow a whole recipe in any framework: fit, then average weights or add to an ensemble."""

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
        The model to start from. It does not change.
    recipe : Recipe
        A recipe that is bound to rows.

    Raises
    ------
    AbilityError
        The finish needs what the model or the rows lack.
    """
    if recipe.finish.soup:
        fitted = souped(champion, recipe, _choice_rows(recipe, "Soup picks its members", "leave it out"), _loss)
    else:
        fitted = champion.fit(recipe)
    if recipe.finish.alpha is not None:
        fitted = interpolated(champion, fitted, recipe)
    return blended(champion, fitted, recipe) if recipe.finish.ensemble is not None else fitted


def interpolated(champion: Model, challenger: Model, recipe: Recipe) -> Model:
    """Return ``(1 - alpha) * champion + alpha * challenger`` in weight space (Wortsman et al. 2022).

    New classes have the challenger's weights for every alpha above 0. Alpha 0 is the champion, without them.
    """
    if not has_weights(champion) or not has_weights(challenger):
        raise AbilityError(
            f"{type(champion.native).__name__} has no weights to interpolate. Use Vote(), which averages predictions."
        )
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
        rows = _choice_rows(recipe, "Interpolate('auto') picks alpha", "give a number")
        losses = [_loss(at(a), rows) for a in ALPHAS]
        alpha = ALPHAS[int(np.argmin(losses))]
    assert isinstance(alpha, int | float), "alpha is a number by now"
    made = at(alpha)
    noted: Model = dataclasses.replace(cast(Any, made), notes=(*challenger.notes, f"alpha {alpha:g}"))
    return noted


def _outputs(model: Model) -> list[Any]:
    """Return the classes in the order of the last layer."""
    return [] if model.outputs is None else model.outputs.tolist()


def _grown(
    old: Mapping[str, Floats], new: Mapping[str, Floats], before: list[Any], after: list[Any]
) -> dict[str, Floats]:
    """Return the champion's weights in the challenger's shapes; new classes have the challenger's weights."""
    mismatch = AbilityError(
        "Champion and challenger know different classes, so their weights cannot be interpolated. Use Vote(), which "
        "averages predictions."
    )
    places = [after.index(each) for each in before if each in after]
    if len(places) < len(before) or places != sorted(places):
        raise mismatch
    made: dict[str, Floats] = {}
    for name, value in new.items():
        if old[name].shape == value.shape:
            made[name] = old[name]
        elif (len(old[name]), len(value)) == (len(before), len(after)) and old[name].shape[1:] == value.shape[1:]:
            made[name] = value.copy()
            made[name][places] = old[name]
        else:
            raise mismatch
    return made


def _choice_rows(recipe: Recipe, why: str, instead: str) -> Batch:
    """Return the select rows and as many remembered ones, so that a choice is good for both."""
    if recipe.select is None or not len(recipe.select):
        raise AbilityError(f"{why} on select rows, and there are none; {instead}.")
    old = recipe.memory.rows
    if old is None:
        return recipe.select
    some = np.random.default_rng(recipe.seed).permutation(len(old))[: len(recipe.select)]
    return Batch.join([recipe.select, old.take(some)])


def _loss(model: Model, rows: Batch) -> float:
    """Return the mean squared error, or the log loss (0/1 loss without probabilities)."""
    made, y = model.predict(rows.x), rows.labels
    if made.classes is None:
        return float(np.mean((made.label - y) ** 2))
    if made.proba is None:
        return float(np.mean(made.label != y))
    if np.ndim(y) > 1:  # several labels per row, each 1 or 0
        return float(-np.log(np.clip(np.where(y == 1, made.proba, 1 - made.proba), 1e-6, 1)).mean())
    at: Floats = np.clip(np.searchsorted(made.classes, y), 0, len(made.classes) - 1)
    hit = made.proba[np.arange(len(y)), at] * (made.classes[at] == y)
    return float(-np.log(np.clip(hit, 1e-6, 1)).mean())
