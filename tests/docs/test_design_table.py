"""The design has a table of lines by room; its column of today is recomputed here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "incumbent"
OLD_NAMES = {"control", "evaluation", "monitor", "slices"}  # modules that only forward
PRIVATE = {"__init__", "__main__", "_deprecated", "_import_named", "_on_demand"}


def rooms() -> dict[tuple[str, ...], tuple[int, int]]:
    """Return the lines before and now of each row of the table, by the rooms that the row counts together."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z, ]+) \| ([\d,]+) \| ([\d,]+) \|", text, re.MULTILINE)
    return {tuple(name.split(", ")): (number(before), number(now)) for name, before, now in rows}


def number(text: str) -> int:
    return int(text.replace(",", ""))


def lines_of(path: Path) -> int:
    files = path.rglob("*.py") if path.is_dir() else [path]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def parts() -> dict[str, int]:
    found = [path for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return {path.stem: lines_of(path) for path in found}


def others() -> set[str]:
    return {*OLD_NAMES, *PRIVATE, "errors", "words"}


def lines_now(names: tuple[str, ...]) -> int:
    if names == ("all",):
        return sum(parts().values())
    counted = others() if names == ("others",) else set(names)
    return sum(lines for name, lines in parts().items() if name in counted)


@pytest.mark.parametrize("names", rooms(), ids=", ".join)
def test_the_design_counts_the_lines_of_a_room_as_they_are_to_five_percent(names):
    assert rooms()[names][1] == pytest.approx(lines_now(names), rel=0.05)


def test_the_design_counts_every_room_once():
    named = [name for names in rooms() if names not in (("all",), ("others",)) for name in names]
    assert sorted(named) == sorted(parts().keys() - others())


def test_the_rooms_add_up_to_the_total():
    table = rooms()
    for column in (0, 1):
        total = table[("all",)][column]
        assert sum(row[column] for names, row in table.items() if names != ("all",)) == total
