"""LightGBM follows every recipe, as estimator and as booster, and its champion stays as it was."""

import copy
import pickle

import boosted
import lightgbm
import numpy as np
import pandas as pd
import pytest
from boosted import BINARY, CODES, ONE, RAW, RECIPES, SCRATCH, THREE, TYPED, VALUES, same

from incumbent.core import Batch, Recipe, RefitLeaves, Search, Trees
from incumbent.errors import ModelError
from incumbent.models.lightgbm import LightGBMModel


def booster(objective, y, **more):
    params = {"objective": objective, "verbosity": -1, "num_threads": 1, "num_leaves": 7, "seed": 1, **more}
    return lightgbm.train(params, lightgbm.Dataset(TYPED, y), 8)


# one thread: the fits are tiny, and threads that wait for each other cost more than they bring
QUIET = {"verbosity": -1, "n_jobs": 1}


def from_file(trained):
    return lightgbm.Booster(model_str=trained.model_to_string())


CLASSIFIER = lightgbm.LGBMClassifier(n_estimators=8, num_leaves=7, **QUIET)
SAMPLED = {"subsample": 0.7, "subsample_freq": 1}
MODELS = {
    "binary estimator": (copy.deepcopy(CLASSIFIER).fit(TYPED, BINARY), BINARY),
    "multiclass estimator": (
        lightgbm.LGBMClassifier(n_estimators=8, num_leaves=7, **QUIET, class_weight="balanced").fit(TYPED, THREE),
        THREE,
    ),
    "regression estimator": (
        lightgbm.LGBMRegressor(n_estimators=8, num_leaves=7, **QUIET, **SAMPLED).fit(TYPED, VALUES),
        VALUES,
    ),
    "binary booster": (booster("binary", ONE), ONE),
    "multiclass booster": (booster("softmax", CODES, num_class=3), CODES),
    "one against all": (booster("multiclassova", CODES, num_class=3), CODES),
    "regression booster": (booster("l2", VALUES, bagging_fraction=0.7, bagging_freq=1), VALUES),
    "booster from a file": (from_file(booster("multiclass", CODES, num_class=3, learning_rate=0.2)), CODES),
}
CLASSIFIERS = [name for name in MODELS if "regression" not in name]
each = pytest.mark.parametrize("name", MODELS)


def text(model):
    return model.booster.model_to_string(num_iteration=-1)


def rounds(model):
    return model.booster.current_iteration()


def wrapped(name):
    native, y = MODELS[name]
    return LightGBMModel(native), y


@each
def test_predictions_are_those_of_the_native_model(name):
    model, _ = wrapped(name)
    said, native = model.predict(RAW), model.booster.predict(TYPED)
    if model.task == "regression":
        np.testing.assert_array_equal(said.label, native)
    elif native.ndim == 1:
        np.testing.assert_array_equal(said.proba[:, 1], native)
    else:
        np.testing.assert_allclose(said.proba, native / native.sum(axis=1, keepdims=True))
    if hasattr(model.native, "get_params"):
        np.testing.assert_array_equal(said.label, model.native.predict(TYPED))
    if said.proba is not None:
        np.testing.assert_allclose(said.proba.sum(axis=1), 1)


@each
@pytest.mark.parametrize("way", RECIPES)
def test_a_fit_follows_the_recipe_and_leaves_the_champion_alone(name, way):
    model, y = wrapped(name)
    made = boosted.check_fit(model, y, RECIPES[way], text)
    assert rounds(made) == (12 if way == "add_trees" else 8)
    assert made.notes == ()


@each
def test_a_saved_champion_predicts_and_learns_on_exactly_the_same(name, tmp_path):
    model, y = wrapped(name)
    boosted.check_round_trip(LightGBMModel, model, y, tmp_path / "champion", RECIPES.values())


@each
@pytest.mark.parametrize("way", RECIPES)
def test_a_saved_challenger_predicts_and_learns_on_exactly_the_same(name, way, tmp_path):
    model, y = wrapped(name)
    made = model.fit(RECIPES[way].bind(train=boosted.rows(y, 0, 200)))
    boosted.check_round_trip(LightGBMModel, made, y, tmp_path / "challenger")


