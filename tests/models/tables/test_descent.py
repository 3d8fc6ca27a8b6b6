"""Gradient steps against closed forms and a loop written out."""

import math
import time

import numpy as np
import pytest
from scipy import sparse

from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.tables import Problem, Schedule, choose_rate, descend
from incumbent.models.tables import _losses as losses

FULL = Schedule("momentum", 0.05, epochs=1500, batch_size=80, ordered=True, seed=0)


RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


def data(seed=0, n=80, d=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * [1.0, 5.0, 0.2] + [2.0, -1.0, 0.0]
    y = x @ [1.0, -0.5, 3.0] + 4.0 + 0.1 * rng.normal(size=n)
    return x, y[:, None], rng.uniform(0.5, 2.0, size=n)


def closed_form(x, y, weight, l2, pull, importance, start, *, intercept):
    """Solve ``(A'WA/sum(W) + diag(l2 + pull F)) w = A'Wy/sum(W) + pull F w_start``."""
    a = np.hstack([x, np.ones((len(x), 1))]) if intercept else x
    share = weight / weight.sum()
    fisher = np.append(importance["coef"][0], importance["intercept"][0])[: a.shape[1]]
    at = np.append(start[0][0], start[1][0])[: a.shape[1]]
    penalty = np.append(np.full(x.shape[1], l2), 0.0)[: a.shape[1]] + pull * fisher
    found = np.linalg.solve(a.T * share @ a + np.diag(penalty), a.T @ (share * y[:, 0]) + pull * fisher * at)
    return found[: x.shape[1]], found[x.shape[1] :]


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("l2", "pull"), [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.1, 0.5)])
def test_a_squared_loss_with_a_pull_is_solved_exactly(kind, intercept, l2, pull):
    x, y, weight = data()
    rng = np.random.default_rng(9)
    importance = {"coef": rng.uniform(size=(1, 3)), "intercept": rng.uniform(size=1)}
    start = (rng.normal(size=(1, 3)), rng.normal(size=1) if intercept else np.zeros(1))
    problem = Problem(kind(x), y, weight, losses.SQUARED, l2=l2, pull=pull, importance=importance, intercept=intercept)
    coef, moved = descend(problem, *start, FULL)
    wanted_coef, wanted_intercept = closed_form(x, y, weight, l2, pull, importance, start, intercept=intercept)
    assert np.allclose(coef[0], wanted_coef, atol=1e-5)
    assert np.allclose(moved, wanted_intercept if intercept else 0.0, atol=1e-5)


def test_an_l1_penalty_sets_the_useless_weight_near_zero():
    x, y, weight = data()
    x = np.hstack([x, np.random.default_rng(1).normal(size=(80, 1))])
    problem = Problem(x, y, np.ones(80), losses.SQUARED, l1=0.2)
    coef, _ = descend(problem, np.zeros((1, 4)), np.zeros(1), FULL)
    from sklearn.linear_model import Lasso

    assert np.allclose(coef[0], Lasso(alpha=0.2).fit(x, y[:, 0]).coef_, atol=0.02)


def test_online_steps_are_those_of_a_loop_over_the_rows_in_their_order():
    x, _, _ = data()
    y = (x[:, :1] > 2).astype(float)
    plan = Schedule("sgd", 0.2, epochs=1, batch_size=1, ordered=True, seed=0)
    coef, intercept = descend(Problem(x, y, np.ones(80), losses.LOG), np.full((1, 3), 0.1), np.zeros(1), plan)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    w, b = 0.1 * scale, 0.1 * mean.sum()
    for row, target in zip((x - mean) / scale, y[:, 0], strict=True):
        error = 1 / (1 + math.exp(-(row @ w + b))) - target
        w, b = w - 0.2 * error * row, b - 0.2 * error
    assert np.allclose(coef[0], w / scale)
    assert np.allclose(intercept, b - (w / scale) @ mean)


