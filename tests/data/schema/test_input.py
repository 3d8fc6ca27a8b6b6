import json

import numpy as np
import pandas as pd
import pytest

from incumbent.core import AnchorSet, Memory
from incumbent.data import Column, Input, LazyRows, Schema, flag_rows, read, split
from incumbent.errors import DataError, SchemaError
from incumbent.memory import update_memory

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 200, size=(40, 8, 6, 3), dtype=np.uint8)
SIGNALS = RNG.normal(size=(40, 16)).astype(np.float32)
ITEMS = RNG.integers(0, 90, size=40)
TABLE = pd.DataFrame({"age": RNG.integers(18, 90, size=40), "job": RNG.choice(["cook", "nurse"], size=40)})
LABELS = np.where(RNG.random(40) < 0.5, "no", "yes")
PARTS = {"image": IMAGES, "signal": SIGNALS, "item": ITEMS, "table": TABLE}


def tensors(x, y=LABELS, **options):
    return read(x if y is None else (x, y), tensors=True, **options)


def schema_of(x=IMAGES, y=LABELS, **options):
    return Schema.of(tensors(x, y), target="target", **options)


SCHEMA = schema_of(PARTS)


# ------------------------------------------------------------------------------------- what it describes


def test_a_schema_of_tensors_says_shape_type_and_range_of_every_input():
    image, signal, item, table = SCHEMA.inputs
    assert image == Input("image", shape=(8, 6, 3), dtype="uint8", low=0.0, high=199.0)
    assert (signal.shape, signal.dtype, signal.low) == ((16,), "float32", float(SIGNALS.min()))
    assert (item.shape, item.dtype, item.high) == ((), "int64", float(ITEMS.max()))
    assert table.columns == (Column.of(TABLE["age"]), Column.of(TABLE["job"]))
    assert (SCHEMA.task, SCHEMA.classes, SCHEMA.columns) == ("classification", ("no", "yes"), ())
    assert SCHEMA.features == ("image", "signal", "item", "table")


def test_it_is_stored_as_json_and_comes_back_the_same():
    for schema in (SCHEMA, schema_of()):
        stored = json.loads(json.dumps(schema.to_dict()))
        assert stored["format"] == 2 and Schema.from_dict(stored) == schema
        assert eval(repr(schema), {"Schema": Schema, "Input": Input, "Column": Column}) == schema


def test_a_schema_of_a_table_is_stored_as_before():
    stored = Schema.of(TABLE.assign(y=LABELS), target="y").to_dict()
    assert stored["format"] == 1 and "inputs" not in stored


def test_time_group_and_weight_may_be_arrays():
    parts = {"x": IMAGES, "y": LABELS, "when": np.arange(40.0), "who": np.repeat(["a", "b"], 20), "w": np.ones(40)}
    rows = read(parts, tensors=True, target="y")
    schema = Schema.of(rows, target="y", time="when", group="who")
    assert schema.features == ("x", "w")
    batch, check = schema.check(rows)
    assert batch.time.tolist() == list(range(40)) and batch.group[0] == "a" and check.columns == 8 * 6 * 3 + 1
    schema = Schema.of(
        read({n: p for n, p in parts.items() if n != "w"}, tensors=True), target="y", time="when", group="who"
    )
    assert schema.check(rows, weight="w")[0].weight.tolist() == [1.0] * 40


def test_numbers_with_many_values_make_a_regression():
    assert schema_of(y=RNG.normal(size=40)).task == "regression"


# ----------------------------------------------------------------------------------------- what it gives


def test_one_array_stays_an_array_and_several_inputs_are_a_dict():
    batch, check = schema_of().check(tensors(IMAGES))
    assert batch.x is not None and np.shares_memory(batch.x, IMAGES) and batch.x.dtype == np.uint8
    assert batch.y.tolist() == LABELS.tolist() and (check.rows, check.columns, check.findings) == (40, 144, ())
    batch, check = SCHEMA.check(tensors(dict(reversed(PARTS.items()))))
    assert list(batch.x) == list(PARTS) and isinstance(batch.x["table"], pd.DataFrame)
    assert batch.x["image"].dtype == np.uint8 and check.columns == 144 + 16 + 1 + 2
    assert check.findings == ()


