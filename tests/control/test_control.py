"""Error control over a lifetime of updates: the levels of the papers, promises in simulation, states that last."""

import json
import math

import numpy as np
import pytest
from scipy import special

from incumbent.control import (
    CONTROLS,
    ErrorControl,
    PerUpdate,
    Share,
    Spending,
    control,
    intersection,
    p_value,
    restore,
)
from incumbent.core import Paired, Prediction
from incumbent.errors import UsageError
from incumbent.evaluation import MAE, Accuracy, gain

UPDATES, RUNS, ALPHA = 200, 300, 0.05
CASES = [PerUpdate(0.05), Spending(0.05), Share(0.05), Share(0.05, "saffron")]


def after(start, history):
    for promoted, p in history:
        start = start.record(promoted, p)
    return start


def weights(n):
    """t**-1.6, divided by its sum; the sum of what is left out is bounded by an integral."""
    t = np.arange(1, 200_001.0)
    return t[:n] ** -1.6 / ((t**-1.6).sum() + 200_000.5**-0.6 / 0.6)


def lord_plus_plus(promoted, alpha, start):
    """The formula of Ramdas et al. (2017), section 3, written out: the level at every time, given who was promoted."""
    gamma = {t + 1: g for t, g in enumerate(weights(len(promoted) + 1))}
    levels = []
    for t in range(1, len(promoted) + 2):
        tau = [i for i in range(1, t) if promoted[i - 1]]
        level = gamma[t] * start
        if tau:
            level += (alpha - start) * gamma[t - tau[0]]
        levels.append(level + alpha * sum(gamma[t - each] for each in tau[1:]))
    return levels


def saffron(promoted, candidate, alpha, start, cut=0.5):
    """The algorithm of Ramdas et al. (2018), section 2, with a constant lambda, written out."""
    gamma = {t + 1: g for t, g in enumerate(weights(len(promoted) + 1))}
    levels = []
    for t in range(1, len(promoted) + 2):
        tau = [i for i in range(1, t) if promoted[i - 1]]
        count = {each: sum(candidate[i - 1] for i in range(each + 1, t)) for each in [0, *tau]}
        level = start * gamma[t - count[0]]
        if tau:
            level += (alpha - start) * gamma[t - tau[0] - count[tau[0]]]
        level += alpha * sum(gamma[t - each - count[each]] for each in tau[1:])
        levels.append(min(cut, (1 - cut) * level))
    return levels


@pytest.mark.parametrize("seed", range(3))
def test_lord_has_the_levels_of_the_paper(seed):
    promoted = (np.random.default_rng(seed).random(60) < 0.25).tolist()
    share, found = Share(0.05), []
    for each in promoted:
        found.append(share.level())
        share = share.record(each)
    assert [*found, share.level()] == pytest.approx(lord_plus_plus(promoted, 0.05, 0.025), rel=1e-6)


def test_lord_computed_by_hand():
    first, second, third = 1 / 2.28576567, 2**-1.6 / 2.28576567, 3**-1.6 / 2.28576567
    share = Share(0.1)
    assert share.level() == pytest.approx(0.05 * first)
    share = share.record(False)
    assert share.level() == pytest.approx(0.05 * second)
    share = share.record(True)
    assert share.level() == pytest.approx(0.05 * third + 0.05 * first)
    share = share.record(True)
    assert share.level() == pytest.approx(0.05 * 4**-1.6 / 2.28576567 + 0.05 * second + 0.1 * first)


@pytest.mark.parametrize("seed", range(3))
def test_saffron_has_the_levels_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    share, levels, promoted, candidate = Share(0.05, "saffron"), [], [], []
    for p in np.where(rng.random(60) < 0.4, rng.random(60) * 0.001, rng.random(60)):
        levels.append(share.level())
        promoted.append(bool(p <= share.level()))
        candidate.append(bool(p <= 0.5))
        share = share.record(promoted[-1], float(p))
    assert sum(promoted) > 5
    assert [*levels, share.level()] == pytest.approx(saffron(promoted, candidate, 0.05, 0.025), rel=1e-6)


@pytest.mark.parametrize("method", ["lord", "saffron"])
def test_what_is_charged_is_at_most_alpha_of_all_promotions(method):
    rng = np.random.default_rng(3)
    share, charged, promotions = Share(0.05, method), 0.0, 0
    for p in np.where(rng.random(400) < 0.3, 0.0001, rng.random(400)):
        level = share.level()
        charged += level if method == "lord" else (level / 0.5 if p > 0.5 else 0.0)
        promotions += p <= level
        share = share.record(bool(p <= level), float(p))
        assert charged <= 0.05 * max(1, promotions) + 1e-12
        assert share.wealth > 0


