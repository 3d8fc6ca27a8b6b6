import numpy as np
import pandas as pd
import pytest
from scipy import stats

from incumbent.core import Batch, Memory
from incumbent.errors import UsageError
from incumbent.memory import nbytes, reservoir_size, sample_memory, update_memory


def numbered(start, stop, y=None):
    return Batch(np.arange(start, stop)[:, None], y)


def history(sizes, seed, **limits):
    memory, start = Memory(), 0
    for size in sizes:
        memory = update_memory(memory, numbered(start, start + size), seed=seed, **limits)
        start += size
    return memory


# -------------------------------------------------------------------------------------------- the reservoir


def test_the_bound_grows_as_the_square_root_between_its_limits():
    assert [reservoir_size(n) for n in (1, 5_000, 45_000, 80_000, 10**9)] == [5_000, 5_000, 15_000, 20_000, 20_000]
    assert [reservoir_size(n, 10, 30) for n in (0, 40, 10**6)] == [10, 20, 30]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "low", "high"),
    [
        ([60], 12, 24),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 15], 12, 24),
        ([20, 1, 1, 1, 30, 7], 12, 24),
        ([5] * 12, 12, 12),
        ([15, 15, 15, 15], 4, 40),
    ],
)
def test_every_row_ever_seen_is_remembered_with_the_same_probability(sizes, low, high):
    runs, rows = 1_500, sum(sizes)
    kept, length = np.zeros(rows), np.zeros(runs)
    for seed in range(runs):
        memory = history(sizes, seed, low=low, high=high)
        kept[memory.rows.x[:, 0]] += 1
        length[seed] = len(memory)
    p = reservoir_size(rows, low, high) / rows
    # Rows are independent of each other, so the squared deviations add up to a chi-square with a degree for each row.
    statistic = np.sum((kept - runs * p) ** 2 / (runs * p * (1 - p)))
    assert 0.0005 < stats.chi2.sf(statistic, rows) < 0.9995
    for row in (0, rows - 1):
        assert stats.binomtest(int(kept[row]), runs, p).pvalue > 0.001
    assert abs(length.mean() - rows * p) < 4 * np.sqrt(rows * p * (1 - p) / runs)


@pytest.mark.slow
def test_every_image_is_remembered_with_the_same_probability_when_bytes_are_bounded():
    runs, rows = 10_000, 24
    images = np.zeros((rows, 4, 4), dtype=np.uint8) + np.arange(rows, dtype=np.uint8)[:, None, None]
    kept = np.zeros(rows)
    for seed in range(runs):
        memory = Memory()
        for batch in np.split(images, [9, 10, 20]):
            memory = update_memory(memory, Batch(batch), seed=seed, low=10, high=20, rare=0, max_bytes=6 * 16)
        kept[memory.rows.x[:, 0, 0]] += 1
    p = 6 / rows
    statistic = np.sum((kept - runs * p) ** 2 / (runs * p * (1 - p)))
    assert 0.0005 < stats.chi2.sf(statistic, rows) < 0.9995
    for row in (0, rows - 1):
        assert stats.binomtest(int(kept[row]), runs, p).pvalue > 0.001


def test_a_reservoir_that_prefers_late_rows_would_be_noticed():
    # The test above must be able to fail: this keeps a quarter of the old rows in each step, whenever they came.
    rng, runs, rows, kept = np.random.default_rng(0), 1_500, 60, np.zeros(60)
    for _ in range(runs):
        held = np.arange(0)
        for start in range(0, rows, 15):
            pool = np.r_[held, np.arange(start, start + 15)]
            held = pool[rng.random(len(pool)) < 0.6]
        kept[held] += 1
    p = kept.mean() / runs
    assert stats.chi2.sf(np.sum((kept - runs * p) ** 2 / (runs * p * (1 - p))), rows - 1) < 1e-6


def test_everything_is_remembered_up_to_the_lower_limit():
    memory = history([3_000, 2_000], 0)
    assert len(memory) == memory.seen == 5_000 and memory.threshold == 1.0


def test_the_size_stays_near_its_bound_however_long_the_history():
    memory = Memory()
    for day in range(60):
        memory = update_memory(memory, Batch(np.zeros((5_000, 1))), seed=0)
        if day in (3, 15, 59):
            limit = reservoir_size(memory.seen)
            assert abs(len(memory) - limit) < 5 * np.sqrt(limit)
    assert memory.seen == 300_000


