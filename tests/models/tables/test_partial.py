"""Learning on is `partial_fit` by hand, on a copy, within the deadline."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor

from incumbent.core import Batch, Recipe
from incumbent.errors import BudgetSpent
from incumbent.models import wrap


def rows(n=120, seed=0, *, values=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return Batch(x, x[:, 0] - x[:, 1] if values else (x[:, 0] > 0).astype(int))


def plan(train, **changes):
    return Recipe().replace(**changes).bind(train=train, seed=5)


def test_rows_in_order_are_partial_fit_by_hand():
    old, new = rows(seed=1, values=True), rows(seed=2, values=True)
    champion = SGDRegressor(random_state=0).fit(old.x, old.y)
    made = wrap(champion).fit(plan(new, ordered=True, batch_size=50)).native
    by_hand = SGDRegressor(random_state=0).fit(old.x, old.y)
    for part in (slice(0, 50), slice(50, 100), slice(100, 150)):
        by_hand.partial_fit(new.x[part], new.y[part])
    assert np.array_equal(made.coef_, by_hand.coef_)


def test_rows_out_of_order_are_those_of_the_seed():
    old, new = rows(seed=1, values=True), rows(seed=2, values=True)
    champion = SGDRegressor(random_state=0).fit(old.x, old.y)
    made = wrap(champion).fit(plan(new, batch_size=50)).native
    by_hand, order = SGDRegressor(random_state=0).fit(old.x, old.y), np.random.default_rng(5).permutation(120)
    for part in (order[:50], order[50:100], order[100:]):
        by_hand.partial_fit(new.x[part], new.y[part])
    assert np.array_equal(made.coef_, by_hand.coef_)


def test_online_is_one_row_a_step():
    old, new = rows(seed=1), rows(n=30, seed=2)
    champion = SGDClassifier(random_state=0).fit(old.x, old.y)
    made = wrap(champion).fit(plan(new, ordered=True, batch_size=1)).native
    by_hand = SGDClassifier(random_state=0).fit(old.x, old.y)
    for i in range(30):
        by_hand.partial_fit(new.x[[i]], new.y[[i]])
    assert np.array_equal(made.coef_, by_hand.coef_)
    assert made.t_ == champion.t_ + 30


def test_row_weights_reach_partial_fit_where_it_takes_them():
    old, new = rows(seed=1), rows(seed=2)
    weight = np.where(new.x[:, 1] > 0, 5.0, 0.1)
    champion = GaussianNB().fit(old.x, old.y)
    made = wrap(champion).fit(plan(new.replace(weight=weight), ordered=True, batch_size=500)).native
    by_hand = GaussianNB().fit(old.x, old.y).partial_fit(new.x, new.y, sample_weight=weight)
    assert np.allclose(made.theta_, by_hand.theta_)
    assert not np.allclose(made.theta_, wrap(champion).fit(plan(new)).native.theta_)


@pytest.mark.parametrize("estimator", [SGDClassifier(), MLPClassifier((4,), max_iter=3)])
def test_the_champion_and_its_random_state_stay_as_they_were(estimator):
    old, new = rows(seed=1), rows(seed=2)
    champion = estimator.set_params(random_state=None)
    champion.partial_fit(old.x, old.y, classes=[0, 1])
    before = champion.predict(new.x)
    weights = np.copy(champion.coef_ if hasattr(champion, "coef_") else champion.coefs_[0])
    made = wrap(champion).fit(plan(new, epochs=3)).native
    assert np.array_equal(before, champion.predict(new.x))
    assert np.array_equal(weights, champion.coef_ if hasattr(champion, "coef_") else champion.coefs_[0])
    assert made.random_state is None


def test_a_frame_keeps_its_names():
    old, new = rows(seed=1), rows(seed=2)
    frame = pd.DataFrame(old.x, columns=list("abcd"))
    champion = SGDClassifier(random_state=0).fit(frame, old.y)
    shuffled = pd.DataFrame(new.x, columns=list("abcd"))[list("dcba")]
    made = wrap(champion).fit(plan(new.replace(x=shuffled))).native
    assert np.array_equal(made.coef_, wrap(champion).fit(plan(new.replace(x=shuffled[list("abcd")]))).native.coef_)


def test_the_deadline_ends_it():
    old, new = rows(seed=1), rows(seed=2)
    champion = SGDClassifier(random_state=0).fit(old.x, old.y)
    with pytest.raises(BudgetSpent, match="budget ended during partial_fit"):
        wrap(champion).fit(plan(new).bind(deadline=time.monotonic() - 1))


@pytest.mark.parametrize(
    ("estimator", "able"),
    [
        (MLPRegressor(max_iter=2), True),
        (MLPRegressor(max_iter=2, early_stopping=True), False),
        (MLPRegressor(solver="lbfgs", max_iter=2), False),
        (GaussianNB(), True),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_only_those_learn_on_whose_partial_fit_works(estimator, able):
    batch = rows()
    assert ("incremental" in wrap(estimator.fit(batch.x, batch.y)).abilities) is able
