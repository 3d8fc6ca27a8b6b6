"""DeLong's test of two AUCs: against brute force, a long bootstrap, and its level; and where it steps back."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from incumbent.core import PairedPredictions, Prediction
from incumbent.evidence import gain
from incumbent.evidence._delong import delong_bounds, differences, midranks, standard_error
from incumbent.metrics import AUC

KNOWN = AUC(classes=(0, 1))


def said(score):
    return Prediction((score > 0.5).astype(int), np.column_stack([1 - score, score]), np.array([0, 1]))


def equals(rows, rng, *, rate=0.4, digits=None):
    """Two rankings that are equally good and differ by chance."""
    y = (rng.random(rows) < rate).astype(int)
    base = rng.normal(size=rows) + 1.2 * y
    scores = stats.norm.cdf(base + rng.normal(size=(2, rows)))
    first, second = scores if digits is None else np.round(scores, digits)
    return PairedPredictions(y, said(first), said(second))


def brute(paired):
    """DeLong's components by comparing every positive with every negative, and his variance from his own formula."""
    truth = np.asarray(paired.y) == 1
    placed = []
    for each in (paired.champion, paired.challenger):
        above, below = each.proba[truth, 1][:, None], each.proba[~truth, 1][None, :]
        wins = (above > below) + 0.5 * (above == below)
        placed.append((wins.mean(axis=1), wins.mean(axis=0)))
    (v10_a, v01_a), (v10_b, v01_b) = placed
    s10, s01 = np.cov(v10_a, v10_b), np.cov(v01_a, v01_b)
    s = s10 / truth.sum() + s01 / (~truth).sum()
    return (v10_b - v10_a, v01_b - v01_a), float(np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1]))


def test_midranks_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=200), rng.integers(0, 9, 200).astype(float), np.ones(5)):
        assert np.array_equal(midranks(values), stats.rankdata(values))


@pytest.mark.parametrize("digits", [None, 1], ids=["no ties", "many ties"])
@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_components_and_variance_are_those_of_all_pairs(rate, digits):
    paired = equals(700, np.random.default_rng(1), rate=rate, digits=digits)
    expected, error = brute(paired)
    found = differences(paired, 1)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-12)
    assert standard_error(found) == pytest.approx(error, rel=1e-10)
    before, after = (AUC().score(paired.y, each) for each in (paired.champion, paired.challenger))
    assert found[0].mean() == pytest.approx(after - before, abs=1e-12) == found[1].mean()


def test_the_bounds_are_the_estimate_and_the_normal_quantile():
    paired = equals(3000, np.random.default_rng(2))
    _, error = brute(paired)
    found = gain(paired, AUC(), alpha=0.05)
    assert found.test == "DeLong"
    assert found.lower == pytest.approx(found.value - stats.norm.isf(0.05) * error)
    assert found.upper == pytest.approx(found.value + stats.norm.isf(0.05) * error)


def test_a_long_bootstrap_gives_the_same_error_and_bounds():
    rng = np.random.default_rng(3)
    paired = equals(1500, rng)
    truth = paired.y == 1
    weight = rng.standard_exponential((4000, 1500))
    for side in (truth, ~truth):
        weight[:, side] /= weight[:, side].sum(axis=1, keepdims=True)
    before, after = (AUC().resample(paired.y, each, weight) for each in (paired.champion, paired.challenger))
    found = gain(paired, AUC(), alpha=0.05)
    assert found.test == "DeLong"
    assert standard_error(differences(paired, 1)) == pytest.approx((after - before).std(), rel=0.04)
    low, high = np.quantile(after - before, [0.05, 0.95])
    assert (found.lower, found.upper) == pytest.approx((low, high), abs=0.1 * (high - low) / 2)


def test_the_positive_class_may_be_named_and_may_be_one_of_many():
    rng = np.random.default_rng(4)
    two = equals(3000, rng)
    named, other = (gain(two, AUC(positive=label), alpha=0.05) for label in (1, 0))
    assert dataclasses.astuple(named) == pytest.approx(dataclasses.astuple(gain(two, AUC(), alpha=0.05)))
    assert dataclasses.astuple(other) == pytest.approx(dataclasses.astuple(named))  # the same ranking, read backwards
    three = PairedPredictions(np.where(two.y == 1, 1, rng.choice([0, 2], 3000)), two.champion, two.challenger)
    assert gain(three, AUC(positive=1), alpha=0.05).lower == pytest.approx(named.lower)


