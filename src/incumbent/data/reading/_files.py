"""Read a path, a folder, a glob or standard input as one Arrow table.

`pyarrow.dataset` would not replace this: it reads no standard input, no JSON in `.xz` and no folder of several formats,
joins files that lack a column of the others without a word, and its errors do not say what to do.
"""

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

READABLE = f"Readable files are {', '.join(FORMATS)}, each also with {', '.join(CODECS)} appended"


def read_table(source: str) -> tuple[Any, str]:
    """Return the table that `source` names, and a short description of where it came from."""
    if source == "-":
        return csv_table(_content(sys.stdin.buffer.read(), "Standard input"), "Standard input"), "standard input"
    files = _files(source)
    if len(files) == 1:
        return _table(files[0]), files[0].name
    return _concatenate(files, source), f"{source} ({counted(len(files), 'file')})"


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
        files = sorted(found for found in map(Path, glob.glob(str(path), recursive=True)) if found.is_file())
        if not files:
            raise DataError(f"No file matches {source}. Check the pattern, and quote it to keep it from the shell.")
        return files
    if "://" in source:
        raise DataError(f"{source} is an address, and files are read from disk only; download it first.")
    neighbours = [file.name for file in tables_in(path.parent)] if path.parent.is_dir() else []
    here = "The working directory" if path.parent == Path(".") else str(path.parent)
    there = f" {here} has {listed(neighbours, 5)}." if neighbours else " Check the name and the working directory."
    raise DataError(f"There is no file {source}.{there}")


def _inside(folder: Path) -> list[Path]:
    # Hidden files and those such as _SUCCESS are notes of other tools.
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith((".", "_")))


def tables_in(folder: Path) -> list[Path]:
    """Return the files of a folder that hold tables, in order of name."""
    return [file for file in _inside(folder) if _suffixes(file)[0] in FORMATS]


def _in_folder(folder: Path) -> list[Path]:
    files = tables_in(folder)
    if not files:
        inside = _inside(folder)
        held = f"; it has {listed(file.name for file in inside)}" if inside else ""
        raise DataError(f"The folder {folder} has no data files{held}. {READABLE}; for folders inside it, use a glob.")
    return files


def _suffixes(path: Path) -> tuple[str, str]:
    """Return the suffixes of format and compression: (".csv", ".gz")."""
    *_, kind, last = ["", "", *(suffix.lower() for suffix in path.suffixes)]
    return (kind, last) if last in CODECS else (last, "")


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


def _concatenate(files: list[Path], source: str) -> Any:
    tables = {path: _table(path) for path in files}
    names = {path: frozenset(table.column_names) for path, table in tables.items()}
    usual = Counter(names.values()).most_common(1)[0][0]
    for path, given in names.items():
        if given != usual:
            parts = {"lacks": usual - given, "adds": given - usual}
            differs = " and ".join(f"{word} {listed(sorted(part))}" for word, part in parts.items() if part)
            raise DataError(f"The files of {source} are not one table: {path} {differs}.")
    try:
        return pa.concat_tables(tables.values(), promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise DataError(f"The files of {source} are not one table, as a column changes its type ({error}).") from error
