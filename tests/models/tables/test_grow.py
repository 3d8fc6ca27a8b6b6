"""Room for a new class changes nothing about the others."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from incumbent.core import Batch, Recipe
from incumbent.models import wrap
from incumbent.models.tables._grow import add_linear_classes


def weights(k, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(1 if k == 2 else k, 3)), rng.normal(size=1 if k == 2 else k)


@pytest.mark.parametrize("new", [["a"], ["c"], ["z"], ["a", "z"]], ids="".join)
@pytest.mark.parametrize("k", [2, 3])
def test_a_softmax_keeps_the_ratios_of_the_old_probabilities_exactly(k, new):
    coef, intercept = weights(k)
    classes = np.array(["b", "d", "f"])[:k]
    x = np.random.default_rng(1).normal(size=(60, 3))
    y = np.resize([*classes, *new], 60)
    before = softmax(x @ coef.T + intercept, axis=1)
    if k == 2:
        p = expit(x @ coef.T + intercept)
        before = np.hstack([1 - p, p])
    grown, moved, joined = add_linear_classes(coef, intercept, classes, np.array(new), x, y, shared=True)
    after = softmax(x @ grown.T + moved, axis=1)
    old = np.isin(joined, classes)
    assert joined.tolist() == sorted([*classes, *new])
    assert np.allclose(after[:, old] / after[:, old].sum(axis=1, keepdims=True), before, rtol=1e-12)


def test_scores_of_one_against_all_stay_as_they_are():
    coef, intercept = weights(3)
    x = np.random.default_rng(1).normal(size=(40, 3))
    grown, moved, joined = add_linear_classes(
        coef, intercept, np.arange(3), np.array([7]), x, np.resize([0, 7], 40), shared=False
    )
    assert np.array_equal(grown[:3], coef) and np.array_equal(moved[:3], intercept)
    assert moved[3] == pytest.approx(0.0)  # half of the rows are of the new class


def test_a_binary_score_becomes_two_opposite_ones():
    coef, intercept = weights(2)
    x, y = np.random.default_rng(1).normal(size=(40, 3)), np.resize([0, 1, 2], 40)
    grown, moved, _ = add_linear_classes(coef, intercept, np.arange(2), np.array([2]), x, y, shared=False)
    assert np.array_equal(grown[:2], np.vstack([-coef, coef]))
    assert np.array_equal(moved[:2], np.concatenate([-intercept, intercept]))


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_a_new_class_begins_with_its_share_of_the_rows(share):
    coef, intercept = weights(3)
    coef = 0.3 * coef
    x = np.random.default_rng(1).normal(size=(2000, 3))
    y = np.where(np.arange(2000) < 2000 * share, 9, 0)
    grown, moved, _ = add_linear_classes(coef, intercept, np.arange(3), np.array([9]), x, y, shared=True)
    assert softmax(x @ grown.T + moved, axis=1)[:, 3].mean() == pytest.approx(share, rel=0.15)


def bayes_rows(kind, n=400):
    rng = np.random.default_rng(3)
    y = rng.integers(4, size=n)
    x = rng.normal(size=(n, 5)) + y[:, None] * [0.5, -0.5, 0.0, 1.0, 0.2]
    return (x if kind is GaussianNB else np.clip(np.round(x + 2), 0, 5).astype(int)), y


@pytest.mark.parametrize("unseen", [[0], [3], [1, 2]], ids=str)
@pytest.mark.parametrize("kind", [GaussianNB, MultinomialNB, BernoulliNB, ComplementNB, CategoricalNB])
def test_a_bayes_model_that_grew_is_the_one_fitted_to_all_rows_at_once(kind, unseen):
    x, y = bayes_rows(kind)
    settings = {"min_categories": 6} if kind is CategoricalNB else {}
    old = ~np.isin(y, unseen) & (np.arange(len(y)) < 250)
    champion = kind(**settings).fit(x[old], y[old])
    before = champion.predict_proba(x[old])
    recipe = Recipe().replace(batch_size=64).bind(train=Batch(x[~old], y[~old]))
    made = wrap(champion).fit(recipe).native
    whole = kind(**settings).fit(x, y)
    assert made.classes_.tolist() == [0, 1, 2, 3]
    assert np.allclose(made.predict_proba(x), whole.predict_proba(x), rtol=1e-5, atol=1e-9)
    assert np.array_equal(champion.predict_proba(x[old]), before)


def test_the_adapter_says_that_it_grew():
    x, y = bayes_rows(GaussianNB)
    champion = wrap(GaussianNB().fit(x[y < 3], y[y < 3]))
    made = champion.fit(Recipe().replace(start="champion").bind(train=Batch(x, y)))
    assert made.notes == ("grew by 1 new class: 3",)
    assert made.predict(x).classes.tolist() == [0, 1, 2, 3]
