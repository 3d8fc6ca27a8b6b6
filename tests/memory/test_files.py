"""A memory comes back from its files exactly as it was."""

import json

import numpy as np
import pandas as pd
import pytest

from incumbent.core import Batch, Memory
from incumbent.errors import DataError
from incumbent.memory import load_memory, save_memory, update_memory


def numbered(start, stop):
    return Batch(np.arange(start, stop)[:, None])


def images(rows, seed=0, shape=(8, 8, 3)):
    return np.random.default_rng(seed).integers(0, 256, size=(rows, *shape), dtype=np.uint8)


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one.reset_index(drop=True), other, check_categorical=True)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_several_labels_a_row_have_no_rare_classes_and_come_back(tmp_path):
    y = (np.random.default_rng(0).random((50, 3)) < 0.5).astype(np.int64)
    memory = update_memory(Memory(), Batch(images(50), y), seed=0, low=20, high=20)
    save_memory(memory, tmp_path)
    assert_same(memory.rows.y, load_memory(tmp_path).rows.y)


def test_images_are_stored_as_their_bytes(tmp_path):
    memory = update_memory(Memory(), Batch(images(300)), seed=0)
    save_memory(memory, tmp_path)
    assert (tmp_path / "memory.parquet").stat().st_size < 300 * 192 * 1.1 + 10_000


def every_type():
    return pd.DataFrame(
        {
            "float": [0.1, np.nan, -np.inf],
            "small": np.array([1, 2, 3], dtype=np.int8),
            "large": [2**62 + 1, -5, 0],
            "unsigned": np.array([2**64 - 1, 0, 1], dtype=np.uint64),
            "single": np.array([0.1, 0.2, 0.3], dtype=np.float32),
            "bool": [True, False, True],
            "text": ["a", None, "ü"],
            "object": pd.Series(["a", "b", "c"], dtype=object),
            "object none": pd.Series(["a", None, "c"], dtype=object),
            "object nan": pd.Series(["a", np.nan, "c"], dtype=object),
            "object numbers": pd.Series([1, None, 3], dtype=object),
            "category": pd.Categorical(["x", None, "y"], categories=["z", "y", "x", "never seen"]),
            "ordered": pd.Categorical([3, 1, 3], categories=[3, 2, 1], ordered=True),
            "nullable": pd.Series([2**62 + 1, None, 3], dtype="Int64"),
            "nullable bool": pd.Series([True, None, False], dtype="boolean"),
            "seconds": pd.Series(pd.to_datetime(["2024-01-01", None, "1900-01-01"])).astype("datetime64[s]"),
            "nanoseconds": pd.Series(pd.to_datetime([1, 2, 3], unit="ns")).astype("datetime64[ns]"),
            "zone": pd.Series(pd.to_datetime(["2024-01-01", None, "2024-07-01"])).dt.tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta([1, 2, 3], unit="s"),
            "y": [1, 2, 3],  # names that the file keeps for itself are free to use
            "key": [1, 2, 3],
            "x/0/float": [1, 2, 3],
        }
    )


@pytest.mark.parametrize(
    "x",
    [
        every_type(),
        every_type().iloc[[2, 0, 1]],
        every_type().iloc[:0],
        pd.DataFrame(np.arange(6.0).reshape(3, 2)),
        pd.DataFrame({7: [1.0], "7": ["a"]}),
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(24).reshape(3, 2, 4),
        np.arange(24.0).reshape(4, 3, 2).transpose(1, 0, 2),
        np.zeros((3, 0)),
        np.zeros((0, 4, 4), dtype=np.uint8),
        np.array([[[True], [False]]] * 3),
        np.arange(6, dtype=">f4").reshape(3, 2),
        np.array([["a", "b"], ["cc", "d"]]),
        np.array([["a", 1.0], ["b", 2.0]], dtype=object),
        ["one text", "another ü", ""],
        {"table": every_type(), "text": ["a", "b", "c"], "image": np.zeros((3, 2, 2), dtype=np.uint8)},
    ],
    ids=lambda x: type(x).__name__,
)
def test_rows_come_back_exactly_as_they_were(x, tmp_path):
    rows = Batch(x)
    save_memory(Memory(rows=rows, key=np.linspace(0, 1, len(rows))), tmp_path / "memory")
    assert_same(x, load_memory(tmp_path / "memory").rows.x)