def test_a_dict_of_one_input_stays_a_dict_and_its_name_may_be_left_out():
    schema = schema_of({"pixels": IMAGES})
    for given in ({"pixels": IMAGES}, {"x": IMAGES}, IMAGES):
        batch, _ = schema.check(tensors(given))
        assert list(batch.x) == ["pixels"]
    batch, _ = schema_of().check(tensors({"pixels": IMAGES}))
    assert batch.x.shape == IMAGES.shape


def test_rows_without_labels_can_be_predicted():
    batch, _ = schema_of().check(tensors(IMAGES, None), labelled=False)
    assert batch.y is None and len(batch) == 40


def test_rows_given_as_they_came_are_read_as_the_schema_needs_them():
    schema = schema_of(SIGNALS)
    batch, _ = schema.check(schema.read((SIGNALS, LABELS)))
    assert isinstance(batch.x, np.ndarray)
    table = Schema.of(read((SIGNALS, LABELS)), target="target")
    assert isinstance(table.check(table.read((SIGNALS, LABELS)))[0].x, pd.DataFrame)


@pytest.mark.parametrize(
    ("stored", "given", "notes"),
    [
        ("uint8", "int64", 1),
        ("int64", "uint8", 1),
        ("float32", "float64", 0),
        ("float64", "float32", 0),
        ("float32", "float16", 0),
        ("int64", "bool", 1),
        ("bool", "int64", 1),
    ],
)
def test_another_size_of_the_same_type_is_read_as_in_training(stored, given, notes):
    x = RNG.integers(0, 2, size=(40, 3, 3))
    schema = schema_of(x.astype(stored))
    batch, check = schema.check(tensors(x.astype(given)))
    assert batch.x.dtype == stored and len(check.findings) == notes
    np.testing.assert_array_equal(batch.x, x.astype(stored))


def test_lazy_rows_stay_lazy_and_are_cast_when_they_are_read(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES.astype(np.int64))
    batch, check = schema_of().check(tensors(tmp_path / "x.npy"))
    assert isinstance(batch.x, LazyRows) and batch.x[:5].dtype == np.uint8
    assert check.digest == schema_of().check(tensors(IMAGES))[1].digest


def test_the_digest_names_content_and_order_and_not_what_holds_them(tmp_path):
    def digest(x, y=LABELS):
        return SCHEMA.check(tensors(x, y))[1].digest

    one = digest(PARTS)
    assert digest({name: PARTS[name] for name in reversed(PARTS)}) == one
    assert digest(PARTS | {"signal": np.asfortranarray(SIGNALS.astype(np.float64))}) == one
    moved = {name: part[::-1] for name, part in PARTS.items()}
    assert len({one, digest(moved), digest(PARTS, LABELS[::-1]), digest(PARTS | {"item": ITEMS[::-1]})}) == 4


def test_a_widened_schema_knows_what_the_new_rows_reached():
    schema = SCHEMA.extend(
        {"image": IMAGES + 56, "signal": SIGNALS * 2, "item": ITEMS + 10, "table": TABLE.assign(age=100)}
    )
    image, signal, item, table = schema.inputs
    assert (image.low, image.high, item.high) == (0.0, float((IMAGES + 56).max()), float(ITEMS.max() + 10))
    assert signal.high == float(SIGNALS.max() * 2) and table.columns[0].high == 100.0
    alone = schema_of().extend(IMAGES + 56)
    assert alone.inputs[0].high == float((IMAGES + 56).max())


# ---------------------------------------------------------------------------------------- what it finds


def test_an_extra_input_is_noted_and_left_out():
    batch, check = SCHEMA.check(tensors(PARTS | {"sound": SIGNALS}))
    assert "sound" not in batch.x
    assert [f.text for f in check.findings] == ["'sound' is not an input of the model and is ignored."]


def test_values_far_outside_the_range_of_training_are_found():
    bright = SIGNALS.copy()
    bright[3, 2] = 1e6
    _, check = SCHEMA.check(tensors(PARTS | {"signal": bright}))
    assert "The input 'signal' is outside the training range" in check.warnings[0].text
    assert "in 1 row of 40 (2.5%)" in check.warnings[0].text
    _, check = SCHEMA.check(tensors(PARTS | {"signal": SIGNALS * 1.5, "image": IMAGES + 50}))
    assert not check.warnings  # a little beyond is no news


