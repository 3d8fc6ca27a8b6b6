"""Conditions on columns: what they mean row by row, and that anything else is refused in a sentence."""

import numpy as np
import pandas as pd
import pytest

from incumbent.errors import UsageError
from incumbent.gate.slices import Slice
from incumbent.gate.slices._condition import column_of, literal, parse, quoted

ROWS = pd.DataFrame(
    {
        "region": ["north", "south", None, "north", "east"],
        "amount": [50.0, 150.0, 200.0, np.nan, 100.0],
        "count": [1, 2, 3, 4, 5],
        "active": [True, False, True, True, False],
        "maybe": pd.array([True, None, False, True, None], dtype="boolean"),
        "whole": pd.array([1, None, 3, 4, 5], dtype="Int64"),
        "size": pd.Categorical(["s", "m", "l", None, "s"], categories=["s", "m", "l"], ordered=True),
        "kind": pd.Categorical([1, 2, 1, 2, 1]),
        "day": pd.to_datetime(["2026-01-01", "2026-01-31 12:00", None, "2026-03-01", "2026-02-01"], format="ISO8601"),
        "first name": ["Ada", "Bo", "Cy", "D'Arc", 'E"e'],
        "class": [0, 1, 0, 1, 0],
        "a > b": [1, 1, 0, 0, 0],
    }
)


def rows(text, frame=ROWS):
    (mask,) = Slice(text).masks(frame).values()
    assert mask.dtype == bool and mask.shape == (len(frame),)
    return np.flatnonzero(mask).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('region == "north"', [0, 3]),
        ("region == 'north' and amount > 10", [0]),
        ('region == "north" or amount >= 150', [0, 1, 2, 3]),
        ('region != "north"', [1, 2, 4]),
        ('not region == "north"', [1, 2, 4]),
        ('not (region == "north" or count > 4)', [1, 2]),
        ("amount <= 100", [0, 4]),
        ("not amount <= 100", [1, 2, 3]),
        ("amount < 100.5", [0, 4]),
        ("100 >= amount", [0, 4]),
        ("50 < amount <= 150", [1, 4]),
        ("1 < count < 5 > amount", []),
        ("count > -1 and count < +3", [0, 1]),
        ("amount == None", [3]),
        ("amount is None", [3]),
        ("amount is not None", [0, 1, 2, 4]),
        ("isnull(region)", [2]),
        ("not isnull(region)", [0, 1, 3, 4]),
        ("region != None", [0, 1, 3, 4]),
        ('region in ["north", "east"]', [0, 3, 4]),
        ('region not in ["north", "east"]', [1, 2]),
        ('region in ("north", None)', [0, 2, 3]),
        ("count in {1, 5}", [0, 4]),
        ("count in []", []),
        ("active == True", [0, 2, 3]),
        ("not active", [1, 4]),
        ("active and count > 1", [2, 3]),
        ("maybe == False", [2]),
        ("maybe == None", [1, 4]),
        ("whole > 3", [3, 4]),
        ("whole == None", [1]),
        ('size < "l"', [0, 1, 4]),
        ('size >= "m"', [1, 2]),
        ('size == "s"', [0, 4]),
        ("kind == 2", [1, 3]),
        ("kind > 1", [1, 3]),
        ('day >= "2026-01-31"', [1, 3, 4]),
        ('"2026-01-15" < day < "2026-02-15"', [1, 4]),
        ('day == "2026-01-01"', [0]),
        ("isnull(day)", [2]),
        ('day != "2026-01-01"', [1, 2, 3, 4]),
        ('`first name` == "Ada" or `first name` > "Cx"', [0, 2, 3, 4]),
        ("""`first name` == "D'Arc" or `first name` == 'E"e'""", [3, 4]),
        ("`class` == 1 and count > 2", [3]),
        ("`a > b` == 1", [0, 1]),
        ("amount > count", [0, 1, 2, 4]),
        ("count == whole", [0, 2, 3, 4]),
        ('region == "`north`"', []),
        ("count > 1\nand count < 4", [1, 2]),
        (" count == 3 ", [2]),
        ("count < 100000000000000000000000", [0, 1, 2, 3, 4]),
    ],
)
def test_a_condition_means_these_rows(text, expected):
    assert rows(text) == expected


def test_large_whole_numbers_are_compared_exactly():
    frame = pd.DataFrame({"id": [2**53, 2**53 + 1]})
    assert rows(f"id == {2**53 + 1}", frame) == [1]


def test_times_with_a_zone_are_compared_as_times():
    utc = pd.DataFrame({"at": pd.to_datetime(["2026-03-01 10:00", "2026-03-01 12:00"]).tz_localize("UTC")})
    local = utc.assign(at=utc["at"].dt.tz_convert("America/New_York"))
    assert rows('at > "2026-03-01 11:00"', utc) == [1]
    assert rows('at > "2026-03-01 06:00"', local) == [1]
    assert rows('at > "2026-03-01 11:00+00:00"', local) == rows('at > "2026-03-01 11:00+00:00"', utc) == [1]
    assert rows('at > "2026-03-08 02:30"', local) == []  # an hour that the clocks skip


