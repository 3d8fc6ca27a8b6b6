import numpy as np
import pandas as pd
import pytest
from scipy import stats

from incumbent.core import AnchorSet, Batch
from incumbent.data import row_keys
from incumbent.errors import DataError, UsageError
from incumbent.memory import add_to_anchor_set, anchor_split, load_anchor, merge_use_counts, record_use, save_anchor


def numbered(start, stop):
    return Batch(pd.DataFrame({"id": np.arange(start, stop)}), np.arange(start, stop) % 2)


def ids(rows):
    return set() if rows is None or not len(rows) else set(rows.x["id"].tolist())


def test_offered_rows_are_divided_by_the_share():
    anchor, free = add_to_anchor_set(AnchorSet(), numbered(0, 4_000), seed=0)
    assert ids(anchor.rows) | ids(free) == set(range(4_000)) and not ids(anchor.rows) & ids(free)
    assert abs(len(anchor) - 2_000) < 5 * np.sqrt(1_000)
    assert anchor.use_counts.tolist() == [0] * len(anchor) and anchor.seen == 4_000


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 100)])
def test_a_share_of_none_or_all_is_exact(share, kept):
    anchor, free = add_to_anchor_set(AnchorSet(), numbered(0, 100), seed=0, share=share)
    assert (len(anchor), len(free)) == (kept, 100 - kept)


def test_over_many_updates_a_row_is_in_the_anchor_set_or_free_and_never_both():
    anchor, learned = AnchorSet(), set()
    for step in range(20):
        anchor, free = add_to_anchor_set(anchor, numbered(100 * step, 100 * step + 100), seed=step, high=300)
        learned |= ids(free)
        assert len(anchor) <= 300
        assert not ids(anchor.rows) & learned
        assert ids(anchor.rows) | learned == set(range(100 * step + 100))
    assert len(anchor) == 300


@pytest.mark.slow
def test_every_row_ever_admitted_stays_with_the_same_probability():
    runs, kept = 250, np.zeros(120)
    for run in range(runs):
        anchor = AnchorSet()
        for start, stop in ((0, 10), (10, 60), (60, 61), (61, 120)):
            batch = numbered(start, stop)
            # Other content in each run, since it is the content that draws.
            batch = batch.replace(x=batch.x.assign(run=run))
            anchor, _ = add_to_anchor_set(anchor, batch, seed=0, high=30, share=1.0)
        assert len(anchor) == 30
        kept[anchor.rows.x["id"]] += 1
    # Exactly 30 of 120 stay in each run: the variance of each count is runs * p * (1 - p), less one degree of freedom.
    p = 30 / 120
    statistic = np.sum((kept - runs * p) ** 2 / (runs * p * (1 - p))) * 119 / 120
    assert 0.001 < stats.chi2.sf(statistic, 119) < 0.999
    assert stats.binomtest(int(kept[0]), runs, p).pvalue > 0.001
    assert stats.binomtest(int(kept[-1]), runs, p).pvalue > 0.001


def test_rows_that_make_room_are_free_and_keep_nothing_of_their_uses():
    before, _ = add_to_anchor_set(AnchorSet(), numbered(0, 100), seed=0, high=50, share=1.0)
    after, free = add_to_anchor_set(before, numbered(100, 200), seed=0, high=50, share=1.0)
    moved = ids(before.rows) - ids(after.rows)
    assert moved and moved <= ids(free)
    assert after.seen == 200


def test_uses_stay_with_their_rows():
    before, _ = add_to_anchor_set(AnchorSet(), numbered(0, 100), seed=0, high=80, share=1.0)
    used = dict(zip(before.rows.x["id"], range(len(before)), strict=True))
    before = AnchorSet(before.rows, np.arange(len(before)), before.seen)
    after, _ = add_to_anchor_set(before, numbered(100, 160), seed=0, high=80, share=1.0)
    assert after.use_counts.tolist() == [used.get(row, 0) for row in after.rows.x["id"]]


@pytest.mark.parametrize("high", [5, 50, 5_000])
def test_equal_rows_go_the_same_way(high):
    twice = Batch.join([numbered(0, 100), numbered(0, 100)])
    anchor, free = add_to_anchor_set(AnchorSet(), twice, seed=0, high=high)
    assert not ids(anchor.rows) & ids(free)
    assert len(anchor) <= high and len(anchor) + len(free) == 200


def test_a_row_that_equals_an_anchor_row_is_never_free_whatever_the_seed():
    anchor, _ = add_to_anchor_set(AnchorSet(), numbered(0, 200), seed=0)
    for seed in range(5):
        after, free = add_to_anchor_set(anchor, numbered(0, 200), seed=seed)
        assert ids(anchor.rows) <= ids(after.rows) and len(after) == len(ids(after.rows))
        assert ids(free) == set(range(200)) - ids(after.rows)


def test_a_row_order_changes_nothing_about_who_is_admitted():
    batch = numbered(0, 500)
    order = np.random.default_rng(0).permutation(500)
    one, other = (add_to_anchor_set(AnchorSet(), rows, seed=3, high=100)[0] for rows in (batch, batch.take(order)))
    assert ids(one.rows) == ids(other.rows)


