"""From the bytes of one file to an Arrow table, and from what is wrong with them to one sentence."""

from __future__ import annotations

import codecs
import csv
import io
import json
import lzma
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet

from incumbent.errors import DataError
from incumbent.words import counted

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".xz": "xz"}
_BLOCK = 1 << 22
_SIGNATURES = {
    b"PAR1": "Parquet (name it .parquet)",
    b"ARROW1": "Arrow (name it .arrow)",
    b"FEA1": "Feather (name it .feather)",
    b"\x1f\x8b": "gzip (add .gz to its name)",
    b"BZh": "bzip2 (add .bz2 to its name)",
    b"\x28\xb5\x2f\xfd": "Zstandard (add .zst to its name)",
    b"\xfd7zXZ": "xz (add .xz to its name)",
    b"PK\x03\x04": "a zip archive or an Excel workbook (unpack it, or export it as CSV)",
}


def decompress(data: Any, codec: str, where: str) -> Any:
    """Return the plain bytes behind a compression named by a key of `CODECS`' values."""
    try:
        if codec == "xz":
            return pa.py_buffer(lzma.decompress(data))
        return pa.py_buffer(pa.CompressedInputStream(pa.BufferReader(data), codec).read())
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise DataError(
            f"{where} cannot be decompressed as {codec} ({_first_line(error)}); it is truncated or of another kind. "
            f"Copy it again, or rename it to what it is."
        ) from error


# ------------------------------------------------------------------------------------------- text


def _check_text(data: Any, where: str) -> None:
    """Raise where the bytes are not UTF-8 text, with the position of the first that is not."""
    view = memoryview(data).cast("B")
    head = bytes(view[:4096])
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            raise DataError(f"{where} is not text: its first bytes are those of {kind}.")
    if not head.strip():
        raise DataError(f"{where} is empty but for blanks; a table with a header and at least one row was expected.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head:
        at = max(head.find(0), 0)
        raise DataError(
            f"{where} is not text in UTF-8: byte {at:,} is 0x{head[at]:02x}, so it is UTF-16 or no text at all. "
            f"Convert UTF-16 with: iconv -f UTF-16 -t UTF-8 OLD > NEW"
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(view), _BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _BLOCK], final=start + _BLOCK >= len(view))
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            raise DataError(
                f"{where} is not text in UTF-8: byte {at:,} is 0x{view[at]:02x}. "
                f"If it is Latin-1, convert it with: iconv -f LATIN1 -t UTF-8 OLD > NEW"
            ) from error


def csv_table(data: Any, where: str, delimiter: str | None = None) -> Any:
    """Read CSV; without a delimiter, the one that the header line uses most of comma, semicolon, tab and bar."""
    _check_text(data, where)
    delimiter = delimiter or _delimiter(data)
    try:
        table = _widening(data, lambda block: _read_csv(data, delimiter, block))
    except pa.ArrowInvalid as error:
        raise DataError(_ragged(data, delimiter, where) or _unread(where, "CSV", error)) from error
    # An unnamed first column is the row index that DataFrame.to_csv writes unless told not to.
    return table.remove_column(0) if table.num_columns > 1 and table.column_names[0] == "" else table


def _read_csv(data: Any, delimiter: str, block: int) -> Any:
    return pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(block_size=block),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(check_utf8=False),
    )


def _widening(data: Any, read: Callable[[int], Any]) -> Any:
    """Read in blocks of 1 MiB, or in one block where a single row is longer than that."""
    try:
        return read(1 << 20)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        return read(min(len(memoryview(data)) + 1, (1 << 31) - 1))


def _delimiter(data: Any) -> str:
    header = bytes(memoryview(data)[: 1 << 16]).decode("utf-8", "ignore").lstrip().partition("\n")[0]
    outside = "".join(header.split('"')[::2])
    best = max(",;\t|", key=outside.count)
    return best if outside.count(best) > outside.count(",") else ","


