"""Ensembles against sums by hand."""

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.special import softmax
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from incumbent.core import Batch, Ensemble, Recipe
from incumbent.errors import AbilityError
from incumbent.models import Blend, fit_challenger, load, save, wrap


def rows(seed=0, k=2, n=300):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    if not k:
        return Batch(x, x[:, 0] + 0.2 * rng.normal(size=n))
    return Batch(x, np.array(["a", "b", "c"])[np.digitize(x[:, 0] + 0.5 * x[:, 1], [-0.4, 0.4][: k - 1])])


def models(k=2):
    one, two = rows(1, k), rows(2, k)
    if not k:
        return wrap(LinearRegression().fit(one.x, one.y)), wrap(Ridge(200.0).fit(two.x, two.y))
    return wrap(LogisticRegression(C=0.01).fit(one.x, one.y)), wrap(GaussianNB().fit(two.x, two.y))


def plan(how, select=None, members=5):
    return Recipe().replace(ensemble=Ensemble(how, members=members)).bind(select=select, seed=0)


def blended(champion, challenger, recipe):
    """Finish a recipe with a challenger that is already trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(champion), "fit", lambda self, recipe: challenger)
        return fit_challenger(champion, recipe)


@pytest.mark.parametrize("k", [2, 3])
def test_a_vote_is_the_mean_of_the_probabilities(k):
    champion, challenger = models(k)
    made, x = blended(champion, challenger, plan("vote")), rows(3).x
    mean = (champion.native.predict_proba(x) + challenger.native.predict_proba(x)) / 2
    assert np.allclose(made.predict(x).proba, mean)
    assert np.array_equal(made.native.predict(x), champion.classes[mean.argmax(axis=1)])
    assert np.array_equal(made.native.predict_proba(x), made.predict(x).proba)


def test_a_vote_on_values_is_their_mean():
    champion, challenger = models(0)
    made, x = blended(champion, challenger, plan("vote")), rows(3).x
    assert np.allclose(made.predict(x).label, (champion.native.predict(x) + challenger.native.predict(x)) / 2)
    assert "proba" not in made.abilities and made.classes is None and made.task == "regression"


@pytest.mark.parametrize("k", [2, 3])
def test_weights_are_what_each_member_gains_over_chance(k):
    champion, challenger = models(k)
    select = rows(4, k)
    made = blended(champion, challenger, plan("weighted", select))
    classes = champion.classes
    merits = []
    share = np.array([np.mean(select.y == label) for label in classes])
    chance = sum(p * (1 - p) ** 2 for p in share)
    for model in (champion, challenger):
        proba = model.native.predict_proba(select.x)
        error = np.mean([(1 - proba[i, classes.tolist().index(label)]) ** 2 for i, label in enumerate(select.y)])
        merits.append(max(0.0, chance - error))
    assert np.allclose(made.native.weights, np.array(merits) / sum(merits))
    assert merits[1] > merits[0] > 0


def test_weights_of_values_are_inverse_squared_errors():
    champion, challenger = models(0)
    select = rows(4, 0)
    made = blended(champion, challenger, plan("weighted", select))
    inverse = [1 / np.mean((m.native.predict(select.x) - select.y) ** 2) for m in (champion, challenger)]
    assert np.allclose(made.native.weights, np.array(inverse) / sum(inverse))


def test_members_no_better_than_chance_have_no_say_and_if_none_is_all_speak_alike():
    champion, challenger = models()
    select = rows(4)
    wrong = select.replace(y=np.where(select.y == "a", "b", "a"))
    assert np.allclose(blended(champion, challenger, plan("weighted", wrong)).native.weights, 0.5)


def test_a_stack_of_values_is_non_negative_least_squares():
    champion, challenger = models(0)
    select = rows(4, 0)
    made = blended(champion, challenger, plan("stack", select))
    values = np.stack([m.native.predict(select.x) for m in (champion, challenger)], axis=1)
    assert np.allclose(made.native.weights, nnls(values, select.y)[0])


@pytest.mark.parametrize("k", [2, 3])
def test_a_stack_is_a_logistic_regression_of_log_probabilities(k):
    champion, challenger = models(k)
    select, x = rows(4, k), rows(5, k).x

    def logs(x):
        return np.log(np.clip(np.hstack([m.native.predict_proba(x) for m in (champion, challenger)]), 1e-6, 1))

    own = LogisticRegression(max_iter=1000).fit(logs(select.x), select.y)
    made = blended(champion, challenger, plan("stack", select))
    assert np.allclose(made.predict(x).proba, own.predict_proba(logs(x)), atol=1e-9)


def test_a_class_that_the_select_rows_lack_stays_out_of_a_stack():
    champion, challenger = models(3)
    select = rows(4, 3)
    made = blended(champion, challenger, plan("stack", select.take(select.y != "b"), 2))
    proba = made.predict(rows(5, 3).x).proba
    assert made.classes.tolist() == ["a", "b", "c"]
    assert (proba[:, 1] < 1e-2).mean() > 0.9 and np.allclose(proba.sum(axis=1), 1)


def test_a_select_row_of_a_class_that_no_member_knows_does_no_harm():
    champion, challenger = models(2)
    select = rows(4, 2)
    odd = select.replace(y=np.where(np.arange(300) % 10 == 0, "0 unknown", select.y))
    for how in ("weighted", "stack"):
        made = blended(champion, challenger, plan(how, odd))
        assert made.classes.tolist() == ["a", "b"]
        assert np.mean(made.predict(select.x).label == select.y) > 0.8


def test_a_stack_needs_two_classes_to_tell_apart():
    champion, challenger = models()
    select = rows(4)
    with pytest.raises(AbilityError, match="Use Vote"):
        blended(champion, challenger, plan("stack", select.take(select.y == "a")))


@pytest.mark.parametrize("how", ["weighted", "stack"])
def test_weights_need_select_rows(how):
    with pytest.raises(AbilityError, match="weighs its members on select rows, and there are none"):
        blended(*models(), plan(how))


def test_a_member_that_knows_more_classes_brings_them():
    two, three = models(2)[0], models(3)[1]
    made = blended(two, three, plan("vote"))
    x = rows(5).x
    padded = np.hstack([two.native.predict_proba(x), np.zeros((300, 1))])
    assert made.classes.tolist() == ["a", "b", "c"]
    assert np.allclose(made.predict(x).proba, (padded + three.native.predict_proba(x)) / 2)


def test_a_member_without_probabilities_gives_its_whole_vote_to_its_label():
    train, x = rows(1), rows(5).x
    bare, sure = wrap(Perceptron().fit(train.x, train.y)), models()[1]
    made = blended(bare, sure, plan("vote"))
    votes = (bare.native.predict(x)[:, None] == made.classes[None, :]).astype(float)
    assert np.allclose(made.predict(x).proba, (votes + sure.native.predict_proba(x)) / 2)


def test_a_vote_lets_its_oldest_member_go():
    champion, challenger = models()
    third = wrap(DecisionTreeClassifier(max_depth=2).fit(rows(6).x, rows(6).y))
    two = blended(champion, challenger, plan("vote", members=2))
    three = blended(two, third, plan("vote", members=2))
    assert three.native.members == (challenger, third)


def test_a_weighted_mean_lets_its_worst_member_go():
    good, bad = models()[1], wrap(DecisionTreeClassifier(max_depth=1).fit(rows(6).x[:, ::-1], rows(6).y))
    select = rows(4)
    pair = blended(bad, good, plan("weighted", select, members=2))
    made = blended(pair, models()[0], plan("weighted", select, members=2))
    assert bad not in made.native.members and len(made.native.members) == 2


def test_a_stack_does_not_grow_with_every_update():
    champion, challenger = models()
    select = rows(4)
    made = blended(champion, challenger, plan("stack", select, members=2))
    again = blended(made, models()[1], plan("stack", select, members=2))
    assert [type(m.native).__name__ for m in again.native.members] == ["GaussianNB", "GaussianNB"]


def test_the_newest_member_learns_and_no_ensemble_in_the_recipe_means_it_takes_over():
    champion, challenger = models()
    ensemble, new = blended(champion, challenger, plan("vote")), rows(7)
    made = fit_challenger(ensemble, Recipe().replace(start="scratch").bind(train=new, seed=0))
    assert np.array_equal(made.native.theta_, GaussianNB().fit(new.x, new.y).theta_)
    joined = fit_challenger(
        ensemble, Recipe().replace(start="scratch", ensemble=Ensemble("vote")).bind(train=new, seed=0)
    )
    assert len(joined.native.members) == 3 and joined.native.members[:2] == ensemble.native.members


def test_it_learns_on_as_its_newest_member_does_but_has_no_weights_of_its_own():
    champion, challenger = models()
    assert blended(challenger, champion, plan("vote")).abilities == champion.abilities - {"gradient"}


@pytest.mark.parametrize("how", ["vote", "weighted", "stack"])
@pytest.mark.parametrize("k", [0, 2, 3])
def test_it_is_stored_whole(tmp_path, how, k):
    made, x = blended(*models(k), plan(how, rows(4, k))), rows(5).x
    save(made, tmp_path)
    loaded = load(tmp_path)
    said, again = made.predict(x), loaded.predict(x)
    assert np.array_equal(said.label, again.label)
    assert said.proba is None or np.array_equal(said.proba, again.proba)
    assert loaded.native.how == how and repr(loaded.native) == repr(made.native)


def test_an_ensemble_is_wrapped_as_one():
    ensemble = Blend(models(), np.array([0.5, 0.5]), "vote")
    assert isinstance(wrap(ensemble).native, Blend)
    assert repr(ensemble) == "Blend(vote of LogisticRegression, GaussianNB)"


def test_probabilities_of_a_stack_by_hand():
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.5], [0.1, -0.1]])
    champion, challenger = models()
    x = rows(5).x[:1]
    logs = np.log(np.hstack([champion.native.predict_proba(x), challenger.native.predict_proba(x)]))
    made = Blend((champion, challenger), weights, "stack").predict_proba(x)
    assert np.allclose(made, softmax(logs @ weights[:4] + weights[4], axis=1))
