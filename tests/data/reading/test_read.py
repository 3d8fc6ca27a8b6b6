import bz2
import gzip
import io
import lzma
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from incumbent.data import read
from incumbent.errors import DataError

FRAME = pd.DataFrame(
    {
        "age": [18, 44, 95, 30],
        "rate": [0.5, np.nan, 2.25, -1.0],
        "job": ["cook", "nurse, day", "", 'the "boss"'],
        "paid": [True, False, True, True],
        "day": pd.to_datetime(["2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"]),
    }
)
CSV = FRAME.to_csv(index=False).encode()


def same(found: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=False)


def lz4(data: bytes, codec: str = "lz4") -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


def arrow_bytes(kind: str) -> bytes:
    table, sink = pa.Table.from_pandas(FRAME), io.BytesIO()
    if kind == "parquet":
        pa.parquet.write_table(table, sink)
    else:
        opened = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
        with opened(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


JSON = FRAME.assign(day=FRAME["day"].dt.strftime("%Y-%m-%d")).to_json(orient="records", lines=True).encode()
FILES = {
    "plain.csv": CSV,
    "upper.CSV": CSV,
    "mark.csv": b"\xef\xbb\xbf" + CSV,
    "index.csv": FRAME.to_csv().encode(),
    "semicolon.csv": FRAME.to_csv(index=False, sep=";").encode(),
    "tab.tsv": FRAME.to_csv(index=False, sep="\t").encode(),
    "a.csv.gz": gzip.compress(CSV),
    "a.csv.bz2": bz2.compress(CSV),
    "a.csv.xz": lzma.compress(CSV),
    "a.csv.lz4": lz4(CSV),
    "a.csv.zst": lz4(CSV, "zstd"),
    "a.jsonl": JSON,
    "a.ndjson.gz": gzip.compress(JSON),
    "a.parquet": arrow_bytes("parquet"),
    "a.parquet.gz": gzip.compress(arrow_bytes("parquet")),
    "a.feather": arrow_bytes("file"),
    "a.arrow": arrow_bytes("stream"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_the_same_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    found = read(tmp_path / name)
    same(found)
    assert found.attrs["source"] == name


def test_feather_written_by_polars_is_read(tmp_path: Path) -> None:
    pl.from_pandas(FRAME).write_ipc(tmp_path / "a.feather", compression="zstd")
    same(read(tmp_path / "a.feather"))


def test_a_file_is_read_by_its_path_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    same(read(str(tmp_path / "a.csv")))


def test_a_file_whose_name_has_brackets_is_no_glob(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_bytes(CSV)
    same(read(tmp_path / "a[1].csv"))


def test_standard_input_is_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    found = read("-")
    same(found)
    assert found.attrs["source"] == "standard input"


def test_a_quoted_field_may_span_lines_and_a_row_may_be_longer_than_a_block(tmp_path: Path) -> None:
    text = "x" * 3_000_000
    (tmp_path / "a.csv").write_text(f'a,b\n1,"one\ntwo"\n2,{text}\n')
    assert read(tmp_path / "a.csv")["b"].tolist() == ["one\ntwo", text]


def test_text_stays_text_and_an_empty_number_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,n,word,gone\nA1,1,,\nNA,,x,\n")
    found = read(tmp_path / "a.csv")
    assert found["code"].tolist() == ["A1", "NA"]
    assert found["word"].tolist() == ["", "x"]
    assert found["n"].isna().tolist() == [False, True]
    assert found["gone"].dtype == np.float64 and found["gone"].isna().all()


def test_booleans_with_gaps_become_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("b,c\ntrue,1\n,2\nfalse,3\n")
    assert read(tmp_path / "a.csv")["b"].astype(object).where(lambda s: s.notna(), None).tolist() == [1.0, None, 0.0]


def test_a_late_change_of_type_makes_the_whole_column_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 600_000 + "x,2\n")
    assert read(tmp_path / "a.csv")["a"].iloc[[0, -1]].tolist() == ["1", "x"]


def test_a_folder_is_one_table_in_order_of_name(tmp_path: Path) -> None:
    for name, part in (("2.csv", FRAME.iloc[2:]), ("1.csv", FRAME.iloc[:2])):
        part.to_csv(tmp_path / name, index=False)
    (tmp_path / "README.md").write_text("not data")
    (tmp_path / "_SUCCESS").touch()
    same(read(tmp_path))
    same(read(str(tmp_path / "*.csv")))
    assert read(tmp_path).attrs["source"].endswith("(2 files)")


def test_files_of_one_table_may_differ_in_column_order_and_number_type(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b,a\ny,2.5\n")
    (tmp_path / "3.csv").write_text("b,a\nz,\n")
    found = read(tmp_path)
    assert list(found.columns) == ["a", "b"]
    assert found["a"].tolist()[:2] == [1.0, 2.5] and found["b"].tolist() == ["x", "y", "z"]


# ------------------------------------------------------------------------------- objects in memory

IN_MEMORY = {
    "pandas": lambda: FRAME,
    "pandas with an index": lambda: FRAME.set_index(pd.Index([7, 7, 7, 7])),
    "polars": lambda: pl.from_pandas(FRAME),
    "polars lazy": lambda: pl.from_pandas(FRAME).lazy(),
    "pyarrow table": lambda: pa.Table.from_pandas(FRAME),
    "pyarrow batch": lambda: pa.RecordBatch.from_pandas(FRAME),
    "pyarrow reader": lambda: pa.Table.from_pandas(FRAME).to_reader(),
    "dict": lambda: {name: FRAME[name].to_list() for name in FRAME},
}


@pytest.mark.parametrize("name", IN_MEMORY)
def test_every_kind_of_frame_gives_the_same_table(name: str) -> None:
    same(read(IN_MEMORY[name]()))


def test_a_pandas_frame_is_neither_copied_nor_changed() -> None:
    frame = pd.DataFrame({"a": np.arange(5.0), "b": np.arange(5.0)}, index=list("vwxyz"))
    found = read(frame)
    assert np.shares_memory(found["a"].to_numpy(), frame["a"].to_numpy())
    assert list(frame.index) == list("vwxyz") and frame.attrs == {}


def test_columns_without_text_names_get_them() -> None:
    frame = pd.DataFrame(np.eye(2))
    assert list(read(frame).columns) == ["0", "1"] and list(frame.columns) == [0, 1]


def test_an_array_is_named_and_not_copied() -> None:
    array = np.arange(6.0).reshape(3, 2)
    found = read(array)
    assert list(found.columns) == ["x0", "x1"]
    assert np.shares_memory(found["x0"].to_numpy(), array)
    assert list(read(array, names=["a", "b"]).columns) == ["a", "b"]


def test_an_array_of_objects_gets_a_type_per_column() -> None:
    found = read(np.array([[1, "a"], [2, "b"]], dtype=object))
    assert found["x0"].dtype == np.int64 and found["x1"].tolist() == ["a", "b"]


def test_a_structured_array_keeps_its_names() -> None:
    found = read(np.array([(1, 2.5), (3, 4.5)], dtype=[("n", "i4"), ("r", "f8")]))
    assert found.to_dict("list") == {"n": [1, 3], "r": [2.5, 4.5]}


@pytest.mark.parametrize(
    "y",
    [
        ["no", "yes"],
        np.array(["no", "yes"]),
        np.array([["no"], ["yes"]]),
        pd.Series(["no", "yes"], index=[8, 9], name="other"),
        pd.DataFrame({"other": ["no", "yes"]}),
        pl.Series(["no", "yes"]),
    ],
    ids=["list", "array", "column", "series", "frame", "polars"],
)
def test_a_pair_brings_its_labels_as_the_target_column(y: object) -> None:
    found = read((np.eye(2), y))
    assert found["target"].tolist() == ["no", "yes"] and found.attrs["target"] == "target"
    assert list(found.columns) == ["x0", "x1", "target"]


def test_a_pair_can_name_its_labels() -> None:
    assert read((np.eye(2), [0, 1]), names=["a", "b", "paid"]).attrs["target"] == "paid"
    assert list(read((np.eye(2), [0, 1]), target="paid").columns) == ["x0", "x1", "paid"]
    assert read((np.eye(2), [0, 1]))["target"].dtype == np.int64


def test_a_pair_leaves_the_frame_alone() -> None:
    x = pd.DataFrame({"a": [1, 2]})
    assert list(read((x, [0, 1])).columns) == ["a", "target"] and list(x.columns) == ["a"]


def test_polars_is_not_imported_unless_the_caller_did(tmp_path: Path) -> None:
    code = (
        "import sys, incumbent.data as d, pandas as pd; d.read(pd.DataFrame({'a': [1]})); d.read({'a': [1]});"
        "print([m for m in ('polars', 'sklearn', 'mlflow', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------- bad input

DUPLICATED = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])


def parquet_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(table, sink)
    return sink.getvalue()


BAD_FILES = [
    ("empty.csv", b"", "empty.csv is empty"),
    ("empty.parquet", b"", "is empty"),
    ("empty.csv.gz", gzip.compress(b""), "is empty"),
    ("blank.csv", b"\n\n", "empty but for blanks"),
    ("header.csv", b"a,b\n", "has no rows"),
    ("latin.csv", "a,b\n1,2\né,3\n".encode("latin1"), r"not text in UTF-8: byte 8 is 0xe9.*iconv"),
    ("latin-header.csv", "é,b\n1,2\n".encode("latin1"), r"byte 0 is 0xe9"),
    ("far.csv", b"a,b\n" + b"1,2\n" * 1_100_000 + b"\xe9,3\n", r"byte 4,400,004 is 0xe9"),
    ("cut.csv", b"a,b\n1,\xc3", r"byte 6 is 0xc3"),
    ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    ("binary.csv", b"a,b\n\x00\x01\x02,3\n", "byte 4 is 0x00.*no text"),
    ("ragged.csv", b"a,b\n1,2\n\n3\n", "Row #3: Expected 2 columns, got 1"),
    ("wide.csv", b'a,b\n"1\n2",2\n3,4,5\n', "Row #3: Expected 2 columns, got 3"),
    ("quote.csv", b'a,b\n"1,2\n3,4\n', "Row #2: Expected 2 columns, got 1"),
    ("twice.csv", b"a,b,a\n1,2,3\n", "more than one column called 'a'"),
    ("unnamed.csv", b"a,,c\n1,2,3\n", "Column 2 of unnamed.csv has no name"),
    ("parquet.csv", arrow_bytes("parquet"), r"Parquet \(name it .parquet\)"),
    ("gzip.csv", gzip.compress(CSV), r"gzip \(add .gz"),
    ("book.csv", b"PK\x03\x04xxxx", "Excel"),
    ("notes.md", b"# hello", r"ending \.md.*\.csv.*\.parquet"),
    ("noending", b"a,b\n1,2\n", "no ending"),
    ("only.gz", gzip.compress(CSV), "no ending"),
    ("plain.csv.gz", CSV, "cannot be decompressed as gzip"),
    ("cut.csv.gz", gzip.compress(CSV)[:-15], "cannot be decompressed as gzip"),
    ("cut.csv.xz", lzma.compress(CSV)[:-15], "cannot be decompressed as xz"),
    ("cut.csv.zst", lz4(CSV, "zstd")[:-5], "cannot be decompressed as zstd"),
    ("text.parquet", CSV, "cannot be read as Parquet"),
    ("cut.parquet", arrow_bytes("parquet")[:-30], "cannot be read as Parquet"),
    ("damaged.parquet", b"PAR1" + b"\xff" * 200 + b"PAR1", "cannot be read as Parquet"),
    ("twice.parquet", parquet_of(DUPLICATED), "more than one column called 'a'"),
    ("list.parquet", parquet_of(pa.table({"a": [[1], [2]]})), r"'a' of list.parquet is nested \(list"),
    ("struct.parquet", parquet_of(pa.table({"a": [{"b": 1}]})), "is nested"),
    ("bytes.parquet", parquet_of(pa.table({"a": [b"x"]})), "raw bytes"),
    ("norows.parquet", parquet_of(pa.table({"a": pa.array([], pa.int64())})), "has no rows"),
    ("nocolumns.parquet", parquet_of(pa.table({})), "has no columns"),
    ("text.feather", CSV, "cannot be read as Arrow"),
    ("cut.feather", arrow_bytes("file")[:200], "cannot be read as Arrow"),
    (
        "broken.jsonl",
        b'{"a":1}\n{"a":\n{"a":3}\n',
        "cannot be read as JSON Lines .*changed from number to object in row 2",
    ),
    ("word.jsonl", b'{"a":1}\n\nhello\n', "Invalid value. in row 2"),
    ("array.json", b'[{"a":1},{"a":2}]', "one object per line.*orient=.records., lines=True"),
    ("scalar.jsonl", b"1\n2\n", "changed from object to number in row 1"),
    ("types.jsonl", b'{"a":1}\n{"a":"x"}\n', "changed from number to string in row 2"),
    ("nested.jsonl", b'{"a":{"b":1}}\n', "is nested"),
    ("latin.jsonl", '{"a":"é"}\n'.encode("latin1"), "byte 6 is 0xe9"),
]


@pytest.mark.parametrize(("name", "content", "says"), BAD_FILES, ids=[case[0] for case in BAD_FILES])
def test_a_bad_file_gets_one_clear_sentence(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


BAD_PLACES = [
    ("missing.csv", r"no file .*missing.csv.*other.csv"),
    ("nowhere/missing.csv", "no file .*working directory"),
    ("*.parquet", r"No file matches .*\*\.parquet"),
    ("empty", "has no data files"),
    ("notes", r"has no data files; it has 'a.md'"),
    ("names", r"2.csv lacks 'b' and adds 'c'"),
    ("types", "Field a has incompatible types: int64 vs string"),
    ("http://host/a.csv", "download it first"),
    ("x" * 5000 + ".csv", "cannot be opened"),
]


@pytest.mark.parametrize(("name", "says"), BAD_PLACES, ids=[case[0][:20] for case in BAD_PLACES])
def test_a_bad_place_gets_one_clear_sentence(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "other.csv").write_bytes(CSV)
    for folder, files in {
        "empty": {},
        "notes": {"a.md": "x"},
        "names": {"1.csv": "a,b\n1,2\n", "2.csv": "a,c\n1,2\n", "3.csv": "a,b\n1,2\n"},
        "types": {"1.csv": "a\n1\n", "2.csv": "a\nx\n"},
    }.items():
        (tmp_path / folder).mkdir()
        for file, text in files.items():
            (tmp_path / folder / file).write_text(text)
    with pytest.raises(DataError, match=says):
        read(name if "://" in name else f"{tmp_path}/{name}")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)  # a superuser may read every file, so the mode would not do
    with pytest.raises(DataError, match="cannot be opened: Permission denied"):
        read(tmp_path / "a.csv")


def test_empty_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match="Standard input is empty"):
        read("-")


BAD_OBJECTS = [
    (None, "cannot be read from NoneType"),
    (7, "cannot be read from int"),
    ([1, 2], "cannot be read from list"),
    (pd.Series([1, 2]), "pandas Series is no table"),
    (np.zeros(3), r"shape \(3,\) is no table.*reshape"),
    (np.zeros((2, 2, 2)), "is no table"),
    (np.zeros((0, 2)), "has no rows"),
    (np.zeros((2, 0)), "has no columns"),
    (pd.DataFrame(), "has no columns"),
    (pd.DataFrame({"a": []}), "pandas frame has no rows"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than one column called 'a'"),
    (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "2 levels"),
    (pl.DataFrame({"a": [[1], [2]]}), "'a' of polars frame is nested"),
    (DUPLICATED, "pyarrow table has more than one column called 'a'"),
    ({"a": [1, 2], "b": [1]}, "'a' has 2 rows, 'b' has 1 row"),
    ({"a": 1}, "'a' has no rows"),
    ((np.eye(2), [1]), r"y has shape \(1,\) but x has 2 rows"),
    ((np.eye(2), np.eye(2)), r"y has shape \(2, 2\)"),
    ((pd.DataFrame({"target": [1]}), [1]), "already has a column 'target'"),
]


@pytest.mark.parametrize(("source", "says"), BAD_OBJECTS, ids=[case[1][:30] for case in BAD_OBJECTS])
def test_a_bad_object_gets_one_clear_sentence(source: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(source)


def test_names_are_counted_and_a_frame_keeps_its_own() -> None:
    with pytest.raises(DataError, match="names has 1 name for 2 columns"):
        read(np.eye(2), names=["a"])
    assert list(read(FRAME, names=["a"]).columns) == list(FRAME.columns)