def test_a_number_of_an_item_that_was_never_seen_is_found_however_near():
    items = ITEMS.copy()
    items[:2] = ITEMS.max() + 1
    _, check = SCHEMA.check(tensors(PARTS | {"item": items}))
    assert "'item' is outside the training range" in check.warnings[0].text and "in 2 rows" in check.warnings[0].text


def test_findings_of_a_table_among_the_inputs_are_kept():
    _, check = SCHEMA.check(tensors(PARTS | {"table": TABLE.assign(job="pilot", age=TABLE.age.astype(str))}))
    assert {f.column for f in check.findings} == {"job", "age"}


# ---------------------------------------------------------------------------- several labels at once

TAGS = (RNG.random((40, 3)) < 0.4).astype(np.float32)


def test_several_labels_at_once_are_on_or_off():
    schema = schema_of(y=TAGS)
    assert (schema.task, schema.classes, schema.labels) == ("classification", (0, 1, 2), 3)
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    batch, _ = schema.check(tensors(IMAGES, TAGS.astype(bool)))
    assert batch.y.dtype == np.int64 and batch.y.tolist() == TAGS.tolist()


def test_several_values_at_once_are_a_regression():
    schema = schema_of(y=TAGS + 0.5)
    assert (schema.task, schema.classes) == ("regression", ())
    assert schema.check(tensors(IMAGES, TAGS + 0.5))[0].y.dtype == np.float64
    assert schema_of(y=TAGS).task != Schema.of(tensors(IMAGES, TAGS), target="target", task="regression").task


def test_rows_of_several_labels_are_told_apart_split_by_chance_and_remembered():
    x, y = RNG.integers(0, 256, size=(400, 4, 4), dtype=np.uint8), (RNG.random((400, 12)) < 0.5).astype(int)
    x[1], y[1] = x[0], y[0]
    x[3], y[3] = x[2], 1 - y[2]
    batch, _ = Schema.of(tensors(x, y), target="target").check(tensors(x, y))
    found = flag_rows(batch, memory=Memory(), anchor=AnchorSet(), task="classification")
    assert found.counts == {"duplicate": 2, "contradictory": 2, "known": 0, "leaked": 0}
    parts = split(batch, task="classification", can_hold_out=found.can_hold_out, seed=0)
    assert (parts.by, len(parts.gate)) == ("chance", 100)
    assert update_memory(Memory(), batch.take(parts.train), seed=0).rows.y.shape == (240, 12)


# ------------------------------------------------------------------------------------------ mistakes


def bad(place, value, x=SIGNALS):
    wrong = x.copy()
    wrong[place] = value
    return wrong


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"image": IMAGES[:, :4]},
            r"'image' has rows of shape \(4, 6, 3\), but .* trained on rows of shape \(8, 6, 3\)",
        ),
        ({"image": np.moveaxis(IMAGES, 3, 1)}, r"Reorder its axes with numpy.transpose\(x, \(0, 2, 3, 1\)\)"),
        ({"signal": bad((7, 3), np.nan)}, "'signal' holds NaN or infinity in row 8; finite numbers were expected"),
        ({"signal": bad(([1, 4], 0), -np.inf)}, r"NaN or infinity in row 2 \(2 rows of 40 have one\)"),
        ({"image": IMAGES / np.float32(255)}, "'image' holds float32, from 0 to 0.78.*, but .* on uint8 from 0 to 199"),
        ({"image": IMAGES.astype(int) + 100}, "'image' holds int64, from 100 to 299, but .* on uint8"),
        ({"signal": IMAGES.reshape(40, -1)[:, :16]}, "'signal' holds uint8, .* trained on float32"),
        ({"signal": bad((0, 0), 1e300, SIGNALS.astype(float))}, "'signal' holds float64, .* trained on float32"),
        ({"image": TABLE}, "'image' is a table of 2 columns, but the model was trained on an array"),
        ({"table": SIGNALS}, r"'table' is an array \(40, 16\) float32, .* table with the columns age, job"),
        ({"table": TABLE[["age"]]}, "The table 'table' lacks the column 'job'"),
        ({"table": TABLE.assign(age=np.inf)}, "Column 'age' holds inf"),
    ],
)
def test_bad_inputs_get_one_clear_sentence(changes, says):
    with pytest.raises(SchemaError, match=says):
        SCHEMA.check(tensors(PARTS | changes))


