import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from incumbent.data import Column, DataCheck, Finding, Schema, read
from incumbent.errors import DataError, SchemaError

ROWS = 100


def made(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": random.integers(18, 95, rows),
            "rate": random.normal(size=rows),
            "job": random.choice(["cook", "nurse", "pilot"], rows),
            "vip": random.random(rows) < 0.5,
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), "h"),
            "who": random.integers(0, 9, rows),
            "paid": random.choice(["no", "yes"], rows),
        }
    )


OLD = made()
SCHEMA = Schema.of(OLD, target="paid", time="when", group="who")


def texts(check: DataCheck, level: str = "warning") -> str:
    return " ".join(f.text for f in check.findings if f.level == level)


def numbers(**columns: Any) -> Schema:
    return Schema.of(pd.DataFrame(columns), target="y")


# ------------------------------------------------------------------------------------ the schema


def test_a_schema_says_what_each_column_held() -> None:
    age, rate, job, vip = SCHEMA.columns
    assert (age.kind, age.dtype, age.low, age.high) == ("number", "int64", OLD["age"].min(), OLD["age"].max())
    assert (rate.kind, rate.dtype, rate.missing) == ("number", "float64", 0.0)
    assert (job.kind, job.categories) == ("category", ("cook", "nurse", "pilot"))
    assert vip.kind == "boolean"
    assert SCHEMA.features == ("age", "rate", "job", "vip")
    assert (SCHEMA.task, SCHEMA.classes) == ("classification", ("no", "yes"))


def test_text_with_many_distinct_values_is_no_category() -> None:
    text = pd.Series([f"message {i}" for i in range(500)], name="text")
    assert Column.of(text).kind == "text" and Column.of(text).categories == ()
    assert Column.of(text[:20]).kind == "category"


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (np.random.default_rng(0).normal(size=200), "regression"),
        (np.arange(200), "regression"),
        (np.array([0.5, 1.5] * 50), "classification"),
        (np.array([0.0, 1.0] * 50), "classification"),
        (np.arange(10).repeat(20), "classification"),
        (np.array(["a", "b"] * 50), "classification"),
        (np.array([True, False] * 50), "classification"),
    ],
    ids=["normal", "many whole", "two fractions", "two floats", "ten digits", "text", "boolean"],
)
def test_the_task_follows_from_the_labels(values: Any, task: str) -> None:
    assert Schema.of(pd.DataFrame({"a": range(len(values)), "y": values}), target="y").task == task


def test_the_models_own_features_decide_order_and_leave_the_rest_out() -> None:
    schema = Schema.of(OLD, target="paid", features=["rate", "age"])
    batch, check = schema.check(OLD)
    assert list(batch.x.columns) == ["rate", "age"]
    assert "'job', 'vip', 'when', 'who' are not features" in texts(check, "note")


def test_a_time_column_may_be_a_feature_too() -> None:
    frame = OLD.assign(when=np.arange(ROWS))
    schema = Schema.of(frame, target="paid", time="when", features=["age", "when"])
    batch, _ = schema.check(frame)
    assert batch.time.tolist() == batch.x["when"].tolist() == list(range(ROWS))


@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (0.5, 1.5), (False, True)])
def test_a_schema_survives_json(classes: tuple[Any, ...]) -> None:
    frame = OLD.assign(paid=np.array(classes)[np.arange(ROWS) % 2], job=OLD["job"].astype("category"))
    schema = Schema.of(frame, target="paid", time="when", group="who")
    stored = json.loads(json.dumps(schema.to_dict()))
    assert stored["format"] == 1
    found = Schema.from_dict(stored)
    assert found == schema and [type(c) for c in found.classes] == [type(c) for c in classes]
    assert eval(repr(schema), {"Schema": Schema, "Column": Column}) == schema


