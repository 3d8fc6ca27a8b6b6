"""Linear scikit-learn models, updated by gradient steps from the champion's coefficients."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from incumbent.core import Array, Batch, Floats, Importance, Pull, Recipe
from incumbent.errors import ModelError
from incumbent.models._training import new_classes, note_new_classes, pull_importance, training_rows
from incumbent.models.tables._descent import Schedule, choose_rate, descend
from incumbent.models.tables._estimator import EstimatorModel
from incumbent.models.tables._grow import add_linear_classes
from incumbent.models.tables._native import as_input, takes_weights
from incumbent.models.tables._partial import can_learn_partially, learn_partially
from incumbent.models.tables._problem import has_l1, has_linear_loss, loss_of, numbers, problem_of, targets


def handles(native: Any) -> bool:
    """Return whether `native` is a linear model whose loss is known here."""
    return has_linear_loss(native)


@final
@dataclass(frozen=True, eq=False)
class LinearModel(EstimatorModel):
    """A linear scikit-learn estimator.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LinearModel(LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]))
    >>> model.predict(np.array([[3.0]])).label.tolist(), "gradient" in model.abilities
    ([1], True)
    """

    @functools.cached_property
    def abilities(self) -> frozenset[str]:
        """Everything but trees."""
        claims = {
            "proba": hasattr(self.native, "predict_proba"),
            "add_classes": self.task == "classification",
            "weight": takes_weights(self.native),
            "hyperparameter_search": bool(self.search_space),
        }
        always = {"retrain", "incremental", "gradient", "features"}
        return frozenset(always | {word for word, true in claims.items() if true})

    def learn_from_here(self, recipe: Recipe) -> LinearModel:
        """Learn by the estimator's own rule, or by gradient steps if the recipe sets an optimizer or a pull."""
        unseen = new_classes(recipe, self.classes)
        is_own_rule = recipe.optimizer.name is None and recipe.loss.pull is None and not len(unseen)
        if is_own_rule and can_learn_partially(self.native):
            return LinearModel(learn_partially(self.native, recipe))
        if not len(unseen):
            return LinearModel(self._descend(self.native, recipe))
        return LinearModel(self._descend(self._with_classes(recipe, unseen), recipe), (note_new_classes(unseen),))

    def weights(self) -> dict[str, Floats]:
        """Return "coef" (k, d) and "intercept" (k,)."""
        coef = np.atleast_2d(np.array(self.native.coef_, dtype=np.float64))
        intercept = np.atleast_1d(np.asarray(self.native.intercept_, dtype=np.float64))
        return {"coef": coef, "intercept": np.broadcast_to(intercept, (len(coef),)).copy()}

    def with_weights(self, weights: Mapping[str, Floats]) -> LinearModel:
        """Return the same model with these weights; their shape says how many classes."""
        return replace(self, native=_with_weights(self.native, weights["coef"], weights["intercept"]))

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return the exact diagonal Fisher: ``mean_i(var_k(x_i) * x_ij**2)``, with the variance of the slope by score.

        For a softmax or logistic model that variance is ``p_k (1 - p_k)``, for a squared error 1. The "empirical" kind
        uses the squared slope at the labels of the rows instead. "output" is the mean over rows of
        ``|d(sum(score**2)) / dw|``, which is ``mean_i(|2 score_ik x_ij|)``. A loss that is not a likelihood, such as a
        hinge, has no Fisher information.
        """
        loss = loss_of(self.native)
        x, weights = numbers(as_input(self.native, batch.x)), self.weights()
        score = x @ weights["coef"].T + weights["intercept"]
        if kind == "output":
            slope = abs(2 * score)
            return {"coef": np.asarray((abs(x).T @ slope).T / len(batch)), "intercept": slope.mean(axis=0)}
        if loss.fisher is None:
            name = f"{type(self.native).__name__}(loss={getattr(self.native, 'loss', '?')!r})"
            raise ModelError(
                f"EWC needs a likelihood, and {name} has none. L2SP(0.1, l2_new_weights=0) pulls all weights equally."
            )
        if kind == "empirical":
            variance = loss.slope(score, targets(batch.labels, self.classes, signs=loss.signs)) ** 2
        else:
            variance = loss.fisher(score)
        squares = x.multiply(x).tocsr() if hasattr(x, "tocsr") else x * x
        return {"coef": np.asarray((squares.T @ variance).T / len(batch)), "intercept": variance.mean(axis=0)}

    def _with_classes(self, recipe: Recipe, unseen: Array) -> Any:
        """Return the estimator with outputs for the unseen classes of the training rows."""
        train, now = training_rows(recipe), self.weights()
        assert self.classes is not None, "only a classifier has new classes"
        grown = _with_weights(
            self.native,
            *add_linear_classes(
                now["coef"],
                now["intercept"],
                self.classes,
                unseen,
                numbers(as_input(self.native, train.x)),
                train.y,
                shared=type(self.native).__name__.startswith("Logistic"),
            ),
        )
        if getattr(grown, "solver", None) == "liblinear":  # fits two classes only, and a later retraining would fail
            grown.solver = "saga" if has_l1(grown) else "lbfgs"
        return grown

    def _descend(self, native: Any, recipe: Recipe) -> Any:
        """Return a copy of `native`, which may have grown, after gradient steps on the recipe's rows."""
        model, optimizer, pull = LinearModel(native), recipe.optimizer, recipe.loss.pull
        start = model.weights()
        problem = problem_of(native, training_rows(recipe), recipe)
        if pull is not None and pull.importance != "uniform":
            problem = replace(problem, importance=self._importance_for(model, recipe, pull))
        plan = Schedule(
            optimizer.name or "adam",
            optimizer.lr or 0.01,
            optimizer.epochs or 1,
            optimizer.batch_size or 256,
            recipe.data.ordered,
            recipe.seed,
            recipe.deadline,
        )
        if optimizer.lr is None:
            select = recipe.select
            held_out = problem_of(native, select, recipe) if select is not None and len(select) else None
            plan = replace(plan, lr=choose_rate(problem, start["coef"], start["intercept"], plan, held_out))
        return _with_weights(native, *descend(problem, start["coef"], start["intercept"], plan))

    def _importance_for(self, model: LinearModel, recipe: Recipe, pull: Pull) -> Mapping[str, Floats]:
        """Return the importance of the old weights in the shapes of a model that may have grown from this one."""
        known = pull_importance(self, recipe, pull)
        now = model.weights()["coef"].shape
        if known["coef"].shape == now:
            return known
        # a class was added: two weights made of one binary row share its importance, and new rows are free
        coef, intercept = np.zeros(now), np.zeros(now[0])
        assert model.classes is not None and self.classes is not None, "only a classifier grows"
        old = np.searchsorted(model.classes, self.classes)
        coef[old], intercept[old] = known["coef"], known["intercept"]
        return {"coef": coef, "intercept": intercept}


