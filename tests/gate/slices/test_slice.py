"""Slices: by condition or by column, fixed on known rows, and each held to its own tolerance."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import DataError, UsageError
from incumbent.evidence import gain
from incumbent.gate.slices import Slice, check_slices
from incumbent.metrics import AUC, F1, MAE, Accuracy

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "region": RNG.choice(["north", "south", "D'Arc"], 1000),
        "amount": np.where(RNG.random(1000) < 0.1, np.nan, RNG.lognormal(3, 2, 1000)),
        "age": RNG.integers(18, 90, 1000),
        "stars": RNG.integers(1, 4, 1000),
        "active": RNG.random(1000) < 0.3,
        "gap": pd.Series(RNG.choice(["a", None], 1000), dtype=object),
        "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(RNG.integers(0, 10**7, 1000), unit="s"),
        "local": (pd.Timestamp("2026-01-01") + pd.to_timedelta(RNG.random(1000) * 1e7, unit="s")).tz_localize(
            "Europe/Rome"
        ),
        "endless": np.where(RNG.random(1000) < 0.3, math.inf, RNG.normal(size=1000)),
        "same": 7.5,
        "none": np.nan,
        "first name": RNG.choice(["x", "y"], 1000),
    }
)


def counted(wins, losses, *, rows=1000, first=0, **more):
    """Pairs where the rows from `first` on are won, then lost."""
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[first : first + wins] = 1
    challenger[first + wins : first + wins + losses] = 1
    return PairedPredictions(y, Prediction(champion), Prediction(challenger), **more)


@pytest.mark.parametrize(
    "value",
    [
        Slice("region"),
        Slice('region == "north" and amount > 100'),
        Slice("`first name` == 'x'", 0.02, "named"),
        Slice("amount > 1", tolerance=0.0),
    ],
    ids=str,
)
def test_a_slice_prints_as_what_makes_it(value):
    assert eval(repr(value)) == value and hash(eval(repr(value))) == hash(value)


@pytest.mark.parametrize("column", list(ROWS))
def test_every_row_is_in_one_slice_of_a_column(column):
    masks = Slice(column).masks(ROWS)
    assert (np.sum(list(masks.values()), axis=0) == 1).all()
    assert all(Slice(text).masks(ROWS)[text].sum() == mask.sum() > 0 for text, mask in masks.items())


def test_a_number_is_cut_at_its_quartiles_and_missing_is_a_slice_of_its_own():
    masks = Slice("amount").masks(ROWS)
    assert list(masks)[-1] == "amount == None" and len(masks) == 5
    assert all(0.2 < mask.sum() / ROWS["amount"].notna().sum() < 0.3 for mask in list(masks.values())[:4])
    assert list(Slice("stars").masks(ROWS)) == ["stars == 1", "stars == 2", "stars == 3"]
    assert list(Slice("active").masks(ROWS)) == ["active == False", "active == True"]
    assert (
        list(Slice("region").masks(ROWS))[0] == 'region == "D\'Arc"' or "D'Arc" in list(Slice("region").masks(ROWS))[0]
    )


def test_quartiles_and_values_stay_those_of_the_known_rows():
    later = ROWS.assign(age=ROWS["age"] + 30, region=["west", *ROWS["region"][1:]])
    known = Slice("age").fixed(ROWS)
    assert list(Slice("age").masks(later, known=ROWS)) == [each.where for each in known]
    assert Slice("age").masks(later, known=ROWS)[known[0].where].sum() < 50
    masks = Slice("region").masks(later, known=ROWS)
    assert len(masks) == 3 and not any(mask[0] for mask in masks.values())


def test_a_fixed_slice_keeps_tolerance_and_name():
    fixed = Slice("stars", 0.03, "Stars").fixed(ROWS)
    assert fixed[0] == Slice("stars == 1", 0.03, "Stars: stars == 1") and fixed[0].fixed(ROWS) == (fixed[0],)
    assert list(Slice("age > 3", name="grown").masks(ROWS)) == ["grown"]


def test_a_column_of_names_makes_no_slices():
    with pytest.raises(UsageError, match="1,000 different values; a column makes at most 50"):
        Slice("id").fixed(pd.DataFrame({"id": [f"r{k}" for k in range(1000)]}))
    with pytest.raises(UsageError, match="Did you mean 'region'"):
        Slice("regoin").fixed(ROWS)
    with pytest.raises(UsageError, match="Did you mean 'region'"):
        Slice("regoin == 'x'").fixed(ROWS)


@pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf])
def test_a_tolerance_is_a_size(tolerance):
    with pytest.raises(UsageError, match="tolerance"):
        Slice("a", tolerance)


def test_naming_a_slice_imports_no_pandas():
    code = (
        "import sys; from incumbent.gate.slices import Slice; from incumbent.gate.budget import control\n"
        "Slice('a > 1 and b in [1, 2]'); control('fdr').record(True).level()\n"
        "assert not {'pandas', 'scipy', 'sklearn'} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------------------------- judged

HALVES = pd.DataFrame({"part": np.repeat(["a", "b"], [600, 400]), "number": np.arange(1000)})


def test_each_slice_is_judged_by_the_test_that_fits_its_rows():
    both = counted(3, 2, first=10)
    slices = [Slice('part == "a"', 0.02), Slice("number >= 600", 0.05, "late")]
    first, second = check_slices(slices, HALVES, both, Accuracy(), 0.05)
    alone = counted(3, 2, rows=600, first=10)
    assert first.interval == gain(alone, Accuracy(), alpha=0.05, margin=-0.02) and first.limit == -0.02
    assert first.holds and first.value == first.interval.lower > -0.02 and first.name == 'not worse where part == "a"'
    assert second.holds and second.name == "not worse on late" and second.interval.rows == 400
    assert first.text.startswith('not worse where part == "a": gain +0.17 points, at least -0.')
    assert "(limit: more than -2; paired mean, 600 rows, 95 %)" in first.text


def test_harm_in_one_slice_shows_though_the_whole_is_better():
    both = counted(100, 0)
    both.challenger.label[600:640] = 1
    assert gain(both, Accuracy(), alpha=0.05).lower > 0
    reasons = {reason.name: reason for reason in check_slices([Slice("part")], HALVES, both, Accuracy(), 0.05)}
    harmed = reasons['not worse where part == "b"']
    assert (
        harmed.violated
        and not harmed.holds
        and harmed.text.startswith('worse where part == "b": gain -10 points, at most')
    )
    assert reasons['not worse where part == "a"'].holds


def test_a_tolerance_of_its_own_decides():
    both = counted(0, 12, first=600)
    held = [check_slices([Slice('part == "b"', t)], HALVES, both, Accuracy(), 0.05)[0] for t in (0.01, 0.03, 0.1)]
    assert [(r.holds, r.violated) for r in held] == [(False, True), (False, False), (True, False)]


def test_a_slice_that_is_too_small_says_how_many_rows_it_needs():
    both = counted(40, 40, first=100)
    few, none = check_slices([Slice("number < 20"), Slice("number < 0")], HALVES, both, Accuracy(), 0.05)
    assert not few.holds and not few.violated and "rows of this slice would show it" in few.text
    assert (
        not none.holds
        and not none.violated
        and "the gain cannot be computed (limit" in none.text
        and "; about" in none.text
    )
    needed = int(none.text.split("about ")[1].split(" rows")[0].replace(",", ""))
    # with 8 % of the rows differing and no true gain, that many show a tolerance of one point four times in five
    counts = np.random.default_rng(0).multinomial(needed, [0.04, 0.04, 0.92], size=200)
    shown = [
        gain(counted(w, c, rows=needed), Accuracy(), alpha=0.05, margin=-0.01).lower > -0.01
        for w, c, _ in counts.tolist()
    ]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.09)
    enough = check_slices([Slice('part == "a"')], HALVES, counted(0, 4, rows=1000), Accuracy(), 0.05)[0]
    assert not enough.holds and "rows of this slice would show it" in enough.text


def test_without_room_no_number_of_rows_would_do():
    reason = check_slices([Slice('part == "b"', 0.0)], HALVES, counted(5, 5, first=700), Accuracy(), 0.05)[0]
    assert not reason.holds and not reason.violated and "allow a larger tolerance" in reason.text


def test_relative_losses_and_scores_of_the_whole_are_judged_too():
    rng = np.random.default_rng(1)
    y = rng.normal(size=1000)
    good, bad = Prediction(y + rng.normal(0, 1, 1000)), Prediction(y + rng.normal(0, 1.5, 1000))
    (reason,) = check_slices([Slice('part == "a"', 0.05)], HALVES, PairedPredictions(y, good, bad), MAE(), 0.05)
    assert (
        reason.violated and "% of the champion's mean loss" in reason.text and "(limit: more than -5 %;" in reason.text
    )
    label = (y > 0).astype(int)
    proba = 1 / (1 + np.exp(-(y + rng.normal(size=1000))))
    said = Prediction((proba > 0.5).astype(int), np.column_stack([1 - proba, proba]), np.array([0, 1]))
    both = PairedPredictions(label, said, said)
    for metric in (AUC(), F1()):
        assert all(r.holds for r in check_slices([Slice("part", 0.05)], HALVES, both, metric, 0.05)), metric
    (one_class,) = check_slices([Slice("up == True", 0.05)], HALVES.assign(up=label == 1), both, AUC(), 0.05)
    assert not one_class.holds and not one_class.violated and "cannot be computed" in one_class.text


def test_weights_blocks_order_and_clip_go_with_the_rows():
    rng = np.random.default_rng(2)
    y = rng.normal(size=1000)
    champion, challenger = (Prediction(y + rng.normal(size=1000)) for _ in range(2))
    block, weight = np.arange(1000) // 4, rng.random(1000)
    whole = PairedPredictions(y, champion, challenger, weight=weight, block=block, clip=2.0)
    part = PairedPredictions(
        y[:600],
        champion.take(range(600)),
        challenger.take(range(600)),
        "holdout",
        weight[:600],
        block[:600],
        False,
        2.0,
    )
    (reason,) = check_slices([Slice('part == "a"', 0.3)], HALVES, whole, MAE(), 0.05)
    assert reason.interval == gain(part, MAE(), alpha=0.05, margin=reason.limit) and "cluster" in reason.interval.test


def test_a_challenger_at_the_margin_passes_at_most_alpha_of_the_time():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"part": np.repeat(["a", "b"], 500)})
    passed = []
    for _ in range(200):
        d = rng.choice([1, -1, 0], p=[0.02, 0.05, 0.93], size=500)
        both = PairedPredictions(
            np.zeros(1000), *(Prediction(np.concatenate([v, np.zeros(500)])) for v in (d == 1, d == -1))
        )
        passed.append(check_slices([Slice('part == "a"', 0.03)], rows, both, Accuracy(), 0.1)[0].holds)
    assert np.mean(passed) <= 0.1 + 2.6 * math.sqrt(0.09 / 200)


def test_rows_that_do_not_pair_are_refused():
    with pytest.raises(DataError, match="x has 1000 rows but 900 were predicted"):
        check_slices([Slice("part")], HALVES, counted(1, 1, rows=900), Accuracy(), 0.05)