def _ragged(data: Any, delimiter: str, where: str) -> str:
    """Return the sentence about the first row whose number of fields is not the header's, or nothing."""
    rows = csv.reader(io.StringIO(str(memoryview(data), "utf-8-sig"), newline=""), delimiter=delimiter)
    width, start = 0, 1
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                return (
                    f"{where} has {counted(len(row), 'field')} in line {start:,} where its header has {width}; "
                    f"every line needs as many. Look for a stray delimiter or an open quote there."
                )
            start = rows.line_num + 1
    except csv.Error:
        return ""
    return ""


def json_table(data: Any, where: str) -> Any:
    """Read JSON Lines: one object per line."""
    _check_text(data, where)
    try:
        return _widening(
            data,
            lambda block: pa.json.read_json(pa.BufferReader(data), pa.json.ReadOptions(block_size=block)),
        )
    except pa.ArrowInvalid as error:
        raise DataError(_broken_line(data, where) or _unread(where, "JSON Lines", error)) from error


def _broken_line(data: Any, where: str) -> str:
    """Return the sentence about the first line that is no object like those before it, or nothing."""
    seen: dict[str, type] = {}
    for number, line in enumerate(io.BytesIO(data), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            if number == 1 and line.lstrip().startswith((b"[", b"{")) and _whole(data):
                return _one_value(where)
            return f"{where} has a broken line {number:,}: {_first_line(error)}. Each line must be one JSON object."
        if not isinstance(row, dict):
            return _one_value(where) if isinstance(row, list) else f"Line {number:,} of {where} is not a JSON object."
        for name, value in row.items():
            kind = float if isinstance(value, int) and not isinstance(value, bool) else type(value)
            if value is not None and seen.setdefault(name, kind) is not kind:
                return (
                    f"{where} changes the type of {name!r} in line {number:,}, to {value!r}; "
                    f"a column holds one type. Write all its values as numbers, or all as text."
                )
    return ""


def _whole(data: Any) -> bool:
    try:
        json.loads(bytes(data))
    except ValueError:
        return False
    return True


def _one_value(where: str) -> str:
    return (
        f"{where} is one JSON value, not JSON Lines (one object per line). Convert it with: "
        f"pandas.read_json(OLD).to_json(NEW, orient='records', lines=True)"
    )


# ----------------------------------------------------------------------------------------- binary


def parquet_table(data: Any, where: str) -> Any:
    """Read Parquet; an index without a name that pandas stored is left out."""
    try:
        table = pa.parquet.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(_unread(where, "Parquet", error)) from error
    return table.drop_columns([name for name in table.column_names if name.startswith("__index_level_")])


def arrow_table(data: Any, where: str) -> Any:
    """Read Feather or Arrow, the file format as well as the stream format."""
    stored_as_file = bytes(memoryview(data)[:6]).startswith((b"ARROW1", b"FEA1"))
    try:
        if stored_as_file:
            table = pa.feather.read_table(pa.BufferReader(data))
        else:
            table = pa.ipc.open_stream(pa.BufferReader(data)).read_all()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(_unread(where, "Arrow", error)) from error
    return table.drop_columns([name for name in table.column_names if name.startswith("__index_level_")])


def _unread(where: str, kind: str, error: BaseException) -> str:
    return (
        f"{where} cannot be read as {kind}: it is truncated, damaged or of another kind ({_first_line(error)}). "
        f"Copy or write it again."
    )


def _first_line(error: BaseException) -> str:
    # The end of Arrow's own message would name an internal source object, which helps nobody.
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return text[:160].rstrip(". ")


FORMATS: dict[str, Callable[[Any, str], Any]] = {
    ".csv": csv_table,
    ".tsv": lambda data, where: csv_table(data, where, "\t"),
    ".parquet": parquet_table,
    ".pq": parquet_table,
    ".feather": arrow_table,
    ".arrow": arrow_table,
    ".ipc": arrow_table,
    ".jsonl": json_table,
    ".ndjson": json_table,
    ".json": json_table,
}