def test_the_same_history_and_seed_give_the_same_memory_and_another_seed_another():
    one, two, other = (history([100, 50, 200], seed, low=50, high=80) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.rows.x, two.rows.x)
    np.testing.assert_array_equal(one.key, two.key)
    assert not np.array_equal(one.rows.x, other.rows.x)


def test_two_batches_of_the_same_update_seed_draw_different_keys():
    memory = history([100, 100], 0)
    assert not np.array_equal(memory.key[:100], memory.key[100:])


def test_rows_stay_in_order_of_arrival():
    assert (np.diff(history([100, 300, 50], 0, low=50, high=80).rows.x[:, 0]) > 0).all()


def test_the_rows_of_a_rare_class_with_the_smallest_keys_are_kept():
    rng, memory, everything = np.random.default_rng(0), Memory(), []
    for _ in range(20):
        y = np.where(rng.random(2_000) < 0.01, "fraud", "fine")
        full = update_memory(Memory(seen=memory.seen), Batch(np.zeros((2_000, 1)), y), seed=0, low=10**6, high=10**6)
        everything.append(full.key[y == "fraud"])
        memory = update_memory(memory, Batch(np.zeros((2_000, 1)), y), seed=0, low=500, high=1_000, rare=50)
    smallest = np.sort(np.concatenate(everything))[:50]
    np.testing.assert_array_equal(np.sort(memory.key[memory.rows.y == "fraud"])[:50], smallest)
    assert np.count_nonzero(memory.rows.y == "fraud") == 50  # a uniform sample would hold about ten
    assert (memory.key[memory.rows.y == "fine"] <= memory.threshold).all()


def test_many_classes_cannot_make_the_memory_large():
    y = np.arange(20_000) % 4_000
    memory = update_memory(Memory(), Batch(np.zeros((20_000, 1)), y), seed=0, low=100, high=100)
    assert len(memory) < 150
    few = update_memory(Memory(), Batch(np.zeros((20_000, 1)), y % 10), seed=0, low=100, high=100)
    assert (np.bincount(few.rows.y) >= 5).all() and len(few) < 200


def test_a_regression_has_no_rare_classes():
    y = np.random.default_rng(0).normal(size=1_000)
    memory = update_memory(Memory(), numbered(0, 1_000, y), seed=0, low=100, high=100)
    assert (memory.key <= memory.threshold).all()


def test_categories_that_a_column_gains_leave_it_categorical():
    def batch(*texts):
        return Batch(pd.DataFrame({"a": pd.Categorical(texts), "n": np.arange(len(texts))}))

    memory = update_memory(update_memory(Memory(), batch("x", "y"), seed=0), batch("z", "x"), seed=0)
    assert memory.rows.x["a"].dtype == pd.CategoricalDtype(["x", "y", "z"])
    assert memory.rows.x["a"].tolist() == ["x", "y", "z", "x"]


def test_time_group_and_weight_are_remembered_too():
    n = np.arange(10)
    memory = update_memory(Memory(), Batch(n[:, None], n, n * 0.5, time=n, group=n), seed=0)
    memory = update_memory(memory, Batch(n[:, None] + 10, n, n * 0.5, time=n + 10, group=n), seed=0)
    np.testing.assert_array_equal(memory.rows.time, np.arange(20))
    assert len(memory.rows.weight) == len(memory.rows.group) == 20


@pytest.mark.parametrize("limits", [{"low": 0}, {"low": 10, "high": 5}, {"rare": -1}])
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(UsageError, match="update_memory needs 1 <= low <= high"):
        update_memory(Memory(), numbered(0, 5), seed=0, **limits)


def test_rows_without_keys_are_refused():
    with pytest.raises(UsageError, match="rows without keys"):
        update_memory(Memory(rows=numbered(0, 5)), numbered(0, 5), seed=0)


# -------------------------------------------------------------------------------------------------- drawing


def test_drawing_takes_all_or_as_many_as_there_are():
    memory = history([100], 0)
    assert len(sample_memory(memory, None, sample="reservoir", seed=0)) == 100
    assert len(sample_memory(memory, 500, sample="balanced", seed=0)) == 100
    assert len(sample_memory(memory, 0, sample="reservoir", seed=0)) == 0
    assert len(sample_memory(Memory(), 10, sample="reservoir", seed=0)) == 0


