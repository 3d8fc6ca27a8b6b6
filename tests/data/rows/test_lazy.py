import numpy as np
import pandas as pd
import pytest

from incumbent.core import AnchorSet, Batch, Memory
from incumbent.data import LazyRows, as_lazy, blocks, flag_rows, materialize, row_bytes, row_keys, split
from incumbent.memory import add_to_anchor_set, assemble, update_memory


class Counted:
    """A source that counts the rows that are read of it, and the most at once."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype
        self.read = self.most = 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, at):
        self.read += len(at)
        self.most = max(self.most, len(at))
        return self.rows[at]


def images(rows, seed=0, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, size=(rows, *shape), dtype=np.uint8)


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "x.npy", images(200))
    return np.load(tmp_path / "x.npy", mmap_mode="r")


# ---------------------------------------------------------------------------------------- like an array


@pytest.mark.parametrize(
    "index",
    [
        3,
        np.int64(-1),
        slice(2, 9),
        slice(None, None, -3),
        [5, 1, 1],
        np.array([0, 199]),
        np.arange(200) % 7 == 0,
        [],
        (slice(1, 3), 0),
        ([4, 2], slice(None), 1),
        (7, 1),
    ],
    ids=lambda index: str(index)[:20],
)
def test_lazy_rows_are_read_like_an_array(mapped, index):
    lazy, plain = as_lazy(mapped), images(200)
    wanted = plain[:0] if isinstance(index, list) and not index else plain[index]
    np.testing.assert_array_equal(lazy[index], wanted)
    assert lazy[index].dtype == np.uint8


def test_they_say_what_they_would_be_without_being_read():
    source = Counted(images(50))
    lazy = LazyRows.of(source)
    assert (lazy.shape, lazy.ndim, lazy.dtype, len(lazy), lazy.nbytes) == ((50, 6, 5, 3), 4, np.uint8, 50, 50 * 90)
    assert repr(lazy) == "LazyRows(shape=(50, 6, 5, 3), dtype=uint8)" and source.read == 0


def test_what_was_read_may_be_written_to(mapped):
    lazy = as_lazy(mapped)
    rows = lazy[:3]
    rows[:] = 0
    assert lazy[:3].any() and np.asarray(lazy).flags.writeable


def test_an_array_of_lazy_rows_is_always_a_copy(mapped):
    assert np.asarray(as_lazy(mapped), dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="always a copy"):
        np.array(as_lazy(mapped), copy=False)


def test_a_mapped_array_and_a_view_of_one_stay_where_they_are(mapped):
    assert isinstance(as_lazy(mapped), LazyRows)
    assert isinstance(as_lazy(np.asarray(mapped)[20:]), LazyRows)
    held = images(3)
    assert as_lazy(held) is held


# --------------------------------------------------------------------------------------------- a batch


def test_taking_from_a_batch_and_joining_batches_reads_nothing():
    source, other = Counted(images(50)), Counted(images(30, seed=1))
    one, two = Batch(LazyRows.of(source), np.arange(50)), Batch(LazyRows.of(other), np.arange(30))
    rows = Batch.join([one.take([4, 7, 9]), two.take(np.arange(30) > 20), Batch(images(2, seed=2), np.arange(2))])
    rows = rows.take([12, 0, 13, 3])
    assert source.read == other.read == 0
    plain = np.concatenate([images(50)[[4, 7, 9]], images(30, seed=1)[21:], images(2, seed=2)])
    np.testing.assert_array_equal(rows.x, plain[[12, 0, 13, 3]])
    assert (source.read, other.read) == (1, 1) and rows.y.tolist() == [0, 4, 1, 21]


def test_an_array_joined_with_lazy_rows_stays_unread_whichever_comes_first():
    source = Counted(images(5))
    for parts in ([images(2), LazyRows.of(source)], [LazyRows.of(source), images(2)]):
        joined = Batch.join([Batch({"a": part}) for part in parts])
        assert isinstance(joined.x["a"], LazyRows) and len(joined) == 7
    assert source.read == 0


def test_in_memory_reads_lazy_rows_and_leaves_the_rest():
    table, held = pd.DataFrame({"a": [1, 2]}), images(2)
    batch = materialize(Batch({"lazy": LazyRows.of(held), "held": held, "table": table}))
    assert isinstance(batch.x["lazy"], np.ndarray) and batch.x["held"] is held and batch.x["table"] is table


def test_rows_are_read_in_the_type_they_are_cast_to(mapped):
    cast = as_lazy(mapped).cast(np.float32)
    assert cast[:2].dtype == cast[[1, 0]].dtype == np.asarray(cast.take(np.arange(3))).dtype == np.float32


def test_blocks_are_bounded_in_bytes():
    source = Counted(images(1_000))
    found = [len(block) for block in blocks(LazyRows.of(source), size=9_000)]
    assert found == [100] * 10 and source.most == 100
    assert [len(block) for block in blocks(images(2), size=1)] == [1, 1]  # a row larger than a block


def test_bytes_of_a_row_follow_from_shapes_and_types():
    table = pd.DataFrame({"n": np.zeros(2), "t": ["a", "b"], "c": pd.Categorical(["x", "y"])})
    assert row_bytes(table) == 8 + 64 + 4
    assert row_bytes({"image": images(1), "table": table, "texts": ["a"]}) == 90 + 76 + 64
    assert row_bytes(np.zeros(4)) == 8


# ------------------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize("shape", [(), (7,), (6, 5, 3), (2, 2)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int64"])
def test_keys_of_lazy_rows_are_those_of_the_array(shape, dtype):
    plain = np.random.default_rng(0).integers(0, 100, size=(300, *shape)).astype(dtype)
    np.testing.assert_array_equal(row_keys(Batch(LazyRows.of(plain))), row_keys(Batch(plain)))


def test_keys_of_single_numbers_are_those_of_a_column_whatever_their_type():
    for plain in (np.arange(50) - 9, np.array([2**63 - 1, 2**63 - 2]), np.array([0.5, -0.0, 3.0])):
        np.testing.assert_array_equal(row_keys(Batch(LazyRows.of(plain))), row_keys(Batch(LazyRows.of(plain + 0))))
        assert len(np.unique(row_keys(Batch(plain)))) == len(plain)
    np.testing.assert_array_equal(row_keys(Batch(np.arange(9))), row_keys(Batch(np.arange(9.0))))


def test_lazy_rows_are_read_once_for_their_keys_and_changed_rows_have_other_keys():
    source = Counted(images(20))
    batch = Batch({"image": source.rows, "lazy": LazyRows.of(source)})
    one, again = row_keys(batch), row_keys(batch.replace(y=np.zeros(20)), labels=False)
    np.testing.assert_array_equal(one, again)
    assert source.read == 20
    assert (row_keys(batch.replace(x=images(20, seed=1))) != one).all()


def test_one_changed_bit_changes_the_key_and_swapped_values_too():
    x = images(400, shape=(5, 5))
    for place in range(25):
        changed = x.copy()
        changed.reshape(400, 25)[:, place] ^= 1
        assert (row_keys(Batch(x)) != row_keys(Batch(changed))).all()
    assert (row_keys(Batch(x)) != row_keys(Batch(x[:, ::-1]))).all()
    signs = np.ones((4, 2, 2)) * np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])[:, None, :]
    assert len(np.unique(row_keys(Batch(signs)))) == 4


def test_minus_zero_is_zero_in_images_of_floats():
    x = np.zeros((2, 3, 3), dtype=np.float32)
    x[1] = -0.0
    keys = row_keys(Batch(x))
    assert keys[0] == keys[1]


def test_rows_with_known_keys_keep_them_when_some_are_taken():
    source = Counted(images(100))
    lazy = LazyRows.of(source).with_keys()
    keys = row_keys(Batch(lazy))
    some = row_keys(Batch(lazy).take([5, 3]))
    assert source.read == 100 and some.tolist() == keys[[5, 3]].tolist()


# ------------------------------------------------------------------------------------- through an update


def test_quality_split_memory_and_anchor_set_never_read_a_large_input_whole():
    x = images(40_000, shape=(8, 8, 3))  # 7.7 MB, several blocks
    x[1], x[3] = x[0], x[2]
    source, y = Counted(x), np.arange(40_000) % 2
    y[1], y[3] = y[0], 1 - y[2]
    rows = Batch(LazyRows.of(source).with_keys(), y)

    found = flag_rows(rows, memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.counts == {"duplicate": 2, "contradictory": 2, "known": 0, "leaked": 0}
    parts = split(rows, task="classification", can_hold_out=found.can_hold_out, seed=0)
    assert source.read == 40_000  # for the keys, once
    block = source.most
    assert block * 192 <= 1 << 22

    learn, gate = rows.take(parts.train), rows.take(parts.gate)
    anchor, free = add_to_anchor_set(AnchorSet(), gate, seed=0, high=500)
    memory = update_memory(Memory(), Batch.join([learn, free]), seed=0, low=1_000, high=1_000)
    assert source.read < 40_000 + 500 + 1_200 and source.most == block
    assert isinstance(memory.rows.x, np.ndarray) and isinstance(anchor.rows.x, np.ndarray)
    assert memory.rows.x.dtype == anchor.rows.x.dtype == np.uint8

    again = flag_rows(rows, memory=memory, anchor=anchor, task="classification")
    assert again.counts["known"] >= len(memory) - 2 and again.counts["leaked"] == len(anchor)


def test_replayed_rows_are_mixed_with_lazy_ones_without_reading_them():
    from incumbent.core import Data, ReplayRows

    memory = update_memory(Memory(), Batch(images(100), np.zeros(100, dtype=int)), seed=0)
    source = Counted(images(1_000, seed=1))
    rows = assemble(Data(replay=ReplayRows(10)), Batch(LazyRows.of(source), np.ones(1_000, dtype=int)), memory, seed=0)
    assert source.read == 0 and rows.x.shape == (1_010, 6, 5, 3)
    np.testing.assert_array_equal(rows.x[1_005:], images(1_000, seed=1)[995:])