@pytest.mark.parametrize(
    ("stored", "given", "shape"),
    [
        (IMAGES[..., :1], IMAGES[..., 0], r"\(-1, 8, 6, 1\)"),
        (IMAGES[..., 0], IMAGES[:, None, :, :, 0], r"\(-1, 8, 6\)"),
        (ITEMS, ITEMS[:, None], r"\(-1,\)"),
    ],
)
def test_an_axis_of_length_one_that_is_missing_or_too_many_is_said(stored, given, shape):
    with pytest.raises(SchemaError, match=rf"Only axes of length 1 differ: give x.reshape\({shape}\)"):
        schema_of(stored).check(tensors(given))


def test_a_missing_input_is_named_with_the_one_that_was_meant():
    parts = {"Image": IMAGES, "signal": SIGNALS, "item": ITEMS, "table": TABLE}
    with pytest.raises(SchemaError, match=r"lacks the input 'image' \(is it 'Image'\?\)"):
        SCHEMA.check(tensors(parts))
    with pytest.raises(SchemaError, match="There are 2 arrays, 'a', 'b', but the model takes one"):
        schema_of().check(tensors({"a": IMAGES, "b": IMAGES}))


def test_a_table_for_arrays_and_arrays_for_a_table_are_refused():
    with pytest.raises(SchemaError, match=r"pandas frame is a table of 3 columns, but .* rows of x \(8, 6, 3\) uint8"):
        schema_of().check(TABLE.assign(target=LABELS))
    with pytest.raises(DataError, match="numpy array holds arrays, and a table was expected"):
        Schema.of(TABLE.assign(target=LABELS), target="target").check(tensors(IMAGES))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "lacks the label array 'target'; it has 'x'"),
        (TAGS, r"'target' has shape \(40, 3\); one value for each row was expected"),
        (np.where(np.arange(40) == 3, np.nan, 1.0), "1 row of 40 has no label"),
        (RNG.normal(size=40), "The labels .* are"),
    ],
)
def test_bad_labels_get_one_clear_sentence(y, says):
    with pytest.raises(DataError, match=says):
        schema_of().check(tensors(IMAGES, y))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (
            TAGS[:, :2],
            r"has shape \(40, 2\), but the model was trained on 3 labels for each row; give one column for each",
        ),
        (LABELS, r"has shape \(40,\), but the model was trained on 3 labels"),
        (TAGS * 2, r"should hold 0 or 1 in every column, but row \d+ holds \["),
        (np.where(np.arange(40)[:, None] == 5, np.nan, TAGS), "0 or 1 in every column, but row 6 holds"),
        (np.full((40, 3), "a"), "0 or 1 in every column, but row 1 holds"),
    ],
)
def test_bad_labels_among_several_get_one_clear_sentence(y, says):
    with pytest.raises(SchemaError, match=says):
        schema_of(y=TAGS).check(tensors(IMAGES, y))


@pytest.mark.parametrize(
    ("parts", "options", "says"),
    [
        ({"x": IMAGES}, {}, "lacks the target array 'target'; it has 'x'. Name it with target"),
        ({"target": LABELS}, {}, "no array is left for a feature"),
        ({"x": IMAGES, "target": LABELS}, {"time": "target"}, "cannot be both the target and the time"),
        ({"x": IMAGES, "target": LABELS}, {"group": "who"}, "lacks the group array 'who'"),
        ({"x": LABELS, "target": LABELS}, {}, "'x' holds <U3, such as .*; a network takes numbers"),
        ({"x": IMAGES[:, :0], "target": LABELS}, {}, "so its rows are empty"),
    ],
)
def test_a_schema_of_bad_tensors_is_refused(parts, options, says):
    with pytest.raises(DataError, match=says):
        Schema.of(read(parts, tensors=True), target="target", **options)


def test_a_damaged_schema_of_tensors_says_so():
    stored = SCHEMA.to_dict()
    del stored["inputs"][0]["shape"]
    with pytest.raises(SchemaError, match="damaged"):
        Schema.from_dict(stored)
