"""Findings of a check of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent.core._values import Value
from incumbent.words import counted


@dataclass(frozen=True, repr=False)
class Finding(Value):
    """Something about the data that a person should know, and that does not stop an update.

    Parameters
    ----------
    level : {"note", "warning"}
        A note states what was done with the data; a warning, that the data may be wrong.
    column : str
        The column; empty if it is about whole rows.
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
    """All findings of a batch that was checked against the schema of a model.

    Parameters
    ----------
    findings : tuple of Finding
        Warnings and notes.
    rows : int
        Number of rows.
    columns : int
        Number of features of each row.
    digest : str
        SHA-256 of the checked content (names, values and row order), the same whatever file format it came from.
    source : str
        Source of the rows: a file name, or words such as "pandas frame".

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
        """The findings that a person should look at."""
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