@each
def test_a_fit_from_scratch_has_the_settings_of_the_champion(name):
    model, y = wrapped(name)
    made = model.fit(SCRATCH.bind(train=Batch(RAW, y), seed=1))
    # the same rows and settings give the same model, but for the last digits of sums in another order
    old, new = model.predict(RAW), made.predict(RAW)
    if model.task == "regression" and "estimator" in name:  # sampled with a seed of the update, not of the champion
        assert np.corrcoef(old.label, new.label)[0, 1] > 0.99
    else:
        np.testing.assert_allclose(*(p.label if p.proba is None else p.proba for p in (old, new)), rtol=1e-6)


@pytest.mark.parametrize("name", ["binary estimator", "multiclass booster", "booster from a file"])
def test_appended_rounds_leave_the_settings_as_they_were(name):
    model, y = wrapped(name)
    bound = SCRATCH.bind(train=Batch(RAW, y))
    appended = model.fit(Recipe().replace(trees=Trees(2, learning_rate=0.001, l2=500.0)).bind(train=Batch(RAW, y)))
    same(appended.fit(bound).predict(RAW), model.fit(bound).predict(RAW))


def test_shrink_and_l2_hold_appended_rounds_back():
    model, y = wrapped("regression booster")
    batch, said = Batch(RAW, -y), model.predict(RAW).label

    def moved(**how):
        made = model.fit(Recipe().replace(trees=Trees(4, **how)).bind(train=batch))
        return float(np.abs(made.predict(RAW).label - said).mean())

    assert moved(learning_rate=0.01) < 0.3 * moved() > 0
    assert moved(l2=1000.0) < 0.7 * moved()


def test_the_old_leaves_keep_their_share():
    model, y = wrapped("regression booster")
    said = model.predict(RAW).label

    def moved(share):
        made = model.fit(Recipe().replace(trees=RefitLeaves(share)).bind(train=Batch(RAW, -y)))
        return float(np.abs(made.predict(RAW).label - said).mean())

    assert moved(1.0) < 1e-9 < moved(0.9) < moved(0.1)


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


def test_appended_rounds_learn_a_new_category():
    y = np.where(RAW["colour"] == "red", 5.0, 0.0)
    model = LightGBMModel(booster("l2", y))
    grey = RAW.assign(colour="grey")
    made = model.fit(
        Recipe()
        .replace(trees=Trees(20, learning_rate=0.5))
        .bind(train=Batch(pd.concat([RAW, grey]), np.r_[y, y * 0 + 9]))
    )
    assert model.predict(grey).label.max() < 3
    assert made.predict(grey).label.min() > 7
    assert abs(made.predict(RAW[RAW["colour"] == "red"]).label.mean() - 5) < 1


@pytest.mark.parametrize(
    ("name", "new"),
    [("binary estimator", "maybe"), ("multiclass estimator", "top"), ("binary booster", 2), ("booster from a file", 3)],
)
def test_a_new_class_is_learned_from_scratch_and_said(name, new):
    boosted.check_new_class(*wrapped(name), new)


@pytest.mark.parametrize("name", ["multiclass estimator", "multiclass booster", "booster from a file"])
def test_a_class_missing_in_the_new_rows_stays_known(name):
    boosted.check_missing_class(*wrapped(name))


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_growth_has_a_limit(name):
    boosted.check_growth(*wrapped(name), rounds)


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_what_cannot_be_followed_is_said(name):
    boosted.check_errors(*wrapped(name))


@pytest.mark.parametrize("name", ["binary estimator", "regression booster"])
def test_a_deadline_ends_a_long_fit(name):
    boosted.stops_in_time(*wrapped(name), rounds=50_000)


