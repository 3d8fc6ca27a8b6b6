"""The checks of an adapter: a function for each promise of `incumbent.core.Model`; its docstring is the promise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import SkipTest

import numpy as np

from incumbent.core import ABILITIES, Batch, Model, Recipe, has_features, has_logits, has_weights, lacking_members
from incumbent.errors import IncumbentError, ModelError
from incumbent.models import wrap
from incumbent.testing._case import Case, Trial, is_same

# ------------------------------------------------------------------------------------------------ what it is


def is_an_adapter(case: Case) -> None:
    """Have the members of `incumbent.core.Model`; `wrap` returns such an adapter as it is."""
    model = case.model
    lacking = lacking_members(model)
    assert not lacking, f"The adapter {type(model).__name__} lacks {lacking}, which incumbent.core.Model has."
    assert wrap(model) is model, f"wrap gives another adapter for the adapter of {case.name} itself."


def has_known_abilities(case: Case) -> None:
    """Claim abilities that are words of `incumbent.core.ABILITIES`, and have the members that they promise."""
    model = case.model
    members = {"gradient": ("weights", "with_weights", "weight_importance"), "soft_targets": ("logits",)}
    unknown = sorted(model.abilities - ABILITIES.keys())
    assert not unknown, f"{case.name} claims {unknown}; abilities are {sorted(ABILITIES)}."
    lacking = [name for word in model.abilities for name in members.get(word, ()) if not hasattr(model, name)]
    assert not lacking, f"{case.name} lacks {lacking}, which its abilities promise."


def names_its_classes(case: Case) -> None:
    """Name the classes, sorted; a regression names none and gives no probabilities."""
    model, classes = case.model, case.model.classes
    assert model.task in ("classification", "regression"), f"{case.name} has the task {model.task!r}."
    if model.task == "regression":
        assert classes is None, f"{case.name} is a regression and names classes."
        assert "proba" not in model.abilities, f"{case.name} is a regression and claims to give probabilities."
        return
    assert classes is not None and len(classes), f"{case.name} is a classifier and names no classes."
    found = np.unique(classes)
    is_sound = len(found) == len(classes) if case.has_several_labels else np.array_equal(classes, found)
    assert is_sound, f"The classes of {case.name} are not sorted, or not distinct."


# ------------------------------------------------------------------------------------------------ predictions


def predicts_every_row(case: Case) -> None:
    """Predict a known class, or a finite number, for each row."""
    label, shape = case.before.label, np.shape(case.rows.labels)
    assert np.shape(label) == shape, f"{case.name} predicts labels of shape {np.shape(label)}, not {shape}."
    if case.model.task == "regression":
        assert np.isfinite(label).all(), f"{case.name} predicts values that are not finite."
    else:
        known = (0, 1) if case.has_several_labels else case.model.classes
        known_only = known is not None and np.isin(label, known).all()
        assert known_only, f"{case.name} predicts labels that are not among its classes."


def predicts_the_same_again(case: Case) -> None:
    """Predict the same rows alike when called again."""
    assert case.predicts_theis_same(case.model), f"{case.name} predicts the same rows differently when called again."


def predicts_rows_independently(case: Case) -> None:
    """Predict a row alike whatever the other rows are."""
    some = np.arange(0, len(case.rows), 3)
    label = case.model.predict(case.rows.take(some).x).label
    near = np.isclose if case.model.task == "regression" else np.equal  # sums may be rounded in another order
    alike = near(label, case.before.label[some]).mean()
    assert alike > 0.99, f"{case.name} predicts a row differently if the other rows are others."


def gives_probabilities(case: Case) -> None:
    """Give probabilities with a column for each class, between 0 and 1, that sum to 1."""
    name, classes, proba = case.name, case.model.classes, case.before.proba
    claims = "proba" in case.model.abilities
    assert (proba is not None) == claims, f"{name} gives {'no ' * claims}probabilities; its abilities say otherwise."
    if proba is None or classes is None:
        raise SkipTest(f"{name} gives no probabilities.")
    shape = (len(case.rows), len(classes))
    assert proba.shape == shape, f"{name} gives probabilities of shape {proba.shape}, not {shape}."
    assert np.array_equal(case.before.classes, classes), f"{name} gives probabilities of other classes than it names."  # type: ignore[arg-type]  # None is unequal
    assert (proba >= 0).all(), f"{name} gives probabilities below 0, or NaN."
    if case.has_several_labels:
        assert (proba <= 1).all(), f"{name} gives probabilities above 1."
    else:
        off = float(np.abs(proba.sum(axis=1) - 1).max())
        assert off <= case.tolerance, f"{name} gives probabilities that sum to 1 only within {off:.2g}."


def agrees_with_the_native_model(case: Case) -> None:
    """Predict what the native model predicts, if that follows scikit-learn's conventions and takes these rows."""
    native, before = case.model.native, case.before
    if not hasattr(native, "get_params") or not hasattr(native, "predict"):
        raise SkipTest(f"{case.name} does not follow scikit-learn's conventions.")
    try:
        label = np.asarray(native.predict(case.rows.x))
        proba = native.predict_proba(case.rows.x) if before.proba is not None else None
    except Exception as error:  # an estimator may raise anything at rows that it does not take
        raise SkipTest(f"{case.name} itself does not take these rows: {error}") from error
    if len(label) != len(case.rows):
        raise SkipTest(f"{case.name} itself reads these rows as {len(label)}.")
    tolerance = case.tolerance
    if case.model.task == "regression":
        near = np.allclose(before.label, label.reshape(-1), rtol=tolerance, atol=tolerance)
        assert near, f"The adapter of {case.name} predicts other values than its own predict."
        return
    clear = np.ones(len(label), dtype=bool)
    if before.proba is not None and proba is not None:
        near = np.allclose(before.proba, proba, rtol=0, atol=tolerance)
        assert near, f"The adapter of {case.name} gives other probabilities than its own predict_proba."
        top = np.sort(before.proba, axis=1)[:, -2:]
        clear = top[:, -1] - top[:, 0] > tolerance  # a tie may be broken either way
    agree = (label == before.label)[clear].all()
    assert agree, f"The adapter of {case.name} predicts other labels than its own predict."


