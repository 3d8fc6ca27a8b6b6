"""XGBoost follows every recipe, as estimator and as booster, and its champion stays as it was."""

import json
import pickle

import boosted
import numpy as np
import pandas as pd
import pytest
import xgboost
from boosted import BINARY, CODES, ONE, RAW, RECIPES, SCRATCH, THREE, TYPED, VALUES, same

from incumbent.core import Batch, Recipe, RefitLeaves, Search, Trees
from incumbent.errors import ModelError
from incumbent.models import wrap
from incumbent.models.xgboost import XGBoostModel

SETTINGS = {"n_estimators": 8, "max_depth": 3, "enable_categorical": True, "n_jobs": 1}


def rows(y=None):
    return xgboost.DMatrix(TYPED, y, enable_categorical=True)


def booster(objective, y, **more):
    params = {"objective": objective, "max_depth": 3, "eta": 0.2, "nthread": 1, **more}
    return xgboost.train(params, rows(y), 8)


def from_file(trained):
    read = xgboost.Booster(model_file=bytearray(trained.save_raw("ubj")))
    read.set_param({"nthread": 1})
    return read


MODELS = {
    "binary estimator": (xgboost.XGBClassifier(**SETTINGS).fit(TYPED, ONE), ONE),
    "multiclass estimator": (xgboost.XGBClassifier(**SETTINGS, subsample=0.8).fit(TYPED, CODES), CODES),
    "regression estimator": (xgboost.XGBRegressor(**SETTINGS, learning_rate=0.2).fit(TYPED, VALUES), VALUES),
    "binary booster": (booster("binary:logistic", ONE), ONE),
    "raw scores": (booster("binary:logitraw", ONE), ONE),
    "multiclass booster": (booster("multi:softprob", CODES, num_class=3), CODES),
    "softmax": (booster("multi:softmax", CODES, num_class=3), CODES),
    "regression booster": (booster("reg:squarederror", VALUES, subsample=0.8, seed=5), VALUES),
    "booster from a file": (from_file(booster("multi:softprob", CODES, num_class=3)), CODES),
}
each = pytest.mark.parametrize("name", MODELS)


def text(model):
    return bytes(model.booster.save_raw("json")), model.booster.save_config()


def rounds(model):
    return model.booster.num_boosted_rounds()


def wrapped(name):
    native, y = MODELS[name]
    return XGBoostModel(native), y


@each
def test_predictions_are_those_of_the_native_model(name):
    model, _ = wrapped(name)
    said, native = model.predict(RAW), model.native
    if hasattr(native, "get_params"):
        np.testing.assert_array_equal(said.label, native.predict(TYPED))
        if said.proba is not None:
            np.testing.assert_allclose(said.proba, native.predict_proba(TYPED), atol=1e-7)
        return
    raw = native.predict(rows())
    if name == "raw scores":
        np.testing.assert_array_equal(said.label, (raw > 0).astype(int))
    elif name == "binary booster":
        np.testing.assert_array_equal(said.proba[:, 1], raw)
    elif name in ("multiclass booster", "booster from a file"):
        np.testing.assert_array_equal(said.proba, raw)
    else:
        np.testing.assert_array_equal(said.label, raw)


def test_a_booster_without_probabilities_says_so():
    model = XGBoostModel(booster("binary:hinge", ONE))
    assert "proba" not in model.abilities
    for recipe in RECIPES.values():
        said = model.fit(recipe.bind(train=Batch(RAW, ONE))).predict(RAW)
        assert said.proba is None
        assert (said.label == ONE).mean() > 0.8


@each
@pytest.mark.parametrize("way", RECIPES)
def test_a_fit_follows_the_recipe_and_leaves_the_champion_alone(name, way):
    model, y = wrapped(name)
    made = boosted.check_fit(model, y, RECIPES[way], text)
    assert rounds(made) == (12 if way == "add_trees" else 8)
    if way == "scratch" and name == "booster from a file":
        assert "default settings" in made.notes[0]
    else:
        assert made.notes == ()


@each
def test_a_saved_champion_predicts_and_learns_on_exactly_the_same(name, tmp_path):
    model, y = wrapped(name)
    boosted.check_round_trip(XGBoostModel, model, y, tmp_path / "champion", RECIPES.values())


