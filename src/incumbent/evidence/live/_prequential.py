"""Evidence about models that keep learning, added up over batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from incumbent._deprecated import renamed_members
from incumbent.core import Floats, Interval, Value
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live._losses import check_settings, paired
from incumbent.evidence.live._stored import line_to_dict, read_line, settings
from incumbent.evidence.live._tally import PrequentialTally


@renamed_members({"lines": "names"})
@dataclass(frozen=True, repr=False)
class PrequentialMonitor(Value):
    """Whether the models of a strategy that keep learning should replace the champion.

    The champion and every prequential model predict each batch before they learn it, so all of its rows are evidence.
    What is shown is not that one fixed model is better, but that the strategy has been, on average over the rows so
    far: its model may change between batches, and so may the champion. The stakes of the bets never depend on the
    rows, so this is as sound as for one model (see `incumbent.evidence.live._eprocess`).

    *Dependent rows of a batch* count less: evidence is taken by row and by blocks of consecutive rows, and the smaller
    counts (see `PrequentialTally`). The batches so far show how long blocks have to be, unless `block` fixes it.
    Blocks cost power if they are not needed, since each is bet on as if it could be as bad as its worst row. Spells
    that outlast a batch are not noise but what is measured: the strategy was better for a while.

    *Several strategies* are several chances to be wrong. The probability that any strategy is ever promoted that has so
    far not been better is at most `alpha`. Each e-value is adjusted, which costs at most a factor of their number.

    Parameters
    ----------
    names : sequence of str
        Names of the strategies, fixed before the first batch. One that joins later needs a new monitor.
    alpha : float
        The probability of ever promoting wrongly, over all strategies together.
    min_gain : float
        The gain in mean loss that must be exceeded.
    bound : float
        The largest loss of a row; losses above are cut off. Fixed before the first batch.
    block : int, optional
        Rows in a block; None sees it from the batches so far, 1 says that rows are independent.
    evidence : tuple of PrequentialTally
        The evidence so far, in the order of `names`.

    Raises
    ------
    UsageError
        If there is no line, two have the same name, or a setting means nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> monitor = PrequentialMonitor(["linear", "window"])
    >>> for _ in range(10):
    ...     champion, linear, window = (rng.random(500) < share for share in (0.12, 0.12, 0.07))
    ...     monitor = monitor.update(champion, {"linear": linear, "window": window})
    >>> monitor.decision, monitor.best
    ('promote', 'window')
    """

    names: Sequence[str]
    alpha: float = dataclasses.field(default=0.05, kw_only=True)
    min_gain: float = dataclasses.field(default=0.0, kw_only=True)
    bound: float = dataclasses.field(default=1.0, kw_only=True)
    block: int | None = dataclasses.field(default=None, kw_only=True)
    evidence: Sequence[PrequentialTally] = dataclasses.field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        check_settings(self.alpha, self.min_gain, self.bound)
        names, text = tuple(self.names), all(isinstance(name, str) for name in self.names)
        if isinstance(self.names, str) or not text or not names or len(set(names)) < len(names):
            raise UsageError(f'lines are one or more names, each once, such as ["linear"]; {self.names!r} was given.')
        if self.block is not None and self.block < 1:
            raise UsageError(f"block is a number of rows, 1 or more, or None; {self.block} was given.")
        evidence = tuple(self.evidence) or (PrequentialTally(),) * len(names)
        if len(evidence) != len(names):
            raise UsageError(f"There are {len(names)} lines but evidence about {len(evidence)}; leave it out at first.")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "evidence", evidence)

    def update(self, champion: ArrayLike, challengers: Mapping[str, ArrayLike]) -> Self:
        """Return the monitor after one whole batch.

        Parameters
        ----------
        champion : (n,) array
            Loss of the live model on each row, in the order in which the rows came.
        challengers : mapping of str to (n,) array
            Loss of each line's model on the same rows, before it learned from them. A line that is left out is not
            judged on this batch; leave one out for reasons that its losses have no part in.

        Raises
        ------
        UsageError
            If a line is not one of `names`.
        DataError
            If lengths differ, or a loss is negative or not a number.
        """
        unknown = [name for name in challengers if name not in self.names]
        if unknown:
            raise UsageError(f"There is no line {unknown[0]!r}; this monitor was made for {', '.join(self.names)}.")
        found = {name: paired(champion, losses, self.bound) for name, losses in challengers.items()}
        lines = zip(self.names, self.evidence, strict=True)
        return self.replace(evidence=tuple(x.add(found[name], self.block) if name in found else x for name, x in lines))

    @property
    def log_e(self) -> dict[str, float]:
        """Logarithm of each line's own e-value, as if there were no other."""
        lines = zip(self.names, self.evidence, strict=True)
        return {name: line.log_e(self.min_gain / self.bound) for name, line in lines}

    @property
    def e_values(self) -> dict[str, float]:
        """The evidence about each line, valid for all of them together; one is promoted from ``1 / alpha`` on."""
        found = _adjusted(np.array(list(self.log_e.values())))
        return {name: math.exp(min(log, 700.0)) for name, log in zip(self.names, found.tolist(), strict=True)}

    @property
    def intervals(self) -> dict[str, Interval]:
        """Each line's mean difference so far, with one-sided bounds at level alpha at all moments, line by line."""
        lines = zip(self.names, self.evidence, strict=True)
        return {name: line.interval(alpha=self.alpha, bound=self.bound) for name, line in lines}

    @property
    def promoted(self) -> tuple[str, ...]:
        """The lines that are shown to be better, the strongest evidence first."""
        log_e = self.log_e
        shown = [name for name, e in self.e_values.items() if e >= 1.0 / self.alpha]
        return tuple(sorted(shown, key=lambda name: -log_e[name]))

    @property
    def best(self) -> str | None:
        """The line with the strongest evidence among those shown to be better, if there is one."""
        return next(iter(self.promoted), None)

    @property
    def decision(self) -> Literal["promote", "undecided"]:
        """Whether any line is shown to be better, at the moment of looking."""
        return "promote" if self.promoted else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """Return settings and evidence as plain numbers and texts, ready for JSON."""
        made = {name: getattr(self, name) for name in ("alpha", "min_gain", "bound", "block")}
        lines = {name: line_to_dict(line) for name, line in zip(self.names, self.evidence, strict=True)}
        return {"format": 1, "kind": "line monitor", **made, "lines": lines}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the monitor that `to_dict` wrote.

        Raises
        ------
        DataError
            If this is not one, or of a later format.
        """
        made = settings(stored, "line monitor", ("alpha", "min_gain", "bound", "block", "lines"))
        lines = made.pop("lines")
        if not isinstance(lines, Mapping):
            raise DataError(f"lines of a stored line monitor are objects by name; {lines!r:.80} was given.")
        return cls(tuple(lines), evidence=tuple(read_line(line) for line in lines.values()), **made)

    def __str__(self) -> str:
        e_values, intervals = self.e_values, self.intervals
        lines = [f"{self.decision.upper()} (decides at e = {1.0 / self.alpha:.6g})"]
        for name, line in zip(self.names, self.evidence, strict=True):
            found = intervals[name]
            seen = f"{line.batches:,} batch{'es' * (line.batches != 1)}, {found.rows:,} row{'s' * (found.rows != 1)}"
            gain = (
                f"gain {found.value:+.4g}, at least {found.lower:+.4g}, at most {found.upper:+.4g}; "
                if found.rows
                else ""
            )
            lines.append(f"  {name}: e = {e_values[name]:.3g}; {gain}{seen}")
        return "\n".join(lines)


def _adjusted(log_e: Floats) -> Floats:
    """Return the logarithm (k,) of each of k e-values adjusted for looking at all of them.

    A strategy counts as better only if every set of strategies that it belongs to is refuted together, and the mean of
    e-values is the e-value of a set (closed testing). With the others in ascending order, the smallest make the worst
    sets: adjusted_i = min over sets A of the others of  (e_i + sum_{j in A} e_j) / (1 + |A|).
    It is never less than e_i divided by the number of strategies (Bonferroni).

    Vovk, V. and Wang, R. (2021). E-values: calibration, combination and applications. Annals of Statistics 49.

    Examples
    --------
    >>> np.exp(_adjusted(np.log([60.0, 30.0, 0.0001]))).round(2).tolist()
    [30.0, 15.0, 0.0]
    """
    order, lines = np.argsort(log_e, kind="stable"), len(log_e)
    sums = np.concatenate([[-np.inf], np.logaddexp.accumulate(log_e[order])])  # of the i smallest
    sizes, found = np.arange(lines + 1), np.empty(lines)
    for place, at in enumerate(order):
        few = np.logaddexp(log_e[at], sums[: place + 1]) - np.log1p(sizes[: place + 1])
        many = sums[place + 2 :] - np.log(sizes[place + 2 :])  # this line is among the smallest itself
        found[at] = np.append(few, many).min()
    return found