def test_a_stored_schema_that_cannot_be_read_says_so() -> None:
    with pytest.raises(SchemaError, match=r"format 3.*reads up to 2"):
        Schema.from_dict({**SCHEMA.to_dict(), "format": 3})
    with pytest.raises(SchemaError, match="damaged"):
        Schema.from_dict({"format": 1, "columns": []})
    with pytest.raises(SchemaError, match="damaged"):
        Schema.from_dict({**SCHEMA.to_dict(), "wings": 2})


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"target": "payd"}, DataError, r"lacks the target column 'payd' \(is it 'paid'\?\)"),
        ({"target": "paid", "time": "then"}, DataError, "lacks the time column 'then'"),
        ({"target": "paid", "group": "x"}, DataError, "lacks the group column 'x'"),
        ({"target": "paid", "group": "paid"}, DataError, "cannot be both"),
        ({"target": "paid", "features": ["Age", "wage"]}, SchemaError, r"2 features 'Age' \(is it 'age'\?\), 'wage'"),
        ({"target": "paid", "features": ["age", "paid"]}, DataError, "its target 'paid' is among its features"),
        ({"target": "paid", "features": []}, DataError, "no column is left"),
        ({"target": "paid", "task": "regression"}, DataError, "regression needs numbers"),
        ({"target": "rate", "task": "classification"}, DataError, "distinct numbers with fractions"),
        ({"target": "when"}, DataError, "holds times"),
        ({"target": "none"}, DataError, "No row has a label in 'none'"),
        ({"target": "blank"}, DataError, "No row has a label in 'blank'"),
        ({"target": "paid", "features": ["list"]}, DataError, r"'list' holds mixed, such as \[1\]"),
        ({"target": "paid", "features": ["mixed"]}, DataError, r"mixes types.*1 \(int\) and 'a' \(str\)"),
        ({"target": "paid", "features": ["span"]}, DataError, "holds timedelta64"),
        ({"target": "paid", "features": ["complex"]}, DataError, "holds complex128"),
        ({"target": "paid", "features": ["bytes"]}, DataError, "holds bytes"),
    ],
)
def test_a_frame_that_makes_no_schema_says_why(options: dict[str, Any], error: type[DataError], says: str) -> None:
    frame = OLD.assign(
        none=np.nan,
        blank="",
        list=pd.Series([[1]] * ROWS),
        mixed=pd.Series([1, "a"] * (ROWS // 2), dtype=object),
        span=pd.to_timedelta(np.arange(ROWS), "h"),
        complex=1j,
        bytes=pd.Series([b"x"] * ROWS, dtype=object),
    )
    with pytest.raises(error, match=says):
        Schema.of(frame, **options)


# ------------------------------------------------------------------------------- rows that pass


def test_rows_like_the_old_ones_raise_no_finding() -> None:
    batch, check = SCHEMA.check(OLD)
    assert check.findings == () and check.rows == len(batch) == ROWS and check.columns == 4
    pd.testing.assert_frame_equal(batch.x, OLD[list(SCHEMA.features)])
    assert batch.y.dtype == object and batch.y.tolist() == OLD["paid"].tolist()
    assert batch.time.dtype == "datetime64[us]" and batch.group.tolist() == OLD["who"].tolist()


def test_columns_come_back_in_the_models_order() -> None:
    batch, _ = SCHEMA.check(OLD[OLD.columns[::-1]])
    assert tuple(batch.x.columns) == SCHEMA.features


@pytest.mark.parametrize("labelled", [True, False])
def test_numbers_are_not_copied(labelled: bool) -> None:
    frame = OLD if labelled else OLD[list(SCHEMA.features)]
    batch, _ = SCHEMA.check(frame, labelled=labelled)
    for name in ("age", "rate", "vip"):
        assert np.shares_memory(batch.x[name].to_numpy(), frame[name].to_numpy())


def test_unlabelled_rows_need_no_target_time_or_group() -> None:
    batch, check = SCHEMA.check(OLD[list(SCHEMA.features)], labelled=False)
    assert batch.y is batch.time is batch.group is None and check.findings == ()
    batch, _ = SCHEMA.check(OLD.assign(paid=None), labelled=False)
    assert batch.y is None and batch.time is not None and batch.group is not None


@pytest.mark.parametrize(
    "route",
    [
        lambda path: pl.from_pandas(OLD),
        lambda path: OLD.to_parquet(path / "a.parquet") or path / "a.parquet",
        lambda path: OLD.to_csv(path / "a.csv", index=False) or path / "a.csv",
        lambda path: OLD.convert_dtypes(),
        lambda path: OLD.convert_dtypes(dtype_backend="pyarrow"),
        lambda path: OLD.astype({"job": "category", "paid": "category", "age": "int8", "rate": object}),
        lambda path: OLD.astype(object).astype({"when": str}),
        lambda path: OLD.assign(when=OLD["when"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
    ],
    ids=["polars", "parquet", "csv", "nullable", "arrow", "categories", "objects", "zone"],
)
def test_the_same_rows_are_the_same_batch_by_whatever_route(tmp_path: Path, route: Callable[[Path], Any]) -> None:
    expected, known = SCHEMA.check(OLD)
    batch, check = SCHEMA.check(route(tmp_path))
    pd.testing.assert_frame_equal(batch.x, expected.x, check_column_type=False)
    assert batch.y.tolist() == expected.y.tolist() and (batch.time == expected.time).all()
    assert check.digest == known.digest and check.warnings == ()


def test_the_digest_changes_with_content_name_and_order() -> None:
    digests = {
        SCHEMA.check(frame)[1].digest
        for frame in (
            OLD,
            OLD.iloc[::-1],
            OLD.assign(rate=OLD["rate"] + 1e-9),
            OLD.assign(paid=OLD["paid"].iloc[::-1].array),
        )
    }
    assert len(digests) == 4 and all(len(digest) == 64 for digest in digests)


def test_the_check_names_the_source(tmp_path: Path) -> None:
    OLD.to_csv(tmp_path / "march.csv", index=False)
    assert SCHEMA.check(OLD)[1].source == "pandas frame"
    assert SCHEMA.check(read(tmp_path / "march.csv"))[1].source == "march.csv"


def test_a_check_reads_as_a_list_of_warnings_first() -> None:
    check = DataCheck((Finding("note", "a", "N."), Finding("warning", "b", "W.")), 1204, 1, "", "march.csv")
    assert str(check).splitlines() == [
        "march.csv: 1,204 rows, 1 feature, 1 warning, 1 note",
        "  warning: W.",
        "  note: N.",
    ]
    assert check.replace(rows=3).rows == 3 and check.warnings == (Finding("warning", "b", "W."),)


def test_a_large_batch_is_checked_in_well_under_a_second() -> None:
    frame = pd.concat([made(50_000)[["age", "rate", "job", "vip"]].add_suffix(str(i)) for i in range(5)], axis=1)
    frame["paid"] = made(50_000)["paid"]
    schema = Schema.of(frame, target="paid")
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        schema.check(frame)
        spent.append(time.perf_counter() - start)
    # 40 ms where nothing else runs; a loop over rows would take several seconds even on a fast machine.
    assert min(spent) < 0.5


# -------------------------------------------------------------------- what is converted, and noted


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1.5, 2.5], [1, 2], [1.0, 2.0]),
        ([1, 2], [1.0, 2.0], [1, 2]),
        ([1, 2], ["1", " 2"], [1, 2]),
        ([1.5, None], ["2.5", "NA"], [2.5, None]),
        ([1, 2], [Decimal(1), Decimal(2)], [1, 2]),
        ([1, 2], [True, False], [1, 0]),
        ([True, False], [1, 0], [True, False]),
        ([True, False], ["TRUE", "no"], [True, False]),
        (["1", "2"], [1, 2], ["1", "2"]),
        (["1", None], [1.0, None], ["1", None]),
        (["true", "false"], [True, False], ["true", "false"]),
        (["a", None], ["", "a"], [None, "a"]),
        (["2026-01-01", "2026-01-02"], pd.to_datetime(["2026-01-02", "2026-01-03"]), ["2026-01-02", "2026-01-03"]),
    ],
)
def test_values_of_another_type_are_read_as_the_model_knows_them(old: Any, new: Any, expected: Any) -> None:
    schema = numbers(a=old, y=[0, 1])
    batch, _ = schema.check(pd.DataFrame({"a": new, "y": [0, 1]}))
    found = batch.x["a"]
    assert found.astype(object).where(found.notna(), None).tolist() == expected
    if None not in expected:
        assert str(found.dtype) == schema.columns[0].dtype