@pytest.mark.parametrize(
    "y",
    [
        np.array([0, 1, 2]),
        np.array([0.5, np.nan, 1 / 3]),
        np.array([True, False, True]),
        np.array(["a", "bb", "ccc"]),
        np.array(["a", "bb", "ccc"], dtype=object),
        np.array([1, 2, 3], dtype=np.uint8),
    ],
    ids=lambda y: str(y.dtype),
)
def test_labels_and_all_that_belongs_to_them_come_back_exactly(y, tmp_path):
    rows = Batch(
        np.zeros((3, 1)),
        y,
        weight=np.array([1.0, 0.1, 3.0]),
        soft=np.random.default_rng(0).random((3, 4)),
        time=np.array(["2024-01-01", "NaT", "2024-01-03T01:02:03.000000001"], dtype="datetime64[ns]"),
        group=np.array(["g", "h", "g"], dtype=object),
    )
    importance = {"coef": np.random.default_rng(1).random((2, 3)), "file": np.array(2.0), "a/b": np.zeros(0)}
    before = Memory(rows, np.array([0.1, 0.2, 1 / 3]), 1 / 3, 12_345, importance)
    save_memory(before, tmp_path)
    after = load_memory(tmp_path)
    for name in ("y", "weight", "soft", "time", "group"):
        assert_same(getattr(rows, name), getattr(after.rows, name))
    assert_same(before.key, after.key)
    assert_same(importance, after.importance)
    assert (after.threshold, after.seen) == (1 / 3, 12_345)


def test_an_empty_memory_comes_back_empty(tmp_path):
    save_memory(Memory(), tmp_path)
    assert load_memory(tmp_path).rows is None and load_memory(tmp_path).threshold == 1.0


def test_a_memory_that_was_read_goes_on_as_the_one_that_was_written(tmp_path):
    memory = update_memory(Memory(), numbered(0, 180), seed=0, low=50, high=90)
    save_memory(memory, tmp_path)
    one, two = (update_memory(m, numbered(180, 250), seed=1, low=50, high=90) for m in (memory, load_memory(tmp_path)))
    np.testing.assert_array_equal(one.rows.x, two.rows.x)


def test_a_column_of_several_kinds_is_refused_by_name(tmp_path):
    rows = Batch(pd.DataFrame({"mixed": pd.Series([1, "a"], dtype=object)}))
    with pytest.raises(DataError, match=r"Column x/0/mixed holds values that a table cannot store"):
        save_memory(Memory(rows=rows, key=np.zeros(2)), tmp_path)


@pytest.mark.parametrize("name", ["memory.json", "memory.parquet", "importance.npz"])
@pytest.mark.parametrize("how", ["missing", "cut", "other"])
def test_missing_and_damaged_files_are_named(name, how, tmp_path):
    save_memory(
        update_memory(Memory(), numbered(0, 50), seed=0).replace(importance={"coef": np.arange(50.0)}), tmp_path
    )
    path = tmp_path / name
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-30] if how == "cut" else b"nonsense")
    with pytest.raises(DataError, match=r"memory\.json or another file in its folder is missing or damaged"):
        load_memory(tmp_path)


def test_a_later_format_asks_for_an_update(tmp_path):
    save_memory(Memory(), tmp_path)
    about = json.loads((tmp_path / "memory.json").read_text())
    (tmp_path / "memory.json").write_text(json.dumps(about | {"format": 3}))
    with pytest.raises(DataError, match="has format 3, and this version reads up to 2; update incumbent"):
        load_memory(tmp_path)
