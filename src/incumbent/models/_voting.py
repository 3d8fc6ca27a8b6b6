"""Read heads of version 0.1 that mixed in the votes of kept rows: what is left is their linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from incumbent.core import Array, Floats

WITHOUT_ROWS = "opened without the kept rows that version 0.1 mixed in"


class VotingHead(LogisticRegression):  # type: ignore[misc]  # scikit-learn brings no types
    """The name that such heads have in stored files. Reading one makes a plain `LogisticRegression`, with a note."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        layer = make_logistic(state["coef_"], state["intercept_"], state["classes_"])
        own = {name: value for name, value in state.items() if name.startswith("_incumbent")}
        self.__dict__.update({**vars(layer), **own, "_incumbent_note": WITHOUT_ROWS})
        self.__class__ = LogisticRegression


def make_logistic(coef: Floats, intercept: Floats, classes: Array) -> LogisticRegression:
    """Return the linear layer of scikit-learn with these scores (k, m) and (k,) as its logits."""
    layer = LogisticRegression()
    if len(classes) == 2:  # one row of scores is enough: softmax of two is the logistic of their difference
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    layer.coef_, layer.intercept_, layer.classes_ = np.array(coef, order="C"), np.array(intercept), classes
    layer.n_features_in_, layer.n_iter_ = coef.shape[1], np.ones(1, dtype=np.int32)
    return layer
