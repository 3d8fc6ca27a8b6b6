"""Rows and promises that the tests of LightGBM and XGBoost share."""

import time

import numpy as np
import pandas as pd
import pytest

from incumbent.core import Batch, Model, Recipe, RefitLeaves, Trees
from incumbent.errors import AbilityError, BudgetSpent, DataError, ModelError, UsageError

rng = np.random.default_rng(0)
N = 400
RAW = pd.DataFrame(
    {
        "size": rng.normal(size=N),
        "colour": rng.choice(["red", "green", "blue"], N),
        "count": rng.integers(0, 5, N),
        "store": rng.integers(10, 13, N),
    }
)
TYPED = RAW.astype({"colour": "category", "store": "category"})
SCORE = RAW["size"].to_numpy() + (RAW["colour"] == "red") + 0.3 * rng.normal(size=N)
BINARY = np.where(SCORE > 0.5, "yes", "no")
THREE = np.select([SCORE > 1.2, SCORE > 0], ["high", "mid"], "low")
VALUES = np.asarray(2 * SCORE)
CODES = np.unique(THREE, return_inverse=True)[1]
ONE = (BINARY == "yes").astype(int)
SCRATCH, APPEND, RELEAF = (
    Recipe().replace(start="scratch"),
    Recipe().replace(trees=Trees(4, learning_rate=0.05, l2=1.0)),
    Recipe().replace(trees=RefitLeaves(0.5)),
)
RECIPES = {"scratch": SCRATCH, "add_trees": APPEND, "refit_leaves": RELEAF}


def rows(y, first=0, last=N, *, weight=False):
    return Batch(
        RAW.iloc[first:last], np.asarray(y)[first:last], np.linspace(0.5, 1.5, last - first) if weight else None
    )


def same(one, two):
    np.testing.assert_array_equal(one.label, two.label)
    assert (one.proba is None) == (two.proba is None)
    if one.proba is not None:
        np.testing.assert_array_equal(one.proba, two.proba)


def differ(one, two):
    if one.proba is None:
        return not np.array_equal(one.label, two.label)
    return not np.array_equal(one.proba, two.proba)


def check_fit(model, y, recipe, text):
    """Fitting changes the challenger and not the champion, and the same seed makes the same challenger."""
    assert isinstance(model, Model)
    before, said = text(model), model.predict(RAW)
    bound = recipe.bind(train=rows(y, 0, 300, weight=True), seed=3)
    one, two = model.fit(bound), model.fit(bound)
    assert text(model) == before
    same(model.predict(RAW), said)
    same(one.predict(RAW), two.predict(RAW))
    assert differ(one.predict(RAW), said)
    assert type(one.native) is type(model.native)
    assert one.abilities == model.abilities
    if hasattr(model.native, "get_params"):
        assert repr(one.native) == repr(model.native)
    return one


def check_round_trip(kind, model, y, folder, recipes=(APPEND,)):
    """What was saved predicts the same, and learns on the same."""
    folder.mkdir()
    model.save(folder)
    assert not [path for path in folder.iterdir() if path.suffix in (".pkl", ".joblib", ".pickle")]
    again = kind.load(folder)
    same(again.predict(RAW), model.predict(RAW))
    assert (again.task, again.abilities, again.notes) == (model.task, model.abilities, model.notes)
    np.testing.assert_array_equal(again.classes, model.classes)
    for recipe in recipes:
        bound = recipe.bind(train=rows(y, 50, 350), seed=1)
        same(again.fit(bound).predict(RAW), model.fit(bound).predict(RAW))