def spread(paired):
    return np.arange(len(paired)) // 5


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda p: {"weight": np.where(np.arange(len(p)) % 2, 1.0, 2.0)}, "paired bootstrap"),
        (lambda p: {"block": spread(p)}, "by cluster"),
        (lambda p: {"ordered": True}, "paired bootstrap"),
        (lambda p: {"challenger": p.champion}, "paired bootstrap"),
        (lambda p: {"y": np.where(np.arange(len(p)) < 20, 1, 0)}, "paired bootstrap"),
        (lambda p: {"y": np.arange(len(p)) % 3}, "paired bootstrap"),
    ],
    ids=["weights", "groups", "time", "no rank differs", "a tiny class", "three classes"],
)
def test_where_delong_does_not_fit_the_bootstrap_takes_over(change, word):
    paired = equals(3000, np.random.default_rng(5))
    assert gain(paired, AUC(), alpha=0.05).test == "DeLong"
    found = gain(dataclasses.replace(paired, **change(paired)), AUC(), alpha=0.05)
    assert word in found.test and found.lower < found.value < found.upper


def test_a_few_rows_that_moved_far_are_left_to_the_bootstrap():
    paired = equals(20_000, np.random.default_rng(6))
    score = paired.champion.proba[:, 1].copy()
    score[np.flatnonzero(paired.y == 1)[:6]] = 1.0  # all that differs: six positives, now at the very top
    found = gain(dataclasses.replace(paired, challenger=said(score)), AUC(), alpha=0.05)
    assert found.test == "paired bootstrap" and found.value > 0


def test_skewness_is_left_to_the_bootstrap_the_sooner_the_smaller_alpha():
    rng = np.random.default_rng(7)
    y = (np.arange(4000) % 2).astype(int)
    score = stats.norm.cdf(rng.normal(size=4000) + y)
    worse = score.copy()
    ruined = np.flatnonzero(y == 1)[:40]
    worse[ruined] = 0.0
    paired = PairedPredictions(y, said(score), said(worse))
    assert delong_bounds(paired, KNOWN, alpha=0.3) is not None
    assert delong_bounds(paired, KNOWN, alpha=1e-4) is None


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "rate"), [(1200, 0.5), (6000, 0.1)])
def test_delong_keeps_its_level_and_does_not_waste_it(rows, rate):
    rng, runs, passed = np.random.default_rng(rows), 1500 if rows < 2000 else 400, []
    for _ in range(runs):
        found = delong_bounds(equals(rows, rng, rate=rate), KNOWN, alpha=0.05)
        if found is not None:
            passed.append((found[0] > 0) + (found[1] < 0))  # both directions are the same experiment
    assert len(passed) > 0.8 * runs
    low, high = stats.binom.ppf([0.001, 0.999], 2 * len(passed), 0.05) / (2 * len(passed))
    assert low <= np.mean(passed) / 2 <= high


def test_ruined_rows_that_may_not_turn_up_do_not_break_the_level():
    """Every positive gains a little, and one in 600 is ruined, so that nothing is gained on the whole."""
    rng, rows, runs, passed = np.random.default_rng(8), 1200, 1500, 0
    ruin = 1 / 600
    lift = ruin * stats.norm.cdf(0.6) * 2 / stats.norm.pdf(0.6)  # AUC = Phi(1.2 / 2), and its slope is phi(0.6) / 2
    for _ in range(runs):
        y = (np.arange(rows) % 2).astype(int)
        base, noise = rng.normal(size=rows) + 1.2 * y, rng.normal(size=(2, rows))
        better = stats.norm.cdf(base + noise[1] + lift * y)
        better[(y == 1) & (rng.random(rows) < ruin)] = 0.0
        found = delong_bounds(
            PairedPredictions(y, said(stats.norm.cdf(base + noise[0])), said(better)), KNOWN, alpha=0.05
        )
        passed += found is not None and found[0] > 0
    assert passed <= stats.binom.ppf(0.999, runs, 0.055)  # half a point more, as its docstring says
