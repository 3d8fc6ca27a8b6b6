import numpy as np
import pandas as pd
import pytest

from incumbent.core import AnchorSet, Batch, Memory
from incumbent.data import flag_rows, split
from incumbent.errors import DataError, UsageError


def batch_of(n=1_000, seed=0, **columns):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.arange(n), "a": rng.normal(size=n)})
    return Batch(frame, rng.choice(["no", "yes", "maybe"], n, p=[0.7, 0.25, 0.05]), **columns)


def split_all(batch, task="classification", seed=0, can_hold_out=None, **options):
    can_hold_out = np.ones(len(batch), dtype=bool) if can_hold_out is None else can_hold_out
    return split(batch, task=task, can_hold_out=can_hold_out, seed=seed, **options)


def ids(batch, positions):
    return set(batch.x["id"].to_numpy()[positions].tolist())


def parts_of(parts):
    return parts.train, parts.select, parts.gate


def test_the_parts_cover_the_batch_once_with_the_shares_that_were_asked_for():
    parts = split_all(batch_of())
    assert [len(part) for part in parts_of(parts)] == [600, 150, 250]
    assert sorted(np.concatenate(parts_of(parts))) == list(range(1_000))
    assert parts.by == "class" and len(parts.left) == 0


@pytest.mark.parametrize("kind", ["class", "regression", "time", "group", "group and time", "coarse time"])
def test_the_same_content_and_seed_give_the_same_split_in_any_row_order(kind):
    rng = np.random.default_rng(5)
    time = np.datetime64("2024-01-01") + rng.integers(0, 300, 1_000) * np.timedelta64(1, "h")
    columns = {
        "time": {"time": time},
        "coarse time": {"time": time.astype("datetime64[Y]")},
        "group": {"group": rng.integers(0, 90, 1_000)},
        "group and time": {"group": rng.integers(0, 90, 1_000), "time": time},
    }
    task = "regression" if kind == "regression" else "classification"
    batch = batch_of(**columns.get(kind, {}))
    if kind == "regression":
        batch = batch.replace(y=rng.normal(size=1_000))
    holdable = rng.random(1_000) < 0.8
    one = split_all(batch, task=task, seed=3, can_hold_out=holdable)
    order = rng.permutation(1_000)
    other = split_all(batch.take(order), task=task, seed=3, can_hold_out=holdable[order])
    for name in ("train", "select", "gate", "left"):
        assert ids(batch, getattr(one, name)) == ids(batch.take(order), getattr(other, name)), name


def test_another_seed_gives_another_split():
    batch = batch_of()
    assert ids(batch, split_all(batch, seed=0).gate) != ids(batch, split_all(batch, seed=1).gate)


def test_every_class_gives_its_share_to_every_part():
    batch = batch_of()
    parts = split_all(batch)
    for name in ("no", "yes", "maybe"):
        count = np.count_nonzero(batch.y == name)
        for part, share in zip(parts_of(parts), (0.6, 0.15, 0.25), strict=True):
            assert abs(np.count_nonzero(batch.y[part] == name) - share * count) <= 2


def test_one_row_of_every_class_is_learned_from():
    y = np.array(["common"] * 195 + ["a", "b", "b", "c", "d"])
    for seed in range(20):
        parts = split_all(batch_of(200).replace(y=y), seed=seed)
        assert set(y[parts.train]) == set(y)


def test_rare_classes_are_not_always_on_the_same_side():
    y = np.array(["common"] * 194 + ["a", "a", "b", "b", "z", "z"])
    held = [set(y[split_all(batch_of(200).replace(y=y), seed=seed).gate]) for seed in range(60)]
    for name in ("a", "b", "z"):
        assert 3 < sum(name in part for part in held) < 57


def test_a_regression_is_split_by_chance():
    batch = batch_of().replace(y=np.linspace(0, 1, 1_000))
    parts = split_all(batch, task="regression")
    assert parts.by == "chance"
    assert [len(part) for part in parts_of(parts)] == [600, 150, 250]
    assert abs(batch.y[parts.gate].mean() - 0.5) < 0.06


def test_rows_that_may_not_be_held_out_are_learned_from():
    holdable = np.arange(1_000) % 3 > 0
    parts = split_all(batch_of(), can_hold_out=holdable)
    assert holdable[parts.select].all() and holdable[parts.gate].all()
    assert (len(parts.select), len(parts.gate)) == (150, 250)


def test_where_few_may_be_held_out_they_are_divided_in_proportion():
    holdable = np.arange(1_000) < 83
    parts = split_all(batch_of(), can_hold_out=holdable)
    assert (len(parts.select), len(parts.gate)) == (31, 52)  # 83 * 15/40 and 83 * 25/40


def test_no_copy_of_a_row_is_in_two_parts():
    rng = np.random.default_rng(0)
    batch = Batch(pd.DataFrame({"a": rng.integers(0, 300, 600)}), rng.integers(0, 2, 600))
    quality = flag_rows(batch, memory=Memory(), anchor=AnchorSet(), task="classification")
    assert 20 < quality.can_hold_out.sum() < 400
    parts = split_all(batch, can_hold_out=quality.can_hold_out)
    values = [set(batch.x["a"].to_numpy()[part].tolist()) for part in parts_of(parts)]
    assert not (values[0] & values[1] or values[0] & values[2] or values[1] & values[2])