def test_a_booster_takes_the_names_of_its_classes():
    model = LightGBMModel(MODELS["multiclass booster"][0], classes=np.unique(THREE))
    assert set(model.predict(RAW).label) <= {"high", "mid", "low"}
    made = model.fit(RECIPES["add_trees"].bind(train=Batch(RAW, THREE)))
    assert (made.predict(RAW).label == THREE).mean() > 0.8
    with pytest.raises(ModelError, match="has 3 classes but 2 were named: 'a', 'b'"):
        LightGBMModel(MODELS["multiclass booster"][0], classes=np.array(["a", "b"]))


def test_class_weights_count_when_rounds_are_appended():
    heavy, plain = (
        LightGBMModel(lightgbm.LGBMClassifier(n_estimators=3, **QUIET, class_weight=weight).fit(TYPED, BINARY)).fit(
            Recipe().replace(trees=Trees(10)).bind(train=Batch(RAW, BINARY))
        )
        for weight in ({"yes": 20.0, "no": 1.0}, None)
    )
    assert (heavy.predict(RAW).label == "yes").sum() > (plain.predict(RAW).label == "yes").sum()


def test_a_model_that_stopped_early_goes_on_from_its_best_round():
    native = lightgbm.LGBMClassifier(n_estimators=300, learning_rate=0.5, **QUIET).fit(
        TYPED[:200],
        ONE[:200],
        eval_X=TYPED[200:],
        eval_y=ONE[200:],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
    )
    model, best = LightGBMModel(native), native.best_iteration_
    assert 0 < best < 300
    made = model.fit(RECIPES["add_trees"].bind(train=Batch(RAW, ONE)))
    assert rounds(made) == best + 4
    np.testing.assert_array_equal(made.predict(RAW).label, made.native.predict(TYPED))
    anew = model.fit(SCRATCH.bind(train=Batch(RAW, ONE)))
    assert (rounds(anew), anew.native.n_estimators) == (best, best)
    assert any(f"the {best} rounds" in note for note in anew.notes)


def test_early_stopping_among_the_settings_does_not_ask_for_rows_to_stop_on():
    native = lightgbm.LGBMClassifier(n_estimators=300, early_stopping_rounds=5, learning_rate=0.5, **QUIET).fit(
        TYPED[:200], ONE[:200], eval_X=TYPED[200:], eval_y=ONE[200:]
    )
    model = LightGBMModel(native)
    for recipe in RECIPES.values():
        model.fit(recipe.bind(train=Batch(RAW, ONE)))


def test_arrays_and_frames_of_numbers_are_the_same_to_a_model_without_names():
    x = RAW[["size", "count"]]
    for native in (
        lightgbm.LGBMClassifier(n_estimators=5, **QUIET).fit(x.to_numpy(), BINARY),
        lightgbm.LGBMClassifier(n_estimators=5, **QUIET).fit(x, BINARY),
    ):
        model = LightGBMModel(native)
        same(model.predict(x), model.predict(x.to_numpy()))
        for recipe in RECIPES.values():
            one, two = (model.fit(recipe.bind(train=Batch(rows, BINARY))) for rows in (x, x.to_numpy()))
            same(one.predict(x), two.predict(x.to_numpy()))
    with pytest.raises(ModelError, match="2 columns|2 named columns"):
        model.predict(RAW[["size"]].to_numpy())


def test_blanks_in_names_which_lightgbm_replaces_are_understood():
    x = pd.DataFrame({"my size": RAW["size"], "other one": RAW["count"]})
    native = lightgbm.LGBMRegressor(n_estimators=3, **QUIET).fit(x, VALUES)
    assert native.booster_.feature_name() == ["my_size", "other_one"]
    model = LightGBMModel(native)
    np.testing.assert_array_equal(model.predict(x).label, native.predict(x))
    model.fit(SCRATCH.bind(train=Batch(x, VALUES))).predict(x)


def test_whole_numbers_named_as_categories_stay_categories():
    x = RAW[["size", "store"]]
    native = lightgbm.LGBMRegressor(n_estimators=5, **QUIET).fit(x, VALUES, categorical_feature=["store"])
    model = LightGBMModel(native)
    for recipe in RECIPES.values():
        made = model.fit(recipe.bind(train=Batch(x, VALUES)))
        assert made.header["[categorical_feature]"] == "1"


