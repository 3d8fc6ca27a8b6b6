"""What a linear estimator minimises: its loss and its penalties, read from its own settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats, Recipe
from incumbent.models.tables import _losses as losses
from incumbent.models.tables._losses import LinearLoss
from incumbent.models.tables._native import as_input, classes_of

_SGD: dict[str, Callable[[Any], LinearLoss]] = {
    "log_loss": lambda m: losses.LOG,
    "hinge": lambda m: losses.HINGE,
    "squared_hinge": lambda m: losses.SQUARED_HINGE,
    "perceptron": lambda m: losses.PERCEPTRON,
    "modified_huber": lambda m: losses.MODIFIED_HUBER,
    "squared_error": lambda m: losses.SQUARED,
    "huber": lambda m: losses.huber(m.epsilon),
    "epsilon_insensitive": lambda m: losses.epsilon_insensitive(m.epsilon),
    "squared_epsilon_insensitive": lambda m: losses.squared_epsilon_insensitive(m.epsilon),
}
_LOSS: dict[str, Callable[[Any], LinearLoss]] = {
    "LogisticRegression": lambda m: losses.SOFTMAX if len(m.classes_) > 2 else losses.LOG,
    "SGDClassifier": lambda m: replace(_SGD[m.loss](m), signs=m.loss != "log_loss"),
    "SGDRegressor": lambda m: _SGD[m.loss](m),
    "Perceptron": lambda m: losses.PERCEPTRON,
    "LinearSVC": lambda m: losses.HINGE if m.loss == "hinge" else losses.SQUARED_HINGE,
    "LinearSVR": lambda m: _SGD[m.loss](m),
    "RidgeClassifier": lambda m: replace(losses.SQUARED, signs=True),
    "HuberRegressor": lambda m: losses.huber(m.epsilon * m.scale_),
    **dict.fromkeys(("LinearRegression", "Ridge", "Lasso", "ElasticNet"), lambda m: losses.SQUARED),
}


def has_linear_loss(native: Any) -> bool:
    """Return whether `native` is a fitted linear model whose loss is known here."""
    kind = type(native)
    if not kind.__module__.startswith("sklearn.") or _stem(native) not in _LOSS:
        return False
    if kind.__name__.startswith("SGD") and native.loss not in _SGD:
        return False
    is_dense = isinstance(getattr(native, "coef_", None), np.ndarray)  # not after sparsify()
    return is_dense and not (kind.__name__.startswith("Logistic") and getattr(native, "multi_class", None) == "ovr")


def loss_of(native: Any) -> LinearLoss:
    """Return the loss that `native` minimises."""
    return _LOSS[_stem(native)](native)


def _stem(native: Any) -> str:
    return type(native).__name__.removesuffix("CV")


@dataclass(frozen=True, eq=False)
class Problem:
    """What a linear model minimises on rows x (n, d), targets (n, k) and row weights (n,).

    ``mean_i(weight_i * loss(x_i @ coef.T + intercept, target_i)) + l2/2 * sum(coef**2) + l1 * sum(|coef|)
    + pull/2 * sum(importance * (w - w_start)**2)``, with an importance for "coef" (k, d) and "intercept" (k,).
    `intercept` says whether the intercept may change.
    """

    x: Any
    target: Floats
    weight: Floats
    loss: LinearLoss
    l1: float = 0.0
    l2: float = 0.0
    pull: float = 0.0
    importance: Mapping[str, Floats] | None = None
    intercept: bool = True

    def rows(self, at: Any) -> Problem:
        """Return the same problem on some of its rows."""
        return replace(self, x=self.x[at], target=self.target[at], weight=self.weight[at])

    def error(self, coef: Floats, intercept: Floats) -> float:
        """Return the weighted mean loss, without penalties."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.average(self.loss.value(self.x @ coef.T + intercept, self.target), weights=self.weight))


def problem_of(native: Any, batch: Batch, recipe: Recipe) -> Problem:
    """Return what `native` minimises on the rows of a batch, with the pull of a recipe."""
    loss = loss_of(native)
    target = targets(batch.labels, classes_of(native), signs=loss.signs)
    weight = np.ones(len(batch)) if batch.weight is None else np.asarray(batch.weight, dtype=np.float64)
    if getattr(native, "class_weight", None) is not None:
        from sklearn.utils.class_weight import compute_sample_weight

        weight = weight * compute_sample_weight(native.class_weight, batch.labels)
    l1, l2 = _penalties(native, max(float(weight.sum()), recipe.memory.seen))
    pull = 0.0 if recipe.loss.pull is None else recipe.loss.pull.strength
    x, intercept = numbers(as_input(native, batch.x)), bool(getattr(native, "fit_intercept", True))
    return Problem(x, target, weight, loss, l1, l2, pull, intercept=intercept)


def targets(y: Any, classes: Array | None, *, signs: bool) -> Floats:
    """Return targets (n, k) as a loss takes them."""
    if classes is None:
        return np.asarray(y, dtype=np.float64)[:, None]
    hit = (y == classes[1])[:, None] if len(classes) == 2 else y[:, None] == classes[None, :]
    return np.where(hit, 1.0, -1.0 if signs else 0.0)


def numbers(x: Any) -> Any:
    """Return rows as an array or a sparse matrix of floats."""
    return x.tocsr() if hasattr(x, "tocsr") else np.asarray(x, dtype=np.float64)


def has_l1(native: Any) -> bool:
    """Return whether an estimator has an L1 penalty."""
    return _penalties(native, 1)[0] > 0


def _penalties(native: Any, n: float) -> tuple[float, float]:
    """Return the L1 and L2 strengths for a mean over rows of total weight `n`, from the estimator's own settings."""
    kind, penalty = type(native).__name__, str(getattr(native, "penalty", ""))
    if kind.startswith(("Logistic", "LinearSV")):
        strength = float(np.mean(getattr(native, "C_", native.C if hasattr(native, "C") else 1.0)))
        mix = 1.0 if penalty == "l1" else float(getattr(native, "l1_ratio", None) or 0.0)
        return (0.0, 0.0) if penalty == "None" else (mix / (strength * n), (1 - mix) / (strength * n))
    alpha = float(getattr(native, "alpha_", getattr(native, "alpha", 0.0)))
    if kind.startswith("Ridge"):
        return 0.0, alpha / n
    if kind == "HuberRegressor":  # its loss is the one here times 2 / scale
        return 0.0, alpha * native.scale_ / n
    if kind.startswith(("Lasso", "ElasticNet")):
        mix = float(getattr(native, "l1_ratio_", getattr(native, "l1_ratio", 1.0)))
        return alpha * mix, alpha * (1 - mix)
    mixes = {"l2": 0.0, "l1": 1.0, "elasticnet": float(getattr(native, "l1_ratio", None) or 0.15)}
    return (alpha * mixes[penalty], alpha * (1 - mixes[penalty])) if penalty in mixes else (0.0, 0.0)