def test_order_is_respected_only_where_it_is_asked_for():
    x, y, weight = data()
    problem, start = Problem(x, y, weight, losses.SQUARED), (np.zeros((1, 3)), np.zeros(1))
    turned = problem.rows(np.arange(80)[::-1])

    def coef(rows, *, ordered, seed):
        return descend(rows, *start, Schedule("sgd", 0.1, 1, 1, ordered, seed))[0]

    assert np.array_equal(coef(problem, ordered=True, seed=0), coef(problem, ordered=True, seed=1))
    assert not np.allclose(coef(problem, ordered=True, seed=0), coef(turned, ordered=True, seed=0))
    assert not np.allclose(coef(problem, ordered=False, seed=0), coef(problem, ordered=False, seed=1))


def test_the_scale_of_a_column_does_not_matter():
    x, y, weight = data()
    factor = np.array([1.0, 1000.0, 1e-3])
    plan = Schedule("adam", 0.05, 3, 16, False, 0)
    start = np.zeros((1, 3)), np.zeros(1)
    coef, intercept = descend(Problem(x, y, weight, losses.SQUARED), *start, plan)
    scaled, same = descend(Problem(x * factor, y, weight, losses.SQUARED), *start, plan)
    assert np.allclose(coef, scaled * factor) and np.allclose(intercept, same)


def test_a_constant_column_does_no_harm():
    x, y, weight = data()
    x[:, 1] = 7.0
    coef, intercept = descend(Problem(x, y, weight, losses.SQUARED), np.zeros((1, 3)), np.zeros(1), FULL)
    assert np.isfinite(coef).all() and np.isfinite(intercept).all()


def test_the_given_weights_are_not_changed():
    x, y, weight = data()
    coef, intercept = np.ones((1, 3)), np.ones(1)
    descend(Problem(x, y, weight, losses.SQUARED), coef, intercept, Schedule("adam", 0.1, 1, 8, False, 0))
    assert np.array_equal(coef, np.ones((1, 3))) and np.array_equal(intercept, np.ones(1))


def test_the_deadline_ends_the_steps():
    x, y, weight = data()
    plan = Schedule("adam", 0.1, 10_000_000, 8, False, 0, deadline=time.monotonic() + 0.1)
    begun = time.monotonic()
    with pytest.raises(BudgetSpent, match="budget ended"):
        descend(Problem(x, y, weight, losses.SQUARED), np.zeros((1, 3)), np.zeros(1), plan)
    assert time.monotonic() - begun < 5


def test_divergence_is_said_with_the_rate_that_caused_it():
    x, y, weight = data()
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ModelError, match="lr=100 diverged"):
        descend(
            Problem(x, y, weight, losses.SQUARED),
            np.zeros((1, 3)),
            np.zeros(1),
            Schedule("sgd", 100.0, 200, 8, False, 0),
        )


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_the_rate_that_is_chosen_does_better_on_unseen_rows_than_standing_still(optimizer):
    x, y, weight = data(n=400)
    problem, start = Problem(x, y, np.ones(400), losses.SQUARED), (np.zeros((1, 3)), np.zeros(1))
    train, unseen = problem.rows(np.arange(300)), problem.rows(np.arange(300, 400))
    plan = Schedule(optimizer, 0.01, 1, 16, False, 0)
    lr = choose_rate(train, *start, plan, unseen)
    assert lr in RATES
    moved = descend(train, *start, Schedule(optimizer, lr, 1, 16, False, 0))
    assert unseen.error(*moved) < 0.9 * unseen.error(*start)


def test_a_rate_is_chosen_from_few_rows_too():
    x, y, weight = data(n=2)
    plan = Schedule("adam", 0.01, 1, 16, False, 0)
    assert choose_rate(Problem(x, y, weight, losses.SQUARED), np.zeros((1, 3)), np.zeros(1), plan, None) in (
        0.001,
        0.003,
        0.01,
        0.03,
        0.1,
        0.3,
    )