def test_ordered_categories_are_found_by_the_data():
    size = pd.Categorical(RAW["colour"], ["blue", "red", "green"], ordered=True)
    x = TYPED.assign(colour=size)
    model = LightGBMModel(lightgbm.LGBMRegressor(n_estimators=5, **QUIET).fit(x, VALUES))
    given = RAW.assign(store=TYPED["store"])
    np.testing.assert_array_equal(model.predict(given).label, model.native.predict(x))
    with pytest.raises(ModelError, match="trained on 2 category columns and the data have 1"):
        model.predict(RAW)


def test_a_search_over_settings_is_followed():
    model, y = wrapped("binary estimator")
    made = model.fit(Recipe().replace(start="scratch", search=Search(3)).bind(train=Batch(RAW, y), seed=0))
    again = model.fit(Recipe().replace(start="scratch", search=Search(3)).bind(train=Batch(RAW, y), seed=0))
    same(made.predict(RAW), again.predict(RAW))
    assert made.native.get_params().keys() == model.native.get_params().keys()
    assert model.search_space.keys() <= model.native.get_params().keys()


def test_fits_print_nothing(capfd):
    for native in (
        lightgbm.LGBMClassifier(n_estimators=3),
        lightgbm.LGBMRegressor(n_estimators=3),
    ):
        y = BINARY if hasattr(native, "predict_proba") else VALUES
        model = LightGBMModel(native.fit(TYPED[:50], y[:50]))
        capfd.readouterr()
        for recipe in RECIPES.values():
            model.fit(recipe.bind(train=boosted.rows(y, 0, 60))).predict(RAW)
        assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("native", "lacks"),
    [
        (lightgbm.LGBMClassifier(n_estimators=3, boosting_type="dart", **QUIET), {"add_trees", "refit_leaves"}),
        (
            lightgbm.LGBMClassifier(n_estimators=3, boosting_type="rf", **QUIET, **SAMPLED),
            {"add_trees", "refit_leaves"},
        ),
        (lightgbm.LGBMClassifier(n_estimators=3, linear_tree=True, **QUIET), {"refit_leaves"}),
    ],
    ids=["dart", "forest", "linear trees"],
)
def test_kinds_of_boosting_that_cannot_go_on_lack_the_ability(native, lacks):
    x = RAW[["size", "count"]]
    model = LightGBMModel(native.fit(x, BINARY))
    assert {"add_trees", "refit_leaves"} - model.abilities == lacks
    made = model.fit(SCRATCH.bind(train=Batch(x, BINARY), seed=0))
    assert (made.predict(x).label == BINARY).mean() > 0.7


def test_a_ranker_an_unfitted_and_an_own_objective_are_refused():
    with pytest.raises(ModelError, match="not fitted"):
        LightGBMModel(lightgbm.LGBMClassifier())
    ranker = lightgbm.LGBMRanker(n_estimators=2, **QUIET).fit(TYPED, CODES, group=[200, 200])
    with pytest.raises(ModelError, match="ranks"):
        LightGBMModel(ranker)
    with pytest.raises(ModelError, match="is not a model"):
        LightGBMModel(lightgbm.Dataset(TYPED, VALUES))
    with pytest.raises(ModelError, match="no classification"):
        LightGBMModel(MODELS["regression booster"][0], "classification")


def test_a_damaged_store_says_so(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        LightGBMModel.load(tmp_path)
    wrapped("binary booster")[0].save(tmp_path)
    (tmp_path / "model.txt").write_text("tree\n")
    with pytest.raises(ModelError, match="cannot be read"):
        LightGBMModel.load(tmp_path)


def test_an_adapter_travels_between_processes():
    model, y = wrapped("multiclass estimator")
    twin = pickle.loads(pickle.dumps(model))
    same(twin.predict(RAW), model.predict(RAW))
