"""Exact heads as linear estimators of scikit-learn, which predict by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from incumbent.core import Array, Floats
from incumbent.models.exact._head import Head


def make_layer(head: Head) -> Any:
    """Return a linear estimator with the weights of a head; the temperature is part of them."""
    if head.classes is None:
        from sklearn.linear_model import Ridge

        values = Ridge(alpha=head.ridge)
        values.coef_, values.intercept_ = np.array(head.coef[0]), float(head.intercept[0])
        values.n_features_in_ = head.coef.shape[1]
        return values
    return make_logistic(head.temperature * head.coef, head.temperature * head.intercept, head.classes)


def make_logistic(coef: Floats, intercept: Floats, classes: Array) -> Any:
    """Return a logistic regression with these scores (k, m) and (k,) as its logits."""
    from sklearn.linear_model import LogisticRegression

    layer = LogisticRegression()
    if len(classes) == 2:  # softmax of two scores is the logistic function of their difference
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    layer.coef_, layer.intercept_, layer.classes_ = np.array(coef, order="C"), np.array(intercept), classes
    layer.n_features_in_, layer.n_iter_ = coef.shape[1], np.ones(1, dtype=np.int32)
    return layer


def read_head(layer: Any, lift: Any, *, temperature: float, ridge: float, token: str) -> Head:
    """Return the head that a linear estimator was made of, or has become by gradient steps since."""
    coef, intercept = np.atleast_2d(layer.coef_) / temperature, np.atleast_1d(layer.intercept_) / temperature
    classes = getattr(layer, "classes_", None)
    if classes is not None and len(coef) == 1:
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    return Head(coef, intercept, classes, lift, temperature, ridge, token)
