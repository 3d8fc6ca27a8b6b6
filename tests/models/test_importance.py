"""Importances of weights that are not the exact Fisher: of linear models, and as a memory carries them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from incumbent.core import Batch, Memory, Recipe
from incumbent.memory import accumulate_importance, get_importance, normalize_importance
from incumbent.models import fit_challenger, wrap
from incumbent.strategies import MAS, Incremental, OnlineEWC, Soup, chain

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
ROWS = Batch(X, np.digitize(X[:, 0] + 0.3 * X[:, 1], [-0.5, 0.5]))
LIVE = wrap(LogisticRegression().fit(ROWS.x, ROWS.y))


def test_the_empirical_kind_is_the_mean_square_of_the_slopes_at_the_labels():
    w = LIVE.weights()
    score = X @ w["coef"].T + w["intercept"]
    p = np.exp(score) / np.exp(score).sum(1, keepdims=True)
    gap = p - np.eye(3)[ROWS.y]
    found = LIVE.weight_importance(ROWS, "empirical")
    assert np.allclose(found["coef"], np.mean((gap[:, :, None] * X[:, None, :]) ** 2, axis=0))
    assert np.allclose(found["intercept"], (gap**2).mean(0))


def test_the_output_kind_is_the_mean_slope_of_the_squared_norm():
    w, tiny = LIVE.weights(), 1e-6
    found = LIVE.weight_importance(ROWS, "output")

    def norms(coef):
        return ((X @ coef.T + w["intercept"]) ** 2).sum(1)

    for k, j in ((0, 0), (2, 1)):
        up, down = w["coef"].copy(), w["coef"].copy()
        up[k, j] += tiny
        down[k, j] -= tiny
        assert found["coef"][k, j] == pytest.approx(np.abs((norms(up) - norms(down)) / (2 * tiny)).mean(), rel=1e-4)


def test_a_memory_carries_one_kind_at_a_time_and_each_under_its_own_name():
    first = accumulate_importance(Memory(), {"w": np.array([1.0, 3.0])}, "fisher", gamma=0.5)
    assert get_importance(accumulate_importance(first, {"w": np.ones(2)}, "fisher", gamma=0.5), "fisher")[
        "w"
    ].tolist() == [1.5, 2.5]
    other = accumulate_importance(first, {"w": np.ones(2)}, "output", gamma=0.5)
    assert get_importance(other, "fisher") == {} and get_importance(other, "output")["w"].tolist() == [1, 1]
    wider = accumulate_importance(first, {"w": np.ones(3)}, "fisher", gamma=0.5)
    assert get_importance(wider, "fisher")["w"].tolist() == [1, 1, 1]
    scaled = accumulate_importance(first, {"w": np.array([2.0, 6.0])}, "fisher", gamma=0.5, normalise=True)
    assert (
        get_importance(scaled, "fisher", normalise=True)["w"].tolist() == [0.5, 1.5]
        and get_importance(scaled, "fisher") == {}
    )


def test_importances_are_scaled_to_a_mean_of_one_over_all_weights():
    made = normalize_importance({"a": np.array([1.0, 2.0]), "b": np.array([9.0])})
    assert np.concatenate(list(made.values())).mean() == pytest.approx(1)
    assert normalize_importance({"a": np.zeros(2)})["a"].tolist() == [0, 0]


@pytest.mark.parametrize("strategy", [OnlineEWC(100.0), OnlineEWC(100.0, fisher="empirical"), MAS(20.0)])
def test_a_strong_pull_keeps_a_linear_model_where_it_was(strategy):
    turned = Batch(X, np.digitize(X[:, 1], [-0.5, 0.5]))
    recipe = Recipe().replace(epochs=5).bind(train=turned, memory=Memory(ROWS), select=turned)
    free = fit_challenger(LIVE, Incremental("sgd", lr=1e-3, epochs=5).prepare(recipe, Memory()))
    held = fit_challenger(LIVE, chain(strategy, Incremental("sgd", lr=1e-3, epochs=5)).prepare(recipe, Memory()))
    moved = [np.abs(m.weights()["coef"] - LIVE.weights()["coef"]).max() for m in (free, held)]
    assert moved[1] < moved[0]
    memory = strategy.remember(Memory(ROWS), held, ROWS)
    assert get_importance(
        memory, "output" if isinstance(strategy, MAS) else strategy._kind, normalise=not isinstance(strategy, MAS)
    )


def test_a_soup_of_linear_models_is_an_average_of_theirs():
    recipe = chain(Soup(3), Incremental("adam", lr=0.05)).prepare(Recipe(), Memory())
    made = fit_challenger(LIVE, recipe.bind(train=ROWS, select=ROWS, memory=Memory(ROWS)))
    assert any("of 3 trainings" in note for note in made.notes)