def test_a_uniform_draw_has_distinct_rows_in_order_and_each_as_likely():
    memory, runs = history([40], 0), 2_000
    times = np.zeros(40)
    for seed in range(runs):
        rows = sample_memory(memory, 10, sample="reservoir", seed=seed).x[:, 0]
        assert len(rows) == 10 and (np.diff(rows) > 0).all()
        times[rows] += 1
    # Each run holds exactly ten of forty, which shrinks the variance by (1 - 1/4) and costs one degree of freedom.
    assert stats.chi2.sf(np.sum((times - runs / 4) ** 2) / (runs / 4 * 0.75) * 39 / 40, 39) > 0.001


@pytest.mark.parametrize(
    ("rows", "counts"),
    [(30, [10, 10, 10]), (90, [43, 42, 5]), (7, [2, 3, 2]), (300, [195, 100, 5]), (None, [200, 100, 5])],
)
def test_a_balanced_draw_takes_as_many_of_each_class_as_it_can(rows, counts):
    y = np.repeat([0, 1, 2], [200, 100, 5 if rows != 30 else 10])
    memory = update_memory(Memory(), numbered(0, len(y), y), seed=0)
    found = np.bincount(sample_memory(memory, rows, sample="balanced", seed=0).y)
    if rows in (7, 90):  # what does not divide evenly goes to classes by chance
        assert found.sum() == rows and sorted(abs(found - counts))[-1] <= 1
    else:
        assert found.tolist() == counts


def test_the_same_seed_draws_the_same_rows():
    memory = history([100], 0)
    one, two, other = (sample_memory(memory, 20, sample="reservoir", seed=seed).x for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_numbers_cannot_be_balanced():
    memory = update_memory(Memory(), numbered(0, 9, np.linspace(0, 1, 9)), seed=0)
    with pytest.raises(UsageError, match='"balanced" needs classes'):
        sample_memory(memory, 3, sample="balanced", seed=0)


@pytest.mark.parametrize(("rows", "sample"), [(-1, "reservoir"), (3, "best")])
def test_a_draw_that_means_nothing_is_refused(rows, sample):
    with pytest.raises(UsageError):
        sample_memory(history([9], 0), rows, sample=sample, seed=0)


def test_a_memory_is_countable_in_bytes():
    text = Batch(["a" * 100] * 10, np.zeros(10))
    assert nbytes(Memory()) == 0
    assert nbytes(Memory(rows=text, key=np.zeros(10), importance={"w": np.zeros(4)})) > 1_000 + 80 + 80 + 32
    frame = Batch(pd.DataFrame({"a": np.zeros(10), "b": np.zeros(10, dtype=np.int8)}))
    assert nbytes(Memory(rows=frame)) == 90
    assert nbytes(Memory(rows=Batch({"one": np.zeros((10, 1)), "two": np.zeros((10, 2))}))) == 240


# ---------------------------------------------------------------------------------------------- arrays


def images(rows, seed=0, shape=(8, 8, 3)):
    return np.random.default_rng(seed).integers(0, 256, size=(rows, *shape), dtype=np.uint8)


def test_images_stay_bytes_and_stay_within_their_bytes():
    memory, room = Memory(), 100 * 192
    for day in range(8):
        y = np.where(np.arange(500) % 100 == 0, "rare", "usual")
        memory = update_memory(memory, Batch({"image": images(500, day)}, y), seed=0, max_bytes=room)
    assert memory.rows.x["image"].dtype == np.uint8 and memory.seen == 4_000
    assert memory.rows.x["image"].nbytes <= room + 5 * 192 * np.sqrt(66)  # met on average, as the bound in rows is
    assert (memory.rows.y == "rare").sum() >= 16  # half as many as the others at most, both classes together
    assert 0.3 < update_memory(Memory(), Batch(images(200)), seed=0, rare=0, max_bytes=room).threshold <= 0.5


def test_one_row_that_is_too_large_is_still_remembered():
    memory = update_memory(Memory(), Batch(images(40)), seed=0, max_bytes=1)
    assert len(memory) >= 0 and memory.threshold == 1 / 40


def test_arrays_are_drawn_balanced_by_class():
    memory = update_memory(Memory(), Batch({"image": images(100)}, np.repeat([0, 1], [90, 10])), seed=0)
    rows = sample_memory(memory, 20, sample="balanced", seed=0)
    assert np.bincount(rows.y).tolist() == [10, 10] and rows.x["image"].shape == (20, 8, 8, 3)
