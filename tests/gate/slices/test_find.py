"""Slices that are searched for: what is planted is found, what is found is tested on other rows."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import DataError, UsageError
from incumbent.gate.slices import Slice, confirm_slices, find_slices, losses, no_slice_worse
from incumbent.gate.slices import _find as search
from incumbent.metrics import AUC, MAE, Accuracy


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "east"], n),
            "amount": rng.lognormal(4, 1, n),
            "age": rng.integers(18, 90, n),
            "plan": pd.Series(rng.choice(["free", "pro", None], n), dtype=object),
            "active": rng.random(n) < 0.5,
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s"),
            "income": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "first name": rng.choice(["Ada", "D'Arc"], n),
        }
    )


def harmed(x, where, *, share=0.3, flips=0.02, seed=1):
    """Losses of two models that are equally good but for a slice in which the challenger is wrong more often."""
    rng = np.random.default_rng(seed)
    before, after = ((rng.random(len(x)) < flips).astype(float) for _ in range(2))
    (mask,) = Slice(where).masks(x).values()
    return before, np.where(mask & (rng.random(len(x)) < share), 1.0, after)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "overlap"),
    [
        ('region == "north"', 0.99),
        ("plan == None", 0.99),
        ("income == None", 0.99),
        ("active == True", 0.99),
        ("amount > 118", 0.8),
        ("30 < age <= 50", 0.7),
        ('day <= "2026-02-01"', 0.7),
        ('`first name` == "D\'Arc"', 0.99),
        ('region == "south" and age > 70', 0.7),
        ('plan == "pro" and income == None', 0.99),
        ('region == "east" and day > "2026-03-01"', 0.7),
    ],
)
def test_a_planted_slice_is_found_first_and_confirmed_on_other_rows(where, overlap):
    x, other = table(6000), table(6000, seed=5)
    found = find_slices(x, *harmed(x, where), seed=0)
    first, planted = (next(iter(each.masks(other).values())) for each in (found[0], Slice(where)))
    assert (first & planted).sum() / (first | planted).sum() > overlap, found[0]
    before, after = harmed(other, where, seed=9)
    confirmed = confirm_slices(found, other, before - after, alpha=0.05)
    assert found[0] in [each.slice for each in confirmed]
    assert all(each.interval.upper < 0 and each.interval.value < 0 for each in confirmed)


def test_three_conditions_are_found_where_they_are_asked_for():
    where = 'region == "north" and plan == "pro" and active == True'
    x = table(8000)
    before, after = harmed(x, where, share=0.5)
    planted = next(iter(Slice(where).masks(x).values()))
    two, three = (next(iter(find_slices(x, before, after, depth=d)[0].masks(x).values())) for d in (2, 3))
    assert (three == planted).all() and not (two == planted).all()


def test_what_is_found_has_rows_enough_and_tells_different_stories():
    x = table(4000)
    before, after = harmed(x, 'region == "north"')
    found = find_slices(x, before, after, min_rows=200, max_slices=7)
    masks = [next(iter(each.masks(x).values())) for each in found]
    assert 1 < len(found) <= 7 and all(mask.sum() >= 200 for mask in masks)
    for at, mask in enumerate(masks):
        assert (after - before)[mask].mean() > 0
        assert all((mask & other).sum() <= 0.5 * (mask | other).sum() for other in masks[:at])


def test_the_best_single_condition_is_the_one_with_the_largest_studentised_mean():
    x = table(3000)[["region", "plan", "active"]]
    before, after = harmed(x, 'plan == "free"', share=0.1)
    e = after - before
    t = {}
    for column in x:
        for text, mask in Slice(column).masks(x).items():
            n = mask.sum()
            variance = (e[mask].var() * n + 10 * e.var()) / (n - 1 + 10)
            t[text] = (e[mask].mean() - max(0.0, e.mean())) / math.sqrt(variance / n)
    assert find_slices(x, before, after, depth=1)[0].where == max(t, key=t.get)


def test_the_same_rows_give_the_same_slices_and_no_harm_gives_none(monkeypatch):
    x = table(3000)
    before, after = harmed(x, "age > 60")
    assert find_slices(x, before, after, seed=1) == find_slices(x, before, after, seed=1)
    assert find_slices(x, after, before) == () or "age > 6" not in str(find_slices(x, after, before)[0])
    assert find_slices(x, before, before) == () and find_slices(x[:0], before[:0], before[:0]) == ()
    assert find_slices(x[:30], before[:30], 1 - before[:30]) == ()
    monkeypatch.setattr(search, "ROWS", 1000)
    assert find_slices(x, before, after, seed=1) == find_slices(x, before, after, seed=1)


def test_a_challenger_that_is_worse_everywhere_is_searched_for_where_it_is_worst():
    x = table(6000)
    rng = np.random.default_rng(0)
    before, after = harmed(x, 'region == "south"')
    after = np.where(rng.random(6000) < 0.1, 1.0, after)
    assert find_slices(x, before, after)[0].where == 'region == "south"'


def test_columns_that_cannot_be_searched_are_left_out():
    x = table(1000).assign(
        id=[f"row {k}" for k in range(1000)],
        tags=[["a"]] * 1000,
        same=1.0,
        none=np.nan,
        endless=np.where(np.arange(1000) % 3, math.inf, -math.inf),
        moment=[pd.Timestamp("2026-01-01").date()] * 1000,
    )
    before, after = harmed(x, 'region == "north"')
    assert find_slices(x, before, after)[0].where == 'region == "north"'


def test_losses_that_are_not_finite_do_not_stop_the_search():
    x = table(2000)
    after = np.where((x["region"] == "north") & (np.arange(2000) % 3 == 0), math.inf, 0.5)
    before = np.full(2000, 0.5)
    before[:5] = after[:5] = math.inf
    assert find_slices(x, before, after)[0].where == 'region == "north"'
    with np.errstate(invalid="ignore"):
        (worse,) = confirm_slices([Slice('region == "north"')], x, before - after, alpha=0.05)
    assert worse.interval.value == -math.inf


def test_a_rare_crossing_is_found_among_100_000_rows_of_20_columns():
    rng = np.random.default_rng(0)
    n = 100_000
    numbers = {f"n{k}": rng.normal(size=n) for k in range(12)}
    x = pd.DataFrame(numbers | {f"c{k}": rng.choice(list("abcdefgh"), n) for k in range(8)})
    before, after = harmed(x, 'c0 == "a" and n3 > 1', share=0.06)
    found = find_slices(x, before, after)
    assert found[0].where == 'n3 > 1.15 and c0 == "a"'


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"min_rows": 0}, {"max_slices": 0}])
def test_options_below_one_are_refused(wrong):
    x = table(100)
    with pytest.raises(UsageError, match="1 or more"):
        find_slices(x, np.zeros(100), np.ones(100), **wrong)


def test_losses_that_do_not_pair_are_refused():
    with pytest.raises(DataError, match="50 rows but x has 100"):
        find_slices(table(100), np.zeros(50), np.ones(50))
    with pytest.raises(DataError, match="50 rows but x has 100"):
        confirm_slices([Slice("region")], table(100), np.zeros(50), alpha=0.05)


# ---------------------------------------------------------------------------------------------- confirmed


def test_confirmed_is_what_step_up_takes_of_exact_p_values():
    rng = np.random.default_rng(4)
    x = pd.DataFrame({"k": rng.integers(0, 12, 6000)})
    slices = [Slice(f"k == {k}") for k in range(12)]
    for _ in range(2):
        d = rng.choice([1.0, -1.0, 0.0], p=[0.03, 0.04, 0.93], size=6000) - (x["k"] < 4) * (rng.random(6000) < 0.03)
        d = np.clip(d.to_numpy(), -1, 1)
        p = [stats.binom.cdf((d[x["k"] == k] > 0).sum(), (d[x["k"] == k] != 0).sum(), 0.5) for k in range(12)]
        expected = stats.false_discovery_control(p, method="bh") <= 0.1
        found = confirm_slices(slices, x, d, alpha=0.1)
        assert {each.slice for each in found} == {slices[k] for k in np.flatnonzero(expected)} and found
        for each in found:
            assert p[slices.index(each.slice)] <= each.interval.alpha and each.interval.test == "exact McNemar"
        (level,) = {each.interval.alpha for each in found}
        assert level == pytest.approx(0.1 * len(found) / 12)
        assert list(found) == sorted(found, key=lambda each: each.interval.upper)


def test_worse_by_asks_for_more_than_any_harm():
    x = pd.DataFrame({"part": np.repeat(["a", "b"], 2000)})
    d = np.where(np.arange(4000) < 40, -1.0, 0.0)
    where = [Slice('part == "a"')]
    assert confirm_slices(where, x, d, alpha=0.05) and not confirm_slices(where, x, d, alpha=0.05, worse_by=0.05)
    assert confirm_slices([Slice("part")], x, d, alpha=0.05)[0].slice == where[0]


def test_blocks_make_a_confirmation_harder():
    x = pd.DataFrame({"part": ["a"] * 200})
    d = np.where(np.arange(200) < 40, -1.0, 0.0)
    assert confirm_slices([Slice('part == "a"')], x, d, alpha=0.05)
    assert not confirm_slices([Slice('part == "a"')], x, d, alpha=0.05, block=np.arange(200) // 40)


def test_confirm_refuses_a_level_of_0():
    with pytest.raises(UsageError, match="alpha"):
        confirm_slices([Slice("region")], table(100), np.zeros(100), alpha=0.0)


@pytest.mark.slow
def test_without_harm_at_most_alpha_of_the_searches_confirm_anything():
    runs, split, same, x = 100, 0, 0, table(2500)
    for run in range(runs):
        rng = np.random.default_rng(run)
        d = np.clip(rng.normal(size=2500), -3, 3)
        picked = x.take(rng.permutation(2500))
        found = find_slices(picked[:1250], np.maximum(d[:1250], 0), np.maximum(-d[:1250], 0), min_rows=30)
        split += bool(confirm_slices(found, picked[1250:], d[1250:], alpha=0.1))
        same += bool(confirm_slices(found, picked[:1250], d[:1250], alpha=0.1))
    assert split / runs <= 0.1 + 2.6 * math.sqrt(0.09 / runs)
    assert same / runs > 0.5  # on the rows of the search itself nearly everything looks real


@pytest.mark.slow
def test_of_confirmed_slices_at_most_alpha_is_false():
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"k": np.repeat(np.arange(20), 300)})
    slices = [Slice(f"k == {k}") for k in range(20)]
    shares, real = [], 0
    for _ in range(100):
        d = np.clip(rng.normal(size=6000) - 0.25 * (x["k"] < 5), -4, 4)
        confirmed = {int(each.slice.where.split()[-1]) for each in confirm_slices(slices, x, d, alpha=0.1)}
        shares.append(sum(k >= 5 for k in confirmed) / max(1, len(confirmed)))
        real += sum(k < 5 for k in confirmed)
    assert np.mean(shares) <= 0.1 + 2.6 * np.std(shares) / 10 and real / 500 > 0.8


# --------------------------------------------------------------------------------------------- as a reason


def pairs(x, where, seed=1):
    before, after = harmed(x, where, seed=seed)
    return PairedPredictions(np.zeros(len(x)), Prediction(before), Prediction(after))


def test_confirmed_harm_is_a_reason_against_the_challenger():
    x, other = table(6000), table(6000, seed=3)
    both = pairs(x, 'plan == "pro"')
    found = find_slices(x, *losses(both, Accuracy()))
    reason, confirmed = no_slice_worse(found, other, pairs(other, 'plan == "pro"', seed=4), Accuracy(), 0.05)
    assert reason.violated and not reason.holds and reason.value == len(confirmed) >= 1
    assert 'most surely where plan == "pro": mean loss +0.' in reason.text and confirmed[0].interval == reason.interval
    quiet, none = no_slice_worse(found, other, pairs(other, "amount < 0"), Accuracy(), 0.05)
    assert quiet.holds and not quiet.violated and none == () and "found on other rows" in quiet.text
    assert no_slice_worse((), other, pairs(other, "amount < 0"), Accuracy(), 0.05)[0].holds


def test_losses_are_those_of_the_metric_or_of_the_label():
    said, other = (
        Prediction(np.array([0, 1]), None, np.array([0, 1])),
        Prediction(np.array([1, 1]), None, np.array([0, 1])),
    )
    before, after = losses(PairedPredictions(np.array([0, 1]), said, other), AUC())
    assert before.tolist() == [0.0, 0.0] and after.tolist() == [1.0, 0.0]
    values = PairedPredictions(
        np.array([0.0, 1.0]), Prediction(np.array([0.5, 1.0])), Prediction(np.array([9.0, 1.0])), clip=2.0
    )
    assert losses(values, MAE())[1].tolist() == [2.0, 0.0]
    assert losses(dataclasses.replace(values, clip=math.inf), MAE())[1].tolist() == [9.0, 0.0]