def test_numbers_given_as_text_are_noted() -> None:
    _, check = SCHEMA.check(OLD.assign(age=OLD["age"].astype(str)))
    assert texts(check, "note") == "'age' was text; all its values are read as numbers."


def test_whole_numbers_that_no_longer_fit_keep_their_values() -> None:
    schema = numbers(a=np.array([1, 2], "int8"), b=np.array([1, 2], "float32"), y=[0, 1])
    batch, check = schema.check(pd.DataFrame({"a": [1.5, 300.0], "b": [1e300, 2.0], "y": [0, 1]}))
    assert batch.x["a"].tolist() == [1.5, 300.0] and batch.x["b"].tolist() == [1e300, 2.0]
    batch, check = schema.check(pd.DataFrame({"a": [1.5, 2.0], "b": [1.0, 2.0], "y": [0, 1]}))
    assert batch.x["a"].tolist() == [1.5, 2.0] and batch.x["b"].dtype == np.float32
    assert "'a' has fractions" in texts(check, "note")


def test_text_given_as_numbers_is_noted() -> None:
    words = [f"message {i}" for i in range(60)]
    schema = numbers(a=words, y=[0, 1] * 30)
    batch, check = schema.check(pd.DataFrame({"a": range(60), "y": [0, 1] * 30}))
    assert batch.x["a"].tolist()[:2] == ["0", "1"] and "read as text" in texts(check, "note")


