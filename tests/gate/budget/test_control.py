"""Error control over a lifetime of updates: the levels of the papers, promises in simulation, states that last."""

import json
import math

import numpy as np
import pytest
from scipy import special

import incumbent.gate.budget
from incumbent.errors import UsageError
from incumbent.gate import Gate
from incumbent.gate.budget import CONTROLS, AlphaSpending, ErrorControl, OnlineFDR, PerUpdate, control, restore

UPDATES, RUNS, ALPHA = 200, 300, 0.05
CASES = [PerUpdate(0.05), AlphaSpending(0.05), OnlineFDR(0.05)]


def after(start, history):
    for promoted in history:
        start = start.record(promoted)
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


@pytest.mark.parametrize("seed", range(3))
def test_lord_has_the_levels_of_the_paper(seed):
    promoted = (np.random.default_rng(seed).random(60) < 0.25).tolist()
    share, found = OnlineFDR(0.05), []
    for each in promoted:
        found.append(share.level())
        share = share.record(each)
    assert [*found, share.level()] == pytest.approx(lord_plus_plus(promoted, 0.05, 0.025), rel=1e-6)


def test_lord_computed_by_hand():
    first, second, third = 1 / 2.28576567, 2**-1.6 / 2.28576567, 3**-1.6 / 2.28576567
    share = OnlineFDR(0.1)
    assert share.level() == pytest.approx(0.05 * first)
    share = share.record(False)
    assert share.level() == pytest.approx(0.05 * second)
    share = share.record(True)
    assert share.level() == pytest.approx(0.05 * third + 0.05 * first)
    share = share.record(True)
    assert share.level() == pytest.approx(0.05 * 4**-1.6 / 2.28576567 + 0.05 * second + 0.1 * first)


def test_the_levels_sum_to_at_most_alpha_of_all_promotions():
    rng = np.random.default_rng(3)
    share, charged, promotions = OnlineFDR(0.05), 0.0, 0
    for p in np.where(rng.random(400) < 0.3, 0.0001, rng.random(400)):
        level = share.level()
        charged += level
        promotions += p <= level
        share = share.record(bool(p <= level))
        assert charged <= 0.05 * max(1, promotions) + 1e-12
        assert share.wealth > 0


def test_the_wealth_of_lord_is_what_was_earned_less_what_was_spent():
    share, wealth = OnlineFDR(0.05), 0.025
    for promotions, promoted in enumerate([False, True, False, True, True, False]):
        wealth -= share.level()
        wealth += promoted * (0.025 if promotions == 1 else 0.05)
        share = share.record(promoted)
        assert share.wealth == pytest.approx(wealth)


def test_lifetime_spends_alpha_and_never_more():
    spending = AlphaSpending(0.05)
    levels = [spending.level(t) for t in range(1, 20_001)]
    assert sum(levels) == pytest.approx(0.05 * 20_000 / 20_020)
    assert sum(levels[:20]) == pytest.approx(0.025) == after(spending, [False] * 20).spent
    assert levels == sorted(levels, reverse=True)
    assert levels[49] > 10 * 6 * 0.05 / (math.pi * 50) ** 2


@pytest.mark.parametrize("start", CASES, ids=str)
def test_a_control_keeps_its_contract(start):
    assert isinstance(start, ErrorControl)
    now = after(start, [False, True, False, True, False])
    assert start == eval(repr(start))
    assert 0 < now.level() < 1 and now.level() == now.level()
    assert eval(repr(now)) == now == restore(json.loads(json.dumps(now.to_dict())))
    assert restore(now.to_dict()).record(True) == now.record(True)
    assert now.to_dict()["format"] == 2 and "5 %" in now.guarantee


@pytest.mark.parametrize("start", CASES[1:], ids=str)
def test_levels_fall_while_nothing_is_promoted(start):
    levels, now = [start.level()], start
    for _ in range(30):
        now = now.record(False)
        levels.append(now.level())
    assert all(a > b for a, b in zip(levels, levels[1:], strict=False))
    assert start.replace(alpha=0.1).level() == pytest.approx(2 * start.level())


@pytest.mark.parametrize("start", CASES[2:], ids=str)
def test_a_promotion_earns_budget_for_later_updates(start):
    now = after(start, [False] * 10)
    assert now.record(True).level() > now.level() > now.record(False).level()
    assert now.record(True).wealth > now.wealth


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
            now = now.record(bool(promoted[run, t]))
    return promoted


def false_share(promoted, real):
    return (promoted & ~real).sum(axis=1) / np.maximum(1, promoted.sum(axis=1))


def power(promoted, real):
    return (promoted & real).sum() / real.sum()


@pytest.mark.slow
@pytest.mark.parametrize("share_real", [0.0, 0.1, 0.5])
def test_of_all_promotions_at_most_a_fraction_alpha_is_false(share_real):
    p, real = histories(share_real, seed=1)
    found = false_share(decide(OnlineFDR(ALPHA), p), real)
    assert found.mean() <= ALPHA + 2.6 * found.std() / math.sqrt(RUNS)
    naive = false_share(p <= 0.5, real)
    assert naive.mean() > 4 * ALPHA  # the simulation can tell: the naive rule breaks the promise


@pytest.mark.slow
@pytest.mark.parametrize("share_real", [0.0, 0.3])
def test_over_a_lifetime_a_false_promotion_is_as_rare_as_promised(share_real):
    p, real = histories(share_real, seed=2)
    ever = (decide(AlphaSpending(ALPHA), p) & ~real).any(axis=1)
    assert ever.mean() <= ALPHA + 2.6 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)
    assert ((p <= ALPHA) & ~real).any(axis=1).mean() > 0.9  # each update at alpha, by contrast


