"""XGBoost: `XGBClassifier`, `XGBRegressor` and `Booster`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from incumbent.core import Array, Batch, Floats, Prediction, Recipe, RefitLeaves, Task, Trees
from incumbent.errors import ModelError
from incumbent.models.boosting._columns import Columns, Vocabulary
from incumbent.models.boosting._model import BoostedModel, Notes
from incumbent.models.boosting._shared import check_time, codes_of, prediction_of
from incumbent.models.tables._tune import best_settings
from incumbent.models.xgboost._framework import first_words
from incumbent.models.xgboost._settings import flat, for_classes, is_default, task_of, without
from incumbent.models.xgboost._trees import cut, mixed

_RATE, _L2, _SEED = ("learning_rate", "eta"), ("reg_lambda", "lambda"), ("seed", "random_state")


def handles(native: Any) -> bool:
    """Return whether `native` comes from XGBoost or from a class derived from it, without importing XGBoost."""
    return any(kind.__module__.split(".")[0] == "xgboost" for kind in type(native).__mro__)


@final
class XGBoostModel(BoostedModel):
    """An XGBoost model. Its classifiers know classes as 0 to k - 1 only; other labels are converted both ways here.

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

    framework = "XGBoost"

    def _describe(self, hint: Task | None) -> tuple[Task, int, int, int]:
        from xgboost.core import XGBoostError

        try:
            self.booster.num_features()
        except XGBoostError as error:
            raise ModelError("This Booster is not trained; train it with xgboost.train first.") from error
        self.learner = json.loads(self.booster.save_config())["learner"]
        self.objective: str = self.learner["objective"]["name"]
        best = self.booster.attr("best_iteration") if self.is_estimator else None  # a Booster uses all its rounds
        task, count = task_of(self.native, self.objective, hint), int(self.learner["learner_model_param"]["num_class"])
        return task, count, 0 if best is None else int(best) + 1, int(self.booster.num_boosted_rounds())

    @property
    def _is_forest(self) -> bool:
        return any(kind.__name__.startswith("XGBRF") for kind in type(self.native).__mro__)

    @property
    def _has_proba(self) -> bool:
        return self.objective != "binary:hinge"

    @property
    def abilities(self) -> frozenset[str]:
        """Any model is retrained; only plain boosted trees are appended to, and their leaves refitted."""
        found = {"retrain", "weight"} | ({"proba"} if self.classes is not None and self._has_proba else set())
        if self.is_estimator:
            found.add("hyperparameter_search")
        is_custom = self.is_estimator and callable(self.native.get_params().get("objective"))
        if self.learner["gradient_booster"]["name"] == "gbtree" and not self._is_forest and not is_custom:
            has_vectors = '"multi_strategy": "multi_output_tree"' in json.dumps(self.learner)
            found |= {"add_trees"} if has_vectors else {"add_trees", "refit_leaves"}
        return frozenset(found)

    @property
    def search_space(self) -> dict[str, Any]:
        """Settings that a search tries."""
        from scipy.stats import loguniform, randint, uniform

        own = {"max_depth": randint(3, 11), "min_child_weight": loguniform(0.5, 50.0), "subsample": uniform(0.5, 0.5)}
        return super().search_space | own

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        scores = self.objective in ("binary:logitraw", "multi:softmax")
        raw = self.booster.predict(self._rows(x), output_margin=scores, iteration_range=(0, self.best_rounds))
        raw = np.asarray(raw, dtype=np.float64)
        if scores:
            raw = expit(raw) if self.objective == "binary:logitraw" else softmax(raw, axis=1)
        if self.classes is not None and not self._has_proba:
            return Prediction(self.classes[raw.astype(np.intp)], None, self.classes)
        return prediction_of(raw, self.classes)

    # ------------------------------------------------------------------------------------------- from scratch

    def _fit_estimator(self, batch: Batch, recipe: Recipe) -> tuple[Any, Array | None]:
        from sklearn.base import clone

        y = np.asarray(batch.y)
        # the estimator counts its classes in the labels, which must be 0 to k - 1 without a gap
        classes = None if self.classes is None else np.unique(y)
        labels = y if classes is None else codes_of(y, classes)
        columns, fitted = self._columns(batch.x), clone(self.native)
        x = columns.table(batch.x, "present")
        if columns.names is not None and isinstance(x, np.ndarray):
            x = pd.DataFrame(x, columns=list(columns.names))
        self._reset_early_stopping(fitted)
        rows = Batch(x, labels, batch.weight)
        fitted.set_params(**best_settings(self.native, self.search_space, rows, recipe))
        if classes is not None and len(classes) == 2 and str(fitted.objective).startswith("multi:"):
            fitted.set_params(objective="binary:logistic")  # the estimator switches to many classes, but not back
        own = {name: fitted.get_params()[name] for name in ("callbacks", "random_state")}
        if not self._is_forest:  # a forest is one round, and takes no callbacks
            fitted.set_params(callbacks=[*(own["callbacks"] or []), _watch(recipe.deadline, self.origin)])
        if own["random_state"] is None:
            fitted.set_params(random_state=recipe.seed)
        fitted.fit(x, labels, sample_weight=batch.weight, verbose=False)
        return fitted.set_params(**own), classes

    def _params_for(self, params: Mapping[str, Any], classes: int) -> dict[str, Any]:
        return for_classes(params, classes)

    def _finish_booster(self, booster: Any, params: Mapping[str, Any]) -> Notes:
        settings = self._settings()
        if "seed" not in settings:
            booster.set_param({"seed": 0})
        if not is_default(settings):
            return ()
        return ("fitted with XGBoost's default settings: this Booster has these, or came from a file that keeps none",)

    # ----------------------------------------------------------------------------------------- from champion

    def _append(self, batch: Batch, recipe: Recipe, trees: Trees) -> Any:
        # without a seed for each round, a Booster that continues draws from the state of a generator of the process
        params = self._params(recipe) | {"seed_per_iteration": True}
        if trees.learning_rate is not None:
            params = without(params, _RATE) | {"eta": trees.learning_rate}
        if trees.l2 is not None:
            params = without(params, _L2) | {"lambda": trees.l2}
        return self._train(params, batch, self.classes, trees.rounds, recipe.deadline, "known", self._used())

    def _refit_leaves(self, batch: Batch, recipe: Recipe, leaves: RefitLeaves) -> Any:
        """Mix in the leaves that XGBoost's updater "refresh" finds; a leaf without a new row keeps its value."""
        import xgboost

        params, old = without(self._params(recipe), ("tree_method",)), self._used()
        if leaves.l2 is not None:
            params = without(params, _L2) | {"lambda": leaves.l2}
        # verbosity: XGBoost warns of a named updater, which is the way to update leaves alone
        params |= {"process_type": "update", "updater": "refresh", "refresh_leaf": True, "verbosity": 0}
        fresh = self._train(params, batch, self.classes, old.num_boosted_rounds(), recipe.deadline, "known", old)
        made = xgboost.Booster(model_file=bytearray(mixed(old, fresh, leaves.decay)))
        made.load_config(old.save_config())
        return made

    def _used(self) -> Any:
        return cut(self.booster, self.best_rounds) if self.best_rounds else self.booster

    def _restore_settings(self, booster: Any) -> None:
        names = (*_RATE, *_L2, "seed", "seed_per_iteration")
        booster.set_param({k: v for k, v in self._settings().items() if k in names})
        booster.set_attr(best_iteration=None, best_score=None)

    def _reset_early_stopping(self, native: Any) -> None:
        if self.best_rounds:
            native.set_params(n_estimators=self.origin, early_stopping_rounds=None)

    # ------------------------------------------------------------------------------------------------- parts

    def _train(
        self,
        params: Mapping[str, Any],
        batch: Batch,
        classes: Array | None,
        rounds: int,
        deadline: float,
        vocabulary: Vocabulary,
        start: Any = None,
    ) -> Any:
        import xgboost

        rows = self._rows(batch.x, self._labels(batch, classes), batch.weight, vocabulary)
        return xgboost.train(dict(params), rows, rounds, xgb_model=start, callbacks=[_watch(deadline, rounds)])

    @staticmethod
    def _errors() -> tuple[type[Exception], ...]:
        from xgboost.core import XGBoostError

        return XGBoostError, ValueError, TypeError

    @staticmethod
    def _reason(error: Exception) -> str:
        return first_words(error)

    def _settings(self) -> dict[str, Any]:
        return dict(flat(json.loads(self.booster.save_config())["learner"]))

    def _params(self, recipe: Recipe) -> dict[str, Any]:
        if self.is_estimator:
            given = {k: v for k, v in self.native.get_xgb_params().items() if v is not None and k != "eval_metric"}
            params = given | {"objective": self.objective}
            if self.classes is not None and self.objective.startswith("multi:"):
                params["num_class"] = len(self.classes)
        else:
            params = self._settings()
        return params if any(params.get(name) not in (None, "0") for name in _SEED) else params | {"seed": recipe.seed}

    def _columns(self, x: Any = None) -> Columns:
        names, types = self.booster.feature_names, self.booster.feature_types or []
        categorical = [name for name, kind in zip(names or [], types, strict=False) if kind == "c"]
        stored = dict(self.booster.get_categories(export_to_arrow=True).to_arrow()) if categorical else {}
        lists = {name: None if stored.get(name) is None else pd.Index(stored[name].to_pandas()) for name in categorical}
        names = None if names is None else tuple(map(str, names))
        return Columns("XGBoost", int(self.booster.num_features()), names, lists)

    def _rows(
        self, x: Any, labels: Array | None = None, weight: Floats | None = None, vocabulary: Vocabulary = "known"
    ) -> Any:
        import xgboost

        settings = self.native.get_params() if self.is_estimator else {}
        table = self._columns().table(x, vocabulary)
        is_frame = hasattr(table, "iloc")
        return xgboost.DMatrix(
            table,
            labels,
            weight=weight,
            missing=settings.get("missing", np.nan),
            nthread=settings.get("n_jobs"),
            feature_names=None if is_frame else self.booster.feature_names,
            feature_types=None if is_frame else self.booster.feature_types,
            enable_categorical=True,
        )

    # ------------------------------------------------------------------------------------------------- files

    def _save_booster(self, folder: Path) -> dict[str, Any]:
        self.booster.save_model(str(folder / "model.ubj"))
        return {"config": self.booster.save_config()}

    @classmethod
    def _load_booster(cls, folder: Path, kept: Mapping[str, Any]) -> Any:
        import xgboost

        try:
            booster = xgboost.Booster(model_file=str(folder / "model.ubj"))
            booster.load_config(kept["config"])
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise ModelError(f"The stored model in {folder} cannot be read: {first_words(error)}") from error
        return booster


def _watch(deadline: float, rounds: int) -> Any:
    import xgboost

    class Watch(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # XGBoost is untyped
        """Ends a fit at the deadline."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            check_time(deadline, min(epoch + 1, rounds), rounds)
            return False

    return Watch()