@pytest.mark.parametrize("options", [{"high": 0}, {"share": 1.5}, {"max_bytes": 0}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(UsageError, match="add_to_anchor_set needs high >= 1, max_bytes >= 1 and 0 <= share <= 1"):
        add_to_anchor_set(AnchorSet(), numbered(0, 9), seed=0, **options)


def test_a_quarter_of_the_anchor_rows_chooses_and_the_rest_judges_and_no_row_changes_sides():
    anchor, sides = AnchorSet(), {}
    for step in range(10):
        anchor, _ = add_to_anchor_set(anchor, numbered(1_000 * step, 1_000 * step + 1_000), seed=step, high=1_500)
        select, gate = anchor_split(anchor)
        assert sorted(np.r_[select, gate]) == list(range(len(anchor)))
        for side, rows in (("select", select), ("gate", gate)):
            for row in anchor.rows.x["id"].to_numpy()[rows].tolist():
                assert sides.setdefault(row, side) == side
    assert abs(len(select) - 375) < 5 * np.sqrt(1_500 * 0.25 * 0.75)


def test_the_choices_of_an_anchor_row_are_independent_of_each_other():
    # Were they made with the same random number, the smaller half of the numbers would hold the whole quarter.
    anchor, _ = add_to_anchor_set(AnchorSet(), numbered(0, 10_000), seed=0, share=0.5, high=2_500)
    select, _ = anchor_split(anchor)
    assert abs(len(select) / len(anchor) - 0.25) < 0.05


def test_an_empty_anchor_set_splits_into_nothing():
    assert [len(part) for part in anchor_split(AnchorSet())] == [0, 0]


def test_spending_counts_uses_and_leaves_the_set_before_unchanged():
    before = AnchorSet(numbered(0, 4), np.array([0, 1, 2, 3]))
    after = record_use(record_use(before, np.array([1, 3])), np.array([1]))
    assert after.use_counts.tolist() == [0, 3, 2, 4] and before.use_counts.tolist() == [0, 1, 2, 3]
    assert (before.next_use, after.next_use) == (2, 3)


def test_an_anchor_set_takes_the_names_of_0_1():
    with pytest.warns(DeprecationWarning, match="use_counts"):
        anchor = AnchorSet(Batch(np.zeros((2, 1))), used=np.array([1, 1]))
    with pytest.warns(DeprecationWarning, match="next_use"):
        assert anchor.use == 2


def test_a_rollback_gives_no_uses_back():
    restored = AnchorSet(numbered(0, 4), np.array([1, 1, 1, 5]), 4)
    current = AnchorSet(numbered(2, 6).take([3, 2, 1, 0]), np.array([9, 8, 4, 6]), 6)
    assert merge_use_counts(restored, current).use_counts.tolist() == [1, 1, 6, 5]
    assert merge_use_counts(restored, AnchorSet()).use_counts.tolist() == [1, 1, 1, 5]
    assert merge_use_counts(AnchorSet(), current).rows is None


def test_an_anchor_set_comes_back_exactly_as_it_was(tmp_path):
    rows = Batch(
        pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["b", "a", "z"]), "used": [1, 2]}),
        np.array(["no", "yes"]),
        time=np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[us]"),
    )
    save_anchor(AnchorSet(rows, np.array([2, 0]), 7), tmp_path / "anchor")
    again = load_anchor(tmp_path / "anchor")
    pd.testing.assert_frame_equal(again.rows.x, rows.x)
    assert again.rows.y.tolist() == ["no", "yes"] and again.use_counts.dtype == np.int64
    assert (again.use_counts.tolist(), again.seen) == ([2, 0], 7)
    np.testing.assert_array_equal(row_keys(again.rows), row_keys(rows))


def test_an_empty_anchor_set_comes_back_empty(tmp_path):
    save_anchor(AnchorSet(seen=3), tmp_path)
    assert load_anchor(tmp_path).rows is None and load_anchor(tmp_path).seen == 3


def test_a_damaged_anchor_set_is_named(tmp_path):
    save_anchor(AnchorSet(numbered(0, 4), np.zeros(4, dtype=int)), tmp_path)
    (tmp_path / "anchor.parquet").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"anchor\.json or another file in its folder is missing or damaged"):
        load_anchor(tmp_path)


def test_large_rows_lower_how_many_the_set_holds_and_stay_bytes(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, size=(2_000, 8, 8), dtype=np.uint8)
    anchor = AnchorSet()
    for part in np.split(x, 4):
        anchor, free = add_to_anchor_set(
            anchor, Batch({"image": part}, np.zeros(500, dtype=int)), seed=0, max_bytes=64 * 200
        )
    assert len(anchor) == 200 and anchor.rows.x["image"].dtype == np.uint8 and isinstance(free.x["image"], np.ndarray)
    save_anchor(anchor, tmp_path)
    again = load_anchor(tmp_path)
    np.testing.assert_array_equal(again.rows.x["image"], anchor.rows.x["image"])
    assert again.rows.x["image"].dtype == np.uint8 and again.use_counts.tolist() == anchor.use_counts.tolist()
