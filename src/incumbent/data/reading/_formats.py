"""Read the bytes of one file as an Arrow table."""

from __future__ import annotations

import codecs
import lzma
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet

from incumbent.errors import DataError

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".xz": "xz"}
_BLOCK = 1 << 26  # bytes; a row must be shorter
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
    """Return the decompressed bytes; `codec` is a value of `CODECS`."""
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
    """Raise an error if the bytes are not UTF-8 text. Arrow's own check names neither the byte nor a way out."""
    view = memoryview(data).cast("B")
    head = bytes(view[:4096])
    kind = next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None)
    if kind is not None:
        raise DataError(f"{where} is not text: its first bytes are those of {kind}.")
    if not head.strip():
        raise DataError(f"{where} is empty but for blanks; a table with a header and at least one row was expected.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head:
        at = max(head.find(0), 0)
        raise DataError(
            f"{where} is not text in UTF-8: byte {at:,} is 0x{head[at]:02x}, so it is UTF-16 or no text at all. "
            f"Convert UTF-16 with: iconv -f UTF-16 -t UTF-8 OLD > NEW"
        )
    try:
        codecs.utf_8_decode(view, "strict", True)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not text in UTF-8: byte {error.start:,} is 0x{view[error.start]:02x}. "
            f"If it is Latin-1, convert it with: iconv -f LATIN1 -t UTF-8 OLD > NEW"
        ) from error


def csv_table(data: Any, where: str, delimiter: str | None = None) -> Any:
    """Read CSV; without a delimiter, the one that the header line uses most of comma, semicolon, tab and bar."""
    _check_text(data, where)
    delimiter = delimiter or _delimiter(data)
    try:
        table = _read_csv(data, delimiter)
    except pa.ArrowInvalid:
        try:
            table = _read_csv(data, delimiter, use_threads=False)  # only this names the row in its error
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{where} cannot be read as CSV: {_first_line(error)}. Every row needs as many fields as the header; "
                f"look for a stray delimiter or an open quote there."
            ) from error
    # An unnamed first column is the row index that DataFrame.to_csv writes by default.
    return table.remove_column(0) if table.num_columns > 1 and table.column_names[0] == "" else table


def _read_csv(data: Any, delimiter: str, *, use_threads: bool = True) -> Any:
    return pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(block_size=_BLOCK, use_threads=use_threads),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(check_utf8=False),
    )


def _delimiter(data: Any) -> str:
    header = bytes(memoryview(data)[: 1 << 16]).decode("utf-8", "ignore").lstrip().partition("\n")[0]
    outside = "".join(header.split('"')[::2])
    return max(",;\t|", key=outside.count)


def json_table(data: Any, where: str) -> Any:
    """Read JSON Lines: one object per line."""
    _check_text(data, where)
    whole = pa.json.ReadOptions(block_size=min(len(data) + 1, (1 << 31) - 1))  # errors count the rows of a block
    try:
        return pa.json.read_json(pa.BufferReader(data), whole)
    except pa.ArrowInvalid as error:
        counted = re.sub(r"in row (\d+)", lambda found: f"in row {int(found[1]) + 1:,}", _first_line(error))
        raise DataError(
            f"{where} cannot be read as JSON Lines (one object per line, one type per column): {counted}. Convert one "
            f"JSON value with: pandas.read_json(OLD).to_json(NEW, orient='records', lines=True)"
        ) from error


# ----------------------------------------------------------------------------------------- binary


def parquet_table(data: Any, where: str) -> Any:
    """Read Parquet."""
    return _binary(lambda source: pa.parquet.ParquetFile(source).read(), data, where, "Parquet")


def arrow_table(data: Any, where: str) -> Any:
    """Read Feather or Arrow, the file format as well as the stream format."""
    stored_as_file = bytes(memoryview(data)[:6]).startswith((b"ARROW1", b"FEA1"))
    read = pa.feather.read_table if stored_as_file else lambda source: pa.ipc.open_stream(source).read_all()
    return _binary(read, data, where, "Arrow")


def _binary(read: Callable[[Any], Any], data: Any, where: str, kind: str) -> Any:
    """Read a table, without the unnamed index that pandas stores."""
    try:
        table = read(pa.BufferReader(data))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{where} cannot be read as {kind}: it is truncated, damaged or of another kind ({_first_line(error)}). "
            f"Copy or write it again."
        ) from error
    return table.drop_columns([name for name in table.column_names if name.startswith("__index_level_")])


def _first_line(error: BaseException) -> str:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\w+ parse error: ", "", text)[:160].rstrip(". ")


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