def test_categories_keep_their_codes_and_unseen_ones_go_to_the_end() -> None:
    schema = numbers(a=pd.Categorical(["b", "a"], categories=["b", "a"]), y=[0, 1])
    batch, check = schema.check(pd.DataFrame({"a": pd.Categorical(["a", "0"]), "y": [0, 1]}))
    assert list(batch.x["a"].cat.categories) == ["b", "a", "0"] and batch.x["a"].cat.codes.tolist() == [1, 2]
    assert "has not seen, in 1 row of 2: '0'" in texts(check)
    batch, _ = schema.check(pd.DataFrame({"a": ["b", None], "y": [0, 1]}))
    assert batch.x["a"].cat.codes.tolist() == [0, -1]


def test_numeric_categories_stay_numbers() -> None:
    schema = numbers(a=pd.Categorical([3, 5]), y=[0, 1])
    batch, check = schema.check(pd.DataFrame({"a": ["5", "3"], "y": [0, 1]}))
    assert batch.x["a"].tolist() == [5, 3] and check.warnings == ()


def test_a_column_without_any_value_is_a_warning_whatever_its_type() -> None:
    frame = OLD.assign(age=np.nan, rate=None, job=np.nan, vip=None)
    batch, check = SCHEMA.check(frame)
    assert batch.x.isna().all(axis=None) and len(check.warnings) == 4
    assert str(batch.x["job"].dtype) == SCHEMA.columns[2].dtype and batch.x["rate"].dtype == np.float64


# --------------------------------------------------------------------------------------- warnings


def test_unseen_categories_are_counted_and_shown() -> None:
    _, check = SCHEMA.check(OLD.assign(job=["baker"] * 3 + ["vet"] * 5 + ["cook"] * (ROWS - 8)))
    assert texts(check) == "'job' has categories that the model has not seen, in 8 rows of 100: 'vet', 'baker'."


