"""Sums over rows: added, merged and subtracted, and without any rounding where the features lie on a grid."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context

import numpy as np
import pytest

from incumbent.errors import DataError
from incumbent.models.exact import RandomReLU, Statistics, gather

GRID = RandomReLU.grid.step

NAMES = np.array(["ant", "bee", "cow", "dog", "eel", "fox"])


def rows(n=1200, d=12, classes=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, NAMES[rng.integers(classes, size=n)]


def lifted(width=150, n=1200):
    x, y = rows(n)
    return RandomReLU(width).fit(x).transform(x), y


def same(one: Statistics, two: Statistics) -> bool:
    """Whether two statistics agree to the last bit."""
    parts, others = one.to_arrays(), two.to_arrays()
    return parts.keys() == others.keys() and all(np.array_equal(parts[name], others[name]) for name in parts)


def part(x, y, at):
    return gather([(x[at], y[at], None)], grid=RandomReLU.grid)


def test_the_sums_are_those_that_the_formulas_name():
    x, y = rows(300)
    found, hot = gather([(x, y, None)]), (y[:, None] == NAMES).astype(float)
    np.testing.assert_allclose(np.triu(found.gram), np.triu(x.T @ x), rtol=1e-12)
    np.testing.assert_allclose(found.cross, x.T @ hot, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.total, x.sum(axis=0), rtol=1e-12)
    assert found.count.tolist() == hot.sum(axis=0).tolist() and found.rows == 300


@pytest.mark.parametrize("size", [1, 7, 100, 1200])
def test_blocks_make_no_difference_to_the_last_bit(size):
    x, y = lifted()
    blocks = [(x[i : i + size], y[i : i + size], None) for i in range(0, len(x), size)]
    assert same(gather(blocks, grid=RandomReLU.grid), part(x, y, slice(None)))


def test_a_row_of_weight_four_counts_as_four_rows_to_the_last_bit():
    x, y = lifted()
    weight = np.r_[np.full(600, 4.0), np.ones(600)]
    first, second = part(x, y, slice(0, 600)), part(x, y, slice(600, None))
    heavier = gather([(x, y, weight)], grid=RandomReLU.grid)
    assert same(heavier, first + first + first + first + second)


def test_single_precision_products_equal_those_in_double_precision_to_the_last_bit():
    x, y = lifted()
    assert same(part(x, y, slice(None)), gather([(x.astype(np.float64), y, None)]))


def test_a_block_too_large_for_single_precision_is_summed_in_double_precision():
    x, y = np.full((3000, 3), 255 * GRID, dtype=np.float32), np.zeros(3000, dtype=int)  # 195 million steps squared
    assert gather([(x, y, None)], grid=RandomReLU.grid).gram[0, 0] == 3000 * (255 * GRID) ** 2


def test_features_off_any_grid_are_summed_in_double_precision():
    x, y = rows(3000)
    single = x.astype(np.float32)
    np.testing.assert_allclose(
        gather([(single, y, None)]).gram, np.triu(single.astype(float).T @ single.astype(float)), rtol=1e-12, atol=1e-10
    )


@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up_to_the_whole_in_any_order_with_classes_arriving_in_any_order(seed):
    x, y = lifted()
    whole = part(x, y, slice(None))
    sessions = np.random.default_rng(seed).permutation(NAMES)
    found = part(x, y, y == sessions[0])
    for label in sessions[1:]:
        found = found + part(x, y, y == label)
    assert same(found, whole)
    assert found.classes.tolist() == NAMES.tolist()


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="this system cannot fork")
def test_statistics_gathered_by_worker_processes_merge_to_those_of_one():
    x, y = lifted()
    shares = np.array_split(np.random.default_rng(1).permutation(len(x)), 3)
    with ProcessPoolExecutor(2, get_context("fork")) as workers:  # quicker to start than the others
        found = list(workers.map(part, [x] * 3, [y] * 3, shares))
    assert same(found[2] + found[0] + found[1], part(x, y, slice(None)))


def test_rows_that_are_forgotten_leave_no_trace():
    x, y = lifted()
    whole = part(x, y, slice(None))
    gone = np.random.default_rng(2).choice(len(x), 100, replace=False)
    kept = np.setdiff1d(np.arange(len(x)), gone)
    assert same(whole.forget(part(x, y, gone)), part(x, y, kept))


def test_a_class_without_rows_is_gone():
    x, y = lifted()
    left = part(x, y, slice(None)).forget(part(x, y, y == "cow"))
    assert same(left, part(x, y, y != "cow"))
    assert "cow" not in left.classes


def test_a_weight_counts_as_that_many_rows():
    x, y = rows(200)
    weight = np.random.default_rng(0).integers(1, 4, size=200).astype(float)
    weighed = gather([(x, y, weight)])
    repeated = gather([(np.repeat(x, weight.astype(int), axis=0), np.repeat(y, weight.astype(int)), None)])
    for name, value in weighed.to_arrays().items():
        if name != "classes":
            np.testing.assert_allclose(value, repeated.to_arrays()[name], rtol=1e-12, atol=1e-12)


def test_numeric_targets_have_one_column():
    x, _ = rows(200)
    y = x @ np.arange(12.0)
    halves = [gather([(x[at], y[at], None)], classification=False) for at in (slice(0, 50), slice(50, 200))]
    found = halves[0] + halves[1]
    np.testing.assert_allclose(found.cross[:, 0], x.T @ y, rtol=1e-12)
    assert found.classes is None and found.square == pytest.approx((y**2).sum())


def test_what_is_stored_as_arrays_is_read_to_the_last_bit():
    whole = part(*lifted(), slice(None))
    again = Statistics.from_arrays(whole.to_arrays())
    assert same(again, whole) and same(again + whole, whole + whole)


def test_rows_that_were_never_learned_cannot_be_forgotten():
    x, y = lifted()
    few = part(x, y, slice(0, 50))
    with pytest.raises(DataError, match="only 50 with"):
        few.forget(part(x, y, slice(None)))
    with pytest.raises(DataError, match="the classes zebra"):
        few.forget(gather([(x[:1], np.array(["zebra"]), None)], grid=RandomReLU.grid))
    with pytest.raises(DataError, match="below zero"):
        part(x, y, y == "ant").forget(gather([(4 * x[:40] + 100, np.full(40, "ant"), None)]))


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_what_would_spoil_every_sum_is_refused(spoilt):
    x, y = rows(20)
    x[3, 2] = spoilt
    with pytest.raises(DataError, match="feature is missing or infinite"):
        gather([(x, y, None)])
    with pytest.raises(DataError, match="target value is missing or infinite"):
        gather([(np.ones((2, 1)), np.array([1.0, spoilt]), None)], classification=False)


def test_statistics_of_other_features_do_not_add_up():
    x, y = rows(20)
    with pytest.raises(DataError, match="12 features"):
        gather([(x, y, None)]) + gather([(x[:, :5], y, None)])
    with pytest.raises(DataError, match="numeric target"):
        gather([(x, y, None)]) + gather([(x, np.ones(20), None)], classification=False)
    with pytest.raises(DataError, match="no rows"):
        gather([])