@each
@pytest.mark.parametrize("way", RECIPES)
def test_a_saved_challenger_predicts_and_learns_on_exactly_the_same(name, way, tmp_path):
    model, y = wrapped(name)
    made = model.fit(RECIPES[way].bind(train=boosted.rows(y, 0, 200)))
    boosted.check_round_trip(XGBoostModel, made, y, tmp_path / "challenger")


@pytest.mark.parametrize(
    "name", [name for name in MODELS if name not in ("multiclass estimator", "booster from a file")]
)
def test_a_fit_from_scratch_has_the_settings_of_the_champion(name):
    model, y = wrapped(name)
    same(model.fit(SCRATCH.bind(train=Batch(RAW, y), seed=0)).predict(RAW), model.predict(RAW))


@pytest.mark.parametrize("name", ["binary estimator", "multiclass booster", "regression booster"])
@pytest.mark.parametrize("how", [Trees(2, learning_rate=0.001, l2=500.0), RefitLeaves(0.1, l2=500.0)])
def test_continuing_leaves_the_settings_as_they_were(name, how):
    model, y = wrapped(name)
    bound = SCRATCH.bind(train=Batch(RAW, y))
    continued = model.fit(Recipe().replace(trees=how).bind(train=Batch(RAW, y), seed=9))
    same(continued.fit(bound).predict(RAW), model.fit(bound).predict(RAW))


def test_shrink_and_l2_hold_appended_rounds_back():
    model, _ = wrapped("regression booster")
    batch, said = Batch(RAW, -VALUES), model.predict(RAW).label

    def moved(**how):
        made = model.fit(Recipe().replace(trees=Trees(4, **how)).bind(train=batch))
        return float(np.abs(made.predict(RAW).label - said).mean())

    assert 0 < moved(learning_rate=0.01) < 0.3 * moved()
    assert moved(l2=1000.0) < 0.7 * moved()


@pytest.mark.parametrize("name", ["regression booster", "regression estimator"])
def test_the_old_leaves_keep_their_share(name):
    model, _ = wrapped(name)
    said = model.predict(RAW).label

    def moved(share):
        made = model.fit(Recipe().replace(trees=RefitLeaves(share)).bind(train=Batch(RAW, -VALUES)))
        return float(np.abs(made.predict(RAW).label - said).mean())

    assert moved(1.0) < 1e-6 < moved(0.9) < moved(0.1)


def test_half_of_the_old_leaves_and_half_of_the_new_is_their_mean():
    model, _ = wrapped("regression booster")
    batch = Batch(RAW, -VALUES)
    old, half, new = (
        model.fit(Recipe().replace(trees=RefitLeaves(share)).bind(train=batch)).predict(RAW).label
        for share in (1.0, 0.5, 0.0)
    )
    np.testing.assert_allclose(half, (old + new) / 2, atol=1e-5)


def test_a_leaf_without_new_rows_keeps_its_value():
    model, y = wrapped("regression booster")
    low = RAW["size"].to_numpy() < -0.2
    made = model.fit(Recipe().replace(trees=RefitLeaves(0.0)).bind(train=Batch(RAW[low], y[low] * 0 + 50)))
    untouched = _leaves(model, RAW)
    reached = [set(untouched[low][:, tree]) for tree in range(untouched.shape[1])]
    never = np.array([all(leaf not in reached[t] for t, leaf in enumerate(row)) for row in untouched])
    assert never.any()
    np.testing.assert_array_equal(made.predict(RAW).label[never], model.predict(RAW).label[never])


def _leaves(model, x):
    return model.booster.predict(model._rows(x), pred_leaf=True)


@each
@pytest.mark.parametrize("way", RECIPES)
def test_row_weights_count(name, way):
    boosted.check_weights_count(*wrapped(name), RECIPES[way])


@pytest.mark.parametrize("name", ["binary estimator", "multiclass booster", "booster from a file"])
def test_categories_are_the_models_own(name):
    boosted.check_categories(wrapped(name)[0])


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_wrong_columns_are_named(name):
    boosted.check_wrong_columns(wrapped(name)[0])


def test_a_fit_from_scratch_learns_a_new_category():
    model, _ = wrapped("regression estimator")
    grey = RAW.assign(colour="grey")
    y = np.r_[VALUES * 0, VALUES * 0 + 9]
    made = model.fit(SCRATCH.bind(train=Batch(pd.concat([RAW, grey], ignore_index=True), y)))
    assert made.predict(grey).label.min() > 5
    assert abs(made.predict(RAW).label).max() < 4


