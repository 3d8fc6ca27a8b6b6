"""The exact solution equals ridge on all rows at once, and chooses a good penalty."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from incumbent.errors import DataError
from incumbent.models.exact import RandomReLU, gather, solve


def away(one, two):
    """The relative distance of two arrays."""
    return np.linalg.norm(one - two) / np.linalg.norm(two)


def sessions(classes=77, each=7, n=4000, d=20, seed=0):
    """Rows of many classes that arrive a few classes at a time, in an order of their own."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(classes, d))
    y = rng.integers(classes, size=n)
    x = centre[y] + rng.normal(size=(n, d))
    order = rng.permutation(classes).reshape(-1, each)
    return x, y, [np.flatnonzero(np.isin(y, some)) for some in order]


def joint(x, y, ridge):
    hot = (y[:, None] == np.unique(y)).astype(float)
    return Ridge(alpha=ridge, solver="cholesky").fit(x, hot)


def projected(layer):
    """Return what projects rows by a layer fitted on others, and with its steps."""
    return lambda x, first: (layer.fit(first).transform(x), layer.grid)


FEATURES = {
    "as they are": lambda x, first: (x, None),
    "random": projected(RandomReLU(300)),
}


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("seed", range(2))
def test_after_eleven_sessions_it_equals_ridge_on_all_rows_ever_seen(features, seed):
    x, y, parts = sessions(seed=seed)
    x, grid = FEATURES[features](x, x[parts[0]])
    total = None
    for at in parts:
        fresh = gather([(x[at], y[at], None)], grid=grid)
        total = fresh if total is None else total + fresh
    made, once = solve(total, 3.0), joint(x.astype(float), y, 3.0)
    assert len(parts) == 11 and len(total.classes) == 77
    assert away(made.coef, once.coef_.T) < 1e-10
    assert away(made.intercept, once.intercept_) < 1e-10


def test_numeric_targets_equal_ridge_on_all_rows():
    x, y, parts = sessions()
    target = x @ np.linspace(-1, 1, 20) + 5 + np.sin(y)
    total = gather([(x[at], target[at], None) for at in parts], classification=False)
    once = Ridge(alpha=0.5, solver="cholesky").fit(x, target)
    made = solve(total, 0.5)
    assert away(made.coef[:, 0], once.coef_) < 1e-10 and made.intercept[0] == pytest.approx(once.intercept_, rel=1e-10)


@pytest.mark.parametrize("features", FEATURES)
def test_after_deleting_a_hundred_rows_it_equals_never_having_seen_them(features):
    x, y, _ = sessions()
    x, grid = FEATURES[features](x, x)
    gone = np.random.default_rng(1).choice(len(x), 100, replace=False)
    kept = np.setdiff1d(np.arange(len(x)), gone)
    rows = gather([(x[gone], y[gone], None)], grid=grid)
    whole = solve(gather([(x, y, None)], grid=grid))
    never = solve(gather([(x[kept], y[kept], None)], grid=grid), whole.ridge)
    left = solve(whole.statistics.forget(rows), whole.ridge)
    assert away(left.coef, never.coef) < 1e-11 and away(left.intercept, never.intercept) < 1e-11
    assert away(left.coef, whole.coef) > 1e-4  # those rows had made a difference
    if grid:
        assert np.array_equal(left.coef, never.coef)


def test_without_any_row_there_is_no_solution():
    x, y, _ = sessions(classes=7, n=50)
    every = gather([(x, y, None)])
    with pytest.raises(DataError, match="needs at least one row"):
        solve(every.forget(every), 1.0)


def brute(x, y, ridges):
    """The GCV score at every penalty, by singular values."""
    about, target = x - x.mean(axis=0), y - y.mean()
    u, s, _ = np.linalg.svd(about, full_matrices=False)
    scores = []
    for ridge in ridges:
        keep = s**2 / (s**2 + ridge)
        rest = target - u @ (keep * (u.T @ target))
        scores.append((rest @ rest / len(y)) / (1 - (1 + keep.sum()) / len(y)) ** 2)
    return np.array(scores)


@pytest.mark.parametrize(("n", "d", "noise"), [(4000, 30, 3.0), (120, 40, 3.0), (80, 200, 3.0), (150, 100, 30.0)])
def test_the_chosen_penalty_has_a_gcv_score_within_a_percent_of_the_least(n, d, noise):
    rng = np.random.default_rng(n + d)
    x = rng.normal(size=(n, d)) * np.linspace(0.1, 2, d)
    y = 0.3 * x @ rng.normal(size=d) + noise * rng.normal(size=n)
    chosen = solve(gather([(x, y, None)], classification=False)).ridge
    least = brute(x, y, np.logspace(-5, 7, 300)).min()
    assert brute(x, y, [chosen])[0] <= 1.01 * least


def test_a_warm_start_chooses_as_well():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 60))
    y = x[:, 0] + 5 * rng.normal(size=150)
    sums, scores = gather([(x, y, None)], classification=False), brute(x, y, np.logspace(-5, 7, 300))
    assert brute(x, y, [1.0])[0] > 1.05 * scores.min()
    for start in (1.0, 30.0, 1e5):
        chosen = solve(sums, start=start).ridge
        assert brute(x, y, [chosen])[0] <= 1.01 * scores.min()


def test_features_that_never_vary_and_a_single_row_give_a_solution():
    made = solve(gather([(np.ones((5, 3)), np.array(list("aabba")), None)]))
    np.testing.assert_allclose(np.ones(3) @ made.coef + made.intercept, [0.6, 0.4])
    single = solve(gather([(np.ones((1, 3)), np.array(["a"]), None)]))
    assert np.ones(3) @ single.coef + single.intercept == pytest.approx(1.0)


def test_dependent_features_without_a_penalty_to_part_them_are_refused():
    x = np.array([[-1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(DataError, match="linearly dependent"):
        solve(gather([(x, x[:, 0], None)], classification=False), 1e-30)


def test_a_search_that_starts_where_penalties_make_no_difference_begins_anew():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 60))
    y = x[:, 0] + 3.0 * rng.normal(size=400)
    sums = gather([(x, y, None)], classification=False)
    cold = solve(sums)
    assert solve(sums, start=1e-6 * cold.ridge).ridge == pytest.approx(cold.ridge)
