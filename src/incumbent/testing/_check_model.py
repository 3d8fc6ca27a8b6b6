"""Whether an adapter keeps the promises of `incumbent.core.Model`, around one fitted model and on real rows."""

from __future__ import annotations

import hashlib
import io
import pickle
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.core import (
    ABILITIES,
    Array,
    Batch,
    Memory,
    Model,
    Prediction,
    Recipe,
    Strategy,
    has_weights,
    is_model,
)
from incumbent.engine import TrainingRows
from incumbent.errors import AbilityError, IncumbentError, ModelError
from incumbent.memory import update_memory
from incumbent.models import fit_challenger, wrap
from incumbent.policy import recipe_for
from incumbent.strategies import Retrain, Tune, catalogue


def check_model(
    native: Any,
    batch: Batch,
    *,
    classes: Array | None = None,
    strategies: Sequence[Strategy] | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Raise unless a model and its adapter keep every promise that an update builds on.

    1. `wrap` takes the model, and its abilities are words of `incumbent.core.ABILITIES`.
    2. `predict` gives one answer for each row, twice the same, and that of the native model; probabilities sum to 1.
    3. Every strategy whose needs the abilities meet can be followed; that changes nothing about the champion and gives
       a fitted model of the same task which knows the classes of its rows; the same seed gives the same model.
    4. A model that learns on takes in a class that it has not seen, or says in `notes` what it did instead.
    5. A model that was saved and loaded predicts exactly the same, and can be updated as before.
    6. Where weights can be read, setting them to what they are changes nothing, and importances fit them.

    Parameters
    ----------
    native : object
        A fitted model, or an adapter around one.
    batch : Batch
        60 or more labelled rows such as it was trained on, with at least 9 of each class; 200 to 400 keep it quick.
    classes : (k,) array, optional
        Class names of a native booster, which only knows 0 to k - 1.
    strategies : sequence of Strategy, optional
        What to follow; by default every strategy of the catalogue, the search with two trials only.
    tolerance : float
        How far probabilities may be from summing to 1 and from those of the native model; the default leaves room for
        frameworks that compute in single precision. Whatever is promised to be the same must be so exactly.
    seed : int
        Where randomness enters.

    Raises
    ------
    AssertionError
        A promise is broken; the message says which, by what.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from incumbent.strategies import Incremental, Retrain
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 3))
    >>> y = np.where(x[:, 0] > 0, "yes", "no")
    >>> native = SGDClassifier(loss="log_loss", random_state=0).fit(x[:50], y[:50])
    >>> check_model(native, Batch(x, y), strategies=[Retrain(), Incremental()])
    """
    with _quiet():
        case = _Case.of(wrap(native, classes=classes), batch, tolerance, seed)
        _check_description(case)
        _check_predictions(case)
        for strategy, recipe in _able(case, _everything() if strategies is None else strategies):
            _check_following(case, strategy, recipe)
        _check_storage(case)
        _check_weights(case)
        _must(case.unchanged(), f"{case.name} was changed by the checks: predicting, fitting or saving touched it.")


@dataclass(frozen=True, eq=False)
class _Case:
    """The model, rows in three parts that each show every class, and how the model looked before anything was done."""

    model: Model
    all: Batch
    train: Batch
    select: Batch
    memory: Memory
    before: Prediction
    state: str
    tolerance: float
    seed: int

    @staticmethod
    def of(model: Model, batch: Batch, tolerance: float, seed: int) -> _Case:
        grouped = model.task == "classification" and batch.labels.ndim == 1  # several labels at once are no classes
        count = np.unique(batch.labels, return_counts=True)[1].min() if grouped else 9
        enough = len(batch) >= 60 and count >= 9
        _must(
            enough, "check_model needs at least 60 labelled rows, and 9 of each class, to split them into three parts."
        )
        order = np.argsort(batch.labels, kind="stable") if grouped else np.arange(len(batch))
        old, train, select = (batch.take(np.sort(order[part::3])) for part in range(3))
        before = model.predict(batch.x)  # once before its state is noted: some models fill a cache
        memory = update_memory(Memory(), old, seed=seed)
        return _Case(model, batch, train, select, memory, before, _state(model), tolerance, seed)

    @property
    def name(self) -> str:
        return type(self.model.native).__name__

    @property
    def several(self) -> bool:
        """Whether each row has several labels, or several values, at once."""
        return self.all.labels.ndim > 1

    def bind(self, recipe: Recipe, train: Batch | None = None) -> Recipe:
        rows = self.train if train is None else train
        return TrainingRows(rows, self.select, self.memory, self.seed).bind(recipe)

    def unchanged(self) -> bool:
        return _same(self.model.predict(self.all.x), self.before) and _state(self.model) == self.state


def _must(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few rows make estimators complain of convergence, as an update's tries do
        yield


class _Digest(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        if hasattr(thing, "get_tree_stats"):  # scikit-learn's trees of neighbours count how often they are asked
            return list, (thing.get_arrays(),)
        if hasattr(thing, "native") and is_model(thing):  # a member's adapter may note what it was asked
            return list, ([thing.native],)
        return NotImplemented


def _state(model: Model) -> str:
    held = io.BytesIO()
    _Digest(held).dump(model.native)
    return hashlib.sha256(held.getbuffer()).hexdigest()


def _same(one: Prediction, two: Prediction) -> bool:
    if not np.array_equal(one.label, two.label):
        return False
    return (one.proba is None) == (two.proba is None) and (one.proba is None or np.array_equal(one.proba, two.proba))  # type: ignore[arg-type]  # both are arrays by then


def _everything() -> list[Strategy]:
    kinds = catalogue()
    return [Tune(2) if kind is Tune else kind() for kind in kinds.values()]


def _check_description(case: _Case) -> None:
    model, name = case.model, case.name
    _must(is_model(model), f"The adapter {type(model).__name__} lacks a member of incumbent.core.Model.")
    _must(wrap(model) is model, f"wrap gives another adapter for the adapter of {name} itself.")
    unknown = sorted(model.abilities - ABILITIES.keys())
    _must(not unknown, f"{name} claims {unknown}; abilities are {sorted(ABILITIES)}.")
    _must(model.task in ("classification", "regression"), f"{name} has the task {model.task!r}.")
    if model.task == "regression":
        _must(model.classes is None, f"{name} is a regression and names classes.")
        _must("proba" not in model.abilities, f"{name} is a regression and claims to give class probabilities.")
        return
    classes = model.classes
    _must(classes is not None and len(classes) >= 1, f"{name} is a classifier and names no classes.")
    assert classes is not None, "checked on the line before"
    distinct = len(np.unique(classes)) == len(classes) if case.several else np.array_equal(classes, np.unique(classes))
    _must(distinct, f"The classes of {name} are not sorted, or not distinct.")


def _check_predictions(case: _Case) -> None:
    model, name, said = case.model, case.name, case.before
    n = len(case.all)
    shape = np.shape(case.all.labels)
    _must(
        np.shape(said.label) == shape,
        f"{name} predicts labels of shape {np.shape(said.label)} for {n} rows, not {shape}.",
    )
    _must(_same(model.predict(case.all.x), said), f"{name} predicts the same rows differently when asked again.")
    some = np.arange(0, n, 3)
    part = model.predict(case.all.take(some).x)
    near = np.isclose if model.task == "regression" else np.equal  # sums may be rounded in another order
    _must(bool(near(part.label, said.label[some]).mean() > 0.99), f"{name} predicts a row otherwise beside other rows.")
    if model.task == "regression":
        _must(bool(np.isfinite(said.label).all()), f"{name} predicts values that are not finite.")
    else:
        _check_probabilities(case)
    _check_native(case)


def _check_probabilities(case: _Case) -> None:
    name, said, classes = case.name, case.before, case.model.classes
    assert classes is not None, "it is a classifier"
    known = (0, 1) if case.several else classes
    _must(bool(np.isin(said.label, known).all()), f"{name} predicts labels that are not among its classes.")
    gives = said.proba is not None
    claims = "proba" in case.model.abilities
    _must(gives == claims, f"{name} {'gives' if gives else 'lacks'} probabilities and its abilities say otherwise.")
    if said.proba is None:
        return
    shape = (len(case.all), len(classes))
    _must(said.proba.shape == shape, f"{name} gives probabilities of shape {said.proba.shape}, not {shape}.")
    _must(np.array_equal(said.classes, classes), f"{name} gives probabilities of other classes than it names.")  # type: ignore[arg-type]  # None is unequal
    _must(bool((said.proba >= 0).all()), f"{name} gives probabilities below 0, or none at all.")
    if case.several:
        _must(bool((said.proba <= 1).all()), f"{name} gives probabilities above 1.")
        return
    off = float(np.abs(said.proba.sum(axis=1) - 1).max())
    _must(off <= case.tolerance, f"{name} gives probabilities that sum to 1 only within {off:.2g}.")


def _check_native(case: _Case) -> None:
    """Compare with what the native model itself says, where it speaks as scikit-learn does."""
    native, said = case.model.native, case.before
    if not hasattr(native, "get_params") or not hasattr(native, "predict"):
        return
    from incumbent.models.tables._native import as_input

    data = as_input(native, case.all.x)
    own = np.asarray(native.predict(data))
    if case.model.task == "regression":
        near = np.allclose(said.label, own.reshape(-1), rtol=case.tolerance, atol=case.tolerance)
        _must(near, f"The adapter of {case.name} predicts other values than its own predict.")
        return
    sure = np.ones(len(own), dtype=bool)
    if said.proba is not None and hasattr(native, "predict_proba"):
        near = np.allclose(said.proba, native.predict_proba(data), rtol=0, atol=case.tolerance)
        _must(near, f"The adapter of {case.name} gives other probabilities than its own predict_proba.")
        top = np.sort(said.proba, axis=1)[:, -2:]
        sure = top[:, -1] - top[:, 0] > case.tolerance  # a tie may be broken either way
    _must(
        bool((own == said.label)[sure].all()), f"The adapter of {case.name} predicts other labels than its own predict."
    )


def _able(case: _Case, strategies: Sequence[Strategy]) -> Iterator[tuple[Strategy, Recipe]]:
    for strategy in strategies:
        try:
            recipe = recipe_for(strategy, case.model, case.memory)
        except AbilityError:
            continue
        yield strategy, recipe


def _check_following(case: _Case, strategy: Strategy, recipe: Recipe) -> None:
    name, champion = f"{case.name} following {strategy!r}", case.model
    made = _followed(case, recipe, name)
    if made is None:
        return
    _must(made is not champion, f"{name} gives back the champion itself instead of a new model.")
    _must(case.unchanged(), f"{name} changed the champion.")
    _must(made.task == champion.task, f"{name} gives a model for a {made.task}.")
    said = made.predict(case.all.x)
    each = "as many labels" if case.several else "one label"
    fits = np.shape(said.label) == np.shape(case.all.labels)
    _must(fits, f"{name} gives a model that does not predict {each} for each row.")
    if champion.classes is not None and not case.several:
        lost = np.setdiff1d(case.train.labels, made.classes)  # type: ignore[arg-type]  # same task: it has classes
        _must(not len(lost), f"{name} gives a model that does not know the classes {lost.tolist()} of its rows.")
    again = _followed(case, recipe, name)
    _must(
        again is not None and _same(again.predict(case.all.x), said), f"{name} gives another model with the same seed."
    )
    grows = case.model.task == "classification" and not case.several
    if grows and recipe.finish == Recipe().finish and recipe.loss.pull is None:
        _check_growth(case, recipe, name)


def _followed(case: _Case, recipe: Recipe, name: str, train: Batch | None = None) -> Model | None:
    try:
        return fit_challenger(case.model, case.bind(recipe, train))
    except ModelError as error:
        pull = recipe.loss.pull
        no_likelihood = pull is not None and pull.importance == "fisher"  # a hinge has no Fisher information
        _must(no_likelihood, f"{name} fails, though its abilities suffice: {error}")
        return None


def _check_growth(case: _Case, recipe: Recipe, name: str) -> None:
    new = _new_class(case.model.classes)
    if new is None or recipe.structure.start == "scratch":
        return  # whether an estimator that is fitted anew takes more classes is its own affair
    y = case.train.labels.astype(np.result_type(case.train.labels.dtype, np.asarray(new).dtype))
    y[np.arange(0, len(y), 4)] = new
    try:
        made = fit_challenger(case.model, case.bind(recipe, case.train.replace(y=y)))
    except IncumbentError:
        raise
    except Exception as error:
        raise AssertionError(f"{name} breaks on a class it has not seen: {type(error).__name__}: {error}") from error
    knows = made.classes is not None and new in made.classes
    _must(knows, f"{name} learned rows of the new class {new!r} and does not know it; it knows {made.classes}.")
    _must(bool(made.notes), f"{name} met a new class and does not say in its notes what it did.")
    _must(case.unchanged(), f"{name} changed the champion when it met a new class.")


def _new_class(classes: Array | None) -> Any:
    if classes is None or classes.dtype.kind == "b":
        return None
    return classes.max() + 1 if classes.dtype.kind in "iuf" else "a class that is new"


def _check_storage(case: _Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case.model.save(Path(folder))
        loaded: Model = type(case.model).load(Path(folder))  # type: ignore[attr-defined]  # every adapter has it beside save
    _must(type(loaded.native) is type(case.model.native), f"{case.name} is loaded as a {type(loaded.native).__name__}.")
    _must(
        _same(loaded.predict(case.all.x), case.before), f"{case.name} predicts otherwise after it was saved and loaded."
    )
    _must(loaded.abilities == case.model.abilities, f"{case.name} has other abilities after it was saved and loaded.")
    for _, recipe in _able(case, [Retrain()]):
        settled = [recipe] if "incremental" not in case.model.abilities else [recipe, recipe.replace(start="champion")]
        for one in settled:
            made, twin = fit_challenger(case.model, case.bind(one)), fit_challenger(loaded, case.bind(one))
            same = _same(made.predict(case.all.x), twin.predict(case.all.x))
            _must(same, f"{case.name} learns otherwise after it was saved and loaded.")


def _check_weights(case: _Case) -> None:
    model = case.model
    if not has_weights(model):
        return
    weights = model.weights()
    same = _same(model.with_weights(weights).predict(case.all.x), case.before)
    _must(same, f"{case.name} predicts otherwise when its weights are set to what they are.")
    for value in weights.values():
        value += 1.0
    _must(case.unchanged(), f"{case.name} hands out its own weights; weights() must give copies.")
    try:
        importance = model.weight_importance(case.train)
    except ModelError:
        return  # its loss is no likelihood
    shapes = {name: value.shape for name, value in weights.items()}
    found = {name: value.shape for name, value in importance.items()}
    _must(found == shapes, f"The importances of {case.name} have shapes {found}, its weights {shapes}.")
    sound = all(bool((value >= 0).all()) for value in importance.values())
    _must(sound, f"{case.name} gives importances below 0, or none at all.")
