"""A shallow search for subgroups on which the challenger is worse.

Every column is cut into parts once: a category into its values, a number or a time into eight parts at quantiles, what
is missing is a part of its own. Conditions are one value, or a range of neighbouring parts. For the rows S of a
condition, with ``e = loss of challenger - loss of champion``,

    t(S) = (mean_S(e) - max(0, mean(e))) / sqrt(var_S(e) / |S|),

where the variance is that of S with ten more rows of the variance of all, so that a few rows that happen to be alike
are not taken for certain. A challenger that is worse on the whole is worse on nearly every slice: then the slices are
looked for that are worse than the whole. Count, sum and sum of squares of every part come from one pass over the rows
(a bincount), and those of every range from their cumulative sums.

Depth 2 and more is a beam search: within each of the best conditions that differ from one another, the same is done
once more for all other columns. A pair is kept if its t is above that of both its conditions, and if each condition
earns its place: the rows that it leaves out of the other one are better by three standard errors. Else chance would
add a condition to whatever is found. Of conditions that share more than half of their rows (Jaccard above 0.5) the
better one stays. A pair is missed if neither of its conditions shows anything by itself, as in a pure exclusive-or:
that is the price of the speed.

The search proves nothing: of thousands of conditions the best look bad by chance. `confirm_slices` tests what was
found, on other rows.

References
----------
Chung, Y., Kraska, T., Polyzotis, N., Tae, K. H. and Whang, S. E. (2019). Slice Finder: automated data slicing for
model validation. ICDE 35. We rank by t instead of thresholds on effect size and significance, and test on other rows.
Duivesteijn, W., Feelders, A. J. and Knobbe, A. (2016). Exceptional model mining. Data Mining and Knowledge Discovery
30 (beam search over conditions for subgroups on which a model behaves differently).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent._deprecated import renamed_arguments
from incumbent.core import Array, Floats
from incumbent.errors import DataError, UsageError
from incumbent.gate.slices._cut import Cut, columns
from incumbent.gate.slices._slice import Slice
from incumbent.gate.slices._table import Mask, Table

ALIKE = 0.5
"""Above this Jaccard index two conditions tell the same story, and the better one tells it."""
NOTABLE = 1.645
"""Below this t (the 95 % quantile) a slice is not worth a test: every test costs the others power."""
BEAM = 30
ROWS = 200_000
"""More rows than this are sampled: they make the search slower and the order of its findings hardly better."""
PRIOR = 10.0
"""Rows of the variance of all that every slice is given."""
EARNED = 3.0
"""How many standard errors a further condition has to set a slice apart: among hundreds, chance brings up to three."""


@dataclass(frozen=True)
class _Found:
    """Conditions (column, range) that hold together, how striking they are, their rows, their loss increase in all."""

    terms: tuple[tuple[int, int], ...]
    t: float
    rows: float
    total: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """Of every range of a column: its rows, its loss increase in all, and the variance of that."""

    rows: Floats
    total: Floats
    variance: Floats


@renamed_arguments({"minimum": "min_rows", "most": "max_slices"})
def find_slices(
    x: Any,
    champion_losses: Floats,
    challenger_losses: Floats,
    *,
    depth: int = 2,
    min_rows: int = 50,
    max_slices: int = 20,
    seed: int = 0,
) -> tuple[Slice, ...]:
    """Return slices on which the challenger looks worse than the champion, the most striking first.

    Parameters
    ----------
    x : DataFrame of n rows
        The select split, with the columns to search; a column that cannot be cut into parts is left out.
    champion_losses, challenger_losses : (n,) array
        Loss of each row.
    depth : int
        The most conditions that a slice joins by ``and``. 2 by default: three and more are hard to act on.
    min_rows : int
        The fewest rows of a slice; 50 by default, below which hardly anything could be confirmed.
    max_slices : int
        The most slices; 20 by default, since every one that is tested costs the others power.
    seed : int
        Which rows are looked at, where there are more than 200,000.

    Returns
    -------
    tuple of Slice
        With a condition each; empty where nothing looks worse.

    Raises
    ------
    DataError
        If x and the losses differ in length.
    UsageError
        If depth, min_rows or max_slices is below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"region": rng.choice(["north", "south"], 4000), "amount": rng.integers(0, 800, 4000)})
    >>> harmed = (rows.region == "north") & (rows.amount > 600)
    >>> find_slices(rows, np.zeros(4000), (harmed & (rng.random(4000) < 0.3)).to_numpy(float), seed=0)[0]
    Slice('region == "north" and amount > 592')
    """
    table, increase = Table(x), _increase(champion_losses, challenger_losses)
    rows = len(increase)
    if len(increase) != len(table):
        raise DataError(f"The losses have {len(increase)} rows but x has {len(table)}; they are paired row by row.")
    for name, value in (("depth", depth), ("min_rows", min_rows), ("max_slices", max_slices)):
        if value < 1:
            raise UsageError(f"{name} is a whole number, 1 or more; {value} was given.")
    if len(table) > ROWS:
        at = np.sort(np.random.default_rng(seed).choice(len(table), ROWS, replace=False))
        table, increase = Table(x.iloc[at]), increase[at]
        min_rows = max(1, round(min_rows * ROWS / rows))
    if len(increase) < min_rows or not increase.any():
        return ()
    search = _Search(list(columns(table)), increase, min_rows)
    found = search.run(depth, max(BEAM, max_slices))
    notable = (each for each in found if each.t > NOTABLE)
    return tuple(Slice(search.text(each)) for each in search.distinct(notable, max_slices))


def _increase(before: Floats, after: Floats) -> Floats:
    """Return the rise of each loss; an infinite one counts as the largest finite one, two infinite losses as none."""
    with np.errstate(invalid="ignore"):
        found = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    largest = float(np.abs(found[np.isfinite(found)]).max(initial=0.0)) or 1.0
    return np.nan_to_num(found, nan=0.0, posinf=largest, neginf=-largest)


class _Search:
    """One search: columns in parts, the loss increase of each row, and what is derived from both once."""

    def __init__(self, cuts: list[Cut], increase: Floats, min_rows: int) -> None:
        self.cuts, self.increase, self.min_rows = cuts, increase, min_rows
        self.square = np.square(increase)
        self.variance, self.usual = float(increase.var()), max(0.0, float(increase.mean()))
        self.single = [self.sums(cut, cut.codes, increase, self.square) for cut in cuts]

    def run(self, depth: int, beam: int) -> list[_Found]:
        """Return the conditions that look worse, the best first."""
        singles = enumerate(self.single)
        found = level = [_found((), place, k, sums, t) for place, sums in singles for k, t in self.worse(sums)]
        for _ in range(depth - 1):
            best = self.distinct(_ranked(level), beam)
            level = [child for parent in best for child in self.within(parent)]
            found = found + level
        return _ranked(found)

    def within(self, parent: _Found) -> Iterator[_Found]:
        """Yield the parent joined with each condition on another column, where either is better for the other."""
        at = np.flatnonzero(self.mask(parent))
        increase, square = self.increase[at], self.square[at]
        named = {place for place, _ in parent.terms}
        for place, (cut, alone) in enumerate(zip(self.cuts, self.single, strict=True)):
            if place in named:
                continue
            sums = self.sums(cut, cut.codes[at], increase, square)
            earned = _contrast(sums, parent.rows, parent.total) > EARNED
            earned &= _contrast(sums, alone.rows, alone.total) > EARNED
            bar = np.maximum(parent.t, self.t(alone))
            yield from (
                _found(parent.terms, place, k, sums, t) for k, t in self.worse(sums) if earned[k] and t > bar[k]
            )

    def sums(self, cut: Cut, codes: Array, increase: Floats, square: Floats) -> _Sums:
        """Return the sums of every range of a column over some rows."""
        counts = (np.bincount(codes, weight, cut.parts) for weight in (None, increase, square))
        up_to = (np.concatenate([[0.0], np.cumsum(each)]) for each in counts)
        rows, total, squares = (each[cut.ranges[:, 1] + 1] - each[cut.ranges[:, 0]] for each in up_to)
        size = np.maximum(rows, 1.0)
        within = np.maximum(squares - np.square(total) / size, 0.0)
        return _Sums(rows, total, (within + PRIOR * self.variance) / (size - 1.0 + PRIOR))

    def t(self, sums: _Sums) -> Floats:
        """Return how striking every range is; 0 where it has too few rows, or all."""
        size = np.maximum(sums.rows, 1.0)
        t = (sums.total - self.usual * size) / np.sqrt(size * np.maximum(sums.variance, 1e-300))
        return np.where((sums.rows >= self.min_rows) & (sums.rows < len(self.increase)), t, 0.0)

    def worse(self, sums: _Sums) -> list[tuple[int, float]]:
        """Return the ranges that look worse, with their t."""
        t = self.t(sums)
        return [(int(k), float(t[k])) for k in np.flatnonzero(t > 0.0)]

    def mask(self, found: _Found) -> Mask:
        """Return the rows of a condition."""
        rows = np.ones(len(self.increase), dtype=bool)
        for place, k in found.terms:
            low, high = self.cuts[place].ranges[k]
            rows &= (self.cuts[place].codes >= low) & (self.cuts[place].codes <= high)
        return rows

    def distinct(self, ranked: Iterable[_Found], most: int) -> list[_Found]:
        """Return the first `most` that share less than half of their rows with each one before."""
        kept: list[_Found] = []
        bits = np.empty((most, -(-len(self.increase) // 8)), dtype=np.uint8)
        for each in ranked:
            packed = np.packbits(self.mask(each))
            both = np.bitwise_count(bits[: len(kept)] & packed).sum(axis=1, dtype=np.int64)
            either = np.bitwise_count(bits[: len(kept)] | packed).sum(axis=1, dtype=np.int64)
            if (both <= ALIKE * either).all():
                bits[len(kept)] = packed
                kept.append(each)
            if len(kept) == most:
                break
        return kept

    def text(self, found: _Found) -> str:
        """Return the condition, its columns in the order of the frame."""
        return " and ".join(self.cuts[place].texts[k] for place, k in sorted(found.terms))


def _found(terms: tuple[tuple[int, int], ...], place: int, k: int, sums: _Sums, t: float) -> _Found:
    return _Found((*terms, (place, k)), t, float(sums.rows[k]), float(sums.total[k]))


def _contrast(part: _Sums, rows: Floats | float, total: Floats | float) -> Floats:
    """Return how much worse a part is than the rest of the rows it is taken from, in standard errors."""
    size, rest = np.maximum(part.rows, 1.0), rows - part.rows
    others = np.maximum(rest, 1.0)
    error = np.sqrt(np.maximum(part.variance, 1e-300) * (1.0 / size + 1.0 / others))
    return np.where(rest > 0, (part.total / size - (total - part.total) / others) / error, 0.0)


def _ranked(found: Iterable[_Found]) -> list[_Found]:
    """Sort by t; of equals the simpler one first."""
    return sorted(found, key=lambda each: (-each.t, len(each.terms), each.terms))