def test_values_far_outside_the_range_are_counted() -> None:
    frame = OLD.copy()
    frame.loc[:2, "age"] = [-400, 999, 96]
    _, check = SCHEMA.check(frame)
    assert "'age' is far outside the training range" in texts(check)
    assert "in 2 rows of 100 (2.0%); its range is now -400 to 999" in texts(check)


def test_a_constant_that_changed_is_a_warning() -> None:
    schema = Schema.of(OLD.assign(age=999), target="paid", features=["age"])
    _, check = schema.check(OLD.assign(age=[999] * 99 + [998]))
    assert "'age' was always 999 in training and differs in 1 row of 100" in texts(check)


def test_missing_values_are_a_warning_only_where_they_are_news() -> None:
    gaps = OLD.assign(rate=OLD["rate"].mask(np.arange(ROWS) < 5))
    assert "'rate' is missing in 5 rows of 100 (5.0%); none was in training." in texts(SCHEMA.check(gaps)[1])
    knows = Schema.of(gaps, target="paid", features=["rate"])
    assert knows.check(gaps)[1].warnings == ()
    more = OLD.assign(rate=OLD["rate"].mask(np.arange(ROWS) < 60))
    assert "(60.0%); 5.0% were in training" in texts(knows.check(more)[1])


def test_extra_columns_are_noted_and_ignored() -> None:
    batch, check = SCHEMA.check(OLD.assign(extra=1))
    assert texts(check, "note") == "'extra' is not a feature of the model and is ignored."
    assert "extra" not in batch.x


# ------------------------------------------------------------------------------------------ labels


@pytest.mark.parametrize(
    ("known", "given", "expected"),
    [
        (("0", "1"), [0, 1], ["0", "1"]),
        (("0", "1"), [0.0, 1.0], ["0", "1"]),
        ((0, 1), ["0", "1"], [0, 1]),
        ((0, 1), [0.0, 1.0], [0, 1]),
        ((0, 1), [False, True], [0, 1]),
        ((0.5, 1.0), ["0.5", "1"], [0.5, 1.0]),
        ((False, True), [0, 1], [False, True]),
        ((False, True), ["false", "TRUE"], [False, True]),
        (("False", "True"), [False, True], ["False", "True"]),
        (("no", "yes"), pd.Categorical(["no", "yes"]), ["no", "yes"]),
    ],
)
def test_labels_take_the_type_of_the_known_classes(known: tuple[Any, ...], given: Any, expected: list[Any]) -> None:
    schema = Schema.of(pd.DataFrame({"a": [1, 2], "y": list(known)}), target="y", task="classification")
    batch, check = schema.check(pd.DataFrame({"a": [1, 2], "y": given}))
    assert batch.y.tolist() == expected and type(batch.y.tolist()[0]) is type(known[0])
    assert ("read as the model's classes" in texts(check, "note")) == (type(list(given)[0]) is not type(known[0]))


def test_whole_labels_stay_whole_where_some_are_missing() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "y": [0, 1, None]})
    assert [type(c) for c in Schema.of(frame, target="y").classes] == [int, int]


def test_a_new_class_is_noted_and_kept() -> None:
    batch, check = SCHEMA.check(OLD.assign(paid=["maybe"] * 2 + ["no", "yes"] * 49))
    assert "'paid' has a new class" in texts(check, "note") and "in 2 rows of 100: 'maybe'" in texts(check, "note")
    assert batch.y[0] == "maybe" and check.warnings == ()


def test_labels_that_are_all_new_are_a_warning() -> None:
    _, check = SCHEMA.check(OLD.assign(paid=["YES", "NO"] * 50))
    assert "No label in 'paid' is a class that the model knows ('no', 'yes')" in texts(check)


def test_one_label_alone_is_a_warning() -> None:
    _, check = SCHEMA.check(OLD.assign(paid="no"))
    assert "The only label in 'paid' is 'no' (100 rows)" in texts(check)