# --------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("kind", ["dates", "numbers", "texts"])
def test_the_newest_rows_are_gated_and_no_moment_straddles_a_border(kind):
    moment = np.random.default_rng(0).integers(0, 120, 1_000)
    time = {
        "dates": np.datetime64("2024-01-01") + moment * np.timedelta64(1, "D"),
        "numbers": moment / 7,
        "texts": np.array([f"2024-{m:03d}" for m in moment], dtype=object),
    }[kind]
    parts = split_all(batch_of(time=time))
    assert parts.by == "time"
    assert time[parts.train].max() < time[parts.select].min()
    assert time[parts.select].max() < time[parts.gate].min()
    assert abs(len(parts.gate) - 250) <= 10 and abs(len(parts.select) - 150) <= 15


def test_within_each_part_rows_are_in_time_order_and_otherwise_in_batch_order():
    time = np.random.default_rng(0).permutation(1_000)
    for part in parts_of(split_all(batch_of(time=time))):
        assert (np.diff(time[part]) > 0).all()
    for part in parts_of(split_all(batch_of())):
        assert (np.diff(part) > 0).all()


def test_moments_too_coarse_to_order_the_rows_do_not_place_them():
    same_day = np.full(1_000, np.datetime64("2024-01-01"))
    two_days = np.where(np.arange(1_000) < 500, np.datetime64("2024-01-01"), np.datetime64("2024-01-02"))
    lopsided = np.r_[np.zeros(3), np.ones(3), np.full(994, 2.0)]
    for time in (same_day, two_days, lopsided):
        parts = split_all(batch_of(time=time))
        assert parts.by == "class"
        assert [len(part) for part in parts_of(parts)] == [600, 150, 250]


def test_rows_without_a_time_are_learned_from():
    time = np.datetime64("2024-01-01") + np.arange(1_000) * np.timedelta64(1, "h")
    time[990:] = np.datetime64("NaT")
    parts = split_all(batch_of(time=time))
    assert parts.by == "time" and set(range(990, 1_000)) <= set(parts.train.tolist())


# -------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize("timed", [False, True])
def test_no_group_is_in_two_parts(timed):
    rng = np.random.default_rng(0)
    group = rng.choice([f"customer {i}" for i in range(150)], 1_000)
    time = rng.integers(0, 500, 1_000) if timed else None
    parts = split_all(batch_of(group=group, time=time))
    names = [set(group[part].tolist()) for part in parts_of(parts)]
    assert not (names[0] & names[1] or names[0] & names[2] or names[1] & names[2])
    assert sum(map(len, parts_of(parts))) == 1_000
    assert abs(len(parts.gate) - 250) <= 10 and abs(len(parts.select) - 150) <= 15


def test_with_groups_and_time_the_groups_with_the_newest_rows_are_gated():
    group = np.repeat(np.arange(100), 10)
    time = np.tile(np.arange(10), 100) * 0.01 + group
    parts = split_all(batch_of(group=group, time=time))
    assert group[parts.gate].min() > group[parts.select].max() > group[parts.train].max()
    assert parts.by == "group and time"


def test_a_group_larger_than_the_gate_is_learned_from():
    group = np.r_[np.zeros(500, dtype=int), np.arange(1, 501)]
    for seed in range(10):
        parts = split_all(batch_of(group=group), seed=seed)
        assert 0 in group[parts.train]
        assert len(parts.gate) == 250


def test_rows_of_a_held_group_that_may_not_be_held_out_are_in_no_part():
    group = np.repeat(np.arange(100), 10)
    holdable = np.arange(1_000) % 10 > 0
    parts = split_all(batch_of(group=group), can_hold_out=holdable)
    held = set(group[parts.gate]) | set(group[parts.select])
    assert not held & set(group[parts.train])
    assert set(group[parts.left]) == held and not holdable[parts.left].any()
    assert sorted(np.concatenate([*parts_of(parts), parts.left])) == list(range(1_000))


@pytest.mark.parametrize("size", [[34, 33, 33], [400, 300, 300], [20, 1, 1], [5, 5, 90, 100]])
def test_a_few_large_groups_still_give_three_parts(size):
    group = np.repeat(np.arange(len(size)), size)
    parts = split_all(batch_of(len(group), group=group))
    assert all(len(part) for part in parts_of(parts))


def test_two_groups_cannot_make_three_parts():
    with pytest.raises(DataError, match="have 2 groups, and 2 of them"):
        split_all(batch_of(group=np.arange(1_000) % 2))


# -------------------------------------------------------------------------------------------------- errors


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(DataError, match=r"at least 20 rows .* 19 of the 500 new rows qualify. Add at least 1 row\."):
        split_all(batch_of(500), can_hold_out=np.arange(500) < 19)


def test_twenty_rows_are_enough():
    assert [len(part) for part in parts_of(split_all(batch_of(20)))] == [12, 3, 5]


def test_a_label_column_of_identifiers_is_named_as_the_cause():
    with pytest.raises(DataError, match="a class of its own"):
        split_all(batch_of(50).replace(y=np.arange(50)))


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (0.6, 0.4)])
def test_shares_that_mean_nothing_are_refused(shares):
    with pytest.raises(UsageError, match="add up to 1"):
        split_all(batch_of(), shares=shares)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(DataError, match="can_hold_out has 50 rows but the batch has 1000"):
        split_all(batch_of(), can_hold_out=np.ones(50, dtype=bool))