@pytest.mark.slow
def test_a_share_buys_power_and_a_lifetime_costs_a_quarter_of_bonferroni_at_most():
    p, real = histories(0.3, seed=4)
    found = {
        "naive": power(p <= 0.5, real),
        "update": power(decide(PerUpdate(ALPHA), p), real),
        "lord": power(decide(OnlineFDR(ALPHA), p), real),
        "fwer": power(decide(AlphaSpending(ALPHA), p), real),
        "bonferroni": power(p <= ALPHA / UPDATES, real),
        "square": power(p <= 6 * ALPHA / (math.pi * np.arange(1, UPDATES + 1)) ** 2, real),
    }
    assert found["naive"] > found["update"] > found["lord"] > 1.3 * found["bonferroni"]
    assert found["fwer"] > 0.75 * found["bonferroni"]  # which has to know the number of updates beforehand
    assert found["fwer"] > 1.3 * found["square"]


def test_update_promotes_alpha_of_those_that_are_not_better():
    p, _ = histories(0.0, seed=5)
    assert decide(PerUpdate(ALPHA), p[:50]).mean() == pytest.approx(ALPHA, abs=0.007)


# ----------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: control("fwerr"), "Did you mean 'fwer'"),
        (lambda: control("x"), "one of 'update', 'fwer', 'fdr'"),
        (lambda: control("fdr", 0.0), "alpha"),
        (lambda: PerUpdate(math.nan), "alpha"),
        (lambda: AlphaSpending(half=0), "half"),
        (lambda: AlphaSpending(updates=-1), "updates"),
        (lambda: AlphaSpending().level(0), "counted from 1"),
        (lambda: OnlineFDR(updates=1, earned=(3,)), "must not fall"),
        (lambda: restore({"format": 3, "control": "fdr"}), "newer version"),
        (lambda: restore({"format": 1, "control": "other"}), "cannot be read"),
        (lambda: restore({"format": 2, "control": "share"}), "cannot be read"),
        (lambda: restore({"format": 1, "control": ["share"]}), "cannot be read"),
        (lambda: restore({"format": 1, "control": "update", "alpha": 0.05, "more": 1}), "alpha, more"),
        (lambda: restore({}), "cannot be read"),
        (lambda: restore({"format": 1, "control": "update", "alpha": "5 %"}), "cannot be read"),
        (lambda: restore(OnlineFDR().to_dict() | {"earned": 3}), "cannot be read"),
    ],
)
def test_a_mistake_gets_a_sentence(wrong, words):
    with pytest.raises(UsageError, match=words):
        wrong()


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_made_by_name(name):
    assert control(name, 0.1).alpha == 0.1 and control(name).to_dict()["control"] == name


# ---------------------------------------------------------------------------------- what 0.1 wrote and named


def test_a_state_of_version_0_1_goes_on_as_it_was():
    lord = {"alpha": 0.05, "method": "lord", "updates": 3, "passed": 3, "earned": [2]}
    assert restore({"format": 1, "control": "share", **lord}) == after(OnlineFDR(0.05), [False, True, False])
    spent = {"format": 1, "control": "lifetime", "alpha": 0.05, "half": 20, "updates": 2}
    assert restore(spent) == after(AlphaSpending(0.05), [False, False])
    assert restore({"format": 1, "control": "update", "alpha": 0.1}) == PerUpdate(0.1)


def test_saffron_becomes_lord_with_the_budget_that_it_had_left():
    # five updates: two promotions with p <= 1/2, which let no time pass, between three with p > 1/2
    saffron = {"alpha": 0.05, "method": "saffron", "updates": 5, "passed": 3, "earned": [1, 1]}
    found = restore({"format": 1, "control": "share", **saffron})
    gamma = weights(3)
    left = 0.025 * (1 - gamma[:3].sum()) + 0.025 * (1 - gamma[:2].sum()) + 0.05 * (1 - gamma[:2].sum())
    assert found.wealth == pytest.approx(left, rel=1e-6)
    assert found.record(True).level() > found.level() > found.record(False).level() > 0
    first = {"alpha": 0.05, "method": "saffron", "updates": 1, "passed": 0, "earned": [0]}
    assert restore({"format": 1, "control": "share", **first}).wealth == pytest.approx(0.05)


@pytest.mark.parametrize(("old", "new"), [("Share", "OnlineFDR"), ("Spending", "AlphaSpending")])
def test_old_names_of_classes_work_with_a_warning(old, new):
    with pytest.warns(DeprecationWarning, match=new):
        assert getattr(incumbent.gate.budget, old) is getattr(incumbent.gate.budget, new)


@pytest.mark.parametrize(("old", "new"), [("share", "fdr"), ("lifetime", "fwer")])
def test_old_words_work_with_a_warning_and_without_one_in_a_stored_gate(old, new, tmp_path):
    with pytest.warns(DeprecationWarning, match=f"error_control={new!r}") as caught:
        assert control(old, 0.1) == control(new, 0.1)
        assert Gate(error_control=old) == Gate(error_control=new)
    assert {each.filename for each in caught} == {__file__}
    (tmp_path / "gate.toml").write_text(f'error_control = "{old}"\n')
    assert Gate.from_toml(tmp_path / "gate.toml") == Gate(error_control=new)  # warnings are errors in these tests


@pytest.mark.parametrize("start", CASES, ids=str)
def test_the_old_name_of_the_guarantee_works_with_a_warning(start):
    with pytest.warns(DeprecationWarning, match="guarantee"):
        assert start.promise == start.guarantee
