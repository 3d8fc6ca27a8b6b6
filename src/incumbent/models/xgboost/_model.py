"""XGBoost: `XGBClassifier`, `XGBRegressor` and `Booster`, fitted anew, continued, or with new leaf values."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from incumbent.core import Array, BaseModel, Batch, Floats, Prediction, Recipe, RefitLeaves, Task, Trees
from incumbent.errors import ModelError
from incumbent.models.boosting._columns import Columns, Vocabulary
from incumbent.models.boosting._shared import (
    all_classes,
    answer,
    check_classes,
    check_time,
    classes_told,
    codes_of,
    named_classes,
    new_among,
    read_manifest,
    rows_of,
    search_space,
    tell_classes,
    way_of,
    write_manifest,
)
from incumbent.models.xgboost._framework import first_words
from incumbent.models.xgboost._settings import flat, for_classes, is_default, task_of, without
from incumbent.models.xgboost._trees import cut, mixed

_RATE, _L2, _SEED = ("learning_rate", "eta"), ("reg_lambda", "lambda"), ("seed", "random_state")


def handles(native: Any) -> bool:
    """Whether `native` comes from XGBoost or from a class derived from it; XGBoost is not imported to tell."""
    return any(kind.__module__.split(".")[0] == "xgboost" for kind in type(native).__mro__)


@final
class XGBoostModel(BaseModel):
    """An XGBoost model as every strategy sees it.

    XGBoost's classifiers know classes as 0 to k - 1 only; other labels are turned into these here, and back.

    Parameters
    ----------
    native : XGBClassifier, XGBRegressor or Booster
        The fitted model; it is never changed.
    task : {"classification", "regression"}, optional
        Read from the objective where absent.
    classes : (k,) array, optional
        What the codes 0 to k - 1 stand for.
    notes : tuple of str
        What should be known about how it was fitted.
    origin : int
        Rounds of the last fit from scratch; appended rounds are limited in proportion. 0 means those it has now.

    Raises
    ------
    ModelError
        It is not fitted, ranks or predicts survival, or has an objective of its own making.

    Examples
    --------
    >>> import xgboost
    >>> x, y = np.arange(100.0).reshape(-1, 1), np.repeat([0, 1], 50)
    >>> model = XGBoostModel(xgboost.XGBClassifier(n_estimators=5).fit(x, y), classes=np.array(["low", "high"]))
    >>> model.predict(x[[0, -1]]).label.tolist()
    ['low', 'high']
    >>> longer = model.fit(Recipe().replace(trees=Trees(3)).bind(train=Batch(x, np.repeat(["low", "high"], 50))))
    >>> longer.native.get_booster().num_boosted_rounds(), model.native.get_booster().num_boosted_rounds()
    (8, 5)
    """

    def __init__(
        self,
        native: Any,
        task: Task | None = None,
        classes: Array | None = None,
        *,
        notes: tuple[str, ...] = (),
        origin: int = 0,
    ):
        self.native = native
        self.notes = notes
        self._booster = _booster_of(native)
        learner = json.loads(self._booster.save_config())["learner"]
        self._objective: str = learner["objective"]["name"]
        self._kind: str = learner["gradient_booster"]["name"]
        self.task: Task = task_of(native, self._objective, task)
        count = max(2, int(learner["learner_model_param"]["num_class"]))
        is_class = self.task == "classification"
        self.classes = named_classes(count, classes_told(native, classes)) if is_class else None
        self._rounds = self._best() or int(self._booster.num_boosted_rounds())
        self._origin = origin or self._first_rounds()

    def _first_rounds(self) -> int:
        wanted = self.native.get_params()["n_estimators"] if self._is_estimator and not self._best() else None
        return int(wanted or (100 if self._is_estimator and not self._best() else self._rounds))

    def _best(self) -> int:
        """Count the rounds up to where early stopping ended, 0 where it did not. A bare Booster uses all its rounds."""
        best = self._booster.attr("best_iteration") if self._is_estimator else None
        return 0 if best is None else int(best) + 1

    @property
    def _is_estimator(self) -> bool:
        return hasattr(self.native, "get_params")

    @property
    def _is_forest(self) -> bool:
        return any(kind.__name__.startswith("XGBRF") for kind in type(self.native).__mro__)

    @property
    def _own_objective(self) -> bool:
        return self._is_estimator and callable(self.native.get_params().get("objective"))

    @property
    def abilities(self) -> frozenset[str]:
        """Every model can be retrained; only plain boosted trees are appended to and re-valued."""
        found = {"retrain", "weight"} | ({"proba"} if self.classes is not None and self._has_proba else set())
        if self._is_estimator:
            found.add("hyperparameter_search")
        if self._kind == "gbtree" and not self._is_forest and not self._own_objective:
            found |= {"add_trees"} | ({"refit_leaves"} if self._one_output() else set())
        return frozenset(found)

    @property
    def _has_proba(self) -> bool:
        return self._objective != "binary:hinge"

    def _one_output(self) -> bool:
        return '"multi_strategy":"multi_output_tree"' not in self._booster.save_config().replace(" ", "")

    @property
    def search_space(self) -> dict[str, Any]:
        """What a search for hyper-parameters tries."""
        from scipy.stats import loguniform, randint, uniform

        own = {"max_depth": randint(3, 11), "min_child_weight": loguniform(0.5, 50.0), "subsample": uniform(0.5, 0.5)}
        return search_space() | own

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        scores = self._objective in ("binary:logitraw", "multi:softmax")
        raw = self._booster.predict(self._rows(x), output_margin=scores, iteration_range=(0, self._best()))
        raw = np.asarray(raw, dtype=np.float64)
        if self._objective == "binary:logitraw":
            raw = 1.0 / (1.0 + np.exp(-raw))
        elif self._objective == "multi:softmax":
            raw = np.exp(raw - raw.max(axis=1, keepdims=True))
            raw /= raw.sum(axis=1, keepdims=True)
        if self.classes is not None and not self._has_proba:
            return Prediction(self.classes[raw.astype(np.intp)], None, self.classes)
        return answer(raw, self.classes)

    def fit(self, recipe: Recipe) -> XGBoostModel:
        """Follow a bound recipe: fit anew with the same settings, append rounds, or re-estimate the leaves.

        Re-estimated leaves are ``releaf * old + (1 - releaf) * new``, where `new` is what XGBoost's updater "refresh"
        finds from the new rows; a leaf that no new row falls into keeps its value.

        Raises
        ------
        BudgetSpent
            The recipe's deadline passed; it is looked at after every round.
        ModelError
            XGBoost cannot be fitted to these rows.
        """
        from xgboost.core import XGBoostError

        batch = rows_of(recipe, self.task)
        check_time(recipe.deadline, 0, self._origin)
        way, notes = way_of(
            recipe,
            name=type(self.native).__name__,
            abilities=self.abilities,
            rounds=self._rounds,
            origin=self._origin,
            new=new_among(np.asarray(batch.y), self.classes),
        )
        follow = {"scratch": self._anew, "add_trees": self._appended, "refit_leaves": self._releafed}[way]
        try:
            return follow(batch, recipe, notes)
        except (XGBoostError, ValueError, TypeError) as error:
            raise ModelError(f"XGBoost cannot be fitted to these rows: {first_words(error)}") from error

    # ------------------------------------------------------------------------------------------- from scratch

    def _anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> XGBoostModel:
        if self.classes is not None:
            check_classes(np.asarray(batch.y))
        if self._best():
            notes += (f"fitted with the {self._origin} rounds at which the champion's early stopping ended",)
        return (self._estimator_anew if self._is_estimator else self._booster_anew)(batch, recipe, notes)

    def _estimator_anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> XGBoostModel:
        from sklearn.base import clone

        y = np.asarray(batch.y)
        # the estimator counts its classes in the labels and wants 0 to k - 1 with none left out
        classes = None if self.classes is None else np.unique(y)
        labels = y if classes is None else codes_of(y, classes)
        x = self._estimator_input(batch.x, "present")
        fitted = clone(self.native)
        if self._best():
            fitted.set_params(n_estimators=self._origin, early_stopping_rounds=None)
        if recipe.structure.search is not None:
            from incumbent.models.tables._tune import best_settings

            fitted.set_params(**best_settings(self.native, self.search_space, Batch(x, labels, batch.weight), recipe))
        if classes is not None and len(classes) == 2 and str(fitted.objective).startswith("multi:"):
            fitted.set_params(objective="binary:logistic")  # the estimator switches to many classes by itself, not back
        own = {name: fitted.get_params()[name] for name in ("callbacks", "random_state")}
        if not self._is_forest:  # a forest is one round, and takes no callbacks
            fitted.set_params(callbacks=[*(own["callbacks"] or []), _watch(recipe.deadline, self._origin)])
        if own["random_state"] is None:
            fitted.set_params(random_state=recipe.seed)
        fitted.fit(x, labels, sample_weight=batch.weight, verbose=False)
        fitted.set_params(**own)
        tell_classes(fitted, classes)
        return XGBoostModel(fitted, self.task, classes, notes=notes)

    def _booster_anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> XGBoostModel:
        y, classes, params = np.asarray(batch.y), self.classes, self._params(recipe)
        if is_default(params):
            notes += (
                "fitted with XGBoost's default settings: this Booster has these, or came from a file that keeps none",
            )
        if classes is not None and len(new_among(y, classes)):
            classes = all_classes(classes, y)
            params = for_classes(params, len(classes))
        rows = self._rows(batch.x, self._labels(batch, classes), batch.weight, "present")
        made = _train(params, rows, self._origin, recipe.deadline)
        if "seed" not in self._settings():
            made.set_param({"seed": 0})
        tell_classes(made, classes)
        return XGBoostModel(made, self.task, classes, notes=notes, origin=self._origin)

    # ----------------------------------------------------------------------------------------- from champion

    def _appended(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> XGBoostModel:
        # a Booster that goes on draws from where the process's own generator happens to stand, unless seeded each round
        trees, params = recipe.structure.trees, self._params(recipe) | {"seed_per_iteration": True}
        assert isinstance(trees, Trees), "way_of found them"
        if trees.learning_rate is not None:
            params = without(params, _RATE) | {"eta": trees.learning_rate}
        if trees.l2 is not None:
            params = without(params, _L2) | {"lambda": trees.l2}
        rows = self._rows(batch.x, self._labels(batch, self.classes), batch.weight)
        made = _train(params, rows, trees.rounds, recipe.deadline, self._used())
        return self._continued(made, notes)

    def _releafed(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> XGBoostModel:
        import xgboost

        refit = recipe.structure.trees
        assert isinstance(refit, RefitLeaves), "way_of found it"
        params = without(self._params(recipe), ("tree_method",))
        if refit.l2 is not None:
            params = without(params, _L2) | {"lambda": refit.l2}
        # verbosity: naming an updater is warned of, and is how the leaves alone are updated
        params |= {"process_type": "update", "updater": "refresh", "refresh_leaf": True, "verbosity": 0}
        rows, old = self._rows(batch.x, self._labels(batch, self.classes), batch.weight), self._used()
        fresh = _train(params, rows, old.num_boosted_rounds(), recipe.deadline, old)
        made = xgboost.Booster(model_file=bytearray(mixed(old, fresh, refit.decay)))
        made.load_config(old.save_config())
        return self._continued(made, notes)

    def _used(self) -> Any:
        return cut(self._booster, self._best()) if self._best() else self._booster

    def _continued(self, booster: Any, notes: tuple[str, ...]) -> XGBoostModel:
        # one update's learning rate and penalty are no settings of the model
        booster.set_param(
            {k: v for k, v in self._settings().items() if k in (*_RATE, *_L2, "seed", "seed_per_iteration")}
        )
        booster.set_attr(best_iteration=None, best_score=None)
        if not self._is_estimator:
            tell_classes(booster, self.classes)
            return XGBoostModel(booster, self.task, self.classes, notes=notes, origin=self._origin)
        native = copy.copy(self.native)
        native._Booster = booster
        tell_classes(native, self.classes)
        if self._best():
            native.set_params(n_estimators=self._origin, early_stopping_rounds=None)
        return XGBoostModel(native, self.task, self.classes, notes=notes, origin=self._origin)

    # ------------------------------------------------------------------------------------------------- parts

    def _settings(self) -> dict[str, Any]:
        return dict(flat(json.loads(self._booster.save_config())["learner"]))

    def _params(self, recipe: Recipe) -> dict[str, Any]:
        """Return the settings to go on with, by XGBoost's own names."""
        if self._is_estimator:
            given = {k: v for k, v in self.native.get_xgb_params().items() if v is not None and k != "eval_metric"}
            params = given | {"objective": self._objective}
            if self.classes is not None and self._objective.startswith("multi:"):
                params["num_class"] = len(self.classes)
        else:
            params = self._settings()
        return params if any(params.get(name) not in (None, "0") for name in _SEED) else params | {"seed": recipe.seed}

    def _labels(self, batch: Batch, classes: Array | None) -> Array:
        y = np.asarray(batch.y)
        return y if classes is None else codes_of(y, classes)

    def _columns(self) -> Columns:
        names, types = self._booster.feature_names, self._booster.feature_types or []
        categorical = [name for name, kind in zip(names or [], types, strict=False) if kind == "c"]
        stored = dict(self._booster.get_categories(export_to_arrow=True).to_arrow()) if categorical else {}
        lists = {name: None if stored.get(name) is None else pd.Index(stored[name].to_pandas()) for name in categorical}
        return Columns(
            "XGBoost", int(self._booster.num_features()), None if names is None else tuple(map(str, names)), lists
        )

    def _estimator_input(self, x: Any, vocabulary: Vocabulary) -> Any:
        columns = self._columns()
        table = columns.table(x, vocabulary)
        named = columns.names is not None and isinstance(table, np.ndarray)
        return pd.DataFrame(table, columns=list(columns.names or ())) if named else table

    def _rows(
        self, x: Any, labels: Array | None = None, weight: Floats | None = None, vocabulary: Vocabulary = "known"
    ) -> Any:
        import xgboost

        settings = self.native.get_params() if self._is_estimator else {}
        table = self._columns().table(x, vocabulary)
        is_frame = hasattr(table, "iloc")
        return xgboost.DMatrix(
            table,
            labels,
            weight=weight,
            missing=settings.get("missing", np.nan),
            nthread=settings.get("n_jobs"),
            feature_names=None if is_frame else self._booster.feature_names,
            feature_types=None if is_frame else self._booster.feature_types,
            enable_categorical=True,
        )

    # --------------------------------------------------------------------------------------------- save, load

    def save(self, folder: Path) -> None:
        """Write XGBoost's own UBJSON format, and what it does not keep beside it."""
        self._booster.save_model(str(folder / "model.ubj"))
        if self._is_estimator:
            from incumbent.models.files._safe import save_native

            shell = copy.copy(self.native)
            vars(shell).pop("_Booster")
            save_native(shell, folder / "settings.skops")
        kept = {
            "estimator": self._is_estimator,
            "task": self.task,
            "notes": list(self.notes),
            "origin": self._origin,
            "config": self._booster.save_config(),
        }
        write_manifest(folder, kept, self.classes)

    @classmethod
    def load(cls, folder: Path) -> XGBoostModel:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            It is damaged or of a newer format.
        """
        import xgboost

        kept, classes = read_manifest(folder)
        try:
            booster = xgboost.Booster(model_file=str(folder / "model.ubj"))
            booster.load_config(kept["config"])
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise ModelError(f"The stored model in {folder} cannot be read: {first_words(error)}") from error
        native = booster
        if kept["estimator"]:
            from incumbent.models.files._safe import load_native

            native = load_native(folder / "settings.skops")
            native._Booster = booster
        else:
            tell_classes(native, classes)
        return cls(native, kept["task"], classes, notes=tuple(kept["notes"]), origin=kept["origin"])


def _booster_of(native: Any) -> Any:
    if not hasattr(native, "predict"):
        raise ModelError(f"xgboost.{type(native).__name__} is not a model; give a Booster or an XGBClassifier.")
    if not hasattr(native, "get_params"):
        from xgboost.core import XGBoostError

        try:
            native.num_features()
        except XGBoostError as error:
            raise ModelError("This Booster is not trained; train it with xgboost.train first.") from error
        return native
    if not native.__sklearn_is_fitted__():
        raise ModelError(f"This {type(native).__name__} is not fitted; call its fit(x, y) first.")
    return native.get_booster()


def _train(params: Mapping[str, Any], rows: Any, rounds: int, deadline: float, start: Any = None) -> Any:
    import xgboost

    return xgboost.train(dict(params), rows, rounds, xgb_model=start, callbacks=[_watch(deadline, rounds)])


def _watch(deadline: float, rounds: int) -> Any:
    import xgboost

    class Watch(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # XGBoost is untyped
        """Ends a fit that has run out of time."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            check_time(deadline, min(epoch + 1, rounds), rounds)
            return False

    return Watch()
