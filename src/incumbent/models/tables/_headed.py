"""Analytic heads as steps of scikit-learn Pipelines, which predict by themselves and are stored like any other."""

from __future__ import annotations

from typing import Any

import numpy as np

from incumbent.core import Array, Floats
from incumbent.models.exact._head import Head

_TOLD = "_incumbent_head"
"""Attribute of the layer that says what it is; a copy that scikit-learn makes to fit it anew lacks it."""


def under_head(body: list[tuple[str, Any]], head: Head, *, as_fitted: Any) -> Any:
    """Return a Pipeline of the steps of `body`, the head's projection and a linear layer with its weights.

    Parameters
    ----------
    body : list of (str, transformer)
        Fitted steps, which the result shares.
    head : Head
        Weights, projection and temperature.
    as_fitted : estimator
        The model that it takes the place of, for the name of its last step and of its columns.
    """
    from sklearn.pipeline import Pipeline

    name = as_fitted.steps[-1][0] if hasattr(as_fitted, "steps") else "head"
    taken = {step for step, _ in body} | {name}
    lift = "lift" if "lift" not in taken else f"lift{len(taken)}"
    layer = _layer(head)
    setattr(layer, _TOLD, {"token": head.token, "ridge": head.ridge, "temperature": head.temperature, "lift": lift})
    if head.lift is None:
        getattr(layer, _TOLD)["lift"] = ""
        return Pipeline([*body, (name, layer)])
    names = getattr(as_fitted, "feature_names_in_", None)
    if not body and names is not None and not hasattr(head.lift, "feature_names_in_"):
        head.lift.feature_names_in_ = np.asarray(names, dtype=object)
    return Pipeline([*body, (lift, head.lift), (name, layer)])


def head_in(native: Any) -> Head | None:
    """Return the analytic head of a Pipeline as it was stored, None where its last step is none."""
    last = native.steps[-1][1]
    told = getattr(last, _TOLD, None)
    if told is None:
        return None
    lift = dict(native.steps)[told["lift"]] if told["lift"] else None
    scale = told["temperature"]
    coef, intercept = np.atleast_2d(last.coef_) / scale, np.atleast_1d(last.intercept_) / scale
    return Head(coef, intercept, getattr(last, "classes_", None), lift, scale, told["ridge"], told["token"])


def body_of(native: Any) -> list[tuple[str, Any]]:
    """Return the frozen steps of a Pipeline: all but the last, and but the projection of an analytic head."""
    head = getattr(native.steps[-1][1], _TOLD, None)
    return [(name, step) for name, step in native.steps[:-1] if head is None or name != head["lift"]]


def make_logistic(coef: Floats, intercept: Floats, classes: Array) -> Any:
    """Return the linear layer of scikit-learn with these scores (k, m) and (k,) as its logits."""
    from sklearn.linear_model import LogisticRegression

    layer = LogisticRegression()
    if len(classes) == 2:  # one row of scores is enough: softmax of two is the logistic of their difference
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    layer.coef_, layer.intercept_, layer.classes_ = np.array(coef, order="C"), np.array(intercept), classes
    layer.n_features_in_, layer.n_iter_ = coef.shape[1], np.ones(1, dtype=np.int32)
    return layer


def _layer(head: Head) -> Any:
    """Return a linear estimator of scikit-learn with these weights; the temperature goes into them."""
    if head.classes is None:
        from sklearn.linear_model import Ridge

        values = Ridge(alpha=head.ridge)
        values.coef_, values.intercept_ = np.array(head.coef[0]), float(head.intercept[0])
        values.n_features_in_ = head.coef.shape[1]
        return values
    return make_logistic(head.temperature * head.coef, head.temperature * head.intercept, head.classes)
