"""The monitor's promises, tested statistically: level under peeking, coverage at all times, power. All vectorised."""

import functools
import math

import numpy as np
import pytest
from scipy import stats

from incumbent.evidence.live import EProcess, Monitor
from incumbent.evidence.live._eprocess import SHARES

ALPHA = 0.05
ENOUGH = -math.log(ALPHA)


def most(streams, alpha=ALPHA):
    """How many alarms are still compatible with a chance of alpha for each, at one in ten thousand."""
    return int(stats.binom.ppf(0.9999, streams, alpha))


def logs_of(differences):
    """Logarithm of each gambler's wealth after each row: (shares, streams, rows)."""
    return np.cumsum(np.log1p(np.multiply.outer(SHARES, differences)), axis=2)


def mixed(logs):
    peak = logs.max(axis=0)
    return peak + np.log(np.exp(logs - peak).mean(axis=0))


def evidence(differences, margin=0.0):
    played = np.arange(1, differences.shape[1] + 1)
    return mixed(logs_of(differences) - np.multiply.outer(np.log1p(SHARES * margin), played)[:, None, :])


def test_this_files_own_arithmetic_is_that_of_the_monitor():
    differences = np.random.default_rng(0).uniform(-1, 1, size=(3, 200))
    for one, path in zip(differences, evidence(differences, 0.02), strict=True):
        assert np.allclose(path, EProcess().path(one, 0.02), atol=1e-6)
        assert Monitor(min_gain=0.02).add(one).log_e == pytest.approx(path[-1], abs=1e-6)


@functools.cache
def equal_models(share, streams=400, rows=20_000):
    """Two equally good models that differ on this share of the rows: wins minus losses, one column per row."""
    rng = np.random.default_rng(round(1000 * share))
    draw = rng.random((streams, rows), dtype=np.float32)
    return (draw < share / 2).astype(np.int8) - (draw > 1 - share / 2).astype(np.int8)


@pytest.mark.parametrize("share", [0.005, 0.05])
def test_peeking_after_each_of_20000_rows_promotes_equal_models_at_most_alpha_of_the_time(share):
    alarms = 0
    for stream in equal_models(share):
        told = stream[stream != 0]  # the evidence does not move on the rows between
        alarms += bool((EProcess().path(told.astype(float), 0.0) >= ENOUGH).any())
    assert alarms <= most(400)
    assert alarms >= 1  # looking so often must alarm sometimes, or nothing is being tested


def test_peeking_at_a_fixed_size_test_would_not_hold_alpha():
    differences = equal_models(0.05)
    wins, differing = np.cumsum(differences, axis=1), np.cumsum(differences != 0, axis=1)
    naive = (wins >= stats.norm.ppf(1 - ALPHA) * np.sqrt(np.maximum(differing, 20))).any(axis=1)
    assert naive.sum() > 2 * most(400)


@pytest.mark.parametrize("margin", [-0.01, 0.02])
def test_a_challenger_exactly_at_the_margin_is_promoted_at_most_alpha_of_the_time(margin):
    rng = np.random.default_rng(8)
    share = 0.2
    draw = rng.random((300, 3000))
    differences = (draw < (share + margin) / 2).astype(float) - (draw > 1 - (share - margin) / 2)
    assert (evidence(differences, margin) >= ENOUGH).any(axis=1).sum() <= most(300)


def test_heavy_tails_cut_off_at_a_quantile_of_the_champion_hold_alpha():
    rng = np.random.default_rng(9)
    bound = float(np.quantile(np.square(rng.standard_t(2.2, 20_000)), 0.99))
    champion, challenger = np.minimum(np.square(rng.standard_t(2.2, (2, 300, 2000))), bound) / bound
    assert (evidence(champion - challenger) >= ENOUGH).any(axis=1).sum() <= most(300)


def test_rare_disasters_of_the_challenger_that_balance_its_gains_hold_alpha():
    """One row in 50 costs 49 times what the others gain: the case in which a t test sees no variance."""
    draw = np.random.default_rng(10).random((300, 3000))
    differences = np.where(draw < 0.02, -0.98, 0.02)
    assert (evidence(differences) >= ENOUGH).any(axis=1).sum() <= most(300)


