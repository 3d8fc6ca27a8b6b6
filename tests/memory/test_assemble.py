import numpy as np
import pandas as pd
import pytest

from incumbent.core import Batch, Data, Memory, ReplayRows
from incumbent.errors import DataError, UsageError
from incumbent.memory import assemble, update_memory

DAY = np.timedelta64(1, "D")
START = np.datetime64("2024-01-01")


def numbered(start, stop, **columns):
    return Batch(np.arange(start, stop)[:, None], np.arange(start, stop) % 3, **columns)


def remembered(stop, **columns):
    return update_memory(Memory(), numbered(0, stop, **columns), seed=0)


def put(data, new, memory=None, seed=0):
    return assemble(data, new, Memory() if memory is None else memory, seed=seed)


def rows(batch):
    return batch.x[:, 0].tolist()


def test_without_instructions_only_the_new_rows_are_learned_from():
    assert rows(put(Data(), numbered(10, 15), remembered(10))) == [10, 11, 12, 13, 14]


def test_remembered_rows_come_before_new_ones():
    assert rows(put(Data(replay=ReplayRows()), numbered(10, 13), remembered(10))) == list(range(13))
    drawn = rows(put(Data(replay=ReplayRows(4)), numbered(10, 13), remembered(10)))
    assert len(drawn) == 7 and drawn == sorted(drawn) and drawn[-3:] == [10, 11, 12]


def test_a_balanced_replay_balances_the_old_rows():
    memory = update_memory(Memory(), Batch(np.zeros((100, 1)), np.repeat([0, 1], [95, 5])), seed=0)
    batch = put(Data(replay=ReplayRows(10, sample="balanced")), Batch(np.ones((2, 1)), np.array([0, 0])), memory)
    assert np.bincount(batch.y).tolist() == [7, 5]


def test_nothing_remembered_leaves_the_new_rows():
    assert rows(put(Data(replay=ReplayRows()), numbered(0, 3))) == [0, 1, 2]


def test_old_and_new_rows_are_put_in_time_order_where_both_have_it():
    memory = remembered(4, time=START + np.array([5, 0, 9, 1]) * DAY)
    new = numbered(4, 6, time=START + np.array([7, 2]) * DAY)
    batch = put(Data(replay=ReplayRows()), new, memory)
    assert rows(batch) == [1, 3, 5, 0, 4, 2] and (np.diff(batch.time) > 0 * DAY).all()
    assert rows(put(Data(replay=ReplayRows()), numbered(4, 6), memory)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("window", "kept"), [(4, [8, 9, 10, 11]), (1, [11]), (500, list(range(12)))])
def test_a_window_of_rows_keeps_the_newest(window, kept):
    assert rows(put(Data(replay=ReplayRows(), window=window), numbered(10, 12), remembered(10))) == kept


@pytest.mark.parametrize(
    ("window", "kept"),
    [("3d", [7, 8, 9]), ("72h", [7, 8, 9]), ("1w", list(range(3, 10))), ("1.5 d", [8, 9]), ("1min", [9])],
)
def test_a_window_of_time_keeps_what_is_newer(window, kept):
    assert rows(put(Data(window=window), numbered(0, 10, time=START + np.arange(10) * DAY))) == kept


def test_a_window_of_time_is_a_number_where_times_are_numbers():
    assert rows(put(Data(window="2.5"), numbered(0, 10, time=np.arange(10)))) == [7, 8, 9]


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_the_unit_in_which_dates_are_stored_does_not_matter(unit):
    time = (START + np.arange(10) * DAY).astype(f"datetime64[{unit}]")
    assert rows(put(Data(window="2d"), numbered(0, 10, time=time))) == [8, 9]


def test_dates_with_a_zone_are_times_too():
    time = np.array(list(pd.date_range("2024-01-01", periods=5, tz="Europe/Berlin")), dtype=object)
    assert rows(put(Data(window="2d"), numbered(0, 5, time=time))) == [3, 4]


