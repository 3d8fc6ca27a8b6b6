"""The settings that an XGBoost model was trained with, read back from its description of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from incumbent.core import Task
from incumbent.errors import ModelError

_SECOND_NAMES = {"learning_rate", "min_split_loss", "reg_alpha", "reg_lambda", "random_state", "n_jobs"}
_OF_THE_RUN = {
    *("updater", "updater_seq", "process_type", "refresh_leaf", "validate_parameters"),
    *("fail_on_invalid_gpu_id", "debug_synchronize", "max_cached_hist_node", "num_trees"),
}


def task_of(native: Any, objective: str, hint: Task | None) -> Task:
    """Tell what a model predicts from its objective, or why it is nothing that can be updated here."""
    kind = type(native).__name__
    if objective.startswith(("rank:", "survival:")) or kind.endswith("Ranker"):
        raise ModelError(f"This {kind} has the objective {objective!r}; Incumbent updates classifiers and regressors.")
    if hasattr(native, "get_params"):
        classifies = hasattr(native, "n_classes_")
        if classifies and callable(native.get_params().get("objective")):
            raise ModelError(
                f"This {kind} was trained with an objective of its own making and gives raw scores instead of class "
                "probabilities; train it with objective='binary:logistic' or 'multi:softprob'."
            )
    else:
        classifies = objective.startswith(("binary:", "multi:")) or (
            objective == "reg:logistic" and hint == "classification"
        )
    if hint is not None and hint != ("classification" if classifies else "regression"):
        raise ModelError(f"This {kind} has the objective {objective!r}, which is no {hint}.")
    return "classification" if classifies else "regression"


def flat(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings in XGBoost's description of itself, which is nested by the part that reads them."""
    model, booster = config["learner_model_param"], config["gradient_booster"]
    yield "objective", config["objective"]["name"]
    yield "booster", booster["name"]
    if model["num_class"] != "0":
        yield "num_class", model["num_class"]
    if model["boost_from_average"] == "0":  # the user set where boosting starts from
        yield "base_score", float(model["base_score"].strip("[]").split(",")[0])
    parts = [config["generic_param"], config["learner_train_param"], *_nested(booster), *_nested(config["objective"])]
    updaters = booster.get("gbtree_train_param", {}).get("tree_method")
    for part in parts:
        for name, value in part.items():
            if name not in _OF_THE_RUN | _SECOND_NAMES | {"num_class", "name"} and value not in ("", "()", "[]"):
                yield name, value
    if updaters:
        yield "tree_method", updaters


def _nested(config: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(config, list):
        for part in config:
            yield from _nested(part)
    elif isinstance(config, dict):
        leaves = {k: v for k, v in config.items() if isinstance(v, str)}
        yield leaves
        for part in config.values():
            yield from _nested(part)


def is_default(params: Mapping[str, Any]) -> bool:
    """Whether the settings that matter most are those of XGBoost itself."""
    usual = {
        "max_depth": "6",
        "eta": "0.300000012",
        "lambda": "1",
        "alpha": "0",
        "subsample": "1",
        "min_child_weight": "1",
    }
    return all(params.get(name) == value for name, value in usual.items())


def without(params: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings but for some."""
    return {k: v for k, v in params.items() if k not in names}


def for_classes(params: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the settings for another number of classes; what only means something for two goes."""
    if count <= 2:
        return dict(params)
    multi = params["objective"] if str(params["objective"]).startswith("multi:") else "multi:softprob"
    kept = without(params, ("scale_pos_weight", "base_score"))
    return kept | {"objective": multi, "num_class": count}