# ------------------------------------------------------------------------------------------------ weights, outputs


def takes_its_own_weights(case: Case) -> None:
    """Return copies of the weights; setting them to what they are changes no prediction."""
    model = case.model
    if not has_weights(model):
        raise SkipTest(f"{case.name} has no weights to read.")
    weights = model.weights()
    same = case.predicts_theis_same(model.with_weights(weights))
    assert same, f"{case.name} predicts differently when its weights are set to what they are."
    for value in weights.values():
        value += 1.0
    assert case.is_unchanged(), f"{case.name} hands out its own weights; weights() must give copies."


def has_sound_importances(case: Case) -> None:
    """Return importances in the shapes of the weights, none of them negative."""
    if not has_weights(case.model):
        raise SkipTest(f"{case.name} has no weights to read.")
    try:
        importance = case.model.weight_importance(case.train)
    except ModelError as error:
        raise SkipTest(f"{case.name} has no Fisher information: {error}") from error
    shapes = {name: value.shape for name, value in case.model.weights().items()}
    found = {name: value.shape for name, value in importance.items()}
    assert found == shapes, f"The importances of {case.name} have shapes {found}, its weights {shapes}."
    sound = all((value >= 0).all() for value in importance.values())
    assert sound, f"{case.name} gives importances below 0, or NaN."


def has_logits_for_its_outputs(case: Case) -> None:
    """Return logits for each row, with a column for each class in `outputs`."""
    if not has_logits(case.model):
        raise SkipTest(f"{case.name} exposes no logits.")
    found, outputs = case.model.logits(case.rows.x), case.model.outputs
    assert len(found) == len(case.rows), f"{case.name} gives {len(found)} rows of logits for {len(case.rows)} rows."
    columns = None if outputs is None else len(outputs)
    fits = columns is None or found.shape[1:] == (columns,)
    assert fits, f"{case.name} gives logits of shape {found.shape} for {columns} outputs."


def has_features_by_row(case: Case) -> None:
    """Return the same features of a row whatever the other rows are, so that it can be deleted exactly."""
    if not has_features(case.model):
        raise SkipTest(f"{case.name} exposes no features.")
    some = np.arange(0, len(case.rows), 3)
    whole, part = (Batch(case.model.features(rows.x)) for rows in (case.rows, case.rows.take(some)))
    one, two = (
        np.asarray(rows.x.toarray() if hasattr(rows.x, "toarray") else rows.x) for rows in (whole.take(some), part)
    )
    same = one.shape == two.shape and (one == two).mean() > 0.99
    assert same, f"{case.name} gives a row other features if the other rows are others."


