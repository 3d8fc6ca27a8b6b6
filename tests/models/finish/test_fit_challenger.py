"""Interpolation: both ends are exactly the models, and "auto" answers to old and new."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from incumbent.core import Batch, Ensemble, Memory, Recipe
from incumbent.errors import AbilityError
from incumbent.models import fit_challenger, wrap


def rows(seed=0, k=2, n=200, turned=False):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    score = x[:, 1] if turned else x[:, 0]
    return Batch(x, score if not k else np.digitize(score, [-0.4, 0.4][: k - 1]))


CASES = {
    "two classes": (LogisticRegression(), 2),
    "three classes": (LogisticRegression(), 3),
    "averaged": (SGDClassifier(loss="log_loss", average=True, random_state=0), 3),
    "values": (Ridge(), 0),
    "values without intercept": (LinearRegression(fit_intercept=False), 0),
    "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), 2),
}


def pair(name):
    estimator, k = CASES[name]
    batch = rows(1, k)
    champion = wrap(estimator.fit(batch.x, batch.y))
    recipe = Recipe().replace(start="champion", optimizer="adam", epochs=3, freeze=("preprocess",))
    return champion, recipe.bind(train=rows(2, k, turned=True), select=rows(3, k, turned=True), seed=0), rows(4, k).x


def identical(one, two):
    return np.array_equal(one.label, two.label) and (one.proba is None or np.array_equal(one.proba, two.proba))


@pytest.mark.parametrize("name", CASES)
def test_alpha_0_is_the_champion_to_the_last_bit(name):
    champion, recipe, x = pair(name)
    made = fit_challenger(champion, recipe.replace(alpha=0))
    assert identical(made.predict(x), champion.predict(x))
    assert made.notes == ("alpha 0",)


@pytest.mark.parametrize("name", CASES)
def test_alpha_1_is_the_challenger_to_the_last_bit(name):
    champion, recipe, x = pair(name)
    made, challenger = fit_challenger(champion, recipe.replace(alpha=1)), champion.fit(recipe)
    assert identical(made.predict(x), challenger.predict(x))
    assert not identical(made.predict(x), champion.predict(x))


@pytest.mark.parametrize("name", CASES)
def test_between_the_ends_the_weights_are_mixed(name):
    champion, recipe, _ = pair(name)
    made, challenger = fit_challenger(champion, recipe.replace(alpha=0.3)), champion.fit(recipe)
    for part, value in made.weights().items():
        assert np.allclose(value, 0.7 * champion.weights()[part] + 0.3 * challenger.weights()[part], rtol=1e-12)


def test_auto_takes_the_alpha_of_smallest_loss():
    champion, recipe, _ = pair("two classes")
    made = fit_challenger(champion, recipe.replace(alpha="auto"))
    select = recipe.select

    def loss(alpha):
        proba = fit_challenger(champion, recipe.replace(alpha=alpha)).predict(select.x).proba
        return -np.log(proba[np.arange(len(select)), select.y]).mean()

    best = min(np.linspace(0, 1, 11), key=loss)
    assert made.notes == (f"alpha {best:g}",)
    assert best > 0


def test_auto_keeps_the_champion_where_the_challenger_learned_nonsense():
    champion, recipe, x = pair("two classes")
    nonsense = recipe.train.replace(y=1 - rows(2).y)
    made = fit_challenger(champion, recipe.replace(alpha="auto").bind(train=nonsense, select=rows(3)))
    assert made.notes == ("alpha 0",)
    assert identical(made.predict(x), champion.predict(x))


def test_auto_answers_to_the_remembered_rows_too():
    champion, recipe, _ = pair("two classes")
    alone = fit_challenger(champion, recipe.replace(alpha="auto", epochs=30))
    remembering = fit_challenger(champion, recipe.replace(alpha="auto", epochs=30).bind(memory=Memory(rows(5))))
    assert float(remembering.notes[0].split()[1]) < float(alone.notes[0].split()[1])


def test_auto_without_select_rows_says_what_to_give():
    champion, recipe, _ = pair("two classes")
    with pytest.raises(AbilityError, match="give a number"):
        fit_challenger(champion, recipe.replace(alpha="auto").bind(select=None))


def test_weights_of_other_classes_are_not_interpolated():
    old, new = rows(1), rows(2)
    champion = wrap(LogisticRegression().fit(old.x, np.where(old.y, "b", "a")))
    recipe = Recipe().replace(start="scratch", alpha=0.5)
    with pytest.raises(AbilityError, match="know different classes"):  # of the same shape
        fit_challenger(champion, recipe.bind(train=new.replace(y=np.where(new.y, "c", "b"))))
    with pytest.raises(
        AbilityError, match="know different classes"
    ):  # two classes have one row of weights, three have three
        fit_challenger(
            champion, recipe.replace(start="champion").bind(train=new.replace(y=np.resize(["a", "b", "c"], 200)))
        )


def joined(alpha):
    """A linear model of the classes a, c and d that learns b and e too."""
    old, new = rows(1, 3), rows(2, 5, turned=True)
    champion = wrap(LogisticRegression().fit(old.x, np.array(["a", "c", "d"])[old.y]))
    train = Batch.join([old.replace(y=np.array(["a", "c", "d"])[old.y]), new.replace(y=np.resize(["b", "e"], 200))])
    recipe = Recipe().replace(start="champion", optimizer="adam", epochs=3, alpha=alpha)
    return champion, recipe.bind(train=train, select=train, seed=0)


def test_classes_that_joined_have_the_challengers_weights_and_others_are_mixed():
    champion, recipe = joined(0.25)
    made, challenger = fit_challenger(champion, recipe), champion.fit(recipe)
    assert made.classes.tolist() == ["a", "b", "c", "d", "e"]
    for name, value in made.weights().items():
        old, new = champion.weights()[name], challenger.weights()[name]
        np.testing.assert_allclose(value[[0, 2, 3]], 0.75 * old + 0.25 * new[[0, 2, 3]], rtol=1e-12)
        assert np.array_equal(value[[1, 4]], new[[1, 4]])


def test_where_classes_joined_the_ends_are_still_champion_and_challenger():
    champion, recipe = joined(0)
    x = rows(4, 3).x
    assert identical(fit_challenger(champion, recipe).predict(x), champion.predict(x))
    assert identical(fit_challenger(champion, recipe.replace(alpha=1)).predict(x), champion.fit(recipe).predict(x))
    assert (
        len(fit_challenger(champion, recipe.replace(alpha="auto")).classes) == 5
    )  # the champion has no word for two of them


def test_what_has_no_weights_cannot_be_interpolated():
    old = rows(1)
    champion = wrap(DecisionTreeClassifier(max_depth=1).fit(old.x, old.y))
    with pytest.raises(AbilityError, match=r"no weights to interpolate"):
        fit_challenger(champion, Recipe().replace(start="scratch", alpha=0.5).bind(train=old))


def test_a_blend_comes_after_the_interpolation():
    champion, recipe, x = pair("two classes")
    made = fit_challenger(champion, recipe.replace(alpha=0, ensemble=Ensemble("vote")))
    assert np.allclose(made.predict(x).proba, champion.predict(x).proba)
    assert len(made.native.members) == 2