def test_the_wealth_of_lord_is_what_was_earned_less_what_was_spent():
    share, wealth = Share(0.05), 0.025
    for promotions, promoted in enumerate([False, True, False, True, True, False]):
        wealth -= share.level()
        wealth += promoted * (0.025 if promotions == 1 else 0.05)
        share = share.record(promoted)
        assert share.wealth == pytest.approx(wealth)


def test_without_p_values_saffron_is_careful():
    with_p = after(Share(0.05, "saffron"), [(False, 0.2)] * 5)
    without = after(Share(0.05, "saffron"), [(False, None)] * 5)
    assert without.level() < with_p.level() == Share(0.05, "saffron").level()
    assert with_p.record(True).level() == with_p.record(True, 0.001).level()


def test_lifetime_spends_alpha_and_never_more():
    spending = Spending(0.05)
    levels = [spending.level(t) for t in range(1, 20_001)]
    assert sum(levels) == pytest.approx(0.05 * 20_000 / 20_020)
    assert sum(levels[:20]) == pytest.approx(0.025) == after(spending, [(False, None)] * 20).spent
    assert levels == sorted(levels, reverse=True)
    assert levels[49] > 10 * 6 * 0.05 / (math.pi * 50) ** 2


@pytest.mark.parametrize("start", CASES, ids=str)
def test_a_control_keeps_its_promises(start):
    assert isinstance(start, ErrorControl)
    now = after(start, [(False, 0.7), (True, 0.001), (False, None), (True, 0.0), (False, 0.3)])
    assert start == eval(repr(start))
    assert 0 < now.level() < 1 and now.level() == now.level()
    assert eval(repr(now)) == now == restore(json.loads(json.dumps(now.to_dict())))
    assert restore(now.to_dict()).record(True, 0.01) == now.record(True, 0.01)
    assert now.to_dict()["format"] == 1 and "5 %" in now.promise


@pytest.mark.parametrize("start", CASES[1:], ids=str)
def test_levels_fall_while_nothing_is_promoted(start):
    levels, now = [start.level()], start
    for _ in range(30):
        now = now.record(False, 0.9)
        levels.append(now.level())
    assert all(a > b for a, b in zip(levels, levels[1:], strict=False))
    assert start.but(alpha=0.1).level() == pytest.approx(2 * start.level())


@pytest.mark.parametrize("start", CASES[2:], ids=str)
def test_a_promotion_earns_budget_for_later_updates(start):
    now = after(start, [(False, 0.9)] * 10)
    assert now.record(True, 0.0).level() > now.level() > now.record(False, 0.9).level()
    assert now.record(True, 0.0).wealth > now.wealth


# ------------------------------------------------------------------------------------------- simulation


def histories(share_real, *, effect=3.0, null=0.0, seed=0):
    """P-values (runs, updates) of one-sided z-tests, and which of the updates bring a real gain."""
    rng = np.random.default_rng(seed)
    real = rng.random((RUNS, UPDATES)) < share_real
    z = rng.normal(size=real.shape) + np.where(real, effect, null)
    return special.ndtr(-z), real


def decide(start, p):
    """Which updates are promoted when every run keeps a control of its own."""
    promoted = np.zeros(p.shape, dtype=bool)
    for run, row in enumerate(p.tolist()):
        now = start
        for t, each in enumerate(row):
            promoted[run, t] = each <= now.level()
            now = now.record(bool(promoted[run, t]), each)
    return promoted


def false_share(promoted, real):
    return (promoted & ~real).sum(axis=1) / np.maximum(1, promoted.sum(axis=1))


def power(promoted, real):
    return (promoted & real).sum() / real.sum()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lord", "saffron"])
@pytest.mark.parametrize("share_real", [0.0, 0.1, 0.5])
def test_of_all_promotions_at_most_a_share_alpha_is_not_real(method, share_real):
    p, real = histories(share_real, seed=1)
    found = false_share(decide(Share(ALPHA, method), p), real)
    assert found.mean() <= ALPHA + 2.6 * found.std() / math.sqrt(RUNS)
    naive = false_share(p <= 0.5, real)
    assert naive.mean() > 4 * ALPHA  # the simulation can tell: the naive rule breaks the promise


@pytest.mark.slow
@pytest.mark.parametrize("share_real", [0.0, 0.3])
def test_over_a_lifetime_a_false_promotion_is_as_rare_as_promised(share_real):
    p, real = histories(share_real, seed=2)
    ever = (decide(Spending(ALPHA), p) & ~real).any(axis=1)
    assert ever.mean() <= ALPHA + 2.6 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)
    assert ((p <= ALPHA) & ~real).any(axis=1).mean() > 0.9  # each update at alpha, by contrast


