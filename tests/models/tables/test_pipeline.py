"""A Pipeline: frozen preprocessing where it learns on, everything afresh where it is fitted anew."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from incumbent.core import Batch, Memory, Pull, Recipe, Trees
from incumbent.errors import ModelError
from incumbent.models import fit_challenger, load, save, wrap

CHAMPION, SCRATCH = Recipe().replace(start="champion"), Recipe().replace(start="scratch")


def rows(seed=0, shift=0.0, n=200):
    x = np.random.default_rng(seed).normal(size=(n, 3)) * [1.0, 10.0, 0.1] + shift
    return Batch(pd.DataFrame(x, columns=list("abc")), np.where(x[:, 0] > shift, "yes", "no"))


def scaled(estimator, batch=None):
    batch = rows(1) if batch is None else batch
    return wrap(make_pipeline(StandardScaler(), estimator).fit(batch.x, batch.y))


@pytest.mark.parametrize(
    "changes",
    [{}, {"optimizer": "adam"}, {"batch_size": 1, "ordered": True}, {"pull": Pull(1.0, "fisher")}],
    ids=str,
)
def test_learning_on_keeps_preprocessing_frozen(changes):
    champion, new = scaled(SGDClassifier(loss="log_loss", random_state=0)), rows(2, shift=3.0)
    scaler = champion.native.steps[0][1]
    mean, variance = scaler.mean_.copy(), scaler.var_.copy()
    made = champion.fit(CHAMPION.replace(**changes).bind(train=new, select=rows(3), memory=Memory(rows(1))))
    assert made.native.steps[0][1] is scaler
    assert np.array_equal(scaler.mean_, mean) and np.array_equal(scaler.var_, variance)
    assert made.native.steps[1][1] is not champion.native.steps[1][1]
    assert not np.array_equal(made.native[-1].coef_, champion.native[-1].coef_)


def test_a_fit_from_scratch_fits_every_step():
    champion, new = scaled(LogisticRegression()), rows(2, shift=3.0)
    made = champion.fit(SCRATCH.bind(train=new))
    own = make_pipeline(StandardScaler(), LogisticRegression()).fit(new.x, new.y)
    assert np.array_equal(made.native[0].mean_, own[0].mean_)
    assert np.array_equal(made.native.predict_proba(new.x), own.predict_proba(new.x))
    assert not np.allclose(champion.native[0].mean_, made.native[0].mean_)


def test_a_fit_from_scratch_leaves_preprocessing_alone_where_it_is_frozen():
    champion, new = scaled(LogisticRegression()), rows(2, shift=3.0)
    made = champion.fit(SCRATCH.replace(freeze=("preprocess",)).bind(train=new))
    own = LogisticRegression().fit(champion.native[:-1].transform(new.x), new.y)
    assert made.native[0] is champion.native[0]
    assert np.array_equal(made.native[-1].coef_, own.coef_)


def test_the_last_step_learns_what_it_would_learn_by_hand():
    champion, new = scaled(SGDClassifier(random_state=0)), rows(2)
    made = champion.fit(CHAMPION.replace(ordered=True, batch_size=80).bind(train=new))
    by_hand, x = SGDClassifier(random_state=0), champion.native[0].transform(new.x)
    old = rows(1)
    by_hand.fit(champion.native[0].transform(old.x), old.y)
    for part in (slice(0, 80), slice(80, 160), slice(160, 240)):
        by_hand.partial_fit(x[part], new.y[part])
    assert np.array_equal(made.native[-1].coef_, by_hand.coef_)


def test_it_answers_as_the_pipeline_itself():
    new = rows(2)
    for estimator in (LogisticRegression(), RandomForestClassifier(5, random_state=0), GaussianNB()):
        model = scaled(estimator)
        said = model.predict(new.x)
        assert np.array_equal(said.label, model.native.predict(new.x))
        assert np.array_equal(said.proba, model.native.predict_proba(new.x))


def test_abilities_are_those_of_the_last_step():
    assert "add_trees" in scaled(RandomForestClassifier(3)).abilities
    assert scaled(LogisticRegression()).abilities >= {
        "gradient",
        "incremental",
        "add_classes",
        "weight",
        "hyperparameter_search",
        "retrain",
    }
    assert "add_classes" in scaled(GaussianNB()).abilities


def test_a_new_class_grows_the_last_step():
    champion, new = scaled(LogisticRegression()), rows(2)
    train = new.replace(y=np.where(new.x["b"] > 8, "maybe", new.y))
    made = champion.fit(CHAMPION.bind(train=train))
    assert made.classes.tolist() == ["maybe", "no", "yes"] == made.native.classes_.tolist()
    assert made.notes == ("grew by 1 new class: maybe",)


def test_trees_are_appended_in_the_last_step():
    made = scaled(RandomForestClassifier(4, random_state=0)).fit(Recipe().replace(trees=Trees(3)).bind(train=rows(2)))
    assert len(made.native[-1].estimators_) == 7
    again = made.fit(SCRATCH.bind(train=rows(2)))
    assert len(again.native[-1].estimators_) == 4


def test_weights_and_importances_are_those_of_the_last_step():
    champion, batch = scaled(LogisticRegression()), rows(2)
    assert np.array_equal(champion.weights()["coef"], champion.native[-1].coef_)
    features = batch.replace(x=champion.native[0].transform(batch.x))
    found, own = champion.weight_importance(batch), wrap(champion.native[-1]).weight_importance(features)
    assert all(np.array_equal(found[name], own[name]) for name in own)


def test_settings_of_the_pipeline_stay():
    class Named(Pipeline):
        pass

    Named.__name__ = "Pipeline"
    batch = rows(1)
    native = Named([("scale", StandardScaler()), ("model", SGDClassifier(random_state=0))], verbose=False)
    native.owner = "risk team"
    made = wrap(native.fit(batch.x, batch.y)).fit(CHAMPION.bind(train=rows(2)))
    assert type(made.native) is Named and made.native.owner == "risk team"
    assert list(made.native.named_steps) == ["scale", "model"]


def test_columns_and_categories_pass_through():
    batch = rows(1)
    x = batch.x.assign(colour=np.resize(["red", "green"], 200))
    steps = ColumnTransformer(
        [("scaled", StandardScaler(), list("abc")), ("coded", OneHotEncoder(handle_unknown="ignore"), ["colour"])]
    )
    champion = wrap(make_pipeline(steps, LogisticRegression()).fit(x, batch.y))
    new = batch.replace(x=x.assign(colour="never seen"))
    made = champion.fit(CHAMPION.replace(optimizer="adam").bind(train=new, memory=Memory(batch.replace(x=x))))
    assert np.mean(made.predict(new.x).label == new.y) > 0.9


def test_texts_stay_sparse_and_words_stay_the_same():
    texts = pd.DataFrame({"text": ["good warm film", "bad cold film"] * 30})
    champion = wrap(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], ["up", "down"] * 30))
    new = Batch(pd.DataFrame({"text": ["warm new words", "cold new words"] * 30}), np.array(["up", "down"] * 30))
    made = champion.fit(CHAMPION.replace(epochs=5).bind(train=new, memory=Memory(new), select=new))
    assert made.native[0] is champion.native[0]
    assert made.predict(new.x).label.tolist() == new.y.tolist()


def test_interpolation_is_between_the_last_steps():
    champion, new = scaled(Ridge(), rows(1).replace(y=rows(1).x["a"].to_numpy())), rows(2)
    new = new.replace(y=-new.x["a"].to_numpy())
    recipe = CHAMPION.replace(optimizer="adam", epochs=20, alpha=0.25, freeze=("preprocess",)).bind(train=new)
    made, whole = fit_challenger(champion, recipe), fit_challenger(champion, recipe.replace(alpha=None))
    wanted = 0.75 * champion.native[-1].coef_ + 0.25 * whole.native[-1].coef_
    assert np.allclose(made.native[-1].coef_, wanted)


class Half(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        self.n_features_in_ = 3
        return self

    def transform(self, x):
        return np.asarray(x)[::2]


def test_a_step_that_drops_rows_cannot_learn_on():
    batch = rows(1)
    native = make_pipeline(Half(), SGDClassifier())
    native[-1].fit(batch.x.to_numpy(), batch.y)
    with pytest.raises(ModelError, match="changes the number of rows"):
        wrap(native).fit(CHAMPION.bind(train=batch))


def test_it_is_stored_whole(tmp_path):
    champion, new = scaled(LogisticRegression()), rows(2)
    made = champion.fit(CHAMPION.bind(train=new))
    save(made, tmp_path)
    assert np.array_equal(load(tmp_path).predict(new.x).proba, made.predict(new.x).proba)
