"""Add classes to a model without changing its outputs for the others."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from scipy.special import logit, logsumexp

from incumbent.core import Array, Floats


def add_linear_classes(
    coef: Floats, intercept: Floats, classes: Array, unseen: Array, x: Any, y: Any, *, shared: bool
) -> tuple[Floats, Floats, Array]:
    """Return coefficients (k', d), intercepts (k',) and sorted classes (k',) with rows for the unseen classes.

    A new row has zero coefficients, and the intercept that gives its class its fraction of the training rows (x, y).
    So the model is calibrated on average before the first step. `shared` says whether the classes share one softmax;
    otherwise each has its own one-against-all score.
    """
    if len(classes) == 2:  # one row becomes two that give the same probabilities
        half = 0.5 if shared else 1.0
        coef, intercept = np.vstack([-half * coef, half * coef]), np.concatenate([-half * intercept, half * intercept])
    fraction = np.array([np.mean(y == label) for label in unseen]).clip(1e-6, 1 - 1e-6)
    start = logit(fraction)
    if shared:
        start = start + np.mean(logsumexp(x @ coef.T + intercept, axis=1))
    joined = np.concatenate([classes, unseen])
    order = np.argsort(joined)
    rows = np.vstack([coef, np.zeros((len(unseen), coef.shape[1]))])
    return rows[order], np.concatenate([intercept, start])[order], joined[order]


def is_naive_bayes(native: Any) -> bool:
    """Return whether `native` is a naive Bayes model, the only kind that `add_bayes_classes` takes."""
    return type(native).__module__.startswith("sklearn.naive_bayes")


def add_bayes_classes(native: Any, unseen: Array) -> Any:
    """Return a naive Bayes model with empty counts for the unseen classes.

    Its statistics are sums over rows by class, so an empty class is exactly the state before its first row.
    """
    grown = copy.deepcopy(native)
    joined = np.concatenate([native.classes_, unseen])
    order = np.argsort(joined)
    grown.classes_ = joined[order]
    for name in ("class_count_", "feature_count_", "theta_", "class_prior_", "class_log_prior_"):
        if hasattr(native, name):
            setattr(grown, name, _with_rows(getattr(native, name), len(unseen), 0.0)[order])
    if hasattr(native, "var_"):
        grown.var_ = _with_rows(native.var_, len(unseen), native.epsilon_)[order]
    if hasattr(native, "category_count_"):
        grown.category_count_ = [_with_rows(c, len(unseen), 0.0)[order] for c in native.category_count_]
    return grown


def _with_rows(rows: Floats, count: int, value: float) -> Floats:
    return np.concatenate([rows, np.full((count, *rows.shape[1:]), value)])
