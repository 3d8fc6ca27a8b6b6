"""Write the results of a benchmark into the tables of docs/benchmarks.md.

    python benchmarks/streams.py --json > streams.jsonl
    python benchmarks/_page.py streams.jsonl

Each table lies between ``<!-- NAME -->`` and ``<!-- end -->``, where NAME is that of the data and the model, or
"overhead", or "gate:" and the group; what stands around it is left as it is.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import analytic
import forgetting
import gate
import overhead
import streams
from _common import Table

KINDS = {
    "analytic": analytic.table,
    "forgetting": forgetting.table,
    "intents": forgetting.table_of_intents,
    "overhead": overhead.table,
}
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def markdown(table: Table) -> str:
    """Return a table as GitHub shows it."""
    heads = "| " + " | ".join(column.head for column in table.columns) + " |"
    rule = "|" + "|".join("---" if column.justify == "left" else "---:" for column in table.columns) + "|"
    rows = ["| " + " | ".join(column.cell(row) for column in table.columns) + " |" for row in table.rows]
    return "\n".join([heads, rule, *rows])


def tables(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return every table that these results fill, by name."""
    found: dict[str, str] = {}
    for name, group in groupby(lines, key=lambda each: each["benchmark"]):
        told = list(group)
        if name == "streams":
            found |= {table.title: markdown(table) for table in streams.tables(told)}
        if name == "gate":
            found |= {f"gate: {table.title}": markdown(table) for table in gate.shown(told)}
        if name in KINDS:
            found[name] = markdown(KINDS[name](told))
    return found


def main(path: str) -> None:
    """Fill the tables of the page."""
    known = [json.loads(text) for text in Path(path).read_text(encoding="utf-8").splitlines()]
    lines = [{name: math.nan if value is None else value for name, value in each.items()} for each in known]
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables(lines).items():
        place = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            raise SystemExit(f"{PAGE} has no place for the table {name!r}: <!-- {name} --> and <!-- end -->")
        page = place.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)  # type: ignore[misc]  # its default
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/_page.py RESULTS.jsonl")
    main(sys.argv[1])
