"""Plans are followed in order, each failure is reported with its reason, and the champion never changes."""

import dataclasses
import math
import time
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, SGDClassifier

from incumbent.core import Batch, Memory, Recipe, ReplayRows
from incumbent.engine import TrainingPlan, TrainingRows, run
from incumbent.models import wrap
from incumbent.policy import select_strategies
from incumbent.strategies import EWC, Incremental, Interpolate, Online, Replay, Retrain, Vote, Weighted, chain


def rows(seed=0, n=200):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return Batch(x, (x[:, 0] > 0).astype(int))


MEMORY = Memory(rows(9), key=np.linspace(0.01, 0.99, 200), seen=200)


def run_all(model, plans, *, memory=MEMORY, seed=0, deadline=math.inf, **options):
    made = [TrainingPlan(strategy, recipe, model) for strategy, recipe in plans]
    return list(run(made, TrainingRows(rows(2), rows(3), memory, seed), deadline=deadline, **options))


def trained(native, *strategies, deadline=math.inf, memory=MEMORY, seed=0):
    model = wrap(native.fit(rows(1).x, rows(1).y))
    plans = select_strategies(list(strategies), model, memory, rows=200)
    return model, run_all(model, plans, memory=memory, seed=seed, deadline=deadline)


def test_challengers_come_in_order_with_their_strategy_cost_and_rows():
    model, made = trained(LogisticRegression(), Retrain(), chain(Replay(50), Incremental()), Vote())
    assert [c.strategy for c in made] == ["Retrain()", "chain(Replay(50), Incremental())", "Vote(5)"]
    assert [c.rows for c in made] == [400, 250, 200]
    assert all(c.error == "" and c.seconds > 0 and c.model is not None for c in made)
    assert made[0].recipe == Recipe().replace(start="scratch", replay=ReplayRows())
    assert made[0].recipe.train is None  # rows are not carried along with the recipe


def test_notes_of_the_model_are_those_of_the_challenger():
    _, made = trained(LogisticRegression(), chain(Incremental("adam"), Interpolate(0.5)))
    assert made[0].notes == ("alpha 0.5",)


def test_the_same_seed_gives_the_same_challengers():
    model = wrap(SGDClassifier(loss="log_loss").fit(rows(1).x, rows(1).y))
    plans = select_strategies([Online("adam"), Incremental(), Retrain(), Weighted()], model, MEMORY, rows=200)
    runs = [run_all(model, plans, seed=4) for _ in range(2)]
    for one, two in zip(*runs, strict=True):
        assert np.array_equal(one.model.predict(rows(5).x).proba, two.model.predict(rows(5).x).proba)


class Broken(ClassifierMixin, BaseEstimator):
    """Fits once, for the champion, and then raises what it is told to."""

    def __init__(self, error=None):
        self.error = error

    def fit(self, x, y):
        if self.error is not None:
            raise self.error
        self.classes_ = np.unique(y)
        return self

    def predict(self, x):
        return np.full(len(x), self.classes_[0])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("the solver gave up\nafter a long story"), "ValueError: the solver gave up"),
        (RuntimeError(), "RuntimeError: "),
        (MemoryError("no room"), "MemoryError: no room"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_challenger_that_fails_says_why_and_the_next_is_tried(error, text):
    native = Broken().fit(rows().x, rows().y)
    model = wrap(native.set_params(error=error))
    plans = select_strategies([Retrain(), Vote()], model, MEMORY, rows=200)
    made = run_all(model, plans)
    assert [c.error for c in made] == [text, text]
    assert all(c.model is None and c.seconds >= 0 for c in made)


def test_a_refusal_is_reported_in_its_own_words():
    _, made = trained(SGDClassifier(), chain(EWC(), Incremental("adam")), Retrain())
    assert made[0].error.startswith("EWC needs a likelihood")
    assert made[1].error == "" and made[1].model is not None


def test_after_the_deadline_nothing_is_tried_and_that_is_said():
    _, made = trained(LogisticRegression(), Retrain(), Vote(), deadline=time.monotonic() - 1)
    assert [c.error for c in made] == ["not tried: the budget was spent"] * 2


class Sleepy(Broken):
    """Takes ten seconds for each fit but the champion's."""

    def fit(self, x, y):
        if self.error == "slow":
            time.sleep(10)
        return super().fit(x, y)


def test_the_try_in_hand_is_cut_off_and_the_rest_are_not_begun():
    model = wrap(Sleepy().fit(rows().x, rows().y).set_params(error="slow"))
    plans = select_strategies([Retrain(), Vote()], model, MEMORY, rows=200)
    begun = time.monotonic()
    made = run_all(model, plans, deadline=begun + 0.2)
    assert time.monotonic() - begun < 3
    assert [c.error for c in made] == ["the budget ended while it was trained", "not tried: the budget was spent"]


class Chatty(Broken):
    """Warns whenever it is fitted."""

    def fit(self, x, y):
        warnings.warn("did not converge", stacklevel=2)
        return super().fit(x, y)


def test_chatter_of_an_estimator_does_not_reach_the_user():
    with pytest.warns(UserWarning, match="did not converge"):
        model = wrap(Chatty().fit(rows().x, rows().y))
    made = run_all(model, select_strategies("retrain", model, MEMORY, rows=200))
    assert made[0].error == ""


def test_the_champion_is_as_it_was_after_all_of_them():
    native = LogisticRegression().fit(rows(1).x, rows(1).y)
    before = native.coef_.copy(), native.intercept_.copy()
    model = wrap(native)
    plans = select_strategies(["auto", "vote", "weighted", "stack", "ewc", "online"], model, MEMORY, rows=200)
    made = run_all(model, plans)
    assert [c.error for c in made] == [""] * len(plans)
    assert np.array_equal(native.coef_, before[0]) and np.array_equal(native.intercept_, before[1])


def test_a_bound_recipe_has_the_rows_that_its_data_element_asks_for():
    asked = Recipe().replace(replay=ReplayRows(), window=300)
    recipe = TrainingRows(rows(2), rows(3), MEMORY, seed=5).bind(asked, deadline=9.0)
    assert len(recipe.train) == 300 and np.array_equal(recipe.train.x[100:], rows(2).x)
    assert (recipe.seed, recipe.deadline, len(recipe.select)) == (5, 9.0, 200) and recipe.memory is MEMORY


def test_a_plan_is_skipped_for_the_reason_that_the_scores_so_far_give():
    model = wrap(LogisticRegression().fit(rows(1).x, rows(1).y))
    plans = select_strategies(["retrain", "vote"], model, MEMORY, rows=200)
    events = []
    first, second = run_all(
        model,
        plans,
        skip=lambda plan, done: f"{done[0].strategy} gains {done[0].gain}" if done else "",
        score=lambda challenger: dataclasses.replace(challenger, gain=0.5),
        progress=events.append,
    )
    assert first.model is not None and first.skip_reason == ""
    assert second.model is None and second.skip_reason == "Retrain() gains 0.5" and second.error == ""
    assert [event.stage for event in events] == ["fit", "fitted", "spared"]
    assert [(event.done, event.total) for event in events] == [(0, 2), (1, 2), (2, 2)]
