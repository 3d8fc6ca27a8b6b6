"""Any scikit-learn estimator that is neither linear nor a Pipeline."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from incumbent.core import Recipe, Trees
from incumbent.errors import ModelError
from incumbent.models._training import new_classes, note_new_classes, training_rows, with_memory, with_missing_classes
from incumbent.models.tables._append import append_trees, can_append, has_outgrown
from incumbent.models.tables._estimator import EstimatorModel
from incumbent.models.tables._grow import add_bayes_classes, is_naive_bayes
from incumbent.models.tables._native import reads_columns, takes_weights
from incumbent.models.tables._partial import can_learn_partially, learn_partially
from incumbent.models.tables._tune import fit_from_scratch


def handles(native: Any) -> bool:
    """Return whether `native` predicts at all: this adapter comes last."""
    return hasattr(native, "predict") and hasattr(native, "fit") and hasattr(native, "get_params")


@final
@dataclass(frozen=True, eq=False)
class SklearnModel(EstimatorModel):
    """A scikit-learn estimator that is retrained, learns by `partial_fit`, or gets more trees.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> model = SklearnModel(RandomForestClassifier(3).fit([[0.0], [1.0]], ["no", "yes"]))
    >>> sorted(model.abilities)
    ['add_trees', 'features', 'hyperparameter_search', 'proba', 'retrain', 'weight']
    """

    @functools.cached_property
    def abilities(self) -> frozenset[str]:
        """What this estimator can do, by its own methods."""
        native = self.native
        claims = {
            "weight": takes_weights(native),
            "incremental": can_learn_partially(native),
            "add_trees": can_append(native),
            "proba": self.task == "classification" and hasattr(native, "predict_proba"),
            "add_classes": is_naive_bayes(native),
            "hyperparameter_search": bool(self.search_space),
            "features": reads_columns(native),
        }
        return frozenset({"retrain"} | {word for word, true in claims.items() if true})

    def learn_from_here(self, recipe: Recipe) -> SklearnModel:
        """Learn the rows; if the estimator cannot add a class or trees, fit from scratch with a note."""
        unseen, trees = new_classes(recipe, self.classes), recipe.structure.trees
        if isinstance(trees, Trees):
            return self._append(with_missing_classes(recipe, self.classes), trees, len(unseen))
        if not len(unseen):
            return SklearnModel(learn_partially(self.native, recipe))
        if not is_naive_bayes(self.native):
            return self._from_scratch(recipe, f"cannot add {len(unseen)} new class(es)")
        grown = add_bayes_classes(self.native, unseen)
        return SklearnModel(learn_partially(grown, recipe), (note_new_classes(unseen),))

    def _append(self, recipe: Recipe, trees: Trees, unseen: int) -> SklearnModel:
        if unseen:
            return self._from_scratch(recipe, f"cannot add {unseen} new class(es) by appending trees")
        if has_outgrown(self.native, trees.rounds):
            return self._from_scratch(recipe, "has grown to its limit, and prediction slows with every tree")
        if self.classes is not None:
            missing = np.setdiff1d(self.classes, training_rows(recipe).labels)
            if len(missing):  # scikit-learn would number the classes again and mix up the outputs of the old trees
                raise ModelError(
                    f"{type(self.native).__name__} appends trees only on rows of every class it knows, and neither "
                    f"the new nor the remembered rows show {', '.join(map(str, missing[:5]))}; try Retrain()."
                )
        return SklearnModel(append_trees(self.native, recipe, trees))

    def _from_scratch(self, recipe: Recipe, why: str) -> SklearnModel:
        fitted = fit_from_scratch(self.native, recipe.bind(train=with_memory(recipe)), self.search_space)
        return SklearnModel(fitted, (f"{type(self.native).__name__} {why}; fitted from scratch instead",))