def test_a_row_without_a_time_is_older_than_all_others():
    time = START + np.arange(4) * DAY
    time[2] = np.datetime64("NaT")
    batch = put(Data(half_life="1d"), numbered(0, 4, time=time))
    assert rows(batch) == [2, 0, 1, 3]
    np.testing.assert_allclose(batch.weight, [0, 1 / 8, 1 / 4, 1])
    assert rows(put(Data(window="99d"), numbered(0, 4, time=time))) == [0, 1, 3]


def test_weights_halve_with_every_half_life_in_rows():
    batch = put(Data(half_life=2), numbered(0, 5))
    np.testing.assert_allclose(batch.weight, [1 / 4, 2**-1.5, 1 / 2, 2**-0.5, 1])


def test_weights_halve_with_every_half_life_in_time_and_multiply_what_is_there():
    time = START + np.array([0, 8, 12]) * DAY
    batch = put(Data(half_life="4d"), numbered(0, 3, time=time, weight=np.array([8.0, 6.0, 5.0])))
    np.testing.assert_allclose(batch.weight, [8 / 8, 6 / 2, 5 / 1])


def test_remembered_rows_have_weight_one_before_they_age():
    batch = put(Data(replay=ReplayRows(), half_life=1), numbered(2, 4, weight=np.array([10.0, 20.0])), remembered(2))
    np.testing.assert_allclose(batch.weight, [1 / 8, 1 / 4, 10 / 2, 20])


def test_a_cap_limits_old_and_new_rows_together():
    drawn = rows(put(Data(replay=ReplayRows(), max_rows=30), numbered(100, 200), remembered(100)))
    assert len(drawn) == 30 and drawn == sorted(drawn) and drawn[0] < 100 <= drawn[-1]
    memory = update_memory(Memory(), Batch(np.zeros((90, 1)), np.repeat([0, 1], [80, 10])), seed=0)
    batch = put(
        Data(replay=ReplayRows(sample="balanced"), max_rows=30), Batch(np.ones((60, 1)), np.repeat([0, 2], 30)), memory
    )
    assert np.bincount(batch.y).tolist() == [10, 10, 10]


def test_the_same_seed_assembles_the_same_rows_and_leaves_memory_unchanged():
    memory, data = remembered(500), Data(replay=ReplayRows(50), max_rows=60)
    one, two, other = (rows(put(data, numbered(500, 540), memory, seed)) for seed in (1, 1, 2))
    assert one == two != other and len(memory) == 500


def test_frames_keep_their_types():
    def batch(*texts):
        return Batch(pd.DataFrame({"a": pd.Categorical(texts), "n": np.arange(len(texts))}), np.zeros(len(texts)))

    found = put(Data(replay=ReplayRows()), batch("z", "x"), update_memory(Memory(), batch("x", "y"), seed=0))
    assert found.x["a"].tolist() == ["x", "y", "z", "x"]
    assert isinstance(found.x["a"].dtype, pd.CategoricalDtype) and found.x["n"].dtype == np.int64


@pytest.mark.parametrize("data", [Data(window="30d"), Data(half_life="12h")])
def test_a_span_of_time_needs_times(data):
    with pytest.raises(DataError, match="is a span of time, but the rows have no times; name the time column"):
        put(data, numbered(0, 5))


def test_a_span_and_the_time_column_must_be_of_one_kind():
    with pytest.raises(DataError, match=r"window='30d' has a unit, but the times are numbers"):
        put(Data(window="30d"), numbered(0, 5, time=np.arange(5)))
    with pytest.raises(DataError, match=r"half_life='30' lacks a unit, and the times are dates; .* \"30d\""):
        put(Data(half_life="30"), numbered(0, 5, time=START + np.arange(5) * DAY))
    with pytest.raises(DataError, match="values that are not times"):
        put(Data(window="30d"), numbered(0, 2, time=np.array(["soon", "later"], dtype=object)))


@pytest.mark.parametrize(
    "data",
    [Data(window=0), Data(window=-3), Data(window="30y"), Data(window="soon"), Data(window="0d"), Data(half_life=0)]
    + [Data(half_life=-1.5), Data(max_rows=0), Data(replay=ReplayRows(-1))],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(data):
    with pytest.raises(UsageError):
        put(data, numbered(0, 5, time=START + np.arange(5) * DAY), remembered(5, time=START + np.arange(5) * DAY))
