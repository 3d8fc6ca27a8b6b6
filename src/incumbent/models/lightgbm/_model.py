"""LightGBM: `LGBMClassifier`, `LGBMRegressor` and `Booster`, fitted anew, continued, or with new leaf values."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from incumbent.core import Array, BaseModel, Batch, Prediction, Recipe, RefitLeaves, Task, Trees
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
    weights_of,
    write_manifest,
)
from incumbent.models.lightgbm._settings import changed, for_classes, header, plain, spellings, task_of

_WIDE = 200


def handles(native: Any) -> bool:
    """Whether `native` comes from LightGBM or from a class derived from it; LightGBM is not imported to tell."""
    return any(kind.__module__.split(".")[0] == "lightgbm" for kind in type(native).__mro__)


@final
class LightGBMModel(BaseModel):
    """A LightGBM model as every strategy sees it.

    Parameters
    ----------
    native : LGBMClassifier, LGBMRegressor or Booster
        The fitted model; it is never changed.
    task : {"classification", "regression"}, optional
        Read from the objective where absent.
    classes : (k,) array, optional
        What the codes 0 to k - 1 of a Booster stand for.
    notes : tuple of str
        What should be known about how it was fitted.
    origin : int
        Rounds of the last fit from scratch; appended rounds are limited in proportion. 0 means those it has now.

    Raises
    ------
    ModelError
        It is not fitted, a ranker, or has an objective of its own making that gives no probabilities.

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
        self._header = header(self._booster)
        self.task: Task = task_of(native, self._header, task)
        self.classes = _classes_of(native, self._header, classes) if self.task == "classification" else None
        self._rounds = self._booster.best_iteration if self._booster.best_iteration > 0 else _length(self._booster)
        self._origin = origin or self._first_rounds()

    def _first_rounds(self) -> int:
        if self._booster.best_iteration > 0 or not self._is_estimator:
            return int(self._rounds)
        return int(self.native.get_params()["n_estimators"])

    @property
    def _is_estimator(self) -> bool:
        return hasattr(self.native, "get_params")

    @property
    def abilities(self) -> frozenset[str]:
        """What it can do: retrain, and where the trees are summed as they stand, append to them or value them anew."""
        found = {"retrain", "weight"} | ({"proba"} if self.classes is not None else set())
        if self._is_estimator:
            found.add("hyperparameter_search")
        own_objective = "objective" not in self._header
        if own_objective and not self._is_estimator:
            return frozenset(found - {"retrain", "weight"})
        # DART rescales the trees there are and a random forest averages them, so neither can go on from where it stands
        if not own_objective and self._header.get("[boosting]", "gbdt") in ("gbdt", "goss"):
            found |= {"add_trees"} | ({"refit_leaves"} if self._header.get("[linear_tree]", "0") == "0" else set())
        return frozenset(found)

    @property
    def search_space(self) -> dict[str, Any]:
        """What a search for hyper-parameters tries."""
        return search_space() | {"num_leaves": [7, 15, 31, 63, 127], "min_child_samples": [5, 10, 20, 50, 100]}

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        raw = self._booster.predict(self._columns(x).table(x), **self._threads())
        if self._header.get("objective", "").startswith("multiclassova"):
            raw = raw / raw.sum(axis=1, keepdims=True)  # one against all gives k separate probabilities
        return answer(raw, self.classes)

    def fit(self, recipe: Recipe) -> LightGBMModel:
        """Follow a bound recipe: fit anew with the same settings, append rounds, or re-estimate the leaves.

        Re-estimated leaves are ``releaf * old + (1 - releaf) * new`` (LightGBM's `Booster.refit`).

        Raises
        ------
        BudgetSpent
            The recipe's deadline passed; it is looked at after every round.
        ModelError
            LightGBM cannot be fitted to these rows.
        """
        from lightgbm.basic import LightGBMError

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
        except (LightGBMError, ValueError, TypeError) as error:
            raise ModelError(f"LightGBM cannot be fitted to these rows: {str(error).splitlines()[0]}") from error

    # ------------------------------------------------------------------------------------------- from scratch

    def _anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> LightGBMModel:
        if self.classes is not None:
            check_classes(np.asarray(batch.y))
        if self._booster.best_iteration > 0:
            notes += (f"fitted with the {self._origin} rounds at which the champion's early stopping ended",)
        return (self._estimator_anew if self._is_estimator else self._booster_anew)(batch, recipe, notes)

    def _estimator_anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> LightGBMModel:
        from sklearn.base import clone

        settings = clone(self.native)
        if self._booster.best_iteration > 0:
            stops = {name: 0 for name in spellings("early_stopping_round") if name in settings.get_params()}
            settings.set_params(n_estimators=self._origin, **stops)
        columns = self._columns(batch.x)
        x = columns.table(batch.x, "present")
        if recipe.structure.search is not None:
            settings.set_params(**self._searched(x, batch, recipe))
        fitted = clone(settings).set_params(**self._quiet(settings.get_params(), recipe.seed))
        fitted.fit(
            x,
            batch.y,
            sample_weight=batch.weight,
            categorical_feature=self._coded(columns),
            callbacks=[_watch(recipe.deadline, self._origin)],
        )
        return LightGBMModel(_with_settings(fitted, settings), notes=notes)

    def _searched(self, x: Any, batch: Batch, recipe: Recipe) -> dict[str, Any]:
        from incumbent.models.tables._tune import best_settings

        quiet = copy.deepcopy(self.native).set_params(verbosity=-1)
        return best_settings(quiet, self.search_space, Batch(x, batch.y, batch.weight), recipe)

    def _booster_anew(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> LightGBMModel:
        y, classes = np.asarray(batch.y), self.classes
        params = self._training_params(recipe)
        if classes is not None and len(new_among(y, classes)):
            classes = all_classes(classes, y)
            params = for_classes(params, len(classes))
        made = self._train(params, batch, classes, self._origin, recipe.deadline, "present")
        made.params = changed(params if classes is not self.classes else self._booster.params)
        tell_classes(made, classes)
        return LightGBMModel(made, self.task, classes, notes=notes, origin=self._origin)

    # ----------------------------------------------------------------------------------------- from champion

    def _appended(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> LightGBMModel:
        trees, changes = recipe.structure.trees, {}
        assert isinstance(trees, Trees), "way_of found them"
        if trees.learning_rate is not None:
            changes["learning_rate"] = trees.learning_rate
        if trees.l2 is not None:
            changes["lambda_l2"] = trees.l2
        params = changed(self._training_params(recipe), **changes)
        made = self._train(params, batch, self.classes, trees.rounds, recipe.deadline, "grown", self._copy())
        return self._continued(made, notes)

    def _releafed(self, batch: Batch, recipe: Recipe, notes: tuple[str, ...]) -> LightGBMModel:
        refit = recipe.structure.trees
        assert isinstance(refit, RefitLeaves), "way_of found it"
        l2 = {} if refit.l2 is None else {"lambda_l2": refit.l2}
        columns, twin = self._columns(batch.x), self._copy()
        twin.params = changed(self._training_params(recipe), **l2)
        made = twin.refit(
            columns.table(batch.x),
            self._labels(batch, self.classes),
            decay_rate=refit.decay,
            weight=weights_of(batch, self._class_weight),
            categorical_feature=self._coded(columns),
        )
        return self._continued(made, notes)

    def _copy(self) -> Any:
        import lightgbm

        # as text, a model that stopped early is cut at its best round
        return lightgbm.Booster(model_str=self._booster.model_to_string())

    def _continued(self, booster: Any, notes: tuple[str, ...]) -> LightGBMModel:
        booster.params = changed(
            self._booster.params
        )  # one update's learning rate and penalty are no settings of the model
        tell_classes(booster, None if self._is_estimator else self.classes)
        if not self._is_estimator:
            return LightGBMModel(booster, self.task, self.classes, notes=notes, origin=self._origin)
        native = copy.copy(self.native)
        native._Booster, native._best_iteration, native._evals_result = booster, 0, {}
        if self._booster.best_iteration > 0:
            native.n_estimators = self._origin
        return LightGBMModel(native, notes=notes, origin=self._origin)

    # ------------------------------------------------------------------------------------------------- parts

    def _train(
        self,
        params: dict[str, Any],
        batch: Batch,
        classes: Array | None,
        rounds: int,
        deadline: float,
        vocabulary: Vocabulary,
        start: Any = None,
    ) -> Any:
        import lightgbm

        columns = self._columns(batch.x)
        rows = lightgbm.Dataset(
            columns.table(batch.x, vocabulary),
            self._labels(batch, classes),
            weight=weights_of(batch, self._class_weight),
            categorical_feature=self._coded(columns),
            params=params,
        )
        return lightgbm.train(
            params, rows, num_boost_round=rounds, init_model=start, callbacks=[_watch(deadline, rounds)]
        )

    def _labels(self, batch: Batch, classes: Array | None) -> Array:
        y = np.asarray(batch.y)
        return y if classes is None else codes_of(y, classes)

    @property
    def _class_weight(self) -> Any:
        return getattr(self.native, "class_weight", None) if self._is_estimator else None

    def _threads(self) -> dict[str, int]:
        wanted = self.native.get_params().get("n_jobs") if self._is_estimator else None
        return {} if wanted is None else {"num_threads": wanted}

    def _training_params(self, recipe: Recipe) -> dict[str, Any]:
        import os

        params = changed(self._booster.params, categorical_feature=None, num_iterations=None, early_stopping_round=None)
        threads = next((params[name] for name in spellings("num_threads") if params.get(name)), 0)
        if threads > (os.cpu_count() or 1):  # a file tells how many cores the machine had that made it
            params = changed(params, num_threads=None)
        return {k: v for k, v in params.items() if v is not None} | self._quiet(params, recipe.seed)

    def _quiet(self, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """Return settings that make a fit silent and the same each time, where the user has not set them.

        Left alone, LightGBM times rows against columns on every fit and takes the faster; the last digits differ.
        """
        extra: dict[str, Any] = {}
        if all(params.get(name) is None for name in spellings("verbosity")):
            extra["verbosity"] = -1
        if all(params.get(name) is None for name in spellings("seed")):
            extra["random_state" if self._is_estimator else "seed"] = seed
        if not any(params.get(name) for name in ("force_col_wise", "force_row_wise")):
            extra |= {
                "deterministic": True,
                f"force_{'col' if self._booster.num_feature() > _WIDE else 'row'}_wise": True,
            }
        return extra

    def _columns(self, x: Any) -> Columns:
        names = tuple(self._booster.feature_name())
        listed = [pd.Index(values) for values in self._booster.pandas_categorical or []]
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
        """Return the columns that the model's lists of categories belong to, which it does not name."""
        positions = self._coded_positions(names)
        if len(positions) == count:
            return [names[at] for at in positions]
        # ordered categories, or whole numbers used as categories, leave it to the data which columns are meant
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
        text = self._header.get("[categorical_feature]", "")
        if text.startswith("name:"):
            return sorted(names.index(name) for name in text[5:].split(",") if name in names)
        return sorted(int(at) for at in text.split(",") if at.strip())

    def _coded(self, columns: Columns) -> Any:
        positions = self._coded_positions(tuple(self._booster.feature_name()))
        return positions or "auto"

    # --------------------------------------------------------------------------------------------- save, load

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format, and what it does not keep beside it."""
        self._booster.save_model(str(folder / "model.txt"), num_iteration=-1)
        if self._is_estimator:
            from incumbent.models.files._safe import save_native

            shell = copy.copy(self.native)
            shell._Booster = None
            save_native(shell, folder / "settings.skops")
        kept = {
            "estimator": self._is_estimator,
            "task": self.task,
            "notes": list(self.notes),
            "origin": self._origin,
            "best_iteration": self._booster.best_iteration,
            "params": plain(self._booster.params),
        }
        write_manifest(folder, kept, self.classes)

    @classmethod
    def load(cls, folder: Path) -> LightGBMModel:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            It is damaged or of a newer format.
        """
        import lightgbm

        kept, classes = read_manifest(folder)
        try:
            booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
        except lightgbm.basic.LightGBMError as error:
            raise ModelError(f"The stored model in {folder} cannot be read: {error}") from error
        booster.params, booster.best_iteration = kept["params"], kept["best_iteration"]
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
        raise ModelError(f"lightgbm.{type(native).__name__} is not a model; give a Booster or an LGBMClassifier.")
    if not hasattr(native, "get_params"):
        return native
    if not native.__sklearn_is_fitted__():
        raise ModelError(f"This {type(native).__name__} is not fitted; call its fit(x, y) first.")
    return native.booster_


def _length(booster: Any) -> int:
    return int(booster.num_trees() // booster.num_model_per_iteration())


def _classes_of(native: Any, header: Mapping[str, str], hint: Array | None) -> Array:
    if hasattr(native, "classes_"):
        return np.asarray(native.classes_)
    return named_classes(max(2, int(header["num_class"])), classes_told(native, hint))


def _watch(deadline: float, rounds: int) -> Any:
    def check(state: Any) -> None:
        check_time(deadline, state.iteration - state.begin_iteration + 1, rounds)

    return check


def _with_settings(fitted: Any, settings: Any) -> Any:
    """Put what was fitted into an estimator that has the user's settings, and not those added for the fit."""
    names = set(fitted.get_params()) | {"_other_params", "_random_state", "_n_estimators"}
    vars(settings).update({name: value for name, value in vars(fitted).items() if name not in names})
    return settings