def _with_weights(native: Any, coef: Floats, intercept: Floats, classes: Array | None = None) -> Any:
    """Return a copy of a linear estimator with these weights, and with these classes."""
    moved = copy.deepcopy(native)
    # type and memory order as they were, so that the same weights give the same predictions to the last bit
    flat = np.ndim(native.coef_) == 1 and len(coef) == 1  # a binary RidgeClassifier is flat until it grows
    made = np.asarray(coef[0] if flat else coef, dtype=native.coef_.dtype)
    moved.coef_ = np.array(made, order="C" if native.coef_.flags.c_contiguous else "F")
    one = np.ndim(native.intercept_) == 0
    moved.intercept_ = float(intercept[0]) if one else np.array(intercept, dtype=native.coef_.dtype)
    if getattr(native, "average", False) and hasattr(native, "_average_coef"):  # averaged SGD continues from these
        moved._standard_coef, moved._standard_intercept = moved.coef_.copy(), moved.intercept_.copy()
        moved._average_coef, moved._average_intercept = moved.coef_, moved.intercept_
    if classes is not None:
        if hasattr(moved, "_label_binarizer"):
            moved._label_binarizer.fit(classes)
        if not isinstance(getattr(type(moved), "classes_", None), property):  # as RidgeClassifier's was once
            moved.classes_ = classes
    return moved
