"""Fit from scratch, with a search over the estimator's own hyper-parameters if the recipe asks for one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

import numpy as np
from scipy.stats import loguniform

from incumbent.core import Batch, Model, Recipe
from incumbent.models._training import training_rows
from incumbent.models.tables._native import as_input, free_random_states, refit, task_of

_FOREST = {
    "max_depth": [None, 6, 12, 20],
    "min_samples_leaf": [1, 2, 5, 10, 20],
    "max_features": ["sqrt", 0.3, 0.6, 1.0],
}
_TREE = {"max_depth": [None, 3, 5, 8, 12], "min_samples_leaf": [1, 5, 10, 20, 50]}
_C = {"C": loguniform(1e-3, 1e3)}
_ALPHA = {"alpha": loguniform(1e-4, 1e3)}
_SPACES: dict[str, dict[str, Any]] = {
    "RandomForest": _FOREST,
    "ExtraTrees": _FOREST,
    "DecisionTree": _TREE,
    "HistGradientBoosting": {
        "learning_rate": loguniform(0.02, 0.3),
        "max_leaf_nodes": [7, 15, 31, 63],
        "min_samples_leaf": [5, 20, 50],
        "l2_regularization": [0.0, 0.1, 1.0, 10.0],
    },
    "GradientBoosting": {
        "learning_rate": loguniform(0.02, 0.3),
        "max_depth": [2, 3, 4, 5],
        "subsample": [0.5, 0.8, 1.0],
    },
    "LogisticRegression": _C,
    "LinearSV": _C,
    "SVC": _C,
    "SVR": _C,
    "Ridge": _ALPHA,
    "Lasso": {"alpha": loguniform(1e-5, 1e1)},
    "ElasticNet": {"alpha": loguniform(1e-5, 1e1), "l1_ratio": [0.1, 0.5, 0.9]},
    "SGD": {"alpha": loguniform(1e-6, 1e-2)},
    "KNeighbors": {"n_neighbors": [1, 3, 5, 9, 15, 31], "weights": ["uniform", "distance"]},
    "MLP": {"alpha": loguniform(1e-6, 1e-1), "learning_rate_init": loguniform(1e-4, 1e-2)},
}


class HasSearchSpace(Model, Protocol):
    """A model that can be fitted from scratch with other hyper-parameters."""

    @property
    def search_space(self) -> Mapping[str, Any]:
        """Values, or a distribution of them, for each parameter of the native model that is worth a search."""


def has_search_space(model: Model) -> TypeGuard[HasSearchSpace]:
    """Return whether the hyper-parameters of a model can be searched."""
    return "hyperparameter_search" in model.abilities


def space_of(native: Any) -> dict[str, Any]:
    """Return the search space of a scikit-learn estimator by parameter; empty if none is known."""
    kind = type(native)
    if not kind.__module__.startswith("sklearn.") or kind.__name__.endswith("CV"):
        return {}
    return next((space for stem, space in _SPACES.items() if kind.__name__.startswith(stem)), {})


def fit_from_scratch(native: Any, recipe: Recipe, space: Mapping[str, Any]) -> Any:
    """Return a fresh copy of `native` fitted to the recipe's rows, after the search that the recipe may ask for."""
    train = training_rows(recipe)
    settings = best_settings(native, space, train, recipe) if recipe.structure.search is not None else {}
    return refit(native, train, seed=recipe.seed, settings=settings)


def best_settings(native: Any, space: Mapping[str, Any], train: Batch, recipe: Recipe) -> dict[str, Any]:
    """Return the best settings by successive halving, the model's own included; with fewer than two tries, none."""
    search = recipe.structure.search
    if search is None or search.tries < 2:
        return {}
    from sklearn.base import clone
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # importing it enables it
    from sklearn.model_selection import HalvingGridSearchCV, ParameterSampler

    rng, fresh = np.random.RandomState(recipe.seed), clone(native)
    own = {name: native.get_params()[name] for name in space}
    targets = 1 if task_of(native) == "regression" else len(np.unique(train.labels))
    drawn = list(ParameterSampler(space, search.tries - 1, random_state=rng))
    search = HalvingGridSearchCV(
        fresh.set_params(**dict.fromkeys(free_random_states(fresh), recipe.seed)),
        [{name: [value] for name, value in setting.items()} for setting in (own, *drawn)],
        cv=3,
        scoring=_scoring(native),
        min_resources=min(len(train), max(60, 20 * targets)),
        random_state=recipe.seed,
        refit=False,
        error_score=-np.inf,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search tries settings that fit badly on few rows
        search.fit(as_input(native, train.x), train.y)
    best: dict[str, Any] = search.cv_results_["params"][int(search.best_index_)]
    return best


def _scoring(native: Any) -> str | None:
    if task_of(native) == "regression":
        return "neg_mean_squared_error"
    return "neg_log_loss" if hasattr(native, "predict_proba") else None