@pytest.mark.parametrize(
    ("name", "new"),
    [("binary estimator", 2), ("multiclass estimator", 3), ("binary booster", 2), ("multiclass booster", 3)],
)
def test_a_new_class_is_learned_from_scratch_and_said(name, new):
    boosted.check_new_class(*wrapped(name), new)


@pytest.mark.parametrize("name", ["multiclass estimator", "multiclass booster", "booster from a file"])
def test_a_class_missing_in_the_new_rows_stays_known(name):
    boosted.check_missing_class(*wrapped(name))


@pytest.mark.parametrize("name", ["multiclass estimator", "multiclass booster"])
def test_labels_of_any_kind_are_turned_into_codes_and_back(name, tmp_path):
    model = XGBoostModel(MODELS[name][0], classes=np.unique(THREE))
    for way, recipe in RECIPES.items():
        made = model.fit(recipe.bind(train=Batch(RAW, THREE)))
        assert (made.predict(RAW).label == THREE).mean() > 0.8
        assert made.classes.tolist() == ["high", "low", "mid"]
        boosted.check_round_trip(XGBoostModel, made, THREE, tmp_path / way)
    boosted.check_missing_class(model, THREE)
    boosted.check_new_class(model, THREE, "top")


def test_a_classifier_without_class_names_learns_text_labels_from_scratch():
    model, _ = wrapped("binary estimator")
    made = model.fit(RECIPES["add_trees"].bind(train=Batch(RAW, BINARY)))
    assert made.classes.tolist() == ["no", "yes"]
    assert any("does not know the classes" in note for note in made.notes)
    assert (made.predict(RAW).label == BINARY).mean() > 0.9


def test_a_fit_from_scratch_without_one_class_knows_the_others():
    model, _ = wrapped("multiclass estimator")
    left = CODES != 1
    made = model.fit(SCRATCH.bind(train=Batch(RAW[left], CODES[left])))
    assert made.classes.tolist() == [0, 2]
    assert set(made.predict(RAW).label) == {0, 2}
    assert made.notes == ("its outputs 0 to 1 stand for the classes 0, 2",)
    again = wrap(made.native, classes=[0, 2])
    assert again.predict(RAW).label.tolist() == made.predict(RAW).label.tolist()


def test_truth_values_are_the_classes_0_and_1():
    model, _ = wrapped("binary estimator")
    made = model.fit(RECIPES["add_trees"].bind(train=Batch(RAW, ONE == 1)))
    assert made.notes == ()


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_growth_has_a_limit(name):
    boosted.check_growth(*wrapped(name), rounds)


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_what_cannot_be_followed_is_said(name):
    boosted.check_errors(*wrapped(name))


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_a_deadline_ends_a_long_fit(name):
    boosted.stops_in_time(*wrapped(name), rounds=50_000)


def test_a_model_that_stopped_early_goes_on_from_its_best_round():
    native = xgboost.XGBClassifier(**SETTINGS | {"n_estimators": 300, "learning_rate": 1.0, "early_stopping_rounds": 5})
    native.fit(TYPED[:200], ONE[:200], eval_set=[(TYPED[200:], ONE[200:])], verbose=False)
    model, best = XGBoostModel(native), native.best_iteration + 1
    assert 0 < best < rounds(model)
    np.testing.assert_array_equal(model.predict(RAW).label, native.predict(TYPED))
    for way, recipe in RECIPES.items():
        made = model.fit(recipe.bind(train=Batch(RAW, ONE)))
        assert rounds(made) == best + 4 * (way == "add_trees")
        assert made.native.n_estimators == best
        np.testing.assert_allclose(made.predict(RAW).proba, made.native.predict_proba(TYPED), atol=1e-7)
    assert (native.n_estimators, native.early_stopping_rounds) == (300, 5)


