"""Linear scikit-learn models, updated by gradient steps from the champion's coefficients."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from incumbent.core import Array, BaseModel, Batch, Exact, Floats, Importance, Model, Prediction, Pull, Recipe, Task
from incumbent.errors import ModelError
from incumbent.models._training import new_classes, note_new_classes, pull_importance, training_rows
from incumbent.models.exact._fit import fit_exact_head
from incumbent.models.exact._head import Head
from incumbent.models.tables import _losses as losses
from incumbent.models.tables._descent import Problem, Schedule, choose_rate, descend
from incumbent.models.tables._grow import grown_linear
from incumbent.models.tables._losses import LinearLoss
from incumbent.models.tables._native import (
    answer,
    as_input,
    classes_of,
    takes_weights,
    task_of,
)
from incumbent.models.tables._partial import learn_on, learns_on
from incumbent.models.tables._tune import fit_afresh, space_of

_SGD = {
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
    "LogisticRegressionCV": lambda m: losses.SOFTMAX if len(m.classes_) > 2 else losses.LOG,
    "SGDClassifier": lambda m: replace(_SGD[m.loss](m), signs=m.loss != "log_loss"),
    "SGDRegressor": lambda m: _SGD[m.loss](m),
    "Perceptron": lambda m: losses.PERCEPTRON,
    "LinearSVC": lambda m: losses.HINGE if m.loss == "hinge" else losses.SQUARED_HINGE,
    "LinearSVR": lambda m: (
        losses.epsilon_insensitive if m.loss == "epsilon_insensitive" else losses.squared_epsilon_insensitive
    )(m.epsilon),
    "RidgeClassifier": lambda m: replace(losses.SQUARED, signs=True),
    "RidgeClassifierCV": lambda m: replace(losses.SQUARED, signs=True),
    "LinearRegression": lambda m: losses.SQUARED,
    "Ridge": lambda m: losses.SQUARED,
    "RidgeCV": lambda m: losses.SQUARED,
    "Lasso": lambda m: losses.SQUARED,
    "LassoCV": lambda m: losses.SQUARED,
    "ElasticNet": lambda m: losses.SQUARED,
    "ElasticNetCV": lambda m: losses.SQUARED,
    "HuberRegressor": lambda m: losses.huber(m.epsilon * m.scale_),
}


def handles(native: Any) -> bool:
    """Whether `native` is a linear model whose loss is known here."""
    kind = type(native)
    if not kind.__module__.startswith("sklearn.") or kind.__name__ not in _LOSS:
        return False
    if kind.__name__.startswith("SGD") and native.loss not in _SGD:
        return False
    dense = isinstance(getattr(native, "coef_", None), np.ndarray)  # not after sparsify()
    return dense and not (kind.__name__.startswith("Logistic") and getattr(native, "multi_class", None) == "ovr")


@final
@dataclass(frozen=True, eq=False)
class LinearModel(BaseModel):
    """A linear scikit-learn estimator.

    Parameters
    ----------
    native : estimator
        A fitted one of those named in `_LOSS`.
    notes : tuple of str
        How it was fitted.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LinearModel(LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]))
    >>> model.predict(np.array([[3.0]])).label.tolist(), "gradient" in model.abilities
    ([1], True)
    """

    native: Any
    notes: tuple[str, ...] = ()

    has_raw_features: ClassVar[bool] = True
    head: ClassVar[Head | None] = None

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return task_of(self.native)

    @property
    def classes(self) -> Array | None:
        """The classes it knows."""
        return classes_of(self.native)

    @property
    def abilities(self) -> frozenset[str]:
        """Everything but trees."""
        words = {"retrain", "incremental", "gradient", "features"}
        words |= {"proba"} if hasattr(self.native, "predict_proba") else set()
        words |= {"add_classes"} if self.task == "classification" else set()
        words |= {"weight"} if takes_weights(self.native) else set()
        return frozenset(words | ({"hyperparameter_search"} if self.search_space else set()))

    @property
    def search_space(self) -> dict[str, Any]:
        """What a search for hyper-parameters tries."""
        return space_of(self.native)

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return answer(self.native, as_input(self.native, x), self.classes)

    def fit(self, recipe: Recipe) -> Model:
        """Fit afresh, learn on by the model's own rule, or take gradient steps, as the recipe says."""
        if isinstance(recipe.structure.head, Exact):
            return fit_exact_head(self, recipe, recipe.structure.head)
        if recipe.structure.start == "scratch":
            return LinearModel(fit_afresh(self.native, recipe, self.search_space))
        unseen = new_classes(recipe, self.classes)
        own_rule = recipe.optimizer.name is None and recipe.loss.pull is None and not len(unseen)
        if own_rule and learns_on(self.native):
            return LinearModel(learn_on(self.native, recipe))
        if not len(unseen):
            return LinearModel(self._descended(self.native, recipe))
        return LinearModel(self._descended(self._grown(recipe, unseen), recipe), (note_new_classes(unseen),))

    def weights(self) -> dict[str, Floats]:
        """Return "coef" (k, d) and "intercept" (k,)."""
        coef = np.atleast_2d(np.array(self.native.coef_, dtype=np.float64))
        intercept = np.atleast_1d(np.asarray(self.native.intercept_, dtype=np.float64))
        return {"coef": coef, "intercept": np.broadcast_to(intercept, (len(coef),)).copy()}

    def with_weights(self, weights: Mapping[str, Floats]) -> LinearModel:
        """Return the same model with these weights; the shape says how many classes."""
        return replace(self, native=_put(self.native, weights["coef"], weights["intercept"]))

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return the exact diagonal Fisher: ``mean_i(var_k(x_i) * x_ij**2)``, with the variance of the slope by score.

        For a softmax or logistic model that variance is ``p_k (1 - p_k)``, for a squared error 1. The "empirical" kind
        takes the square of the slope at the labels that the rows have in its place. "output" is the mean over rows of
        ``|d(sum(score**2)) / dw|``, which is ``mean_i(|2 score_ik x_ij|)``.

        Raises
        ------
        ModelError
            The loss is no likelihood (a hinge, say), so it has no Fisher information.
        """
        loss = _LOSS[type(self.native).__name__](self.native)
        if kind == "output":
            return self._moves_outputs(batch)
        if loss.fisher is None:
            name = f"{type(self.native).__name__}(loss={getattr(self.native, 'loss', '?')!r})"
            raise ModelError(
                f"EWC needs a likelihood, and {name} has none. L2SP(0.1, l2_new_weights=0) pulls all weights equally."
            )
        x, weights = _numbers(as_input(self.native, batch.x)), self.weights()
        score = x @ weights["coef"].T + weights["intercept"]
        if kind == "empirical":
            variance = loss.slope(score, _targets(batch.labels, self.classes, signs=loss.signs)) ** 2
        else:
            variance = loss.fisher(score)
        squares = x.multiply(x).tocsr() if hasattr(x, "tocsr") else x * x
        return {"coef": np.asarray((squares.T @ variance).T / len(batch)), "intercept": variance.mean(axis=0)}

    def _moves_outputs(self, batch: Batch) -> dict[str, Floats]:
        x, weights = _numbers(as_input(self.native, batch.x)), self.weights()
        moves = abs(2 * (x @ weights["coef"].T + weights["intercept"]))
        return {"coef": np.asarray((abs(x).T @ moves).T / len(batch)), "intercept": moves.mean(axis=0)}

    def features(self, x: Any) -> Any:
        """Return the columns as they come: nothing lies between them and the model."""
        return as_input(self.native, x)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Model:
        """Return a Pipeline of the head's projection and its layer, which takes the place of this model."""
        from incumbent.models.tables._headed import under_head
        from incumbent.models.tables._pipeline import PipelineModel

        return PipelineModel(under_head([], head, as_fitted=self.native), notes, head)

    def save(self, folder: Path) -> None:
        """Write the estimator as a skops file, which runs no code when it is read."""
        from incumbent.models.files._safe import save_native

        save_native(self.native, folder / "model.skops")

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read what `save` wrote."""
        from incumbent.models.files._safe import load_native

        return cls(load_native(folder / "model.skops"))

    def _grown(self, recipe: Recipe, unseen: Array) -> Any:
        train, now = training_rows(recipe), self.weights()
        assert self.classes is not None, "only a classifier has new classes"
        x = _numbers(as_input(self.native, train.x))
        coef, intercept, classes = grown_linear(
            now["coef"],
            now["intercept"],
            self.classes,
            unseen,
            x,
            train.y,
            shared=type(self.native).__name__[:8] == "Logistic",
        )
        grown = _put(self.native, coef, intercept, classes)
        if getattr(grown, "solver", None) == "liblinear":  # fits two classes only, and a later retraining would fail
            grown.solver = "saga" if _penalties(grown, 1)[0] else "lbfgs"
        return grown

    def _descended(self, native: Any, recipe: Recipe) -> Any:
        model, optimizer, pull = LinearModel(native), recipe.optimizer, recipe.loss.pull
        start = model.weights()
        problem = _problem(native, training_rows(recipe), recipe)
        if pull is not None and pull.importance != "uniform":
            problem = replace(problem, importance=_importance(model, self, recipe, pull))
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
            judged = recipe.select is not None and len(recipe.select) > 0
            held_out = _problem(native, recipe.select, recipe) if judged and recipe.select is not None else None
            plan = replace(plan, lr=choose_rate(problem, start["coef"], start["intercept"], plan, held_out))
        return _put(native, *descend(problem, start["coef"], start["intercept"], plan))


def _problem(native: Any, batch: Batch, recipe: Recipe) -> Problem:
    loss = _LOSS[type(native).__name__](native)
    classes = classes_of(native)
    target = _targets(batch.labels, classes, signs=loss.signs)
    weight = np.ones(len(batch)) if batch.weight is None else np.asarray(batch.weight, dtype=np.float64)
    if getattr(native, "class_weight", None) is not None:
        from sklearn.utils.class_weight import compute_sample_weight

        weight = weight * compute_sample_weight(native.class_weight, batch.labels)
    l1, l2 = _penalties(native, max(float(weight.sum()), recipe.memory.seen))
    x = _numbers(as_input(native, batch.x))
    moves = bool(getattr(native, "fit_intercept", True))
    pull = 0.0 if recipe.loss.pull is None else recipe.loss.pull.strength
    return Problem(x, target, weight, loss, l1, l2, pull, intercept=moves)


def _targets(y: Any, classes: Array | None, *, signs: bool) -> Floats:
    if classes is None:
        return np.asarray(y, dtype=np.float64)[:, None]
    hit = (y == classes[1])[:, None] if len(classes) == 2 else y[:, None] == classes[None, :]
    return np.where(hit, 1.0, -1.0 if signs else 0.0)


def _penalties(native: Any, n: float) -> tuple[float, float]:
    """L1 and L2 strength beside a mean over rows that weigh `n` in all, from the estimator's own settings."""
    kind, penalty = type(native).__name__, str(getattr(native, "penalty", ""))
    if kind.startswith(("Logistic", "LinearSV")):
        strength = float(np.mean(getattr(native, "C_", native.C if hasattr(native, "C") else 1.0)))
        share = 1.0 if penalty == "l1" else float(getattr(native, "l1_ratio", None) or 0.0)
        return (0.0, 0.0) if penalty == "None" else (share / (strength * n), (1 - share) / (strength * n))
    alpha = float(getattr(native, "alpha_", getattr(native, "alpha", 0.0)))
    if kind.startswith("Ridge"):
        return 0.0, alpha / n
    if kind == "HuberRegressor":  # its loss is that here times 2 / scale
        return 0.0, alpha * native.scale_ / n
    if kind.startswith(("Lasso", "ElasticNet")):
        share = float(getattr(native, "l1_ratio_", getattr(native, "l1_ratio", 1.0)))
        return alpha * share, alpha * (1 - share)
    mix = {"l2": 0.0, "l1": 1.0, "elasticnet": float(getattr(native, "l1_ratio", None) or 0.15)}
    return (alpha * mix[penalty], alpha * (1 - mix[penalty])) if penalty in mix else (0.0, 0.0)


