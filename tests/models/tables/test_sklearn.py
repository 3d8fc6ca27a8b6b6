"""Estimators that are neither linear nor a Pipeline: what they can do, and what they fall back to."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from incumbent.core import Batch, Memory, Recipe, Trees
from incumbent.errors import ModelError
from incumbent.models import wrap
from incumbent.models.tables._native import as_input

CHAMPION, SCRATCH = Recipe().replace(start="champion"), Recipe().replace(start="scratch")


def rows(k=3, n=150, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return Batch(x, np.digitize(x[:, 0], np.quantile(x[:, 0], np.arange(1, k) / k)))


def fitted(estimator, batch):
    return wrap(estimator.fit(batch.x, batch.y))


def test_abilities_are_those_of_the_estimator():
    batch = rows()
    assert fitted(DecisionTreeClassifier(), batch).abilities == {
        "retrain",
        "weight",
        "proba",
        "hyperparameter_search",
        "features",
    }
    assert fitted(RandomForestClassifier(3), batch).abilities == {
        "retrain",
        "weight",
        "proba",
        "hyperparameter_search",
        "add_trees",
        "features",
    }
    assert fitted(GaussianNB(), batch).abilities == {
        "retrain",
        "weight",
        "proba",
        "incremental",
        "add_classes",
        "features",
    }
    assert fitted(DummyRegressor(), batch).abilities == {"retrain", "weight", "features"}


def test_a_fit_from_scratch_is_that_of_scikit_learn_with_the_seed():
    old, new = rows(seed=1), rows(seed=2)
    made = fitted(RandomForestClassifier(5), old).fit(SCRATCH.bind(train=new, seed=7))
    own = RandomForestClassifier(5, random_state=7).fit(new.x, new.y)
    assert np.array_equal(made.native.predict_proba(new.x), own.predict_proba(new.x))
    assert made.native.random_state is None


def test_a_random_state_that_is_set_is_left_alone():
    old, new = rows(seed=1), rows(seed=2)
    made = fitted(RandomForestClassifier(5, random_state=3), old).fit(SCRATCH.bind(train=new, seed=7)).native
    assert np.array_equal(
        made.predict_proba(new.x), RandomForestClassifier(5, random_state=3).fit(new.x, new.y).predict_proba(new.x)
    )


def test_row_weights_reach_the_fit():
    batch = rows(k=2)
    weight = np.where(batch.y == 0, 1.0, 3.0)
    made = fitted(GaussianNB(), batch).fit(SCRATCH.bind(train=batch.replace(weight=weight)))
    assert np.allclose(made.native.class_prior_, [0.25, 0.75])


def test_an_estimator_that_cannot_take_a_new_class_is_fitted_on_all_that_is_known():
    old, new = rows(k=2, seed=1), rows(seed=2)
    champion = fitted(MLPClassifier((8,), max_iter=300, learning_rate_init=0.05, random_state=0), old)
    only_new = new.take(new.y == 2)
    made = champion.fit(CHAMPION.bind(train=only_new, memory=Memory(old)))
    assert made.classes.tolist() == [0, 1, 2]
    assert made.notes == ("MLPClassifier cannot add 1 new class(es); fitted from scratch instead",)


def test_trees_are_not_appended_for_a_new_class_but_all_is_fitted_anew():
    old, new = rows(k=2, seed=1), rows(seed=2)
    made = fitted(RandomForestClassifier(5, random_state=0), old).fit(
        Recipe().replace(start="champion", trees=Trees(3)).bind(train=new, memory=Memory(old))
    )
    assert made.classes.tolist() == [0, 1, 2] and len(made.native.estimators_) == 5
    assert "by appending trees; fitted from scratch instead" in made.notes[0]


def test_an_ensemble_at_its_cap_is_fitted_anew_and_says_so():
    batch = rows()
    made = fitted(RandomForestClassifier(2, random_state=0), batch).fit(
        Recipe().replace(trees=Trees(20)).bind(train=batch)
    )
    assert len(made.native.estimators_) == 2
    assert "has grown to its limit" in made.notes[0]


@pytest.mark.parametrize("estimator", [RandomForestClassifier(5), GradientBoostingClassifier(n_estimators=5)])
def test_a_class_that_the_new_rows_lack_is_taken_from_memory(estimator):
    old, new = rows(seed=1), rows(seed=2)
    champion = fitted(estimator, old)
    made = champion.fit(Recipe().replace(trees=Trees(3)).bind(train=new.take(new.y > 0), memory=Memory(old), seed=0))
    assert made.classes.tolist() == [0, 1, 2]
    assert made.native.score(old.x, old.y) > 0.9


@pytest.mark.parametrize("estimator", [RandomForestClassifier(5), GradientBoostingClassifier(n_estimators=5)])
def test_without_any_row_of_a_known_class_no_tree_is_appended(estimator):
    old, new = rows(seed=1), rows(seed=2)
    with pytest.raises(ModelError, match="appends trees only on rows of every class it knows"):
        fitted(estimator, old).fit(Recipe().replace(trees=Trees(3)).bind(train=new.take(new.y > 0)))


@pytest.mark.parametrize(
    "estimator",
    [
        FixedThresholdClassifier(LogisticRegression(), threshold=0.8),
        GridSearchCV(FixedThresholdClassifier(LogisticRegression(), threshold=0.8), {}, cv=2),
        StackingClassifier([("tree", GaussianNB())], SGDClassifier(loss="modified_huber", random_state=0), cv=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_label_is_the_models_own_where_it_does_not_follow_from_the_probabilities(estimator):
    batch = rows(k=2, n=400)
    noisy = batch.replace(y=np.where(np.arange(400) % 4 == 0, 1 - batch.y, batch.y))
    said = fitted(estimator, noisy).predict(noisy.x)
    assert np.array_equal(said.label, estimator.predict(noisy.x))
    if "Stacking" not in type(estimator).__name__:
        assert not np.array_equal(said.label, said.classes[said.proba.argmax(axis=1)])


def test_several_targets_are_refused():
    x = rows().x
    native = DecisionTreeRegressor(max_depth=2).fit(x, x[:, :2])
    with pytest.raises(ModelError, match="several targets at once"):
        wrap(native)
    with pytest.raises(ModelError, match="2 targets at once"):
        wrap(KNeighborsRegressor().fit(x, x[:, :2])).predict(x)


def test_a_column_of_targets_is_read_as_one_target():
    x = rows().x
    native = DecisionTreeRegressor(max_depth=2).fit(x, x[:, :1])
    assert wrap(native).predict(x).label.shape == (len(x),)


TEXTS = pd.DataFrame({"text": ["good film", "bad film", "fine film", "poor film"] * 10})


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda: make_pipeline(TfidfVectorizer(), MultinomialNB()),
        lambda: make_pipeline("passthrough", TfidfVectorizer(), MultinomialNB()),
        lambda: GridSearchCV(make_pipeline(TfidfVectorizer(), MultinomialNB()), {}, cv=2),
    ],
    ids=["a Pipeline", "after a passthrough", "within a search"],
)
def test_one_column_of_texts_is_handed_on_as_texts(wrapped):
    native = wrapped().fit(TEXTS["text"], [1, 0] * 20)
    assert as_input(native, TEXTS) is not TEXTS
    assert wrap(native).predict(TEXTS).label.tolist() == [1, 0] * 20


def test_a_vectoriser_beside_other_columns_is_refused_with_what_to_do():
    native = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(TEXTS["text"], [1, 0] * 20)
    with pytest.raises(ModelError, match="reads one column of texts but the data have 2 feature columns"):
        wrap(native).predict(TEXTS.assign(price=1.0))


def test_names_are_found_behind_a_passthrough():
    frame = pd.DataFrame(rows().x, columns=list("abc"))
    native = make_pipeline("passthrough", LogisticRegression()).fit(frame, rows().y)
    assert list(as_input(native, frame[list("cab")]).columns) == list("abc")


class Picker(FunctionTransformer):
    """A step of a user's own that reads a column by its name and keeps no record of what it was fitted on."""

    def fit(self, x, y=None):
        return self

    def transform(self, x):
        return x[["b"]].to_numpy()


def test_a_step_that_keeps_no_record_gets_the_frame_with_its_names():
    frame = pd.DataFrame(rows().x, columns=list("abc"))
    native = make_pipeline(Picker(), DecisionTreeClassifier()).fit(frame, rows().y)
    assert np.array_equal(wrap(native).predict(frame).label, native.predict(frame))


def test_a_frame_becomes_an_array_for_a_model_that_was_trained_on_one():
    batch = rows()
    native = DecisionTreeClassifier().fit(batch.x, batch.y)
    assert isinstance(as_input(native, pd.DataFrame(batch.x)), np.ndarray)


def test_other_columns_of_a_frame_are_left_out():
    frame = pd.DataFrame(rows().x, columns=list("abc"))
    native = make_pipeline(ColumnTransformer([("kept", "passthrough", ["a"])]), DecisionTreeClassifier())
    native.fit(frame, rows().y)
    assert np.array_equal(wrap(native).predict(frame.assign(d=1.0)).label, native.predict(frame))