# ------------------------------------------------------------------------------------------------ storage


def predicts_the_same_after_loading(case: Case) -> None:
    """Keep the abilities and predict exactly the same after the model was saved and loaded."""
    loaded = _reload(case.model)
    kind = type(loaded.native)
    assert kind is type(case.model.native), f"{case.name} is loaded as a {kind.__name__}."
    same = case.predicts_theis_same(loaded)
    assert same, f"{case.name} predicts differently after it was saved and loaded."
    same = loaded.abilities == case.model.abilities
    assert same, f"{case.name} has other abilities after it was saved and loaded."


def learns_the_same_after_loading(case: Case) -> None:
    """Learn the same from the same rows after the model was saved and loaded."""
    loaded, starts = _reload(case.model), {"retrain": "scratch", "incremental": "champion"}
    for recipe in [Recipe().replace(start=start) for word, start in starts.items() if word in case.model.abilities]:
        made, twin = case.fit(recipe), case.fit(recipe, model=loaded)
        same = is_same(made.predict(case.rows.x), twin.predict(case.rows.x))
        assert same, f"{case.name} learns differently after it was saved and loaded."


def _reload(model: Model) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        loaded: Model = type(model).load(Path(folder))  # type: ignore[attr-defined]  # every adapter has it next to save
    return loaded


# ------------------------------------------------------------------------------------------------ training


def fits_a_new_model(trial: Trial) -> None:
    """Leave the champion unchanged, and return a fitted model that knows the classes of its rows."""
    case, name, made = trial.case, trial.name, trial.challenger
    assert made is not case.model, f"{name} gives back the champion itself instead of a new model."
    assert case.is_unchanged(), f"{name} changed the champion."
    assert made.task == case.model.task, f"{name} gives a model for a {made.task}."
    shape = np.shape(made.predict(case.rows.x).label)
    expected = np.shape(case.rows.labels)
    assert shape == expected, f"{name} gives a model that predicts labels of shape {shape}, not {expected}."
    if made.classes is not None and not case.has_several_labels:
        lost = np.setdiff1d(case.train.labels, made.classes)
        assert not len(lost), f"{name} gives a model that does not know the classes {lost.tolist()} of its rows."


def fits_the_same_again(trial: Trial) -> None:
    """Return the same model for the same recipe with the same seed."""
    x = trial.case.rows.x
    same = is_same(trial.fit().predict(x), trial.challenger.predict(x))
    assert same, f"{trial.name} gives another model with the same seed."


def learns_a_new_class(trial: Trial) -> None:
    """Learn a class that the model has not seen while it continues to train, and say so in `notes`."""
    case, new = trial.case, trial.new_class
    y = case.train.labels.astype(np.result_type(case.train.labels.dtype, np.asarray(new).dtype))
    y[np.arange(0, len(y), 4)] = new
    try:
        made = case.fit(trial.recipe, train=case.train.replace(y=y))
    except IncumbentError:
        raise
    except Exception as error:  # whatever it raises breaks the promise
        kind = type(error).__name__
        raise AssertionError(f"{trial.name} breaks on a class it has not seen: {kind}: {error}") from error
    knows = made.classes is not None and new in made.classes
    assert knows, f"{trial.name} learned rows of the new class {new!r} and does not know it; it knows {made.classes}."
    assert made.notes, f"{trial.name} met a new class and does not say in its notes what it did."
    assert case.is_unchanged(), f"{trial.name} changed the champion when it met a new class."


def stays_unchanged(case: Case) -> None:
    """Stay unchanged by predicting, fitting and saving."""
    assert case.is_unchanged(), f"{case.name} was changed by the checks: predicting, fitting or saving changes it."


BEFORE: tuple[Callable[[Case], None], ...] = (
    is_an_adapter,
    has_known_abilities,
    names_its_classes,
    predicts_every_row,
    predicts_the_same_again,
    predicts_rows_independently,
    gives_probabilities,
    agrees_with_the_native_model,
    takes_its_own_weights,
    has_sound_importances,
    has_logits_for_its_outputs,
    has_features_by_row,
    predicts_the_same_after_loading,
)
BY_STRATEGY: tuple[Callable[[Trial], None], ...] = (fits_a_new_model, fits_the_same_again, learns_a_new_class)
AFTER: tuple[Callable[[Case], None], ...] = (learns_the_same_after_loading, stays_unchanged)