def check_weights_count(model, y, recipe):
    """A row of weight zero is a row that is not there."""
    half = np.repeat([1.0, 0.0], N // 2)
    wrong = np.concatenate([np.asarray(y)[: N // 2], np.roll(np.asarray(y)[N // 2 :], 1)])
    all_rows = recipe.bind(train=Batch(RAW, wrong, half))
    uniform = recipe.bind(train=Batch(RAW, wrong))
    assert differ(model.fit(all_rows).predict(RAW), model.fit(uniform).predict(RAW))


def check_wrong_columns(model):
    with pytest.raises(ModelError, match=r"The data lack 'colour', which this \w+ model was trained on"):
        model.predict(RAW.drop(columns="colour"))
    with pytest.raises(ModelError, match="Column 'count' holds text such as 'many'"):
        model.predict(RAW.assign(count=["many"] * N))
    with pytest.raises(ModelError, match="Column 'size' holds times"):
        model.predict(RAW.assign(size=pd.Timestamp("2026-01-01")))
    with pytest.raises(ModelError, match="Column 'store' holds 'ten' but .* knows the categories 10, 11, 12"):
        model.predict(RAW.assign(store="ten"))
    with pytest.raises(ModelError, match="reads a data frame with 4 named columns"):
        model.predict(np.zeros((3, 4)))


def check_categories(model):
    """Neither the order of columns and categories nor their type changes a prediction; new ones are missing."""
    said = model.predict(RAW)
    same(model.predict(TYPED), said)
    same(model.predict(TYPED[["store", "count", "colour", "size"]]), said)
    same(model.predict(RAW.assign(colour=pd.Categorical(RAW["colour"], ["red", "blue", "green", "grey"]))), said)
    same(model.predict(RAW.assign(colour=RAW["colour"].astype(object), extra=1)), said)
    same(model.predict(RAW.astype({"size": "Float64", "count": "Int64"})), said)
    same(model.predict(RAW.assign(colour="grey")), model.predict(RAW.assign(colour=None)))
    same(model.predict(RAW.iloc[:1]), said.take([0]))


def check_new_class(model, y, new):
    labels = np.array(y, dtype=object) if isinstance(new, str) else np.array(y)
    labels[RAW["count"] == 4] = new
    for recipe in (APPEND, RELEAF):
        made = model.fit(recipe.bind(train=Batch(RAW, labels)))
        assert made.classes.tolist() == sorted([*model.classes.tolist(), new])
        assert any("does not know the class" in note and repr(new) in note for note in made.notes), made.notes
        assert made.predict(RAW).proba.shape == (N, len(made.classes))
        assert (made.predict(RAW).label == new).any()


def check_missing_class(model, y):
    """New rows without one of the classes do not make the model forget that it exists."""
    labels = np.asarray(y)
    left = labels != model.classes[0]
    batch = Batch(RAW[left], labels[left])
    for recipe in (APPEND, RELEAF):
        made = model.fit(recipe.bind(train=batch))
        assert made.notes == ()
        np.testing.assert_array_equal(made.classes, model.classes)
        assert made.predict(RAW).proba.shape == (N, len(model.classes))


def check_growth(model, y, rounds):
    """Appending again and again ends in a fit from scratch with the rounds that the model once had."""
    first, sizes, notes = rounds(model), [], []
    for _ in range(12):
        model = model.fit(Recipe().replace(trees=Trees(first // 2)).bind(train=rows(y, 0, 200)))
        sizes.append(rounds(model))
        notes += model.notes
    assert max(sizes) <= 3 * first + first // 2
    assert first in sizes
    assert any("would pass the limit" in note for note in notes)


def check_errors(model, y):
    with pytest.raises(BudgetSpent, match="time budget ended after"):
        model.fit(SCRATCH.bind(train=rows(y), deadline=time.monotonic() - 1))
    with pytest.raises(AbilityError, match=r"lacks \['incremental'\].*Retrain\(\)"):
        model.fit(Recipe().replace(start="champion").bind(train=rows(y)))
    with pytest.raises(UsageError, match="not bound"):
        model.fit(SCRATCH)
    with pytest.raises(DataError, match="one label per row"):
        model.fit(SCRATCH.bind(train=Batch(RAW)))
    if model.classes is not None:
        with pytest.raises(DataError, match="have the class"):
            model.fit(SCRATCH.bind(train=rows(y).take(np.asarray(y) == np.asarray(y)[0])))


def stops_in_time(model, y, *, rounds):
    """A deadline in the midst of a long fit ends it."""
    started = time.monotonic()
    with pytest.raises(BudgetSpent, match=rf"after [1-9]\d* of {rounds} boosting rounds"):
        model.fit(Recipe().replace(trees=Trees(rounds)).bind(train=rows(y), deadline=started + 0.2))
    assert time.monotonic() - started < 3
