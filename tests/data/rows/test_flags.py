import numpy as np
import pandas as pd
import pytest

from incumbent.core import AnchorSet, Batch, Memory
from incumbent.data import flag_rows, row_keys
from incumbent.errors import DataError


def mixed(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "whole": rng.integers(0, 9, n),
            "yes": rng.random(n) < 0.5,
            "text": rng.choice(["a", "b", "c"], n),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, n), unit="D"),
        }
    )


def keys(*columns, **named):
    return row_keys(Batch(pd.DataFrame(dict(enumerate(columns)) | named)))


def test_keys_do_not_depend_on_row_order_index_or_column_order():
    frame, y = mixed(), np.arange(200) % 3
    order = np.random.default_rng(1).permutation(200)
    moved = Batch(frame.iloc[order, ::-1], y[order])
    np.testing.assert_array_equal(row_keys(moved), row_keys(Batch(frame, y))[order])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.Series([1, 2, 3]), pd.Series([1.0, 2.0, 3.0])),
        (pd.Series([1, 0, 1]), pd.Series([True, False, True])),
        (pd.Series([1, None, 3], dtype="Int64"), pd.Series([1.0, np.nan, 3.0])),
        (pd.Series([1, 2, 3], dtype=object), pd.Series([1, 2, 3])),
        (pd.Series([0.0, -0.0, 1.0]), pd.Series([0, 0, 1])),
        (pd.Series(["a", "b", "a"]), pd.Series(["a", "b", "a"], dtype="category")),
        (pd.Series(["a", "b", "a"]), pd.Series(["a", "b", "a"], dtype=object)),
        (pd.Series([3, 1, 3]), pd.Series([3, 1, 3], dtype="category")),
        (pd.Series(["a", None], dtype=object), pd.Series(["a", np.nan], dtype="category")),
        (pd.Series([np.nan, np.nan]), pd.Series([None, None], dtype=object)),
        (
            pd.Series(pd.to_datetime(["2024-05-01"]).as_unit("ns")),
            pd.Series(pd.to_datetime(["2024-05-01"]).as_unit("s")),
        ),
        (pd.Series([2**60 + 2**10]), pd.Series([2.0**60 + 2.0**10])),
    ],
)
def test_equal_content_has_equal_keys_whatever_type_holds_it(one, other):
    np.testing.assert_array_equal(keys(one), keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1.0], [1.0 + 1e-12]),
        ([2**60 + 1], [2**60 + 2]),
        (np.array([2**64 - 1], dtype=np.uint64), np.array([2**64 - 2], dtype=np.uint64)),
        (["a"], ["b"]),
        (["1"], [1]),
        ([None], ["None"]),
        ([0.0], [np.nan]),
        (pd.to_datetime(["2024-05-01"]), pd.to_datetime(["2024-05-02"])),
    ],
)
def test_different_content_has_different_keys(one, other):
    assert keys(one)[0] != keys(other)[0]


def test_values_that_change_columns_change_the_key():
    assert keys([1.0], [2.0])[0] != keys([2.0], [1.0])[0]
    assert keys(a=[1.0])[0] != keys(b=[1.0])[0]


def test_labels_count_only_where_asked():
    frame = pd.DataFrame({"a": [1.0, 1.0]})
    batch = Batch(frame, np.array([0, 1]))
    assert row_keys(batch)[0] != row_keys(batch)[1]
    assert row_keys(batch, labels=False)[0] == row_keys(batch, labels=False)[1]
    np.testing.assert_array_equal(row_keys(batch), row_keys(batch.replace(y=np.array([0.0, 1.0]))))


@pytest.mark.parametrize(
    "x",
    [
        np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]),
        np.array([["a", "b"], ["c", "d"], ["a", "b"]], dtype=object),
        np.array([[[1], [2]], [[3], [4]], [[1], [2]]]),
        ["first text", "second text", "first text"],
        [["a", "list"], ["b"], ["a", "list"]],
        {"image": np.array([[1.0], [2.0], [1.0]]), "text": ["a", "b", "a"]},
    ],
)
def test_arrays_texts_and_modalities_have_keys_too(x):
    found = row_keys(Batch(x))
    assert found.dtype == np.uint64 and found[0] == found[2] != found[1]


def test_no_two_of_a_hundred_thousand_different_rows_share_a_key():
    grid = np.stack(np.meshgrid(np.arange(100), np.arange(1_000)), axis=-1).reshape(-1, 2)
    assert len(np.unique(row_keys(Batch(grid)))) == len(grid)


def test_rows_that_cannot_be_told_apart_are_refused_in_one_sentence():
    class Rows:
        shape = (3, 2)

    with pytest.raises(DataError, match=r"Rows of a Rows cannot be compared; give x as a data frame"):
        row_keys(Batch(Rows()))


def test_every_copy_of_a_row_is_a_duplicate():
    batch = Batch(pd.DataFrame({"a": [1, 2, 1, 3, 1]}), np.array([0, 0, 0, 0, 1]))
    found = flag_rows(batch, memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.duplicate.tolist() == [True, False, True, False, False]


def test_rows_that_differ_only_in_their_label_contradict_each_other_and_so_do_their_copies():
    batch = Batch(pd.DataFrame({"a": [1, 1, 2, 2, 3, 1]}), np.array(["n", "y", "n", "n", "y", "n"]))
    found = flag_rows(batch, memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.contradictory.tolist() == [True, True, False, False, False, True]
    assert found.counts == {"duplicate": 4, "contradictory": 3, "known": 0, "leaked": 0}


def test_two_values_of_a_regression_target_are_no_contradiction():
    batch = Batch(pd.DataFrame({"a": [1, 1]}), np.array([0.5, 0.7]))
    found = flag_rows(batch, memory=Memory(), anchor=AnchorSet(), task="regression")
    assert found.can_hold_out.all()


def test_rows_in_memory_are_known_and_rows_in_the_anchor_set_are_leaked():
    batch = Batch(mixed(), np.arange(200) % 2)
    memory = Memory(rows=batch.take([3, 5]))
    anchor = AnchorSet(batch.take([7]).replace(y=np.array([1.0])))
    found = flag_rows(batch, memory=memory, anchor=anchor, task="classification")
    assert np.flatnonzero(found.known).tolist() == [3, 5]
    assert np.flatnonzero(found.leaked).tolist() == [7]
    assert np.flatnonzero(~found.can_hold_out).tolist() == [3, 5, 7]


def test_a_row_whose_label_has_changed_since_is_neither_known_nor_leaked():
    batch = Batch(mixed(), np.zeros(200, dtype=int))
    before = batch.replace(y=np.ones(200, dtype=int))
    found = flag_rows(batch, memory=Memory(rows=before), anchor=AnchorSet(before), task="classification")
    assert found.can_hold_out.all()


def test_rows_without_labels_can_be_examined():
    found = flag_rows(Batch(np.array([[1], [1], [2]])), memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.can_hold_out.tolist() == [False, False, True]


def test_an_empty_batch_has_no_findings():
    found = flag_rows(Batch(mixed().iloc[:0], np.array([])), memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.counts == {"duplicate": 0, "contradictory": 0, "known": 0, "leaked": 0}
