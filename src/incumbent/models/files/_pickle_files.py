"""Recognise pickle and joblib files, compressed or not, by their first bytes, and load them with permission."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from incumbent.errors import ModelError, TrustError
from incumbent.models._framework import frameworks
from incumbent.models.files._pickles import names_in
from incumbent.models.files._safe import one_version_warning

LEAVE = "pass --trust-pickle (in Python: trust_pickle=True)"
_SUFFIXES = (".pkl", ".pickle", ".joblib")
# Names from these libraries are expected in the pickle of a model. A reader wants to see the others first.
_FAMILIAR = ("sklearn.", "numpy.", "scipy.", "pandas.", "joblib.", "collections.", "copyreg.")
_OPENERS: tuple[tuple[bytes, Callable[..., Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
    (b"]\x00", lzma.open),
)
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)


def is_pickle(path: Path, head: bytes) -> bool:
    """Return whether a file is a pickle, judged by its first bytes; protocols 0 and 1 also need the suffix."""
    if head.startswith(b"\x04\x22\x4d\x18"):  # LZ4, which only joblib uses here
        return True
    try:
        with _decompressed(path) as file:
            start = file.read(2)
    except _DAMAGED:
        return path.suffix in _SUFFIXES
    if len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5:
        return True
    return path.suffix in _SUFFIXES and start[:1] in b"(c]}l"  # protocols 0 and 1 have no mark of their own


def load_pickle(path: Path, name: str, *, trust_pickle: bool) -> Any:
    """Load a pickle. Raise `TrustError`, which lists what it would load, unless it may be trusted."""
    if not trust_pickle:
        raise TrustError(
            f"{name} is a pickle, and opening a pickle can run any code. If you trust its author, {LEAVE}. "
            f"{_would_load(path)}"
        )
    import joblib

    try:
        with one_version_warning(name):
            return joblib.load(path)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{name} needs the module {error.name!r}, which is not installed here. Install it, or run from the "
            "folder that holds it."
        ) from error
    except AttributeError as error:
        raise ModelError(
            f"{name} needs something that is not there ({error}). It was made with other versions of its libraries, "
            "or in a script whose own functions must be importable here."
        ) from error
    except Exception as error:  # a pickle is a program: it can fail in any way
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name} cannot be read: {first}. It is damaged, or was made with other versions of its libraries."
        ) from error


def shorten(names: list[str], most: int = 12) -> str:
    """Return the first names of a list, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _decompressed(path: Path) -> IO[bytes]:
    """Open a file that may be compressed as joblib does it; the caller closes it."""
    with path.open("rb") as file:
        magic = file.read(6)
    if len(magic) > 1 and magic[0] == 0x78 and (magic[0] * 256 + magic[1]) % 31 == 0:  # zlib
        from joblib.compressor import BinaryZlibFile

        inflated: IO[bytes] = io.BufferedReader(BinaryZlibFile(str(path), "rb"))
        return inflated
    opener = next((opener for start, opener in _OPENERS if magic.startswith(start)), open)
    opened: IO[bytes] = opener(path, "rb")
    return opened


def _would_load(path: Path) -> str:
    try:
        with _decompressed(path) as file:
            names, complete = names_in(file)
    except _DAMAGED:
        return "What it would load is unknown: it is damaged, or compressed in an unknown way."
    familiar = (*_FAMILIAR, *(f"{one.package}." for one in frameworks() if one.package is not None))
    unusual = [name for name in names if not name.startswith(familiar)]
    ordered = unusual + [name for name in names if name not in unusual]
    listed = f"It would load: {shorten(ordered)}." if ordered else "It names nothing that can be seen."
    return listed if complete else f"{listed} The list may be incomplete."
