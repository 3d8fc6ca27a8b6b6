"""Make room for classes that a model has not seen, without changing what it says of the others."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from scipy.special import logsumexp

from incumbent.core import Array, Floats


def grown_linear(
    coef: Floats, intercept: Floats, classes: Array, unseen: Array, x: Any, y: Any, *, shared: bool
) -> tuple[Floats, Floats, Array]:
    """Return coefficients (k', d), intercepts (k',) and sorted classes (k',) with rows for the unseen classes.

    A new row starts with zero coefficients and the intercept that gives the class its share of the training rows, so
    the model is calibrated on average before the first step.

    Parameters
    ----------
    coef : (k, d) array
        Coefficients; one row for a binary model.
    intercept : (k,) array
        Intercepts.
    classes, unseen : arrays
        Known and new classes.
    x : (n, d) array
        Training rows.
    y : (n,) array
        Their classes.
    shared : bool
        Whether the classes share one softmax; otherwise each has its own one-against-all score.
    """
    if len(classes) == 2:  # one row speaks for both: two rows that give the same probabilities
        half = 0.5 if shared else 1.0
        coef, intercept = np.vstack([-half * coef, half * coef]), np.concatenate([-half * intercept, half * intercept])
    score = x @ coef.T + intercept
    share = np.array([np.mean(y == label) for label in unseen]).clip(1e-6, 1 - 1e-6)
    odds = np.log(share) - np.log1p(-share)
    start = odds + np.mean(logsumexp(score, axis=1)) if shared else odds
    joined = np.concatenate([classes, unseen])
    order = np.argsort(joined)
    rows = np.vstack([coef, np.zeros((len(unseen), coef.shape[1]))])
    return rows[order], np.concatenate([intercept, start])[order], joined[order]


def grown_bayes(native: Any, unseen: Array) -> Any:
    """Return a naive Bayes model with empty counts for the unseen classes; None if `native` is none.

    Its statistics are sums over rows by class, so an empty class is exactly the state before its first row.
    """
    if not type(native).__module__.startswith("sklearn.naive_bayes"):
        return None
    grown = copy.deepcopy(native)
    joined = np.concatenate([native.classes_, unseen])
    order = np.argsort(joined)
    grown.classes_ = joined[order]
    for name in ("class_count_", "feature_count_", "theta_", "class_prior_", "class_log_prior_"):
        if hasattr(native, name):
            setattr(grown, name, _with_empty(getattr(native, name), len(unseen), 0.0)[order])
    if hasattr(native, "var_"):
        grown.var_ = _with_empty(native.var_, len(unseen), native.epsilon_)[order]
    if hasattr(native, "category_count_"):
        grown.category_count_ = [_with_empty(c, len(unseen), 0.0)[order] for c in native.category_count_]
    return grown


def _with_empty(rows: Floats, count: int, value: float) -> Floats:
    return np.concatenate([rows, np.full((count, *rows.shape[1:]), value)])