@pytest.mark.slow
def test_a_share_buys_power_and_a_lifetime_costs_a_quarter_of_bonferroni_at_most():
    p, real = histories(0.3, seed=4)
    found = {
        "naive": power(p <= 0.5, real),
        "update": power(decide(PerUpdate(ALPHA), p), real),
        "saffron": power(decide(Share(ALPHA, "saffron"), p), real),
        "lord": power(decide(Share(ALPHA), p), real),
        "lifetime": power(decide(Spending(ALPHA), p), real),
        "bonferroni": power(p <= ALPHA / UPDATES, real),
        "square": power(p <= 6 * ALPHA / (math.pi * np.arange(1, UPDATES + 1)) ** 2, real),
    }
    assert found["naive"] > found["update"] > found["saffron"] > found["lord"] > 1.3 * found["bonferroni"]
    assert found["lifetime"] > 0.75 * found["bonferroni"]  # which has to know the number of updates beforehand
    assert found["lifetime"] > 1.3 * found["square"]


def test_update_promotes_alpha_of_those_that_are_not_better():
    p, _ = histories(0.0, seed=5)
    assert decide(PerUpdate(ALPHA), p[:50]).mean() == pytest.approx(ALPHA, abs=0.007)


# --------------------------------------------------------------------------------------------- p-values


def counted(rows, wins, losses):
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return Paired(y, Prediction(champion), Prediction(challenger))


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (20, 8), (40, 12)])
def test_a_p_value_is_the_level_at_which_the_decision_turns(wins, losses):
    both = counted(500, wins, losses)
    exact = float(special.bdtrc(wins - 1, wins + losses, 0.5))
    assert exact <= p_value(lambda alpha: gain(both, Accuracy(), alpha=alpha).lower > 0) <= 1.01 * exact


def test_a_p_value_of_a_mean_is_close_to_student():
    rng = np.random.default_rng(0)
    champion = np.abs(rng.normal(size=400))
    challenger = np.abs(champion + rng.normal(-0.05, 0.4, size=400))
    both = Paired(np.zeros(400), Prediction(champion), Prediction(challenger))
    d = champion - challenger
    t = d.mean() / d.std(ddof=1) * math.sqrt(400)
    found = p_value(lambda alpha: gain(both, MAE(), alpha=alpha).lower > 0)
    assert found == pytest.approx(float(special.stdtr(399, -t)), rel=0.4)


def test_what_never_holds_has_the_p_value_1_and_what_always_does_a_tiny_one():
    assert p_value(lambda alpha: False) == 1.0
    assert p_value(lambda alpha: True) == pytest.approx(1e-12, rel=0.02)


def test_p_values_of_a_joint_decision_hold_exactly_where_all_conditions_do():
    conditions = [(0.01, 1.0), (0.002, 0.1), (0.0, 1.0)]
    joint = intersection(conditions)
    assert joint == pytest.approx(0.02)
    for alpha in (0.019, 0.021):
        assert (joint <= alpha) == all(p <= share * alpha for p, share in conditions)
    assert intersection([(0.4, 0.1), (0.0, 1.0)]) == 1.0


# ----------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: control("livetime"), "Did you mean 'lifetime'"),
        (lambda: control("x"), "one of 'update', 'lifetime', 'share'"),
        (lambda: control("share", 0.0), "alpha"),
        (lambda: PerUpdate(math.nan), "alpha"),
        (lambda: Spending(half=0), "half"),
        (lambda: Spending(updates=-1), "updates"),
        (lambda: Spending().level(0), "counted from 1"),
        (lambda: Share(method="bonferroni"), "method"),
        (lambda: Share(updates=1, passed=1, earned=(3,)), "do not follow"),
        (lambda: Share(earned=(0,)), "no state"),
        (lambda: Share().record(False, 1.5), "p-value"),
        (lambda: Spending().record(False, math.nan), "p-value"),
        (lambda: intersection([]), "pairs"),
        (lambda: intersection([(0.1, 0.0)]), "pairs"),
        (lambda: p_value(lambda alpha: True, precision=0.0), "precision"),
        (lambda: restore({"format": 2, "control": "share"}), "newer version"),
        (lambda: restore({"format": 1, "control": "other"}), "cannot be read"),
        (lambda: restore({"format": 1, "control": "update", "alpha": 0.05, "more": 1}), "alpha, more"),
        (lambda: restore({}), "cannot be read"),
        (lambda: restore({"format": 1, "control": "update", "alpha": "5 %"}), "cannot be read"),
        (lambda: restore(Share().to_dict() | {"earned": 3}), "cannot be read"),
    ],
)
def test_a_mistake_gets_a_sentence(wrong, words):
    with pytest.raises(UsageError, match=words):
        wrong()


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_made_by_name(name):
    assert control(name, 0.1).alpha == 0.1 and control(name).to_dict()["control"] == name
