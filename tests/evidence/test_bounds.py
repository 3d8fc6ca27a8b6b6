"""Bounds: against closed forms, by exact enumeration, and by simulation."""

import math

import numpy as np
import pytest
from scipy import special, stats

from incumbent.core import PairedPredictions, Prediction
from incumbent.evidence import clopper_pearson_lower, clopper_pearson_upper, gain
from incumbent.evidence._blocks import block_length, consecutive
from incumbent.evidence._mean import _signed_root, mean_bounds
from incumbent.metrics import Accuracy


def counted(rows, wins, losses):
    """A pair of models with this many rows won and lost."""
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return PairedPredictions(y, Prediction(champion), Prediction(challenger))


def bounds(wins, losses, rows, *, alpha=0.05, margin=0.0):
    found = gain(counted(rows, wins, losses), Accuracy(), alpha=alpha, margin=margin)
    return found.lower, found.upper


def mcnemar(wins, losses):
    return stats.binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue if wins + losses else 1.0


def test_clopper_pearson_is_that_of_scipy():
    for count, rows in ((0, 10), (3, 50), (50, 50), (499, 1000)):
        interval = stats.binomtest(count, rows).proportion_ci(0.90, method="exact")
        assert clopper_pearson_upper(count, rows, alpha=0.05) == pytest.approx(interval.high)
        assert clopper_pearson_lower(count, rows, alpha=0.05) == pytest.approx(interval.low)


def masses(rows, wins, losses):
    """Probability of each number of wins and losses, by brute force."""
    b, c = np.meshgrid(np.arange(rows + 1), np.arange(rows + 1), indexing="ij")
    rest = np.maximum(rows - b - c, 0)
    log = special.gammaln(rows + 1) - special.gammaln(b + 1) - special.gammaln(c + 1) - special.gammaln(rest + 1)
    log = log + special.xlogy(b, wins) + special.xlogy(c, losses) + special.xlogy(rest, 1 - wins - losses)
    return np.where(b + c <= rows, np.exp(log), 0.0)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize(("rows", "margin"), [(30, -0.1), (60, -0.02), (60, -0.05), (60, 0.05), (60, 0.0)])
def test_no_loss_rate_makes_the_test_at_the_margin_exceed_its_level(rows, margin, alpha):
    passed = np.zeros((rows + 1, rows + 1), dtype=bool)
    wins = 0
    for losses in range(26):  # more losses need more wins
        while wins + losses <= rows and not bounds(wins, losses, rows, alpha=alpha, margin=margin)[0] > margin:
            wins += 1
        passed[wins : rows + 1 - losses, losses] = True
    rates = [r for r in np.linspace(0, 0.15, 31) if 2 * r + abs(margin) < 0.3]
    levels = [float((masses(rows, r + max(margin, 0), r - min(margin, 0)) * passed).sum()) for r in rates]
    assert max(levels) <= alpha
    assert max(levels) > alpha / 10  # the test can pass at all


def test_a_challenger_at_the_margin_needs_rows_enough_to_rule_out_a_loss_that_was_not_seen():
    rows, margin = 298, -0.01
    assert (1 + margin) ** rows > 0.05  # no loss is seen with this probability
    assert bounds(0, 0, rows, margin=margin)[0] <= margin < bounds(0, 0, 310, margin=margin)[0]


def test_without_differing_rows_nothing_is_promoted_and_the_bound_shrinks_with_n():
    for rows in (1, 10, 100, 1000, 10_000):
        low, high = bounds(0, 0, rows)
        assert low < 0 < high
        exact = 1 - 0.05 ** (1 / rows)  # the rate at which none of n is seen with probability 5 %
        assert -low == pytest.approx(exact, rel=0.02, abs=0.1 / rows)


@pytest.mark.parametrize("rows", [20, 400, 20_000])
def test_the_bound_is_above_zero_exactly_if_mcnemar_rejects(rows):
    for wins in (0, 1, 4, 5, 6, 10, 15, 20, 150, 180):
        for losses in (0, 1, 3, 5, 8, 14, 120):
            if wins + losses <= rows:
                low, high = bounds(wins, losses, rows)
                assert (low > 0) == (mcnemar(wins, losses) <= 0.05)
                assert (high < 0) == (mcnemar(losses, wins) <= 0.05)
                assert low <= (wins - losses) / rows <= high


def test_swapping_the_models_mirrors_the_bounds():
    low, high = bounds(30, 18, 900, margin=-0.01)
    assert bounds(18, 30, 900, margin=0.01) == pytest.approx((-high, -low))


# ------------------------------------------------------------------------------------- bounded losses


