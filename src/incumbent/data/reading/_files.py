"""From a path, a folder, a glob or standard input to one Arrow table."""

from __future__ import annotations

import glob
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from incumbent.data.reading._formats import CODECS, FORMATS, csv_table, decompress
from incumbent.errors import DataError
from incumbent.words import counted, listed

READABLE = f"What is read: {', '.join(FORMATS)}, each also with {', '.join(CODECS)} behind it"


def read_table(source: str) -> tuple[Any, str]:
    """Return the table that `source` names, and a short description of where it came from."""
    if source == "-":
        return csv_table(_content(sys.stdin.buffer.read(), "Standard input"), "Standard input"), "standard input"
    files = _files(source)
    if len(files) == 1:
        return _table(files[0]), files[0].name
    return _joined(files, source), f"{source} ({counted(len(files), 'file')})"


def _files(source: str) -> list[Path]:
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _in_folder(path)
        if path.exists():
            return [path]
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}. Check the name and who may read it.") from error
    if glob.has_magic(source):
        return _matching(source, str(path))
    if "://" in source:
        raise DataError(f"{source} is an address, and files are read from disk only; download it first.")
    beside = sorted(p.name for p in path.parent.iterdir() if _suffixes(p)[0] in FORMATS) if path.parent.is_dir() else []
    here = "The working directory" if path.parent == Path(".") else str(path.parent)
    there = f" {here} has {listed(beside, 5)}." if beside else " Check the name and the working directory."
    raise DataError(f"There is no file {source}.{there}")


def tables_in(folder: Path) -> list[Path]:
    """Return the files of a folder that hold tables, in order of name."""
    return [p for p in _inside(folder) if _suffixes(p)[0] in FORMATS]


def _inside(folder: Path) -> list[Path]:
    # Hidden files and those such as _SUCCESS are other tools' notes, not data.
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith((".", "_")))


def _in_folder(folder: Path) -> list[Path]:
    files = tables_in(folder)
    if not files:
        inside = _inside(folder)
        held = f"; it has {listed(p.name for p in inside)}" if inside else ""
        raise DataError(f"The folder {folder} has no data files{held}. {READABLE}; for folders inside it, use a glob.")
    return files


def _matching(source: str, pattern: str) -> list[Path]:
    files = sorted(p for p in map(Path, glob.glob(pattern, recursive=True)) if p.is_file())
    if not files:
        raise DataError(f"No file matches {source}. Check the pattern, and quote it so that the shell leaves it alone.")
    return files


def _suffixes(path: Path) -> tuple[str, str]:
    """Return what the name says of format and compression: (".csv", ".gz")."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in CODECS:
        return (suffixes[-2] if len(suffixes) > 1 else ""), suffixes[-1]
    return (suffixes[-1] if suffixes else ""), ""


def _table(path: Path) -> Any:
    kind, codec = _suffixes(path)
    if kind not in FORMATS:
        ending = f"the ending {kind}" if kind else "no ending that names a format"
        raise DataError(f"{path} has {ending}, so how to read it is unknown. {READABLE}.")
    try:
        data = _content(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}. Check who may read it.") from error
    if codec:
        data = _content(decompress(data, CODECS[codec], str(path)), str(path))
    return FORMATS[kind](data, str(path))


def _content(data: Any, where: str) -> Any:
    if not len(memoryview(data)):
        raise DataError(f"{where} is empty; a table with a header and at least one row was expected.")
    return pa.py_buffer(data)


def _joined(files: list[Path], source: str) -> Any:
    tables = {path: _table(path) for path in files}
    names = {path: frozenset(table.column_names) for path, table in tables.items()}
    usual = Counter(names.values()).most_common(1)[0][0]
    for path, given in names.items():
        if given != usual:
            differs = [
                f"{word} {listed(sorted(part))}"
                for word, part in (("lacks", usual - given), ("adds", given - usual))
                if part
            ]
            raise DataError(f"The files of {source} are no one table: {path} {' and '.join(differs)}.")
    return _concatenated(tables, source)


def _concatenated(tables: dict[Path, Any], source: str) -> Any:
    order = next(iter(tables.values())).column_names
    schema, parts = None, []
    for path, table in tables.items():
        part = table.select(order) if len(set(order)) == len(order) else table
        try:
            schema = pa.unify_schemas([schema or part.schema, part.schema], promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise DataError(
                f"The files of {source} are no one table: {path} has other types than those before it ({error})."
            ) from error
        parts.append(part)
    return pa.concat_tables(parts, promote_options="permissive")
