"""One line of the gate's proof: a number that was measured, what was promised, and whether the two agree."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from _common import Column, Table, line

SURE = 0.99
"""How sure an interval is. Of a hundred cells exactly at their promise, one is expected to miss it all the same."""
Kind = Literal["at most", "at least", "within", "beside"]


@dataclass(frozen=True)
class Cell:
    """A measured value beside its promise.

    Parameters
    ----------
    group, name : str
        Which part of the table, and what was simulated.
    through : str
        What was called: the Gate itself, the function of its test, a whole update, a monitor.
    metric : str
        What the value is.
    value, low, high : float
        The value and its 99 % interval; the interval is the value where nothing is random.
    promise : float
        What it is held against; nan where the cell is there to compare with.
    kind : {"at most", "at least", "within", "beside"}
        How; "within" is a distance that must not be exceeded, "beside" is no promise of ours.
    runs : int
        How many updates, streams or lifetimes.
    """

    group: str
    name: str
    through: str
    metric: str
    value: float
    low: float
    high: float
    promise: float
    kind: Kind
    runs: int

    @property
    def holds(self) -> bool | None:
        """Whether the promise is compatible with what was seen; None where there is none."""
        if self.kind == "beside":
            return None
        return self.high >= self.promise if self.kind == "at least" else self.low <= self.promise

    def told(self, seconds: float, seed: int) -> dict[str, Any]:
        """Return the cell as a line of results; `share` is the part of the promise that is used up."""
        used = math.nan if self.kind == "beside" else self.value / self.promise
        extra = {"group": self.group, "low": self.low, "high": self.high, "promise": self.promise, "kind": self.kind}
        told = line("gate", self.name, self.through, self.metric, self.value, seconds=seconds, share=used, **extra)
        return told | {"runs": self.runs, "holds": self.holds, "seed": seed}


def rate(
    group: str, name: str, through: str, hits: int, runs: int, promise: float, *, kind: Kind = "at most", of: str = ""
) -> Cell:
    """Return the cell of a share of runs, with its Clopper-Pearson interval."""
    from scipy.stats import binomtest

    found = binomtest(hits, runs).proportion_ci(SURE)
    metric = of or "false promotions"
    return Cell(group, name, through, metric, hits / runs, float(found.low), float(found.high), promise, kind, runs)


def mean(group: str, name: str, through: str, values: Any, promise: float, *, kind: Kind, of: str) -> Cell:
    """Return the cell of a mean over runs, with its normal interval."""
    values = np.asarray(values, dtype=np.float64)
    half = 2.5758 * float(values.std(ddof=1)) / math.sqrt(len(values))
    value = float(values.mean())
    return Cell(group, name, through, of, value, value - half, value + half, promise, kind, len(values))


def distance(group: str, name: str, through: str, value: float, promise: float, *, of: str, runs: int = 1) -> Cell:
    """Return the cell of a distance, or of seconds, that must not exceed its promise."""
    return Cell(group, name, through, of, value, value, value, promise, "within", runs)


def timed(make: Callable[[], Cell | Sequence[Cell]], seed: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of one piece of work; its CPU seconds are those of its first cell."""
    begun = time.process_time()
    made = make()
    spent = time.process_time() - begun
    for at, cell in enumerate([made] if isinstance(made, Cell) else made):
        yield cell.told(0.0 if at else spent, seed)


def shown(lines: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield a table for each group."""
    for group in dict.fromkeys(each["group"] for each in lines):
        columns = [
            Column("what is simulated", "data", justify="left"),
            Column("through", "method", justify="left"),
            Column("of", "metric", justify="left"),
            Column("runs", "runs", "{:,}"),
            Column("value", "said"),
            Column("99 % interval", "between"),
            Column("promise", "promised"),
            Column("holds", "kept"),
        ]
        yield Table(group, columns, [_words(each) for each in lines if each["group"] == group])


def _words(told: Mapping[str, Any]) -> dict[str, Any]:
    form = number if told["metric"].startswith(("seconds", "distance", "rows")) else percent
    random = told["low"] != told["high"]
    promised = "-" if told["kind"] == "beside" else f"{told['kind']} {form(told['promise'])}"
    return {
        **told,
        "said": form(told["value"]),
        "between": f"{form(told['low'])} to {form(told['high'])}" if random else "-",
        "promised": promised,
        "kept": "-" if told["kind"] == "beside" else "yes" if told["holds"] else "NO",
    }


def percent(share: float) -> str:
    """Return a share in percent, two digits behind the point."""
    return f"{100.0 * share:.2f} %"


def number(value: float) -> str:
    """Return a plain number in three digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