@pytest.mark.parametrize("seed", range(6))
def test_the_saddlepoint_agrees_with_simulation(seed):
    rng = np.random.default_rng(seed)
    values = [rng.normal(0.2, 1, 15), rng.exponential(1, 25) - 1.2, rng.normal(-0.1, 1, 40)][seed % 3]
    simulated = (rng.standard_exponential((200_000, len(values))) @ values <= 0).mean()
    assert stats.norm.cdf(_signed_root(values)) == pytest.approx(simulated, abs=0.01)


def test_the_signed_root_is_smooth_at_the_mean():
    values = np.random.default_rng(0).exponential(1, 30)
    values -= values.mean()
    steps = [_signed_root(values - e) for e in (1e-5, 1e-4, 3e-4, 1e-3, 3e-3)]
    assert np.ptp(steps) < 0.02 and steps == sorted(steps)


@pytest.mark.parametrize(("count", "rows"), [(0, 50), (3, 50), (40, 100), (2, 1000), (60, 61)])
def test_for_right_and_wrong_the_mean_bound_is_clopper_pearsons(count, rows):
    low, high = mean_bounds((np.arange(rows) < count) * 1.0, np.ones(rows), worst=0.0, best=1.0, alpha=0.05)
    assert low == pytest.approx(clopper_pearson_lower(count, rows, alpha=0.05), rel=1e-2, abs=1e-9)
    assert high == pytest.approx(clopper_pearson_upper(count, rows, alpha=0.05), rel=1e-2)


def test_for_many_rows_the_mean_bound_is_students():
    x = np.random.default_rng(0).normal(0, 0.1, 200_000)
    low, high = mean_bounds(x, np.ones(len(x)), worst=-1.0, best=1.0, alpha=0.05)
    half = stats.t.ppf(0.95, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))
    assert (x.mean() - low, high - x.mean()) == pytest.approx((half, half), rel=0.04)


@pytest.mark.parametrize("rows", [50, 500])
@pytest.mark.parametrize("loss", ["rare disaster", "skewed", "even"])
def test_the_mean_bound_keeps_its_level_for_bounded_losses(rows, loss):
    rng, runs = np.random.default_rng(rows), 1000
    draws = {
        "rare disaster": np.where(rng.random((runs, rows)) < 0.01, -1.0, 0.01 / 0.99),
        "skewed": 0.1 - rng.beta(0.2, 1.8, (runs, rows)),
        "even": rng.uniform(-0.2, 0.2, (runs, rows)),
    }[loss]
    passed = [mean_bounds(x, np.ones(rows), worst=-1.0, best=1.0, alpha=0.05)[0] > 1e-12 for x in draws]
    assert np.mean(passed) <= stats.binom.ppf(0.999, runs, 0.05) / runs
    if loss == "rare disaster" and rows == 50:  # what a t interval does there: it has seen no disaster
        t = [x.std() < 1e-12 or x.mean() / x.std(ddof=1) * math.sqrt(rows) > 1.68 for x in draws]
        assert np.mean(t) > 0.5


@pytest.mark.parametrize("units", [12, 30])
def test_few_units_take_students_quantile(units):
    rng, runs = np.random.default_rng(units), 1500
    passed = []
    for x in rng.normal(size=(runs, units)):
        passed.append(mean_bounds(x, np.ones(units), worst=-x.std(), best=x.std(), alpha=0.05, few=True)[0] > 0)
    assert 0.01 < np.mean(passed) <= stats.binom.ppf(0.999, runs, 0.05) / runs


def test_all_rows_alike_leave_room_for_the_row_that_is_not():
    low, high = mean_bounds(np.full(300, 0.02), np.ones(300), worst=-1.0, best=1.0, alpha=0.05)
    assert low == pytest.approx(0.02 - 1.02 * 0.00994, abs=1e-3) and high > 0.02
    assert mean_bounds(np.zeros(5), np.ones(5), worst=0.0, best=0.0, alpha=0.05) == (0.0, 0.0)


# --------------------------------------------------------------------------------------------- blocks


def test_independent_rows_seldom_and_alike_neighbours_always_make_blocks():
    rng = np.random.default_rng(0)
    independent = np.mean([block_length(rng.normal(size=500)) > 1 for _ in range(200)])
    assert independent < 0.6
    for length in (3, 10, 30):
        alike = [block_length(np.repeat(rng.normal(size=3000 // length), length)) for _ in range(50)]
        assert min(alike) >= math.ceil(math.sqrt(3000 // length * length))


def test_blocks_are_runs_of_as_good_as_equal_length():
    block = consecutive(107, 10)
    assert np.all(np.diff(block) >= 0) and set(np.bincount(block)) <= {10, 11}
    assert consecutive(3, 10).tolist() == [0, 0, 0]


def test_constant_and_short_series_are_taken_row_by_row():
    assert block_length(np.zeros(1000)) == 1 and block_length(np.arange(5.0)) == 1