def _importance(model: LinearModel, champion: LinearModel, recipe: Recipe, pull: Pull) -> Mapping[str, Floats]:
    """Return the importance of the old weights in the shapes of the model, which may have grown."""
    known = pull_importance(champion, recipe, pull)
    now = model.weights()["coef"].shape
    if known["coef"].shape == now:
        return known
    # a class was added: weights that came out of one binary row share its importance, new rows are free
    coef, intercept = np.zeros(now), np.zeros(now[0])
    assert model.classes is not None and champion.classes is not None, "only a classifier grows"
    old = np.searchsorted(model.classes, champion.classes)
    coef[old], intercept[old] = known["coef"], known["intercept"]
    return {"coef": coef, "intercept": intercept}


def _numbers(x: Any) -> Any:
    return x.tocsr() if hasattr(x, "tocsr") else np.asarray(x, dtype=np.float64)


def _put(native: Any, coef: Floats, intercept: Floats, classes: Array | None = None) -> Any:
    moved = copy.deepcopy(native)
    # type and memory order as they were, so that the same weights give the same predictions to the last bit
    flat = np.ndim(native.coef_) == 1 and len(coef) == 1  # a binary RidgeClassifier is flat until it grows
    made = np.asarray(coef[0] if flat else coef, dtype=native.coef_.dtype)
    moved.coef_ = np.array(made, order="C" if native.coef_.flags.c_contiguous else "F")
    one = np.ndim(native.intercept_) == 0
    moved.intercept_ = float(intercept[0]) if one else np.array(intercept, dtype=native.coef_.dtype)
    if getattr(native, "average", False) and hasattr(native, "_average_coef"):  # where averaged SGD goes on from
        moved._standard_coef, moved._standard_intercept = moved.coef_.copy(), moved.intercept_.copy()
        moved._average_coef, moved._average_intercept = moved.coef_, moved.intercept_
    if classes is not None:
        if hasattr(moved, "_label_binarizer"):
            moved._label_binarizer.fit(classes)
        if not isinstance(getattr(type(moved), "classes_", None), property):  # RidgeClassifier's was one once
            moved.classes_ = classes
    return moved