def test_columns_of_times_and_texts_are_compared_with_each_other():
    day = pd.to_datetime(["2026-01-01", "2026-01-05", None])
    frame = pd.DataFrame({"start": day, "end": day[[1, 1, 1]], "a": ["x", "y", None], "b": ["x", "x", "x"]})
    assert rows("start < end", frame) == [0] and rows("a == b", frame) == [0] and rows("a > b", frame) == [1]


def test_a_column_without_values_equals_nothing():
    frame = pd.DataFrame({"region": [np.nan, np.nan], "day": pd.to_datetime([None, None])})
    assert rows('region == "north"', frame) == [] and rows("isnull(region)", frame) == [0, 1]
    assert rows('day > "2026-01-01"', frame) == [] and rows("region > 3", frame) == []
    assert rows('region == "north"', frame[:0]) == []


def test_arrow_columns_and_columns_that_are_numbered_are_read_too():
    frame = pd.DataFrame({0: [1, 2], 1: ["a", "b"]}).convert_dtypes(dtype_backend="pyarrow")
    assert rows("`0` > 1", frame) == [1] and rows('`1` == "a"', frame) == [0]


def test_mixed_texts_and_numbers_are_compared_with_either():
    frame = pd.DataFrame({"code": pd.Series([1, "1", None, 2], dtype=object)})
    assert rows("code == 1", frame) == [0] and rows('code == "1"', frame) == [1] and rows("code > 1", frame) == [3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amuont > 3", "Did you mean 'amount'"),
        ("region == north", "There is no column 'north'"),
        ("amount > 'x'", 'amount holds numbers and cannot be compared with "x"'),
        ("amount == True", "cannot be compared with True"),
        ("amount and count > 1", "cannot be compared with True"),
        ("region > 3", "region holds texts and cannot be compared with 3"),
        ("active == 1", "active holds truth values"),
        ("region in ['north', 3]", "cannot be compared with 3"),
        ("day > 3", "a text that is a time such as"),
        ("day > 'soon'", "neither a date nor a time"),
        ("amount > region", "they cannot be compared"),
    ],
)
def test_a_condition_that_does_not_fit_the_columns_gets_a_sentence(text, words):
    with pytest.raises(UsageError, match=words):
        Slice(text).masks(ROWS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amount >", "is not a condition"),
        ("amount = 3", "Write == to compare"),
        ("region == 'north", "is not a condition"),
        ("(amount > 3", "is not a condition"),
        ("first name == 'x'", "backticks"),
        ("amount > 3 & count > 1", "and, or, not"),
        ("amount + 1 > 3", "'amount \\+ 1' is not part of a condition"),
        ("a.b > 3", "backticks"),
        ("__import__('os').system('true') == 0", "is not part of a condition"),
        ("print(amount) > 3", "is not part of a condition"),
        ("(lambda: 1)() == 1", "is not part of a condition"),
        ("[c for c in amount] == 3", "is not part of a condition"),
        ("amount > {1: 2}", "is not part of a condition"),
        ("amount > (1, 2)", "is not part of a condition"),
        ("amount > 2j", "is not part of a condition"),
        ("amount in region", "a column and a list"),
        ("3 in [3]", "a column and a list"),
        ("3 < 5", "compares two values"),
        ("amount < None", "Nothing is < None"),
        ("amount is 3", "is for None alone"),
        ("f'{amount}' == 'x'", "is not part of a condition"),
        ("isnull(3)", "is not part of a condition"),
        ("isnull(amount, 3)", "is not part of a condition"),
        ("not 3", "is not part of a condition"),
        ("(x := 3) > 2", "is not part of a condition"),
        ("(" * 400 + "amount > 1" + ")" * 400, "is not a condition"),
        ("not " * 5000 + "amount > 1", "is not a condition"),
        ("amount > 1\0", "is not a condition"),
        ("", "where is a condition"),
        ("  ", "where is a condition"),
    ],
)
def test_what_is_no_condition_is_refused_when_it_is_written(text, words):
    with pytest.raises(UsageError, match=words):
        Slice(text)


def test_odd_escapes_in_texts_are_not_warned_of():
    assert rows(r'region == "\d"') == []


def test_rows_that_are_no_data_frame_are_refused():
    with pytest.raises(UsageError, match="pandas data frame; ndarray was given"):
        Slice("a > 1").masks(np.eye(3))


def test_a_column_of_lists_cannot_be_compared():
    with pytest.raises(UsageError, match="which conditions cannot compare"):
        Slice("tags == 'x'").masks(pd.DataFrame({"tags": [["x"], ["y"]]}))


def test_names_and_values_are_spelt_as_they_are_read():
    for name in ("amount", "first name", "class", "isnull", "größe", "a > b"):
        assert parse(f"{quoted(name)} == 1").column == name
        assert column_of(quoted(name)) == name
    for value in ("north", "D'Arc", 'E"e', "a\\b", "tab\t", 3, -2.5, True, None, ""):
        assert parse(f"a == {literal(value)}").value == value
