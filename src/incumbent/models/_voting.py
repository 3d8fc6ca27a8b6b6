"""An exact head beside which kept rows vote, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from incumbent.core import Array, Floats
from incumbent.errors import ModelError
from incumbent.models._neighbours import PARTS, Votes, mixed


class VotingHead(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """A linear layer whose probabilities are mixed with the `Votes` of kept rows; the last step of a Pipeline.

    It is made by ``Analytic(neighbours=...)``, which solves it, and not fitted by itself.

    Attributes
    ----------
    coef_, intercept_ : (k, m) and (k,) arrays
        The layer; its scores are logits.
    classes_ : (k,) array
        The classes, sorted.
    codes_, of_, weight_, step_, centre_ : arrays
        The kept rows; see `Votes`.
    """

    @staticmethod
    def made(coef: Floats, intercept: Floats, classes: Array, votes: Votes) -> VotingHead:
        """Return the head of this layer and these votes."""
        head = VotingHead()
        head.coef_, head.intercept_, head.classes_ = coef, intercept, classes
        head.n_features_in_ = coef.shape[1]
        for name in PARTS:
            setattr(head, f"{name}_", getattr(votes, name))
        return head

    def alone(self) -> LogisticRegression:
        """Return the layer without the votes, which can learn on by gradient steps."""
        return logistic(self.coef_, self.intercept_, self.classes_)

    def on(self, layer: LogisticRegression) -> VotingHead:
        """Return the same votes beside another layer."""
        coef, intercept = layer.coef_, layer.intercept_
        if len(coef) == 1:  # the difference of two scores
            coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
        return VotingHead.made(coef, intercept, layer.classes_, self.votes)

    @property
    def votes(self) -> Votes:
        """The kept rows."""
        if "_votes" not in vars(self):
            self._votes = Votes(*(getattr(self, f"{name}_") for name in PARTS))
        return self._votes

    def fit(self, x: Any, y: Any, sample_weight: Any = None) -> NoReturn:
        """Say who solves it.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "A VotingHead is solved with its Pipeline by Analytic(neighbours=...) in incumbent.update; it has no fit "
            "of its own."
        )

    def predict_proba(self, x: Any) -> Floats:
        """Return the probability of each class, (n, k), of what the head reads (n, m)."""
        read = np.asarray(x)
        alone = softmax(read @ self.coef_.T.astype(read.dtype) + self.intercept_, axis=1)
        return np.asarray(mixed(alone, self.votes.shares(read, len(self.classes_))))

    def predict(self, x: Any) -> Array:
        """Return the likeliest class of each row, (n,)."""
        found: Array = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return found

    def __getstate__(self) -> dict[str, Any]:
        kept: dict[str, Any] = {**super().__getstate__()}
        kept.pop("_votes", None)  # they follow from the other attributes
        return kept


def logistic(coef: Floats, intercept: Floats, classes: Array) -> LogisticRegression:
    """Return the linear layer of scikit-learn with these scores (k, m) and (k,) as its logits."""
    layer = LogisticRegression()
    if len(classes) == 2:  # one row of scores says both: softmax of two is the logistic of their difference
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    layer.coef_, layer.intercept_, layer.classes_ = np.array(coef, order="C"), np.array(intercept), classes
    layer.n_features_in_, layer.n_iter_ = coef.shape[1], np.ones(1, dtype=np.int32)
    return layer