def test_values_of_a_regression_are_numbers() -> None:
    frame = pd.DataFrame({"a": range(30), "y": np.arange(30) + 0.5})
    schema = Schema.of(frame, target="y")
    for given in (frame, frame.assign(y=frame["y"].astype(str)), frame.assign(y=frame["y"].astype("Float64"))):
        batch, _ = schema.check(given)
        assert batch.y.dtype == np.float64 and batch.y.tolist() == frame["y"].tolist()
    _, check = schema.check(frame.assign(y=3))
    assert "The only label in 'y' is 3.0 (30 rows)" in texts(check)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["2026-01-31", "2026-02-01T12:00:00+02:00"], ["2026-01-31T00:00", "2026-02-01T10:00"]),
        (["31/01/2026 10:00", "01/02/2026 11:00"], ["2026-01-31T10:00", "2026-02-01T11:00"]),
        ([pd.Timestamp("2026-01-31").date(), pd.Timestamp("2026-02-01").date()], ["2026-01-31", "2026-02-01"]),
    ],
    ids=["iso", "by its own format", "dates"],
)
def test_times_are_parsed(given: list[Any], expected: list[str]) -> None:
    schema = Schema.of(pd.DataFrame({"a": [1, 2], "t": given, "y": [0, 1]}), target="y", time="t")
    batch, _ = schema.check(pd.DataFrame({"a": [1, 2], "t": given, "y": [0, 1]}))
    assert (batch.time == np.array(expected, "datetime64[us]")).all()


def test_times_may_be_numbers_and_groups_text() -> None:
    frame = pd.DataFrame({"a": [1, 2], "t": ["3", "4.5"], "g": ["u", "v"], "y": [0, 1]})
    batch, _ = Schema.of(frame, target="y", time="t", group="g").check(frame)
    assert batch.time.tolist() == [3.0, 4.5] and batch.group.tolist() == ["u", "v"] and batch.group.dtype == object


# -------------------------------------------------------------------------------------- bad input


def put(column: str, value: Any, row: int = 2) -> Callable[[], pd.DataFrame]:
    def frame() -> pd.DataFrame:
        values = OLD[column].astype(object).to_list()
        values[row] = value
        return OLD.assign(**{column: pd.Series(values).infer_objects()})

    return frame