@pytest.mark.slow
@pytest.mark.parametrize("drift", ["waves", "gives back", "follows the past"])
def test_both_bounds_hold_the_running_mean_at_all_times_whatever_it_does(drift):
    rng = np.random.default_rng(11)
    streams, rows = 300, 2500
    time = np.arange(rows)
    if drift == "follows the past":  # a challenger that is better after it has just won, worse after it has lost
        differences, means, last = np.zeros((streams, rows)), np.zeros((streams, rows)), np.zeros(streams)
        draw = rng.random((streams, rows))
        for row in range(rows):
            means[:, row] = 0.15 * last
            differences[:, row] = (draw[:, row] < 0.15 + means[:, row] / 2) - 1.0 * (
                draw[:, row] > 0.85 + means[:, row] / 2
            )
            last = np.where(differences[:, row] != 0, differences[:, row], last)
    else:
        mean = 0.15 * np.sin(time / 200) if drift == "waves" else np.where(time < 500, 0.1, -0.025)
        means = np.broadcast_to(mean, (streams, rows))
        draw = rng.random((streams, rows))
        differences = (draw < 0.15 + mean / 2) - 1.0 * (draw > 0.85 + mean / 2)
    running = np.cumsum(means, axis=1) / (time + 1)
    logs = logs_of(differences) - np.log1p(np.multiply.outer(SHARES, running)) * (time + 1)
    assert (mixed(logs) >= ENOUGH).any(axis=1).sum() <= most(streams)  # the lower bound passed the running mean
    logs = logs_of(-differences) - np.log1p(np.multiply.outer(SHARES, -running)) * (time + 1)
    assert (mixed(logs) >= ENOUGH).any(axis=1).sum() <= most(streams)


def test_the_interval_is_what_these_bounds_are():
    differences = equal_models(0.05)[0].astype(float)
    for rows in (300, 5000, 20_000):
        found = Monitor().add(differences[:rows]).interval
        assert EProcess().path(differences[:rows], found.lower)[-1] == pytest.approx(ENOUGH, abs=1e-3)
        assert EProcess().path(-differences[:rows], -found.upper)[-1] == pytest.approx(ENOUGH, abs=1e-3)


def test_the_interval_shrinks_like_the_root_of_the_rows():
    differences = equal_models(0.05)[:20].astype(float)
    width = [np.mean([np.ptp(_bounds(one[:rows])) for one in differences]) for rows in (1000, 4000, 16_000)]
    assert 1.7 < width[0] / width[1] < 2.4 and 1.7 < width[1] / width[2] < 2.4
    fixed = 2 * stats.norm.ppf(0.95) * math.sqrt(0.05 / 16_000)
    assert width[2] < 2.2 * fixed


def _bounds(differences):
    found = Monitor().add(differences).interval
    return [found.lower, found.upper]


@pytest.mark.parametrize(("share", "gain"), [(0.1, 0.03), (0.2, 0.02), (0.05, 0.04)])
def test_not_knowing_the_best_share_costs_little(share, gain):
    """The evidence grows as that of a gambler who knows the odds (Kelly), less a few nats for not knowing them."""
    rng = np.random.default_rng(12)
    rows = int(60 * share / gain**2)
    counts = rng.multinomial(rows, [(share + gain) / 2, (share - gain) / 2, 1 - share], size=200)
    kelly = gain / share
    oracle = counts[:, 0] * math.log1p(kelly) + counts[:, 1] * math.log1p(-kelly)
    ours = mixed(counts[:, 0] * np.log1p(SHARES)[:, None] + counts[:, 1] * np.log1p(-SHARES)[:, None])
    assert np.mean(oracle) > 20
    assert np.mean(oracle - ours) < math.log(17) + 0.04 * np.mean(oracle)


@pytest.mark.parametrize(("share", "gain"), [(0.1, 0.02), (0.3, 0.03)])
def test_looking_always_takes_at_most_two_and_a_half_times_the_rows_of_one_look(share, gain):
    rng = np.random.default_rng(13)
    fixed = (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) ** 2 * share / gain**2
    looks = 100
    law = [(share + gain) / 2, (share - gain) / 2, 1 - share]
    counts = np.cumsum(rng.multinomial(int(2.5 * fixed / looks), law, size=(400, looks)), axis=1)
    logs = np.multiply.outer(np.log1p(SHARES), counts[..., 0]) + np.multiply.outer(np.log1p(-SHARES), counts[..., 1])
    hit = mixed(logs) >= ENOUGH
    assert hit.any(axis=1).mean() > 0.8
    first = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, looks) * 2.5 / looks
    assert np.median(first) < 1.5  # and where the gain shows early, one is done early


def test_a_bad_promotion_is_rolled_back_after_a_few_dozen_errors():
    rng = np.random.default_rng(14)
    rows = []
    for _ in range(100):
        live, previous = rng.random(4000) < 0.2, rng.random(4000) < 0.1
        path = Monitor(goal="rollback").path(live, previous)
        rows.append(int(np.argmax(path >= ENOUGH)) if (path >= ENOUGH).any() else 4000)
    assert np.median(rows) < 400 and max(rows) < 4000
