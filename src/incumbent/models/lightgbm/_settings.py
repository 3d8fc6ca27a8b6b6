"""What a LightGBM model says of itself, and its settings, each of which has several names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from incumbent.core import Task
from incumbent.errors import ModelError

_BINARY = {"binary", "cross_entropy"}
_MULTI = {"multiclass", "multiclassova"}
_UNFIT = {"lambdarank", "rank_xendcg"}
# The names under which LightGBM takes one setting; the first is its own.
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "categorical_feature": ("cat_feature", "categorical_column", "cat_column", "categorical_features"),
    "num_iterations": (
        *("num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds", "nrounds"),
        *("num_boost_round", "n_estimators", "max_iter"),
    ),
    "early_stopping_round": ("early_stopping_rounds", "early_stopping", "n_iter_no_change"),
    "learning_rate": ("shrinkage_rate", "eta"),
    "lambda_l2": ("reg_lambda", "lambda"),
    "seed": ("random_seed", "random_state"),
    "verbosity": ("verbose",),
    "num_threads": ("num_thread", "nthread", "nthreads", "n_jobs"),
    "num_class": ("num_classes",),
    "objective": ("objective_type", "app", "application", "loss"),
    "metric": ("metrics", "metric_types"),
    "boosting": ("boosting_type", "boost"),
}


def header(booster: Any) -> dict[str, str]:
    """Return what a model says of itself as text: its objective, and each "[setting]" of its training."""
    text = booster.model_to_string(num_iteration=1)
    top = dict(line.split("=", 1) for line in text.split("\n\n", 1)[0].splitlines() if "=" in line)
    settings = re.findall(r"^(\[\w+)\s*: ?(.*)\]$", text[text.rfind("\nparameters:") :], flags=re.MULTILINE)
    return top | {f"{name}]": value for name, value in settings}


def task_of(native: Any, header: Mapping[str, str], hint: Task | None) -> Task:
    """Tell what a model predicts from its objective, or why it is nothing that can be updated here."""
    name = header.get("objective", "").split(" ")[0]
    kind = type(native).__name__
    if name in _UNFIT or kind.endswith("Ranker"):
        raise ModelError(f"This {kind} ranks ({name or 'lambdarank'}); Incumbent updates classifiers and regressors.")
    classifies = hasattr(native, "classes_") if hasattr(native, "get_params") else name in _BINARY | _MULTI
    if not name and (classifies or hint == "classification"):
        raise ModelError(
            f"This {kind} was trained with an objective of its own making and gives raw scores instead of class "
            "probabilities; train it with objective='binary' or 'multiclass'."
        )
    if hint is not None and hint != ("classification" if classifies else "regression") and name != "cross_entropy":
        raise ModelError(f"This {kind} has the objective {name!r}, which is no {hint}.")
    return hint or ("classification" if classifies else "regression")


def spellings(name: str) -> tuple[str, ...]:
    """Return every name under which LightGBM takes a setting."""
    return (name, *_ALIASES[name])


def changed(params: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the settings with some changed, or absent where changed to None, under whatever name they went."""
    dropped = {alias for name in changes for alias in spellings(name)}
    return {k: v for k, v in params.items() if k not in dropped} | {k: v for k, v in changes.items() if v is not None}


def for_classes(params: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the settings for another number of classes; what only means something for two goes."""
    objective = next((params[name] for name in spellings("objective") if name in params), "binary")
    kept = {k: v for k, v in params.items() if k not in ("is_unbalance", "scale_pos_weight")}
    multi = objective if objective in _MULTI else "multiclass"
    return changed(kept, objective=multi, num_class=count, metric=None) if count > 2 else kept


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that JSON can hold; a function cannot, and stays with the estimator."""
    made = {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}
    return {k: v for k, v in made.items() if isinstance(v, str | int | float | bool | list | None)}