BAD: list[tuple[str, Callable[[], Any], type[DataError], str]] = [
    ("no rows", lambda: OLD.iloc[:0], DataError, "has no rows"),
    ("no frame", lambda: [1, 2], DataError, "cannot be read from list"),
    ("duplicate", lambda: OLD.set_axis([*"aabcdef"], axis=1), DataError, "more than one column called 'a'"),
    ("lacks one", lambda: OLD.drop(columns="age"), SchemaError, "lacks the feature 'age'; it has 'rate', 'job'"),
    (
        "renamed",
        lambda: OLD.rename(columns={"age": "AGE ", "job": "jobs"}),
        SchemaError,
        r"2 features 'age' \(is it 'AGE '\?\), 'job' \(is it 'jobs'\?\)",
    ),
    ("no target", lambda: OLD.drop(columns="paid"), SchemaError, "lacks the label column 'paid'"),
    ("no time", lambda: OLD.drop(columns="when"), SchemaError, "lacks the time column 'when'"),
    ("no group", lambda: OLD.drop(columns="who"), SchemaError, "lacks the group column 'who'"),
    ("a word", put("age", "old"), SchemaError, r"numbers, but row 3 holds 'old'"),
    (
        "words",
        lambda: OLD.assign(age=["old", "12", "x"] + ["1"] * 97),
        SchemaError,
        r"'age' should hold numbers, but row 1 holds 'old' \(2 of 100 rows",
    ),
    ("times for numbers", lambda: OLD.assign(age=OLD["when"]), SchemaError, r"holds times \(datetime64.*numbers"),
    ("times for jobs", lambda: OLD.assign(job=OLD["when"]), SchemaError, r"holds times.*such as 'cook'"),
    ("times for booleans", lambda: OLD.assign(vip=OLD["when"]), SchemaError, "holds times.*booleans"),
    ("numbers for jobs", lambda: OLD.assign(job=OLD["rate"]), SchemaError, "holds numbers such as .*such as 'cook'"),
    ("two for true", put("vip", 2), SchemaError, "true or false, but row 3 holds 2"),
    ("numbers for booleans", lambda: OLD.assign(vip=[2] + [1] * 99), SchemaError, "true or false, but row 1 holds"),
    ("infinity", put("rate", np.inf), SchemaError, "'rate' holds inf in row 3; finite"),
    ("minus infinity", put("rate", -np.inf, 99), SchemaError, "'rate' holds -inf in row 100"),
    ("nested", lambda: OLD.assign(job=pd.Series([["cook"]] * ROWS)), DataError, "'job' holds mixed, such as"),
    ("no label", lambda: OLD.assign(paid=None), SchemaError, "No row has a label in 'paid'"),
    ("blank labels", lambda: OLD.assign(paid=""), SchemaError, "No row has a label in 'paid'"),
    ("some labels", put("paid", None), SchemaError, r"1 row of 100 has no label in 'paid' \(the first is row 3\)"),
    (
        "numeric labels",
        lambda: OLD.assign(paid=[0, 1] * 50),
        SchemaError,
        r"are 0, 1 \(int64\).*classes are 'no', 'yes'",
    ),
    (
        "a bad time",
        lambda: OLD.assign(when=["2026-01-01", "soon"] * 50),
        SchemaError,
        r"times.*row 2 holds 'soon' \(50 of",
    ),
    ("no times", lambda: OLD.assign(when="soon"), SchemaError, "row 1 holds 'soon'"),
    ("a missing time", put("when", None), SchemaError, "a time in every row, but row 3"),
    ("an endless time", lambda: OLD.assign(when=[np.inf] + [1.0] * 99), SchemaError, "row 1 holds inf"),
    ("a missing group", put("who", None), SchemaError, "a group in every row, but row 3"),
]


@pytest.mark.parametrize(("name", "make", "error", "says"), BAD, ids=[case[0] for case in BAD])
def test_bad_rows_get_one_clear_sentence(name: str, make: Callable[[], Any], error: type[DataError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        SCHEMA.check(make())
    assert type(caught.value) is error
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ([0, 1], ["0", "one"], "are 'one'"),
        ([0, 1], [0.0, 0.5], "are 0.5"),
        ([False, True], [0, 7], "are 7"),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5], ["1", "high"], "numbers, but row 2 holds 'high'"),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5], [1, np.inf], "finite numbers as labels, but row 2 holds inf"),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5], ["1", "na"], "1 row of 2 has no label"),
    ],
)
def test_labels_of_another_kind_are_refused(old: list[Any], new: list[Any], says: str) -> None:
    schema = numbers(a=range(len(old)), y=old)
    with pytest.raises(SchemaError, match=says):
        schema.check(pd.DataFrame({"a": [1, 2], "y": new}))


def test_a_widened_schema_knows_new_categories_at_the_end_and_wider_ranges():
    old = pd.DataFrame({"n": [1.0, 2.0, 3.0] * 10, "c": ["b", "a", "b"] * 10, "y": [0, 1, 0] * 10})
    schema = Schema.of(old, target="y")
    later = pd.DataFrame({"n": [9.0, None], "c": ["z", "a"], "y": [0, 1]})
    batch, first = schema.check(later)
    again = schema.extend(batch.x)
    number, text = again.columns
    assert (number.low, number.high, number.missing) == (1.0, 9.0, 0.5)
    assert text.categories == ("a", "b", "z")
    assert first.warnings and not again.check(later)[1].warnings
    assert Schema.from_dict(again.to_dict()) == again
