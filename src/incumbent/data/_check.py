"""What was found in the data at the door: findings in words, and the digest that names the rows."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from incumbent.core import Batch, Value
from incumbent.data._keys import column_keys, row_keys


@dataclass(frozen=True, repr=False)
class Finding(Value):
    """Something about the data that a person should know, and that does not stop an update.

    Parameters
    ----------
    level : {"note", "warning"}
        A note says what was done with the data; a warning says that the data may not be what they seem.
    column : str
        Which column; empty where it concerns the rows as a whole.
    text : str
        One sentence.

    Examples
    --------
    >>> Finding("note", "id", "'id' is not among the model's features; it is ignored.")
    Finding('note', column='id', text="'id' is not among the model's features; it is ignored.")
    """

    level: Literal["note", "warning"]
    column: str
    text: str


@dataclass(frozen=True, repr=False)
class DataCheck(Value):
    """All that was found when a batch was held against the schema of a model.

    Parameters
    ----------
    findings : tuple of Finding
        Warnings and notes.
    rows : int
        How many rows were read.
    columns : int
        How many features each row has.
    digest : str
        SHA-256 of the checked content (names, values and row order), the same whatever file format it came from.
    source : str
        Where the rows came from: a file name, or such as "pandas frame".

    Examples
    --------
    >>> check = DataCheck((Finding("warning", "age", "3 rows have no 'age'."),), 100, 4, "0" * 64, "march.csv")
    >>> print(check)
    march.csv: 100 rows, 4 features, 1 warning, 0 notes
      warning: 3 rows have no 'age'.
    """

    findings: tuple[Finding, ...]
    rows: int
    columns: int
    digest: str
    source: str

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that ask for a look."""
        return tuple(f for f in self.findings if f.level == "warning")

    def __str__(self) -> str:
        warnings = len(self.warnings)
        counts = (
            counted(self.rows, "row"),
            counted(self.columns, "feature"),
            counted(warnings, "warning"),
            counted(len(self.findings) - warnings, "note"),
        )
        lines = [f"  {f.level}: {f.text}" for f in sorted(self.findings, key=lambda f: f.level, reverse=True)]
        return "\n".join([f"{self.source}: {', '.join(counts)}", *lines])


def digest(batch: Batch) -> str:
    """Return the SHA-256 (hex, 64 characters) of a batch.

    Each row is first hashed, those of a data frame by pandas, column by column, so that the layout in memory does not
    matter; arrays are read a block at a time, and their hashes are what the rows are told apart by later.
    """
    content = hashlib.sha256()
    if isinstance(batch.x, pd.DataFrame):
        content.update(repr(list(batch.x.columns)).encode())
        content.update(pd.util.hash_pandas_object(batch.x, index=False).to_numpy().tobytes())
    else:
        content.update(repr(_form(batch.x)).encode())
        content.update(row_keys(batch, labels=False).tobytes())
    for name in ("y", "time", "group"):
        column = getattr(batch, name)
        if column is not None:
            content.update(name.encode())
            content.update((pd.util.hash_array(column) if column.ndim == 1 else column_keys(column)).tobytes())
    return content.hexdigest()


def _form(x: Any) -> Any:
    if isinstance(x, dict):
        return [(name, _form(x[name])) for name in sorted(x)]
    return list(x.columns) if isinstance(x, pd.DataFrame) else (x.shape, str(x.dtype))


def counted(number: int, word: str) -> str:
    """Return such as "1 row" or "1,204 rows"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Return such as "2.5%", and "under 0.1%" for a little that is not nothing."""
    return "under 0.1%" if 0 < part / whole < 0.0005 else f"{part / whole:.1%}"


def listed(values: Iterable[Any], limit: int = 8) -> str:
    """Return such as "'a', 'b' and 3 more", so that a long list stays one sentence."""
    shown = [repr(value) for value in values]
    rest = len(shown) - limit
    return ", ".join(shown) if rest <= 0 else f"{', '.join(shown[:limit])} and {rest:,} more"


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the name that was probably meant, if one comes close; letter case and outer blanks do not count."""
    folded = {other.strip().casefold(): other for other in reversed(names)}
    close = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def absent(what: str, names: Sequence[str], there: Sequence[str], source: str) -> str:
    """Return the sentence that says which names a source lacks, and which were probably meant."""
    meant = {name: nearest(name, there) for name in names}
    shown = [f"{name!r} (is it {near!r}?)" if near else repr(name) for name, near in list(meant.items())[:8]]
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    count = f"the {what}" if len(names) == 1 else counted(len(names), what)
    return f"{source} lacks {count} {', '.join(shown)}{more}; it has {listed(there, 12)}."