def test_arrays_and_frames_of_numbers_are_the_same():
    x = RAW[["size", "count"]]
    for trained_on in (x, x.to_numpy()):
        model = XGBoostModel(xgboost.XGBClassifier(**SETTINGS).fit(trained_on, ONE))
        same(model.predict(x), model.predict(x.to_numpy()))
        for recipe in RECIPES.values():
            one, two = (model.fit(recipe.bind(train=Batch(given, ONE))) for given in (x, x.to_numpy()))
            same(one.predict(x), two.predict(x.to_numpy()))
    with pytest.raises(ModelError, match="reads a data frame with 2 columns"):
        model.predict(RAW[["size"]].to_numpy())


def test_the_settings_of_a_booster_are_read_back_in_full():
    given = {
        "objective": "reg:tweedie",
        "tweedie_variance_power": 1.3,
        "max_depth": 4,
        "eta": 0.15,
        "lambda": 2.5,
        "alpha": 0.1,
        "gamma": 0.01,
        "min_child_weight": 3,
        "subsample": 0.9,
        "colsample_bytree": 0.75,
        "max_bin": 64,
        "seed": 4,
        "num_parallel_tree": 2,
        "base_score": 0.7,
        "nthread": 1,
    }
    y = np.abs(VALUES)
    native = xgboost.train(given, rows(y), 6)
    model = XGBoostModel(native)
    found = model._settings()
    assert {name: pytest.approx(float(found[name]), rel=1e-6) for name in given if name != "objective"} == {
        name: value for name, value in given.items() if name != "objective"
    }
    same(model.fit(SCRATCH.bind(train=Batch(RAW, y), seed=11)).predict(RAW), model.predict(RAW))


def test_a_search_over_settings_is_followed():
    model, y = wrapped("binary estimator")
    recipe = Recipe().replace(start="scratch", search=Search(3)).bind(train=Batch(RAW, y), seed=0)
    one, two = model.fit(recipe), model.fit(recipe)
    same(one.predict(RAW), two.predict(RAW))
    assert model.search_space.keys() <= model.native.get_params().keys()
    assert one.native.n_estimators in (8, 50, 100, 200, 400)


def test_fits_print_nothing(capfd):
    for name in ("binary estimator", "regression booster"):
        model, y = wrapped(name)
        for recipe in RECIPES.values():
            model.fit(recipe.bind(train=boosted.rows(y, 0, 60))).predict(RAW)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "native",
    [
        xgboost.XGBClassifier(n_estimators=3, booster="dart", n_jobs=1),
        xgboost.XGBClassifier(n_estimators=3, booster="gblinear", n_jobs=1),
        xgboost.XGBRFClassifier(n_estimators=3, n_jobs=1),
    ],
    ids=["dart", "linear", "forest"],
)
@pytest.mark.filterwarnings("ignore:.*gblinear is deprecated")
def test_kinds_of_boosting_that_cannot_go_on_lack_the_ability(native):
    x = RAW[["size", "count"]]
    model = XGBoostModel(native.fit(x, ONE))
    assert not {"add_trees", "refit_leaves"} & model.abilities
    made = model.fit(SCRATCH.bind(train=Batch(x, ONE), seed=0))
    assert (made.predict(x).label == ONE).mean() > 0.7


def test_rankers_survival_unfitted_and_own_objectives_are_refused():
    with pytest.raises(ModelError, match="not fitted"):
        XGBoostModel(xgboost.XGBClassifier())
    with pytest.raises(ModelError, match="not trained"):
        XGBoostModel(xgboost.Booster())
    with pytest.raises(ModelError, match="is not a model"):
        XGBoostModel(rows())
    with pytest.raises(ModelError, match="survival:cox"):
        XGBoostModel(booster("survival:cox", np.abs(VALUES)))
    with pytest.raises(ModelError, match="no classification"):
        XGBoostModel(MODELS["regression booster"][0], "classification")
    with pytest.raises(ModelError, match="has 3 classes but 2 were named"):
        XGBoostModel(MODELS["multiclass booster"][0], classes=np.array(["a", "b"]))


def test_a_damaged_store_says_so(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        XGBoostModel.load(tmp_path)
    wrapped("binary booster")[0].save(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        XGBoostModel.load(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "model.ubj").write_bytes(b"{L")
    with pytest.raises(ModelError, match="cannot be read"):
        XGBoostModel.load(tmp_path)


def test_an_adapter_travels_between_processes():
    model, _ = wrapped("multiclass estimator")
    same(pickle.loads(pickle.dumps(model)).predict(RAW), model.predict(RAW))
