"""LightGBM: `LGBMClassifier`, `LGBMRegressor` and `Booster`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from incumbent.core import Array, Batch, Prediction, Recipe, RefitLeaves, Task, Trees
from incumbent.errors import ModelError
from incumbent.models.boosting._columns import Columns, Vocabulary
from incumbent.models.boosting._model import BoostedModel, Notes
from incumbent.models.boosting._shared import check_time, prediction_of, weights_of
from incumbent.models.lightgbm._settings import changed, for_classes, header, plain, spellings, task_of
from incumbent.models.tables._tune import best_settings

_WIDE = 200


def handles(native: Any) -> bool:
    """Return whether `native` comes from LightGBM or from a class derived from it, without importing LightGBM."""
    return any(kind.__module__.split(".")[0] == "lightgbm" for kind in type(native).__mro__)


@final
class LightGBMModel(BoostedModel):
    """A LightGBM model.

    Examples
    --------
    >>> import lightgbm
    >>> x, y = np.arange(100.0).reshape(-1, 1), np.repeat(["low", "high"], 50)
    >>> model = LightGBMModel(lightgbm.LGBMClassifier(n_estimators=5, verbosity=-1).fit(x, y))
    >>> model.task, model.predict(x[[0, -1]]).label.tolist()
    ('classification', ['low', 'high'])
    >>> longer = model.fit(Recipe().replace(trees=Trees(3, l2=1.0)).bind(train=Batch(x, y)))
    >>> longer.native.booster_.num_trees(), model.native.booster_.num_trees()
    (8, 5)
    """

    framework = "LightGBM"

    def _describe(self, hint: Task | None) -> tuple[Task, int, int, int]:
        booster, self.header = self.booster, header(self.booster)
        task, rounds = task_of(self.native, self.header, hint), booster.num_trees() // booster.num_model_per_iteration()
        return task, int(self.header["num_class"]), max(0, int(booster.best_iteration)), int(rounds)

    def _name_classes(self, count: int, hint: Array | None) -> Array:
        return np.asarray(self.native.classes_) if self.is_estimator else super()._name_classes(count, hint)

    @property
    def abilities(self) -> frozenset[str]:
        """Any model is retrained; trees are appended and leaves refitted if the prediction is their plain sum."""
        found = {"retrain", "weight"} | ({"proba"} if self.classes is not None else set())
        if self.is_estimator:
            found.add("hyperparameter_search")
        is_custom = "objective" not in self.header
        if is_custom and not self.is_estimator:
            return frozenset(found - {"retrain", "weight"})
        # DART rescales the old trees and a random forest averages them, so neither can be continued
        if not is_custom and self.header.get("[boosting]", "gbdt") in ("gbdt", "goss"):
            found |= {"add_trees"} | ({"refit_leaves"} if self.header.get("[linear_tree]", "0") == "0" else set())
        return frozenset(found)

    @property
    def search_space(self) -> dict[str, Any]:
        """Settings that a search tries."""
        return super().search_space | {"num_leaves": [7, 15, 31, 63, 127], "min_child_samples": [5, 10, 20, 50, 100]}

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        threads = self.native.get_params().get("n_jobs") if self.is_estimator else None
        extra = {} if threads is None else {"num_threads": threads}
        raw = self.booster.predict(self._columns(x).table(x), **extra)
        if self.header.get("objective", "").startswith("multiclassova"):
            raw = raw / raw.sum(axis=1, keepdims=True)  # one against all gives k separate probabilities
        return prediction_of(raw, self.classes)

    # ------------------------------------------------------------------------------------------- from scratch

    def _fit_estimator(self, batch: Batch, recipe: Recipe) -> tuple[Any, Array | None]:
        from sklearn.base import clone

        settings = clone(self.native)
        if self.best_rounds:
            stops = {name: 0 for name in spellings("early_stopping_round") if name in settings.get_params()}
            settings.set_params(n_estimators=self.origin, **stops)
        x = self._columns(batch.x).table(batch.x, "present")
        quiet = clone(self.native).set_params(verbosity=-1)
        settings.set_params(**best_settings(quiet, self.search_space, batch.replace(x=x), recipe))
        fitted = clone(settings).set_params(**self._quiet(settings.get_params(), recipe.seed))
        fitted.fit(
            x,
            batch.y,
            sample_weight=batch.weight,
            categorical_feature=self._coded(),
            callbacks=[_watch(recipe.deadline, self.origin)],
        )
        return _with_settings(fitted, settings), None

    def _params_for(self, params: Mapping[str, Any], classes: int) -> dict[str, Any]:
        return for_classes(params, classes)

    def _finish_booster(self, booster: Any, params: Mapping[str, Any]) -> Notes:
        is_same = booster.num_model_per_iteration() == self.booster.num_model_per_iteration()
        booster.params = changed(self.booster.params if is_same else params)
        return ()

    # ----------------------------------------------------------------------------------------- from champion

    def _append(self, batch: Batch, recipe: Recipe, trees: Trees) -> Any:
        changes = {"learning_rate": trees.learning_rate, "lambda_l2": trees.l2}
        params = changed(self._params(recipe), **{name: value for name, value in changes.items() if value is not None})
        return self._train(params, batch, self.classes, trees.rounds, recipe.deadline, "grown", self._copy())

    def _refit_leaves(self, batch: Batch, recipe: Recipe, leaves: RefitLeaves) -> Any:
        twin = self._copy()
        twin.params = changed(self._params(recipe), **({} if leaves.l2 is None else {"lambda_l2": leaves.l2}))
        return twin.refit(
            self._columns(batch.x).table(batch.x),
            self._labels(batch, self.classes),
            decay_rate=leaves.decay,
            weight=weights_of(batch, self._class_weight),
            categorical_feature=self._coded(),
        )

    def _copy(self) -> Any:
        import lightgbm

        # as text, a model that stopped early is cut at its best round
        return lightgbm.Booster(model_str=self.booster.model_to_string())

    def _restore_settings(self, booster: Any) -> None:
        booster.params = changed(self.booster.params)

    def _reset_early_stopping(self, native: Any) -> None:
        native._best_iteration, native._evals_result = 0, {}
        if self.best_rounds:
            native.n_estimators = self.origin

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
        import lightgbm

        rows = lightgbm.Dataset(
            self._columns(batch.x).table(batch.x, vocabulary),
            self._labels(batch, classes),
            weight=weights_of(batch, self._class_weight),
            categorical_feature=self._coded(),
            params=dict(params),
        )
        return lightgbm.train(dict(params), rows, rounds, init_model=start, callbacks=[_watch(deadline, rounds)])

    @staticmethod
    def _errors() -> tuple[type[Exception], ...]:
        from lightgbm.basic import LightGBMError

        return LightGBMError, ValueError, TypeError

    @staticmethod
    def _reason(error: Exception) -> str:
        return str(error).splitlines()[0]

    @property
    def _class_weight(self) -> Any:
        return getattr(self.native, "class_weight", None) if self.is_estimator else None

    def _params(self, recipe: Recipe) -> dict[str, Any]:
        import os

        params = changed(self.booster.params, categorical_feature=None, num_iterations=None, early_stopping_round=None)
        threads = next((params[name] for name in spellings("num_threads") if params.get(name)), 0)
        if threads > (os.cpu_count() or 1):  # a file has the number of cores of the machine that wrote it
            params = changed(params, num_threads=None)
        return {k: v for k, v in params.items() if v is not None} | self._quiet(params, recipe.seed)

    def _quiet(self, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """Return settings that make a fit silent and deterministic, unless the user has set them.

        By default LightGBM times rows against columns on every fit and takes the faster; the last digits differ.
        """
        extra: dict[str, Any] = {}
        if all(params.get(name) is None for name in spellings("verbosity")):
            extra["verbosity"] = -1
        if all(params.get(name) is None for name in spellings("seed")):
            extra["random_state" if self.is_estimator else "seed"] = seed
        if not any(params.get(name) for name in ("force_col_wise", "force_row_wise")):
            by = "col" if self.booster.num_feature() > _WIDE else "row"
            extra |= {"deterministic": True, f"force_{by}_wise": True}
        return extra

    def _columns(self, x: Any) -> Columns:
        names = tuple(self.booster.feature_name())
        listed = [pd.Index(values) for values in self.booster.pandas_categorical or []]
        bare = names == tuple(f"Column_{at}" for at in range(len(names))) and not listed
        categories = dict(zip(self._category_names(x, names, len(listed)), listed, strict=True))
        unordered = {names[at] for at in self._coded_positions(names)}
        return Columns(
            "LightGBM",
            len(names),
            None if bare else names,
            categories,
            frozenset(categories) - unordered,
            blanks=True,
        )

    def _category_names(self, x: Any, names: tuple[str, ...], count: int) -> list[str]:
        """Return the columns that the model's lists of categories belong to; the model does not say."""
        positions = self._coded_positions(names)
        if len(positions) == count:
            return [names[at] for at in positions]
        # with ordered categories, or whole numbers used as categories, only the data show which columns are meant
        in_data = {
            str(c).replace(" ", "_") for c, dtype in zip(x.columns, x.dtypes, strict=True) if dtype.kind in "OUST"
        }
        found = [name for name in names if name in in_data]
        if len(found) == count:
            return found
        raise ModelError(
            f"This LightGBM model was trained on {count} category columns and the data have {len(found)} that could be "
            f"these ({', '.join(found) or 'none'}); give them as text or as pandas categories."
        )

    def _coded_positions(self, names: tuple[str, ...]) -> list[int]:
        text = self.header.get("[categorical_feature]", "")
        if text.startswith("name:"):
            return sorted(names.index(name) for name in text[5:].split(",") if name in names)
        return sorted(int(at) for at in text.split(",") if at.strip())

    def _coded(self) -> Any:
        return self._coded_positions(tuple(self.booster.feature_name())) or "auto"

    # ------------------------------------------------------------------------------------------------- files

    def _save_booster(self, folder: Path) -> dict[str, Any]:
        self.booster.save_model(str(folder / "model.txt"), num_iteration=-1)
        return {"best_iteration": self.booster.best_iteration, "params": plain(self.booster.params)}

    @classmethod
    def _load_booster(cls, folder: Path, kept: Mapping[str, Any]) -> Any:
        import lightgbm

        try:
            booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
        except lightgbm.basic.LightGBMError as error:
            raise ModelError(f"The stored model in {folder} cannot be read: {error}") from error
        booster.params, booster.best_iteration = kept["params"], kept["best_iteration"]
        return booster


def _watch(deadline: float, rounds: int) -> Any:
    def check(state: Any) -> None:
        check_time(deadline, state.iteration - state.begin_iteration + 1, rounds)

    return check


def _with_settings(fitted: Any, settings: Any) -> Any:
    """Return an estimator that has the user's settings, and not those added for the fit, with what was fitted."""
    names = set(fitted.get_params()) | {"_other_params", "_random_state", "_n_estimators"}
    vars(settings).update({name: value for name, value in vars(fitted).items() if name not in names})
    return settings
