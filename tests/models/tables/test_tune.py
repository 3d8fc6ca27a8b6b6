"""A search finds the better setting, and never settles for less than the champion's own."""

import numpy as np
import pytest
from sklearn.base import is_regressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from incumbent.core import Batch, Recipe, Search
from incumbent.models import wrap


def rows(n=200, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return Batch(x, 2 * x[:, 0] - x[:, 1])


def plan(train, trials, seed=0):
    return Recipe().replace(start="scratch", search=Search(trials)).bind(train=train, seed=seed)


def test_a_ruinous_penalty_is_given_up():
    native = Ridge(alpha=1e5).fit(rows().x, rows().y)
    made = wrap(native).fit(plan(rows(seed=1), 12)).native
    assert made.alpha < 100 and made.score(rows().x, rows().y) > 0.9 > native.score(rows().x, rows().y)
    assert native.alpha == 1e5


def test_a_perfect_setting_is_kept_against_all_that_are_drawn():
    native = Ridge(alpha=1e-9).fit(rows().x, rows().y)
    assert wrap(native).fit(plan(rows(seed=1), 8)).native.alpha == 1e-9


def test_one_trial_is_the_champions_own_setting():
    native = DecisionTreeClassifier(max_depth=7).fit(rows().x, rows().y > 0)
    assert wrap(native).fit(plan(rows().replace(y=rows().y > 0), 1)).native.max_depth == 7


def test_the_same_seed_finds_the_same_setting_and_another_may_not():
    native = Ridge(alpha=1e5).fit(rows().x, rows().y)
    found = [wrap(native).fit(plan(rows(seed=1), 4, seed)).native.alpha for seed in (0, 0, 1, 2, 3)]
    assert found[0] == found[1] and len(set(found)) > 1


def test_the_last_step_of_a_pipeline_is_searched():
    native = make_pipeline(StandardScaler(), Ridge(alpha=1e5)).fit(rows().x, rows().y)
    assert wrap(native).fit(plan(rows(seed=1), 8)).native.named_steps["ridge"].alpha < 1e4


def test_a_rare_class_does_not_stop_the_search():
    batch = rows()
    y = np.where(np.arange(200) < 2, 2, batch.y > 0).astype(int)
    made = wrap(LogisticRegression().fit(batch.x, y)).fit(plan(batch.replace(y=y), 2)).native
    assert made.classes_.tolist() == [0, 1, 2]


def test_few_rows_do_not_stop_it_either():
    batch = rows(n=12)
    assert wrap(Ridge().fit(batch.x, batch.y)).fit(plan(batch, 3)).native.coef_.shape == (3,)


@pytest.mark.parametrize(
    ("native", "searched"),
    [
        (RandomForestClassifier(), {"max_depth", "min_samples_leaf", "max_features"}),
        (HistGradientBoostingRegressor(), {"learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization"}),
        (KNeighborsClassifier(), {"n_neighbors", "weights"}),
        (make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha"}),
        (GridSearchCV(Ridge(), {"alpha": [1.0]}), set()),
    ],
    ids=lambda value: None if isinstance(value, set) else type(value).__name__,
)
def test_what_is_searched_are_settings_that_the_estimator_has(native, searched):
    batch = rows()
    model = wrap(native.fit(batch.x, batch.y if is_regressor(native) else batch.y > 0))
    assert set(model.search_space) == searched <= set(native.get_params())
    assert ("hyperparameter_search" in model.abilities) is bool(searched)


def test_a_search_costs_a_few_fits_not_many(monkeypatch):
    batch, fitted = rows(n=2000), []
    champion, fit = Ridge().fit(batch.x, batch.y), Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda self, x, y, **more: fitted.append(len(x)) or fit(self, x, y, **more))
    wrap(champion).fit(plan(batch, 12))
    assert 0 < len(fitted) < 12 * 10
    assert sum(fitted) <= 12 * len(batch)
