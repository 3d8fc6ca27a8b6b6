"""A shallow search for subgroups on which the challenger is worse.

Every column is cut into parts once: a category into its values, a number or a time into eight parts at quantiles.
Missing values are a part of their own. A condition is one value, or a range of neighbouring parts. For the rows S of a
condition, with ``e = loss of challenger - loss of champion``,

    t(S) = (mean_S(e) - max(0, mean(e))) / sqrt(var_S(e) / |S|),

where ten more rows with the variance of all rows are added to the variance of S. Otherwise a few rows that happen to be
alike would look certain. A challenger that is worse overall is worse on nearly every slice, so the search then looks
for slices that are worse than the whole. Count, sum and sum of squares of every part come from one pass over the rows
(a bincount), and those of every range from their cumulative sums.

Depth 2 and more is a beam search. Within each of the best distinct conditions, the search is repeated over all other
columns. A pair is kept if its t is above that of both its conditions, and if the rows that each condition excludes from
the other are better by three standard errors. Otherwise chance would add a condition to every finding. Of conditions
that share more than half of their rows (Jaccard above 0.5), the one with the larger t is kept. A pair is missed if
neither of its conditions shows anything by itself, as in a pure exclusive-or. That is the price of the speed.

The search proves nothing: among thousands of conditions, the worst ones look bad by chance. `confirm_slices` tests the
findings on other rows.

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
"""Above this Jaccard index, two conditions count as the same, and only the one with the larger t is kept."""
NOTABLE = 1.645
"""Below this t (the 95 % quantile), a slice is not worth a test, as every test costs the others power."""
BEAM = 30
"""Distinct conditions that each level of the search extends."""
ROWS = 200_000
"""More rows than this are sampled. They would slow the search and hardly change the order of its findings."""
PRIOR = 10.0
"""Rows with the overall variance that are added to every slice."""
EARNED = 3.0
"""How many standard errors a further condition has to gain. Among hundreds, chance reaches up to three."""


@dataclass(frozen=True)
class _Found:
    """A conjunction of conditions (column, range), with its t, its rows, and the sum of their loss increases."""

    terms: tuple[tuple[int, int], ...]
    t: float
    rows: float
    total: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """For every range of a column: its rows, the sum of their loss increases, and the variance of an increase."""

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
    """Return slices on which the challenger looks worse than the champion, largest t first.

    Parameters
    ----------
    x : DataFrame of n rows
        The select split, with the columns to search; a column that cannot be cut into parts is left out.
    champion_losses, challenger_losses : (n,) array
        Loss of each row.
    depth : int
        The maximum number of conditions joined by ``and``. 2 by default: three and more are hard to act on.
    min_rows : int
        The minimum rows of a slice; 50 by default, as smaller slices can hardly be confirmed.
    max_slices : int
        The maximum number of slices; 20 by default, since each tested slice costs the others power.
    seed : int
        Seed of the sample of rows, if there are more than 200,000.

    Returns
    -------
    tuple of Slice
        Slices by condition; empty if nothing looks worse.

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
            raise UsageError(f"{name} is a whole number, 1 or more; got {value}.")
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
    """Return the increase of each loss. An infinite one counts as the largest finite one, and NaN as zero."""
    with np.errstate(invalid="ignore"):
        found = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    largest = float(np.abs(found[np.isfinite(found)]).max(initial=0.0)) or 1.0
    return np.nan_to_num(found, nan=0.0, posinf=largest, neginf=-largest)


class _Search:
    """One search: columns cut into parts, the loss increase of each row, and statistics that are computed once."""

    def __init__(self, cuts: list[Cut], increase: Floats, min_rows: int) -> None:
        self.cuts, self.increase, self.min_rows = cuts, increase, min_rows
        self.square = np.square(increase)
        self.variance, self.usual = float(increase.var()), max(0.0, float(increase.mean()))
        self.single = [self.sums(cut, cut.codes, increase, self.square) for cut in cuts]

    def run(self, depth: int, beam: int) -> list[_Found]:
        """Return the conditions that look worse, largest t first."""
        singles = enumerate(self.single)
        found = level = [_found((), place, k, sums, t) for place, sums in singles for k, t in self.worse(sums)]
        for _ in range(depth - 1):
            best = self.distinct(_ranked(level), beam)
            level = [child for parent in best for child in self.within(parent)]
            found = found + level
        return _ranked(found)

    def within(self, parent: _Found) -> Iterator[_Found]:
        """Yield the parent joined with each condition on another column, if both conditions improve the pair."""
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
        """Return the t of every range; 0 for ranges with too few rows, or all rows."""
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
        """Return the first `most` conditions whose Jaccard index with each one before is at most `ALIKE`."""
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
    """Sort by t, largest first; of equal ones the simpler first."""
    return sorted(found, key=lambda each: (-each.t, len(each.terms), each.terms))
